"""Rounds that take about the same time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gridmap.patrols.planning.assembling import assemble
from gridmap.patrols.planning.problem import Problem
from gridmap.patrols.planning.solving import solve

if TYPE_CHECKING:
    from gridmap.patrols.planning.assembling import Order
    from gridmap.patrols.planning.plan import Plan
    from gridmap.patrols.planning.stop import Stop

__all__ = ["Levelled", "level", "spread"]

_SLACKS = (0.06, 0.15, 0.35)
"""How much more than an equal share of the work somebody may have, tried in turn."""
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

    Everybody may do a share of the work in proportion to the shift and a little more. The plan with the
    smallest allowance that leaves out nothing more of what must be done, and misses at most 1 % of all prizes
    in addition, is taken if its rounds are nearer to each other.

    Parameters
    ----------
    plan
        The best one otherwise.
    stop
        Of the whole.
    """
    before = spread(problem, plan)
    same = Levelled(problem=problem, plan=plan, before=before, after=before)
    visits = sum(len(route.visits) for route in plan.routes)
    if (
        len(problem.workers) < 2
        or not visits
        or any(worker.capacity is not None for worker in problem.workers)
    ):
        return same
    most = plan.missed + _MAY_MISS * sum(task.prize or 0 for task in problem.tasks)
    for number, slack in enumerate(_SLACKS):
        limited = _limited(problem, plan, visits, slack)
        seconds = None if stop.seconds is None else stop.seconds / len(_SLACKS)
        iterations = None if stop.iterations is None else max(stop.iterations // len(_SLACKS), 1)
        found = solve(limited, replace(stop, seconds=seconds, iterations=iterations), seed + number).plan
        orders: list[Order] = [()] * len(problem.workers)
        for route in found.routes:
            orders[route.worker] = route.order
        other = assemble(problem, orders, {})
        after = spread(problem, other)
        if other.lacking <= plan.lacking and other.missed <= most and after < before:
            return Levelled(problem=limited, plan=other, before=before, after=after)
    return same


def _limited(problem: Problem, plan: Plan, visits: int, slack: float) -> Problem:
    """The same question with bounds of work: what a task takes, and a way of mean length to it."""
    doing = sum(
        problem.tasks[visit.task].modes[visit.mode].seconds for route in plan.routes for visit in route.visits
    )
    way = (plan.seconds - doing) / visits
    tasks = tuple(
        replace(task, demand=round(min(mode.seconds for mode in task.modes) + way)) for task in problem.tasks
    )
    shifts = [worker.shift.closes - worker.shift.opens for worker in problem.workers]
    whole = plan.seconds * (1 + slack) / max(sum(shifts), 1)
    dearest = max(task.demand for task in tasks)
    workers = tuple(
        replace(worker, capacity=max(round(whole * shift), dearest))
        for worker, shift in zip(problem.workers, shifts, strict=True)
    )
    return Problem(travel=problem.travel, tasks=tasks, workers=workers)
