"""Public routing instances as problems: streets with demands, and places with windows."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyvrp
from scipy.sparse.csgraph import shortest_path

from gridmap.patrols.planning import Problem, Task, Travel, Window, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Instance", "instances"]

_NO_END = (1 << 31) - 1
_VERIFIED = {"val5D": 575}
"""Where the file's own best value is known to be wrong."""
_SPARE = 2
_FINE = 1000


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem and the best cost known for it."""

    name: str
    problem: Problem
    best: int


def instances(folder: Path, only: tuple[str, ...]) -> Iterator[Instance]:
    """Read the instances below a folder whose names start with one of `only`.

    ``*.dat`` as in CARPData.jl, ``*.txt`` as Solomon's below a ``BKS.json``, ``*.vrp`` with its ``*.sol``.
    """
    for path in sorted(folder.rglob("*")):
        if not path.name.startswith(only):
            continue
        if path.suffix == ".dat":
            yield arc_routing(path)
        elif path.suffix == ".vrp":
            yield vrplib(path)
        elif path.suffix == ".txt":
            known = next(at / "BKS.json" for at in path.parents if (at / "BKS.json").is_file())
            yield solomon(path, json.loads(known.read_text(encoding="utf-8")))


def arc_routing(path: Path) -> Instance:
    """Read streets with demands for vehicles with a capacity; only distance counts, and node 0 is the depot.

    Lines: nodes, edges, a line per edge (ends, cost, demand), vehicles, capacity, bounds; the last
    number is the best cost known.
    """
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    count = int(rows[1][0])
    edges = np.array([row[:4] for row in rows[2 : 2 + count]], dtype=np.int64)
    fleet, capacity, best = int(rows[2 + count][0]), int(rows[3 + count][0]), int(rows[-1][0])
    graph = np.full((edges[:, :2].max() + 1,) * 2, np.inf)
    for tail, head, cost, _ in edges:
        graph[tail, head] = graph[head, tail] = min(graph[tail, head], cost)
    lengths = shortest_path(graph)
    tasks = tuple(
        Task.street(int(tail), int(head), int(cost), int(cost), demand=int(demand))
        for tail, head, cost, demand in edges
        if demand
    )
    least = math.ceil(sum(task.demand for task in tasks) / capacity)
    worker = Worker(start=0, end=0, shift=Window(0, _NO_END), capacity=capacity)
    problem = Problem(
        travel=(Travel(lengths, lengths),),
        tasks=tasks,
        workers=(worker,) * (max(fleet, least) + _SPARE),
    )
    return Instance(path.stem, problem, _VERIFIED.get(path.stem, best))


def solomon(path: Path, known: dict[str, dict[str, float]]) -> Instance:
    """Read places with windows, in Solomon's layout; only distance counts, to three decimals."""
    lines = path.read_text(encoding="utf-8").splitlines()
    fleet, capacity = (int(value) for value in lines[4].split())
    rows = np.array([line.split() for line in lines[9:] if line.strip()], dtype=np.int64)
    apart = np.hypot(*(np.subtract.outer(rows[:, axis], rows[:, axis]) for axis in (1, 2)))
    fine = np.rint(_FINE * apart).astype(np.int64)
    data = [(row[3], _FINE * row[4], _FINE * row[5], _FINE * row[6]) for row in rows]
    best = known[f"{path.stem}_distance"]["best_known_cost"]
    return Instance(path.stem, _places(fine, data, fleet, capacity), round(_FINE * best))


def vrplib(path: Path) -> Instance:
    """Read places with windows, in VRPLIB's layout with a ``.sol``; distances are cut after one decimal."""
    data = pyvrp.read(path, round_func="dimacs")
    fleet = data.vehicle_type(0)
    rows = [(0, fleet.tw_early, fleet.tw_late, 0)]
    rows += [(one.delivery[0], one.tw_early, one.tw_late, one.service_duration) for one in data.clients()]
    problem = _places(data.distance_matrix(0), rows, fleet.num_available, fleet.capacity[0])
    cost = path.with_suffix(".sol").read_text(encoding="utf-8").split()[-1]
    return Instance(path.stem, problem, round(10 * float(cost)))


def _places(
    apart: NDArray[np.int64], rows: list[tuple[int, int, int, int]], fleet: int, capacity: int
) -> Problem:
    """Places with demand, opening, closing and service time; the first is the depot."""
    tasks = tuple(
        Task.place(n, int(seconds), windows=(Window(int(opens), int(closes)),), demand=int(demand))
        for n, (demand, opens, closes, seconds) in enumerate(rows)
        if n
    )
    shift = Window(int(rows[0][1]), int(rows[0][2]))
    worker = Worker(start=0, end=0, shift=shift, capacity=capacity, cost_per_metre=1, cost_per_second=0)
    return Problem(travel=(Travel(apart, apart),), tasks=tasks, workers=(worker,) * fleet)
