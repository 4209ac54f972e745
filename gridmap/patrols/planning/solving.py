"""From a problem to a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridmap.patrols.planning.assembling import assemble
from gridmap.patrols.planning.kinds import kinds
from gridmap.patrols.planning.local_search import local_search
from gridmap.patrols.planning.reasons import hopeless
from gridmap.patrols.planning.stop import Budget

if TYPE_CHECKING:
    from gridmap.patrols.planning.plan import Plan
    from gridmap.patrols.planning.problem import Problem
    from gridmap.patrols.planning.stop import Stop

__all__ = ["Result", "solve"]


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


def solve(problem: Problem, stop: Stop, seed: int = 0, *, start: Plan | None = None) -> Result:
    """Find a good plan.

    Parameters
    ----------
    problem
        What is asked.
    stop
        Bounds of the search.
    seed
        The same one gives the same plan, if only iterations bound the search.
    start
        Plan to start from, for instance one that was changed by hand; what of it is no longer allowed is
        left out.
    """
    budget = Budget(stop)
    examples = [kind[0] for kind in kinds(problem)]
    why = {
        task: reason
        for task in range(len(problem.tasks))
        if (reason := hopeless(problem, task, examples)) is not None
    }
    orders: list[tuple[tuple[int, int], ...]] = [() for _ in problem.workers]
    for route in start.routes if start is not None else ():
        orders[route.worker] = route.order
    best = assemble(problem, orders, why)
    hopeful = [task for task in range(len(problem.tasks)) if task not in why]
    if hopeful:
        found = local_search(
            problem, hopeful, budget, share=1, seed=seed, start=best if best.routes else None
        )
        best = min(best, assemble(problem, found, why), key=lambda plan: plan.rank)
    return Result(plan=best, seconds=budget.seconds, iterations=budget.iterations)
