"""What is wrong with a plan, judged from the problem and the plan alone.

Nothing of how plans are made is used here: times, sums and reasons are worked out anew.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gridmap.patrols.planning.plan import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridmap.patrols.planning.plan import Plan, Route
    from gridmap.patrols.planning.problem import Problem

__all__ = ["Fault", "FaultKind", "faults"]

_NO_WAY = 1 << 40


class FaultKind(StrEnum):
    """What can be wrong."""

    UNKNOWN = "unknown"
    """A worker, task or mode that does not exist."""
    TWICE = "twice"
    """A worker or a task more than once."""
    COVERAGE = "coverage"
    """A task neither done nor named as unfitted, or both."""
    REASON = "reason"
    """A reason that does not hold."""
    SKILL = "skill"
    """Somebody does what they may not, or not in this way."""
    WAY = "way"
    """There is no way from one stop to the next."""
    TIME = "time"
    """Somebody is somewhere sooner than the way allows, or leaves before it is done."""
    WINDOW = "window"
    """A start outside the task's windows."""
    SHIFT = "shift"
    """Out of the shift."""
    BREAK = "break"
    """A break that is missing, too short, out of its window or where there is no time for it."""
    LOAD = "load"
    """More than the worker's capacity."""
    TOTAL = "total"
    """A sum that is not what it is said to be."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Parameters
    ----------
    worker, task
        Where it is; None if it concerns none.
    """

    kind: FaultKind
    worker: int | None = None
    task: int | None = None


def faults(problem: Problem, plan: Plan) -> list[Fault]:
    """Everything that is wrong with a plan; empty if it is right."""
    unknown = list(_unknown(problem, plan))
    if unknown:
        return unknown
    found = [*_coverage(problem, plan), *_totals(problem, plan)]
    for route in plan.routes:
        found += _route(problem, route)
    return found


def _unknown(problem: Problem, plan: Plan) -> Iterator[Fault]:
    for route in plan.routes:
        if not 0 <= route.worker < len(problem.workers):
            yield Fault(FaultKind.UNKNOWN, route.worker)
        for visit in route.visits:
            if not 0 <= visit.task < len(problem.tasks) or not 0 <= visit.mode < len(
                problem.tasks[visit.task].modes
            ):
                yield Fault(FaultKind.UNKNOWN, route.worker, visit.task)
    for left in plan.unfitted:
        if not 0 <= left.task < len(problem.tasks):
            yield Fault(FaultKind.UNKNOWN, task=left.task)


def _coverage(problem: Problem, plan: Plan) -> Iterator[Fault]:
    for worker, times in Counter(route.worker for route in plan.routes).items():
        if times > 1:
            yield Fault(FaultKind.TWICE, worker)
    done = Counter(visit.task for route in plan.routes for visit in route.visits)
    left = Counter(one.task for one in plan.unfitted)
    for task in range(len(problem.tasks)):
        if done[task] > 1 or left[task] > 1:
            yield Fault(FaultKind.TWICE, task=task)
        if bool(done[task]) == bool(left[task]):
            yield Fault(FaultKind.COVERAGE, task=task)
    for one in plan.unfitted:
        if not _holds(problem, one.task, one.reason):
            yield Fault(FaultKind.REASON, task=one.task)


def _holds(problem: Problem, number: int, reason: Reason) -> bool:
    """Whether a reason can be true; whether shifts are really full is the search's business."""
    task = problem.tasks[number]
    able = [
        (person, mode)
        for position, person in enumerate(problem.workers)
        if task.workers is None or position in task.workers
        for mode in task.modes
        if mode.travel is None or mode.travel == person.travel
    ]
    if reason is Reason.NOBODY:
        return not able
    if reason is Reason.NOT_WORTH:
        return task.prize is not None
    if reason is Reason.UNREACHABLE:
        ways = (problem.travel[person.travel].seconds for person, _ in able)
        return bool(able) and all(
            seconds[person.start, mode.entry] >= _NO_WAY or seconds[mode.exit, person.end] >= _NO_WAY
            for seconds, (person, mode) in zip(ways, able, strict=True)
        )
    if reason is Reason.CLOSED:
        return all(
            window.closes < person.shift.opens or window.opens > person.shift.closes
            for person, _ in able
            for window in task.windows
        )
    return bool(able)


