"""Rounds that take about the same time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gridmap.patrols.planning.assembling import assemble
from gridmap.patrols.planning.problem import Problem
from gridmap.patrols.planning.solving import solve
from gridmap.patrols.planning.tasks import Window

if TYPE_CHECKING:
    from gridmap.patrols.planning.assembling import Order
    from gridmap.patrols.planning.plan import Plan
    from gridmap.patrols.planning.stop import Stop
    from gridmap.patrols.planning.workers import Worker

__all__ = ["Levelled", "level", "spread"]

_HALVINGS = 4
"""Of the range in which the shortest sufficient shift lies."""
_SLACKS = ((0.03, 0.0), (0.3, 1.0))
"""How much more than an equal share of the work somebody may have where shorter shifts do not do: as a part
of that share, or as a part of the longest task, whichever is more."""
_EAGER = 4
"""So many times its prize a task is worth while rounds are balanced: more people on the way cost more."""
_MAY_MISS = 0.01
"""Share of all prizes that may be missed in addition, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levelled:
    """A plan with rounds that are nearer to each other.

    Parameters
    ----------
    problem
        The question with the bounds that made it so.
    before, after
        How far the busiest and the least busy are apart; see `spread`.
    """

    problem: Problem
    plan: Plan
    before: float
    after: float


def spread(problem: Problem, plan: Plan) -> float:
    """How far the busiest and the least busy are apart: shares of their shifts in which they move or do."""
    busy = [0.0] * len(problem.workers)
    for route in plan.routes:
        shift = problem.workers[route.worker].shift
        busy[route.worker] = route.seconds / max(shift.closes - shift.opens, 1)
    return max(busy) - min(busy)


def level(problem: Problem, plan: Plan, *, stop: Stop, seed: int) -> Levelled:
    """Look for a plan whose rounds take about the same time.

    Shifts are cut short from their end as far as that leaves out nothing more of what must be done, and
    misses at most 1 % of all prizes in addition; how far, is found by halving. Where windows late in the
    shift forbid that, everybody may do an equal share of the work and a little more instead. Of what was
    found, the plan whose rounds are nearest to each other is taken.

    Parameters
    ----------
    plan
        The best one otherwise.
    stop
        Of the whole.
    """
    before = spread(problem, plan)
    best = Levelled(problem=problem, plan=plan, before=before, after=before)
    bounded = any(worker.capacity is not None for worker in problem.workers)
    if len(problem.workers) == 1 or not plan.routes or bounded:
        return best
    tries = _HALVINGS + len(_SLACKS)
    part = replace(
        stop,
        seconds=None if stop.seconds is None else stop.seconds / tries,
        iterations=None if stop.iterations is None else max(stop.iterations // tries, 1),
    )
    shifts = sum(worker.shift.closes - worker.shift.opens for worker in problem.workers)
    low, high = plan.seconds / max(shifts, 1), 1.0
    for number in range(_HALVINGS):
        share = (low + high) / 2
        short = _short(problem, share)
        found = _solved(problem, short, plan, part, seed + number)
        if found is None:
            low = share
            continue
        high = share
        if spread(problem, found) < best.after:
            best = Levelled(problem=short, plan=found, before=before, after=spread(problem, found))
    for number, slack in enumerate(_SLACKS):
        limited = _limited(problem, plan, slack)
        found = _solved(problem, limited, plan, part, seed + _HALVINGS + number)
        if found is not None and spread(problem, found) < best.after:
            best = Levelled(problem=limited, plan=found, before=before, after=spread(problem, found))
    return best


def _solved(problem: Problem, bounded: Problem, plan: Plan, stop: Stop, seed: int) -> Plan | None:
    """The best plan within bounds, as one of the question itself; None if it leaves out too much."""
    tasks = tuple(
        replace(task, prize=None if task.prize is None else _EAGER * task.prize) for task in bounded.tasks
    )
    eager = Problem(travel=problem.travel, tasks=tasks, workers=bounded.workers)
    orders: list[Order] = [()] * len(problem.workers)
    for route in solve(eager, stop, seed, start=plan, reasons=False).plan.routes:
        orders[route.worker] = route.order
    found = assemble(problem, orders, {}, reasons=False)
    most = plan.missed + _MAY_MISS * sum(task.prize or 0 for task in problem.tasks)
    return found if found.lacking <= plan.lacking and found.missed <= most else None


def _short(problem: Problem, share: float) -> Problem:
    """The same question with shifts cut short."""
    return Problem(
        travel=problem.travel,
        tasks=problem.tasks,
        workers=tuple(_cut(worker, share) for worker in problem.workers),
    )


def _cut(worker: Worker, share: float) -> Worker:
    opens, closes = worker.shift.opens, worker.shift.closes
    pause = worker.pause
    end = opens + round((closes - opens) * share) + (pause.seconds if pause else 0)
    if end >= closes:
        return worker
    if pause is not None and end <= pause.window.closes + pause.seconds:
        # Back before the rest is due: there is none, and no time for it.
        end, pause = min(end - pause.seconds, pause.window.closes), None
    return replace(worker, shift=Window(opens, max(end, opens)), pause=pause)


def _limited(problem: Problem, plan: Plan, slack: tuple[float, float]) -> Problem:
    """The same question with bounds of work: what a task takes, and a way of mean length to it."""
    done = [
        problem.tasks[visit.task].modes[visit.mode].seconds for route in plan.routes for visit in route.visits
    ]
    way = (plan.seconds - sum(done)) / len(done)
    tasks = tuple(
        replace(task, demand=round(min(mode.seconds for mode in task.modes) + way)) for task in problem.tasks
    )
    shifts = [worker.shift.closes - worker.shift.opens for worker in problem.workers]
    share = plan.seconds / max(sum(shifts), 1)
    longest = max(task.demand for task in tasks)
    workers = tuple(
        replace(worker, capacity=round(share * shift + max(share * shift * slack[0], longest * slack[1])))
        for worker, shift in zip(problem.workers, shifts, strict=True)
    )
    return Problem(travel=problem.travel, tasks=tasks, workers=workers)
