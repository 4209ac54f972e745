"""From a problem to a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridmap.patrols.planning.assembling import assemble
from gridmap.patrols.planning.costs import bound
from gridmap.patrols.planning.kinds import kinds
from gridmap.patrols.planning.local_search import local_search
from gridmap.patrols.planning.preparing import prepare
from gridmap.patrols.planning.reasons import hopeless
from gridmap.patrols.planning.ruin_and_recreate import RuinAndRecreate
from gridmap.patrols.planning.stop import Budget

if TYPE_CHECKING:
    from gridmap.patrols.planning.assembling import Orders
    from gridmap.patrols.planning.plan import Plan, Reason
    from gridmap.patrols.planning.problem import Problem
    from gridmap.patrols.planning.stop import Stop

__all__ = ["Result", "solve"]

_LOCAL_FROM = 40
"""Fewer tasks are left to ruin and recreate."""
_FIRST = 0.05
"""Share of the budget to find out whether everything fits."""
_MANY = 400
"""From so many places on, local search gets the larger share."""
_HOT, _WARM = 2.0, 0.2
"""First temperature of a search from nothing, and of one that goes on from a good plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a search found.

    Parameters
    ----------
    seconds, iterations
        That it took.
    """

    plan: Plan
    seconds: float
    iterations: int


def solve(
    problem: Problem, stop: Stop, seed: int = 0, *, start: Plan | None = None, reasons: bool = True
) -> Result:
    """Find a good plan.

    Places with at most one window each go to PyVRP's local search first. Ruin and recreate takes up what it
    found, and everything that has streets, several windows or breaks. The best plan that either found counts.

    Parameters
    ----------
    problem
        What is asked.
    stop
        Bounds of the search. What the first search of a process takes to be compiled is not counted.
    seed
        The same one gives the same plan, if only iterations bound the search.
    start
        Plan to start from, for instance one that was changed by hand; what of it is no longer allowed is
        left out.
    reasons
        Whether it matters why tasks are left out of it; it takes time to find out.
    """
    if problem.tasks:
        prepare()
    budget = Budget(stop)
    examples = [kind[0] for kind in kinds(problem)]
    why = {
        task: reason
        for task in range(len(problem.tasks))
        if (reason := hopeless(problem, task, examples)) is not None
    }
    best = assemble(problem, _orders(problem, start), why, reasons=False)
    if len(why) < len(problem.tasks):
        best = _searched(problem, budget, seed, best, why)
    if reasons:
        best = assemble(problem, _orders(problem, best), why)
    return Result(plan=best, seconds=budget.seconds, iterations=budget.iterations)


def _orders(problem: Problem, plan: Plan | None) -> Orders:
    """Orders of all workers in a plan."""
    orders: list[tuple[tuple[int, int], ...]] = [() for _ in problem.workers]
    for route in plan.routes if plan is not None else ():
        if 0 <= route.worker < len(orders):
            orders[route.worker] = route.order
    return tuple(orders)


def _searched(problem: Problem, budget: Budget, seed: int, start: Plan, why: dict[int, Reason]) -> Plan:
    tasks = [task for task in range(len(problem.tasks)) if task not in why]
    own = RuinAndRecreate(problem, tasks, charge=bound(problem), seed=seed)
    own.take(_orders(problem, start))
    share = _local_share(problem, tasks)
    if share:
        # Whether everything fits is known soon; local search does better when it knows.
        own.run(budget, share=_FIRST, hot=_HOT)
        complete = not assemble(problem, own.orders(), why, reasons=False).lacking
        first = start if start.routes and not (complete and start.lacking) else None
        found = local_search(problem, tasks, budget, share=share, seed=seed, start=first, complete=complete)
        own.take(_orders(problem, assemble(problem, found, why, reasons=False)))
    own.run(budget, share=1, hot=_WARM if share else _HOT)
    last = assemble(problem, own.orders(), why, reasons=False)
    return min(start, last, key=lambda plan: plan.rank)


def _local_share(problem: Problem, tasks: list[int]) -> float:
    """Share of the budget for PyVRP's local search."""
    chosen = [problem.tasks[task] for task in tasks]
    plain = all(len(task.modes) == 1 and len(task.windows) <= 1 for task in chosen)
    if not plain or len(tasks) < _LOCAL_FROM or any(worker.pause for worker in problem.workers):
        return 0.0
    return 0.8 if len(tasks) >= _MANY else 0.6
