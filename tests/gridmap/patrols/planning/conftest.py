"""Small mixed problems, and their best plans by trying everything."""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.sparse.csgraph import shortest_path

from gridmap.patrols.planning import Break, Mode, Problem, Task, Travel, Window, Worker
from gridmap.patrols.planning.timetable import timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOUR = 3600


def make_mixed(
    seed: int,
    *,
    tasks: int = 8,
    workers: int = 2,
    walkable: float = 1.0,
    detours: bool = True,
    breaks: bool = True,
    tight: bool = False,
) -> Problem:
    """Places and streets with windows, skills, prizes and demands, for people with shifts and breaks.

    Some arcs are taken out; without `detours` the matrices are then no shortest ways any more.
    """
    rng = np.random.default_rng(seed)
    nodes = 2 * tasks + 2
    points = rng.integers(0, 3000, (nodes, 2))
    metres = np.abs(points[:, None] - points[None]).sum(2) + rng.integers(0, 200, (nodes, nodes))
    np.fill_diagonal(metres, 0)
    gone = rng.random((nodes, nodes)) > walkable
    np.fill_diagonal(gone, val=False)
    # Streets belong to the network; doing one is never a short cut.
    gone[np.arange(2, nodes, 2), np.arange(3, nodes, 2)] = gone[
        np.arange(3, nodes, 2), np.arange(2, nodes, 2)
    ] = False
    lengths = np.where(gone, np.inf, metres.astype(float))
    if detours:
        lengths = shortest_path(lengths)
    ways = [Travel(np.ceil(lengths / speed), lengths) for speed in (1.2, 4.0)]
    people = [_worker(rng, nodes, tasks, breaks=breaks, tight=tight) for _ in range(workers)]
    return Problem(
        travel=tuple(ways),
        tasks=tuple(_task(rng, 2 + 2 * n, workers, metres) for n in range(tasks)),
        workers=tuple(people),
    )


def _worker(rng: np.random.Generator, nodes: int, tasks: int, *, breaks: bool, tight: bool) -> Worker:
    opens = int(rng.integers(6, 10)) * HOUR
    long = int(rng.integers(2, 4) if tight else rng.integers(5, 9)) * HOUR
    pause = None
    if breaks and rng.random() < 0.6:
        first = opens + int(rng.integers(0, long // 2))
        pause = Break(window=Window(first, first + int(rng.integers(0, 3)) * 1800), seconds=1800)
    return Worker(
        start=int(rng.integers(0, nodes)),
        end=int(rng.integers(0, 2)),
        shift=Window(opens, opens + long),
        pause=pause,
        capacity=int(rng.integers(tasks // 2 + 1, 2 * tasks + 2)) if rng.random() < 0.4 else None,
        travel=int(rng.integers(0, 2)),
        cost=int(rng.integers(0, 2)) * 500,
        cost_per_metre=int(rng.integers(0, 2)),
        cost_per_second=1,
    )


def _task(rng: np.random.Generator, node: int, workers: int, metres: np.ndarray) -> Task:
    windows = []
    for _ in range(int(rng.integers(0, 3))):
        opens = int(rng.integers(5 * HOUR, 16 * HOUR))
        windows.append(Window(opens, opens + int(rng.integers(0, 3 * HOUR))))
    skilled = frozenset(rng.permutation(workers)[: int(rng.integers(0, workers + 1))].tolist())
    more = {
        "windows": tuple(windows),
        "prize": int(rng.integers(0, 4000)) if rng.random() < 0.5 else None,
        "workers": skilled if rng.random() < 0.2 else None,
        "demand": int(rng.integers(0, 3)),
    }
    if rng.random() < 0.5:
        return Task.place(node, seconds=int(rng.integers(0, 1200)), **more)
    length = int(metres[node, node + 1])
    if rng.random() < 0.3:
        # On foot one way only, by car both.
        modes = (
            Mode(entry=node, exit=node + 1, seconds=length, metres=length),
            Mode(entry=node + 1, exit=node, seconds=-(-length // 4), metres=length, travel=1),
        )
        return Task(modes=modes, **more)
    return Task.street(node, node + 1, length, length, both_ways=bool(rng.random() < 0.7), **more)


def every_order(problem: Problem, tasks: tuple[int, ...]) -> Iterator[tuple[tuple[int, int], ...]]:
    for order in permutations(tasks):
        for modes in product(*(range(len(problem.tasks[task].modes)) for task in order)):
            yield tuple(zip(order, modes, strict=True))


def best_rank(problem: Problem) -> tuple[int, int]:
    """Rank of the best plan, by trying who does what, or nobody, in every order."""
    numbers = range(len(problem.tasks))
    cheapest: dict[tuple[int, tuple[int, ...]], int | None] = {}
    for worker in range(len(problem.workers)):
        for chosen in product((False, True), repeat=len(problem.tasks)):
            tasks = tuple(n for n in numbers if chosen[n])
            routes = (timetable(problem, worker, order) for order in every_order(problem, tasks) if tasks)
            costs = [route.cost for route in routes if route]
            cheapest[worker, tasks] = min(costs, default=None) if tasks else 0
    best = (len(problem.tasks) + 1, 0)
    for who in product(range(-1, len(problem.workers)), repeat=len(problem.tasks)):
        left = [problem.tasks[n] for n in numbers if who[n] < 0]
        costs = [
            cheapest[worker, tuple(n for n in numbers if who[n] == worker)]
            for worker in range(len(problem.workers))
        ]
        if all(cost is not None for cost in costs):
            cost = sum(cost for cost in costs if cost is not None) + sum(task.prize or 0 for task in left)
            best = min(best, (sum(task.required for task in left), cost))
    return best


@pytest.fixture(scope="session")
def mixed() -> Callable[..., Problem]:
    return make_mixed


@pytest.fixture(scope="session")
def best() -> Callable[[Problem], tuple[int, int]]:
    return best_rank


@pytest.fixture
def block() -> Problem:
    """Five nodes in a row a minute apart; two places, a street, and one person from 8 to 12."""
    steps = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    return Problem(
        travel=(Travel(60 * steps, 75 * steps),),
        tasks=(
            Task.place(1, seconds=300, windows=(Window(9 * HOUR, 10 * HOUR),), name="school gate"),
            Task.street(2, 3, seconds=60, metres=75, name="Long Street"),
            Task.place(4, seconds=120, prize=5000, demand=2, name="corner"),
        ),
        workers=(
            Worker(
                start=0,
                end=0,
                shift=Window(8 * HOUR, 12 * HOUR),
                pause=Break(window=Window(int(9.5 * HOUR), int(10.5 * HOUR)), seconds=1800),
                capacity=3,
                name="Wang",
            ),
        ),
    )
