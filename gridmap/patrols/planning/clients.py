"""A problem as PyVRP has it: each way of doing a task, in each of its windows, is a client of its own.

Clients of one task exclude each other. A client's row of the matrices starts where the task ends, its column
ends where the task begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyvrp

from gridmap.patrols.planning.costs import charge, doing_cost
from gridmap.patrols.planning.kinds import kinds
from gridmap.patrols.planning.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from gridmap.patrols.planning.assembling import Order, Orders
    from gridmap.patrols.planning.problem import Problem
    from gridmap.patrols.planning.tasks import Window
    from gridmap.patrols.planning.workers import Worker

__all__ = ["Clients"]

_ANY_TIME = int(np.iinfo(np.int64).max)
_FINE = 100
_FINE_BELOW = 10_000
"""Costs below it are made finer, as penalties are whole numbers too."""


@dataclass(frozen=True, slots=True)
class _Client:
    task: int
    mode: int
    window: Window | None


class Clients:
    """PyVRP's data for a problem, and the way back.

    Breaks are only allowed for: shifts are shorter by them. Required tasks are worth more than any plan
    costs, unless `complete` says that all can be done.

    Parameters
    ----------
    tasks
        Those that somebody can do.
    complete
        Whether a plan with all required tasks is known.
    """

    def __init__(self, problem: Problem, tasks: Collection[int], *, complete: bool) -> None:
        self._problem = problem
        self._tasks = sorted(tasks)
        self._places = [
            (task, mode) for task in self._tasks for mode in range(len(problem.tasks[task].modes))
        ]
        self._kinds = kinds(problem)
        self._charge = charge(problem)
        self._clients: list[_Client] = []
        self._complete = complete
        self.data = self._build()

    def orders(self, solution: pyvrp.Solution) -> Orders:
        """Orders of all workers in a solution."""
        orders: list[Order] = [() for _ in self._problem.workers]
        waiting = [iter(kind) for kind in self._kinds]
        for route in solution.routes():
            clients = [self._clients[one.idx] for one in route if one.is_client()]
            if clients:
                orders[next(waiting[route.vehicle_type()])] = tuple((one.task, one.mode) for one in clients)
        return tuple(orders)

    def solution(self, orders: Orders, starts: dict[int, int]) -> pyvrp.Solution:
        """A solution of given orders.

        Parameters
        ----------
        starts
            When each task starts, by which its window is told.
        """
        at = {(one.task, one.mode, one.window): position for position, one in enumerate(self._clients)}
        kind_of = {worker: kind for kind, workers in enumerate(self._kinds) for worker in workers}
        routes = []
        for worker, order in enumerate(orders):
            visits = [at[task, mode, self._window(task, starts[task])] for task, mode in order]
            if visits:
                routes.append(pyvrp.Route(self.data, visits, kind_of[worker]))
        return pyvrp.Solution(self.data, routes)

    def _window(self, task: int, start: int) -> Window | None:
        windows = self._problem.tasks[task].windows
        return next((one for one in windows if one.opens <= start <= one.closes), None)

    def _build(self) -> pyvrp.ProblemData:
        problem = self._problem
        depots = sorted({node for worker in problem.workers for node in (worker.start, worker.end)})
        modes = [problem.tasks[task].modes[mode] for task, mode in self._places]
        enters = np.array([*depots, *(mode.entry for mode in modes)], dtype=np.intp)
        exits = np.array([*depots, *(mode.exit for mode in modes)], dtype=np.intp)
        profiles: dict[Any, int] = {}
        matrices: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        vehicles = []
        limited = any(worker.capacity is not None for worker in problem.workers)
        everything = sum(task.demand for task in problem.tasks)
        for kind in self._kinds:
            worker = problem.workers[kind[0]]
            may = np.array([problem.may(kind[0], *place) for place in self._places], dtype=bool)
            key = (worker.travel, worker.cost_per_metre, worker.cost_per_second, may.tobytes())
            if key not in profiles:
                profiles[key] = len(matrices)
                matrices.append(self._matrices(worker, enters, exits, may, len(depots)))
            rest = (
                worker.pause.seconds
                if worker.pause and worker.pause.window.closes < worker.shift.closes
                else 0
            )
            vehicles.append(
                pyvrp.VehicleType(
                    num_available=len(kind),
                    capacity=[everything if worker.capacity is None else worker.capacity] if limited else [],
                    start_depot=depots.index(worker.start),
                    end_depot=depots.index(worker.end),
                    fixed_cost=worker.cost,
                    tw_early=worker.shift.opens,
                    tw_late=max(worker.shift.closes - rest, worker.shift.opens),
                    profile=profiles[key],
                )
            )
        most = max(int(costs[costs < UNREACHABLE].max(initial=0)) for costs, _ in matrices)
        fine = _FINE if most < _FINE_BELOW else 1
        late = 2 * max(worker.shift.closes for worker in problem.workers) + 1
        groups, clients = self._groups(len(depots), fine, limited=limited)
        return pyvrp.ProblemData(
            [pyvrp.Location(0, 0) for _ in enters],
            clients,
            [pyvrp.Depot(location=position) for position in range(len(depots))],
            [vehicle.replace(fixed_cost=vehicle.fixed_cost * fine) for vehicle in vehicles],
            # Where nobody may go, the cost is high and the time is past every shift.
            [_bounded(costs, 2 * most + 1) * fine for costs, _ in matrices],
            [_bounded(seconds, late) for _, seconds in matrices],
            groups,
        )

    def _matrices(
        self,
        worker: Worker,
        enters: NDArray[np.intp],
        exits: NDArray[np.intp],
        may: NDArray[np.bool_],
        depots: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Costs and seconds between places; the doing of a task is paid on the way to it."""
        travel = self._problem.travel[worker.travel]
        seconds = travel.seconds[np.ix_(exits, enters)]
        metres = travel.metres[np.ix_(exits, enters)]
        costs = worker.cost_per_metre * metres + worker.cost_per_second * seconds
        doing = np.zeros(len(enters), dtype=np.int64)
        doing[depots:] = [
            doing_cost(self._problem, worker, *place) - self._least(place[0]) for place in self._places
        ]
        costs += doing
        closed = seconds >= UNREACHABLE
        closed[:, depots:] |= ~may
        costs[closed] = seconds[closed] = UNREACHABLE
        np.fill_diagonal(costs, 0)
        np.fill_diagonal(seconds, 0)
        return costs, seconds

    def _least(self, task: int) -> int:
        """What a task costs in any plan; left out so that differences weigh more."""
        problem = self._problem
        prices = {(worker.cost_per_metre, worker.cost_per_second) for worker in problem.workers}
        if len(prices) > 1:
            return 0
        modes = range(len(problem.tasks[task].modes))
        return min(doing_cost(problem, problem.workers[0], task, mode) for mode in modes)

    def _groups(
        self, depots: int, fine: int, *, limited: bool
    ) -> tuple[list[pyvrp.ClientGroup], list[pyvrp.Client]]:
        groups: list[pyvrp.ClientGroup] = []
        clients: list[pyvrp.Client] = []
        place_of = {place: depots + position for position, place in enumerate(self._places)}
        for number in self._tasks:
            task = self._problem.tasks[number]
            required = task.required and self._complete
            windows = task.windows or (None,)
            several = len(windows) * len(task.modes) > 1
            if several:
                groups.append(pyvrp.ClientGroup(required=required))
            # What is left out of the costs of doing it is left out of its worth.
            worth = self._charge if task.prize is None else max(task.prize - self._least(number), 0)
            for mode, how in enumerate(task.modes):
                for window in windows:
                    if several:
                        groups[-1].add_client(len(clients))
                    clients.append(
                        pyvrp.Client(
                            location=place_of[number, mode],
                            delivery=[task.demand] if limited else [],
                            service_duration=how.seconds,
                            prize=0 if required else worth * fine,
                            required=required and not several,
                            group=len(groups) - 1 if several else None,
                            tw_early=0 if window is None else window.opens,
                            tw_late=_ANY_TIME if window is None else window.closes,
                        )
                    )
                    self._clients.append(_Client(number, mode, window))
        return groups, clients


def _bounded(values: NDArray[np.int64], instead: int) -> Any:
    return np.where(values < UNREACHABLE, values, instead)
