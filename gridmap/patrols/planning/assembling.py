"""A plan from orders of tasks: times, sums and what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.patrols.planning.plan import Plan, Reason, Unfitted
from gridmap.patrols.planning.timetable import timetable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gridmap.patrols.planning.plan import Route
    from gridmap.patrols.planning.problem import Problem
    from gridmap.patrols.planning.tasks import Window

__all__ = ["Order", "Orders", "assemble"]

Order = tuple[tuple[int, int], ...]
"""Task and mode of each visit of one worker."""
Orders = tuple[Order, ...]
"""The order of each worker; empty for those who stay."""


def assemble(
    problem: Problem,
    orders: Sequence[Sequence[tuple[int, int]]],
    why: Mapping[int, Reason],
    *,
    reasons: bool = True,
) -> Plan:
    """Make a plan; tasks that do not fit into their place are left out of it.

    Parameters
    ----------
    orders
        One for each worker.
    why
        Reasons of tasks that can never be done.
    reasons
        Whether those of other tasks matter, which take time to find.
    """
    routes = []
    for worker, order in enumerate(orders):
        if (route := _feasible(problem, worker, list(order))) is not None:
            routes.append(route)
    done = {visit.task for route in routes for visit in route.visits}
    absent = [task for task in range(len(problem.tasks)) if task not in done]
    missed = sum(problem.tasks[task].prize or 0 for task in absent)
    plan = Plan(
        routes=tuple(routes),
        unfitted=(),
        missed=missed,
        cost=missed + sum(route.cost for route in routes),
        lacking=sum(problem.tasks[task].required for task in absent),
    )
    unfitted = (
        Unfitted(task, why.get(task) or (_reason(problem, plan, task) if reasons else Reason.FULL))
        for task in absent
    )
    return Plan(
        routes=plan.routes,
        unfitted=tuple(unfitted),
        missed=plan.missed,
        cost=plan.cost,
        lacking=plan.lacking,
    )


def _feasible(problem: Problem, worker: int, order: list[tuple[int, int]]) -> Route | None:
    """The route, without the tasks that stand in its way; None if nothing is left of it."""
    while order:
        if route := timetable(problem, worker, order):
            return route
        # The longest beginning that is possible, and then what follows the task that breaks it.
        fits = next(n for n in range(len(order), -1, -1) if n == 0 or timetable(problem, worker, order[:n]))
        del order[fits]
    return None


def _open_in(problem: Problem, task: int, shift: Window) -> bool:
    windows = problem.tasks[task].windows
    return not windows or any(one.opens <= shift.closes and one.closes >= shift.opens for one in windows)


def _room(problem: Problem, route: Route, task: int) -> Iterator[tuple[int, int]]:
    """Modes and places for a task in a route whose shift is long enough for it, windows aside."""
    person = problem.workers[route.worker]
    seconds = problem.travel[person.travel].seconds
    modes = [problem.tasks[visit.task].modes[visit.mode] for visit in route.visits]
    leaves = np.array([person.start, *(mode.exit for mode in modes)])
    enters = np.array([*(mode.entry for mode in modes), person.end])
    free = person.shift.closes - person.shift.opens - route.seconds
    for number, mode in enumerate(problem.tasks[task].modes):
        more = (
            seconds[leaves, mode.entry] + mode.seconds + seconds[mode.exit, enters] - seconds[leaves, enters]
        )
        for at in np.flatnonzero(more <= free).tolist():
            yield number, at


def _reason(problem: Problem, plan: Plan, task: int) -> Reason:
    """Why a task that somebody could do is not in the plan."""
    if problem.tasks[task].required:
        return Reason.FULL
    least = min(mode.seconds for mode in problem.tasks[task].modes)
    for route in plan.routes:
        shift = problem.workers[route.worker].shift
        # Most shifts are full, and trying every place in them takes long.
        if least > shift.closes - shift.opens - route.seconds or not _open_in(problem, task, shift):
            continue
        for mode, at in _room(problem, route, task):
            order = (*route.order[:at], (task, mode), *route.order[at:])
            if timetable(problem, route.worker, order):
                return Reason.NOT_WORTH
    out = {route.worker for route in plan.routes}
    free = (
        worker
        for worker, person in enumerate(problem.workers)
        if worker not in out and _open_in(problem, task, person.shift)
    )
    modes = range(len(problem.tasks[task].modes))
    able = any(timetable(problem, worker, [(task, mode)]) for worker in free for mode in modes)
    return Reason.NOT_WORTH if able else Reason.FULL