def _totals(problem: Problem, plan: Plan) -> Iterator[Fault]:
    absent = [problem.tasks[one.task] for one in plan.unfitted]
    missed = sum(task.prize for task in absent if task.prize is not None)
    lacking = sum(task.prize is None for task in absent)
    cost = missed + sum(route.cost for route in plan.routes)
    if (plan.missed, plan.lacking, plan.cost) != (missed, lacking, cost):
        yield Fault(FaultKind.TOTAL)


def _route(problem: Problem, route: Route) -> Iterator[Fault]:
    if not route.visits:
        yield Fault(FaultKind.COVERAGE, route.worker)
    shift = problem.workers[route.worker].shift
    if not shift.opens <= route.span.opens <= route.span.closes <= shift.closes:
        yield Fault(FaultKind.SHIFT, route.worker)
    yield from _allowed(problem, route)
    yield from _times(problem, route)
    yield from _sums(problem, route)


def _allowed(problem: Problem, route: Route) -> Iterator[Fault]:
    number = route.worker
    for visit in route.visits:
        task = problem.tasks[visit.task]
        skilled = task.workers is None or number in task.workers
        if not skilled or task.modes[visit.mode].travel not in (None, problem.workers[number].travel):
            yield Fault(FaultKind.SKILL, number, visit.task)
        if task.windows and not any(one.opens <= visit.starts <= one.closes for one in task.windows):
            yield Fault(FaultKind.WINDOW, number, visit.task)


def _times(problem: Problem, route: Route) -> Iterator[Fault]:
    person, number, pause = problem.workers[route.worker], route.worker, route.pause
    seconds = problem.travel[person.travel].seconds
    here, free = person.start, route.span.opens
    for position, visit in enumerate(route.visits):
        mode = problem.tasks[visit.task].modes[visit.mode]
        leg = int(seconds[here, mode.entry])
        if leg >= _NO_WAY:
            yield Fault(FaultKind.WAY, number, visit.task)
        ready = visit.arrives
        if pause is not None and pause.before == position:
            if pause.starts < (visit.arrives if pause.there else free):
                yield Fault(FaultKind.BREAK, number, visit.task)
            if pause.there:
                ready = max(ready, pause.finishes)
            else:
                free = pause.finishes
        if (
            visit.arrives < free + leg
            or visit.starts < ready
            or visit.finishes != visit.starts + mode.seconds
        ):
            yield Fault(FaultKind.TIME, number, visit.task)
        here, free = mode.exit, visit.finishes
    yield from _end(problem, route, here, free)


def _sums(problem: Problem, route: Route) -> Iterator[Fault]:
    person, number = problem.workers[route.worker], route.worker
    travel = problem.travel[person.travel]
    modes = [problem.tasks[visit.task].modes[visit.mode] for visit in route.visits]
    stops = [person.start, *(node for mode in modes for node in (mode.entry, mode.exit)), person.end]
    legs = list(zip(stops[::2], stops[1::2], strict=True))
    metres = sum(int(travel.metres[leg]) for leg in legs) + sum(mode.metres for mode in modes)
    seconds = sum(int(travel.seconds[leg]) for leg in legs) + sum(mode.seconds for mode in modes)
    cost = person.cost + person.cost_per_metre * metres + person.cost_per_second * seconds
    if (route.metres, route.seconds, route.cost) != (metres, seconds, cost):
        yield Fault(FaultKind.TOTAL, number)
    load = sum(problem.tasks[visit.task].demand for visit in route.visits)
    if person.capacity is not None and load > person.capacity:
        yield Fault(FaultKind.LOAD, number)


def _end(problem: Problem, route: Route, here: int, free: int) -> Iterator[Fault]:
    """The way back, and the break as a whole."""
    person, number, pause = problem.workers[route.worker], route.worker, route.pause
    leg = int(problem.travel[person.travel].seconds[here, person.end])
    if leg >= _NO_WAY:
        yield Fault(FaultKind.WAY, number)
    back = free + leg
    if pause is not None and pause.before == len(route.visits):
        if pause.starts < (back if pause.there else free):
            yield Fault(FaultKind.BREAK, number)
        back = pause.finishes if pause.there else pause.finishes + leg
    if route.span.closes < back:
        yield Fault(FaultKind.TIME, number)
    rule = person.pause
    if pause is None:
        if rule is not None and route.span.closes > rule.window.closes:
            yield Fault(FaultKind.BREAK, number)
        return
    if (
        rule is None
        or not 0 <= pause.before <= len(route.visits)
        or pause.finishes - pause.starts < rule.seconds
        or not rule.window.opens <= pause.starts <= rule.window.closes
    ):
        yield Fault(FaultKind.BREAK, number)
