"""A plan from orders that somebody made by hand, kept as they are whatever they break."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.patrols.planning.kinds import kinds
from gridmap.patrols.planning.plan import Pause, Plan, Reason, Route, Unfitted, Visit
from gridmap.patrols.planning.reasons import hopeless
from gridmap.patrols.planning.tasks import Window
from gridmap.patrols.planning.timetable import timetable
from gridmap.patrols.planning.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gridmap.patrols.planning.problem import Problem

__all__ = ["force"]


def force(problem: Problem, orders: Sequence[Sequence[int]], modes: Mapping[int, int]) -> Plan:
    """Make a plan of given orders; what is wrong with it, `faults` says.

    Parameters
    ----------
    orders
        Tasks of each worker; each at most once.
    modes
        In which a task was done so far. Others are chosen for the shortest way, and so are these where the
        order does not allow them any more or another one is shorter.
    """
    routes = tuple(
        _route(problem, worker, list(order), modes) for worker, order in enumerate(orders) if order
    )
    done = {visit.task for route in routes for visit in route.visits}
    examples = [kind[0] for kind in kinds(problem)]
    unfitted = tuple(
        Unfitted(task, _reason(problem, task, examples))
        for task in range(len(problem.tasks))
        if task not in done
    )
    absent = [problem.tasks[one.task] for one in unfitted]
    missed = sum(task.prize or 0 for task in absent)
    return Plan(
        routes=routes,
        unfitted=unfitted,
        missed=missed,
        cost=missed + sum(route.cost for route in routes),
        lacking=sum(task.required for task in absent),
    )


def _reason(problem: Problem, task: int, examples: list[int]) -> Reason:
    left = Reason.FULL if problem.tasks[task].required else Reason.NOT_WORTH
    return hopeless(problem, task, examples) or left


def _route(problem: Problem, worker: int, order: list[int], modes: Mapping[int, int]) -> Route:
    kept = [(task, modes.get(task, 0)) for task in order]
    short = _shortest(problem, worker, order)
    possible = [route for way in (kept, short) if (route := timetable(problem, worker, way)) is not None]
    if possible:
        return min(possible, key=lambda route: route.cost)
    return _timed(problem, worker, short)


def _shortest(problem: Problem, worker: int, order: list[int]) -> list[tuple[int, int]]:
    """The mode of each task with which the whole takes the least time, windows aside."""
    person = problem.workers[worker]
    seconds = problem.travel[person.travel].seconds
    paid: list[tuple[int, list[int]]] = [(0, [])]
    exits = [person.start]
    for task in order:
        numbers = [n for n in range(len(problem.tasks[task].modes)) if problem.may(worker, task, n)]
        numbers = numbers or list(range(len(problem.tasks[task].modes)))
        found = []
        for number in numbers:
            mode = problem.tasks[task].modes[number]
            sums = (
                (cost + int(seconds[here, mode.entry]), way)
                for here, (cost, way) in zip(exits, paid, strict=True)
            )
            cost, way = min(sums, key=lambda one: one[0])
            found.append((cost + mode.seconds, [*way, number]))
        paid, exits = found, [problem.tasks[task].modes[number].exit for number in numbers]
    last = (
        (cost + int(seconds[here, person.end]), way) for here, (cost, way) in zip(exits, paid, strict=True)
    )
    return list(zip(order, min(last, key=lambda one: one[0])[1], strict=True))


def _timed(problem: Problem, worker: int, order: list[tuple[int, int]]) -> Route:
    """A route that breaks something: each task as early as its way allows, too late if need be."""
    person = problem.workers[worker]
    travel, rule = problem.travel[person.travel], person.pause
    here, free, pause = person.start, person.shift.opens, None
    visits, seconds, metres = [], 0, 0
    for position, (task, number) in enumerate(order):
        mode = problem.tasks[task].modes[number]
        leg = int(travel.seconds[here, mode.entry])
        seconds, metres = seconds + leg + mode.seconds, metres + mode.metres
        metres += int(travel.metres[here, mode.entry])
        arrives = free + (leg if leg < UNREACHABLE else 0)
        ready = arrives
        if rule is not None and pause is None and arrives + mode.seconds > rule.window.opens:
            rests = max(arrives, rule.window.opens)
            pause = Pause(position, there=True, starts=rests, finishes=rests + rule.seconds)
            ready = pause.finishes
        windows = problem.tasks[task].windows
        starts = min((max(ready, one.opens) for one in windows if ready <= one.closes), default=ready)
        visits.append(Visit(task, number, arrives, starts, starts + mode.seconds))
        here, free = mode.exit, starts + mode.seconds
    leg = int(travel.seconds[here, person.end])
    seconds, metres = seconds + leg, metres + int(travel.metres[here, person.end])
    back = free + (leg if leg < UNREACHABLE else 0)
    if rule is not None and pause is None and back > rule.window.closes:
        rests = max(back, rule.window.opens)
        pause = Pause(len(order), there=True, starts=rests, finishes=rests + rule.seconds)
        back = pause.finishes
    return Route(
        worker=worker,
        visits=tuple(visits),
        span=Window(person.shift.opens, back),
        pause=pause,
        metres=metres,
        seconds=seconds,
        cost=person.cost + person.cost_per_metre * metres + person.cost_per_second * seconds,
    )
