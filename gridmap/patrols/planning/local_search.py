"""PyVRP's iterated local search, within the bounds of a search."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pyvrp

from gridmap.patrols.planning.clients import Clients

if TYPE_CHECKING:
    from collections.abc import Collection

    from gridmap.patrols.planning.assembling import Orders
    from gridmap.patrols.planning.plan import Plan
    from gridmap.patrols.planning.problem import Problem
    from gridmap.patrols.planning.stop import Budget

__all__ = ["local_search"]


class _Criterion:
    """Ends PyVRP's search when its share of the budget is spent."""

    def __init__(self, budget: Budget, share: float) -> None:
        self._budget, self._share = budget, share
        self._best: int | None = None

    def __call__(self, best_cost: float) -> bool:
        cost = int(min(best_cost, 1 << 62))
        improved = self._best is None or cost < self._best
        if improved:
            self._best = cost
        self._budget.spend(1, cost, improved=improved)
        return self._budget.ended or self._budget.spent >= self._share


def local_search(
    problem: Problem,
    tasks: Collection[int],
    budget: Budget,
    *,
    share: float,
    seed: int,
    start: Plan | None,
    complete: bool,
) -> Orders:
    """Search with PyVRP.

    Parameters
    ----------
    tasks
        Those that somebody can do.
    share
        How much of the budget is spent at the end, from 0 to 1.
    start
        Plan to start from, if there is one.
    complete
        Whether a plan with all required tasks is known.
    """
    clients = Clients(problem, tasks, complete=complete)
    initial = None
    if start is not None:
        orders: list[tuple[tuple[int, int], ...]] = [() for _ in problem.workers]
        for route in start.routes:
            orders[route.worker] = route.order
        starts = {visit.task: visit.starts for route in start.routes for visit in route.visits}
        initial = clients.solution(tuple(orders), starts)
    with warnings.catch_warnings():
        # Its penalties may reach their bound; what does not fit is left out afterwards.
        warnings.simplefilter("ignore")
        result = pyvrp.solve(
            clients.data,
            _Criterion(budget, share),
            seed=seed,
            collect_stats=False,
            initial_solution=initial,
        )
    return clients.orders(result.best)
