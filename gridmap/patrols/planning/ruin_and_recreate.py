"""The search by ruin and recreate, within the bounds of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.patrols.planning.annealing import anneal, new_search
from gridmap.patrols.planning.chance import seeded
from gridmap.patrols.planning.labelling import lay
from gridmap.patrols.planning.links import empty_links
from gridmap.patrols.planning.tables import tabulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridmap.patrols.planning.assembling import Order, Orders
    from gridmap.patrols.planning.links import Links
    from gridmap.patrols.planning.problem import Problem
    from gridmap.patrols.planning.stop import Budget

__all__ = ["RuinAndRecreate"]

_COLD = 0.01
"""Last temperature, in units of what moving to a task costs on average."""
_STEPS = 200
_AT_A_TIME = 0.05


class RuinAndRecreate:
    """A search that can be continued.

    Parameters
    ----------
    problem
        What is asked.
    tasks
        Those that somebody can do.
    charge
        What leaving out a required task costs.
    seed
        Of the random numbers.
    """

    def __init__(self, problem: Problem, tasks: Sequence[int], *, charge: int, seed: int) -> None:
        self._tasks = sorted(tasks)
        self._tables = tabulate(problem, self._tasks, charge)
        self._search = new_search(self._tables, seeded(seed))
        self._steps = _STEPS

    @property
    def cost(self) -> int:
        """Of the best plan, with the charges for required tasks that are left out."""
        return int(self._search.costs[1])

    def take(self, orders: Orders) -> None:
        """Start from given routes, if they are better than the best so far; they must be possible."""
        other = new_search(self._tables, self._search.random)
        number = {task: position for position, task in enumerate(self._tasks)}
        cost = int(other.costs[0])
        for worker, order in enumerate(orders):
            if not order:
                continue
            tasks = np.array([number[task] for task, _ in order], dtype=np.int64)
            if not all(lay(self._tables, one, worker, tasks) for one in (other.links, other.kept)):
                return
            cost += int(other.kept.cost[worker]) + int(self._tables.person[worker, 9])
            cost -= int(self._tables.worth[tasks].sum())
        if cost < self.cost:
            other.costs[:] = cost
            other.best[:] = other.kept.after
            self._search = other

    def run(self, budget: Budget, *, share: float, hot: float) -> None:
        """Search until a share of the budget is spent.

        Parameters
        ----------
        hot
            First temperature, in units of what moving to a task costs on average.
        """
        tables, search = self._tables, self._search
        if not search.kept.size.any():
            # Everything is out at first; each step puts some tasks in.
            steps = max(1, min(tables.tasks // 5, budget.left() or tables.tasks))
            budget.spend(steps, self.cost, improved=anneal(tables, search, steps, 1.0, 1.0) > 0)
        began = min(budget.spent, share)
        while not budget.ended and budget.spent < share:
            done = (budget.spent - began) / max(share - began, 1e-9)
            unit = self._unit()
            heat = unit * hot * (_COLD / hot) ** done
            left = budget.left()
            steps = self._steps if left is None else min(_STEPS, left)
            before = budget.seconds
            improved = anneal(tables, search, steps, heat, heat) > 0
            budget.spend(steps, self.cost, improved=improved)
            if left is None:
                passed = max(budget.seconds - before, 1e-6)
                self._steps = max(1, min(int(steps * _AT_A_TIME / passed), 2 * steps))

    def _unit(self) -> float:
        """What moving to a task costs on average, without what doing it costs."""
        tables, kept = self._tables, self._search.kept
        placed = int(kept.size.sum())
        if not placed:
            return 1.0
        done = kept.worker[: tables.tasks] >= 0
        doing = int(tables.paid[0, tables.first[: tables.tasks]][done].sum())
        return max((int(kept.cost.sum()) - doing) / placed, 1.0)

    def orders(self) -> Orders:
        """Orders of the best plan so far."""
        links = empty_links(self._tables)
        return tuple(self._order(links, worker) for worker in range(self._tables.workers))

    def _order(self, links: Links, worker: int) -> Order:
        """One route of the best plan, with the modes of its cheapest labels."""
        tables, best = self._tables, self._search.best
        last = tables.tasks + tables.workers + worker
        stops = [int(best[tables.tasks + worker])]
        while stops[-1] != last:
            stops.append(int(best[stops[-1]]))
        if stops[0] == last:
            return ()
        lay(tables, links, worker, np.array(stops[:-1], dtype=np.int64))
        label = self._last_label(links, last)
        order = []
        for stop, follows in zip(stops[-2::-1], stops[:0:-1], strict=True):
            label = int(links.source[follows, label])
            order.append((self._tasks[stop], label // tables.labels % tables.modes))
        return tuple(reversed(order))

    def _last_label(self, links: Links, last: int) -> int:
        """The cheapest label of an end that is in time."""
        tables = self._tables
        fast = tables.labels - 1
        prices = []
        for rested in range(2):
            for which in range(tables.labels):
                low = rested * tables.modes * tables.labels
                if not tables.timed or links.done[last, low + which] <= links.by[last, low + fast]:
                    prices.append((int(links.paid[last, low + which]), low + which))
        return min(prices)[1]
