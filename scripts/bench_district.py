#!/usr/bin/env python3
"""A shift in a real district, places and streets together, beside peers that know points alone.

Peers are given the same streets as points along them, the same places, people, windows and seconds. What was
covered is measured on the walked lines alone, for everybody alike. The points of a peer do not make it walk
every street from end to end, so that its plan is shown twice: as it is, and with the streets it has left out
put in where they add least, whatever windows and shifts that breaks. The comparison counts there, where
coverage is equal.

scripts/bench_district.py FILE.osm.pbf [--seconds 60] [--places 300] [--kilometres 60] [--people 12]
    [--every 40]
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geodata.osm import read_osm
from geodata.street_graph import build_street_graph
from geodata.street_places import Stops
from geodata.street_router import Router
from geodata.travel import Profile
from gridmap.patrols.planning import UNREACHABLE, Problem, Stop, Task, Travel, Window, Worker, faults, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

MAIN = ("primary", "secondary", "tertiary")
BEGINS, SHIFT, STAY, OPEN = 8 * 3600, 8 * 3600, 300, 2 * 3600
SEEN_M, FINE_M, WHOLE = 2.0, 10.0, 0.99
LEVEL = 0
"""Of VROOM's exploration: 0 took 37 s where 60 were given, 5 about 300."""


@dataclass(frozen=True, slots=True, eq=False)
class District:
    """What is asked: node 0 is where people start and end, then come the places."""

    router: Router
    places: Stops
    edges: NDArray[np.int64]
    people: int
    windows: tuple[tuple[Window, ...], ...]
    """Of each place."""


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds of moving and staying, walked lines, and how many places were visited."""

    seconds: float
    lines: list[shapely.LineString]
    visited: int
    spent: float = 0.0
    """Processor seconds of the search."""
    completed: Found | None = None
    """The same with the streets that were left out."""


def district(file: Path, *, places: int, kilometres: float, people: int, seed: int) -> District:
    """Choose the main roads nearest to the middle, and places among them, in the largest piece of streets."""
    streets = read_osm(file).streets
    graph = build_street_graph(
        streets.geometry.to_numpy(),
        road_class=streets["road_class"].to_numpy(),
        oneway=streets["oneway"].to_numpy(),
        tags=streets["tags"].tolist(),
    )
    router, random = Router(graph, Profile.FOOT), np.random.default_rng(seed)
    usable = np.flatnonzero((router.piece == 0) & np.isfinite(router.seconds[::2]))
    middle = shapely.line_interpolate_point(graph.lines(usable), 0.5, normalized=True)
    far = shapely.length(graph.projection.forward(shapely.linestrings(_spokes(middle))))
    outwards = usable[np.argsort(far)]
    main = outwards[np.isin(graph.road_class[graph.street[outwards]], MAIN)]
    main = main[: int(np.searchsorted(np.cumsum(graph.length_m[main]), kilometres * 1000)) + 1]
    inside = outwards[: int(np.flatnonzero(outwards == main[-1])[0])]
    crowded = places > len(inside)
    chosen = np.r_[outwards[0], random.choice(inside, places, replace=crowded)]
    begins = BEGINS + random.integers(0, SHIFT - OPEN, places)
    timed = random.random(places) < 0.2
    windows = tuple(
        (Window(int(t), int(t) + OPEN),) if has else () for t, has in zip(begins, timed, strict=True)
    )
    along = random.random(places + 1) if crowded else 0.5
    middle = shapely.line_interpolate_point(graph.lines(chosen), along, normalized=True)
    snapped = router.snap(shapely.get_x(middle), shapely.get_y(middle))
    return District(router, snapped.require(), np.sort(main), people, windows)


def _spokes(points: NDArray[np.object_]) -> NDArray[np.float64]:
    """From the middle of points to each, shape (n, 2, 2)."""
    xy = shapely.get_coordinates(points)
    return np.stack([np.broadcast_to(np.median(xy, axis=0), xy.shape), xy], axis=1)


def matrix(router: Router, departures: Stops, arrivals: Stops) -> NDArray[np.int64]:
    """Seconds between stops, shape (departures, arrivals)."""
    far = router.matrix(departures, arrivals)
    return np.where(np.isfinite(far), np.rint(far), UNREACHABLE).astype(np.int64)


def ours(asked: District, seconds: float) -> Found:
    """Plan places and streets as the service does."""
    router, edges = asked.router, asked.edges
    departures, arrivals = ends(asked.places, edges)
    far = matrix(router, departures, arrivals)
    first = len(asked.places)
    walked = np.rint(router.seconds[2 * edges]).astype(int).tolist()
    tasks = [Task.place(n + 1, STAY, windows=open_) for n, open_ in enumerate(asked.windows)]
    tasks += [
        Task.street(first + 2 * n, first + 2 * n + 1, seconds=walk, metres=0) for n, walk in enumerate(walked)
    ]
    shift = Window(BEGINS, BEGINS + SHIFT)
    worker = Worker(start=0, end=0, shift=shift)
    problem = Problem(
        travel=(Travel(seconds=far, metres=far),), tasks=tuple(tasks), workers=(worker,) * asked.people
    )
    plan = solve(problem, Stop(seconds=seconds)).plan
    wrong = faults(problem, plan)
    if wrong:
        raise SystemExit(f"the plan is wrong: {wrong[0]}")
    lines, visited = [], 0
    for route in plan.routes:
        at = 0
        for visit in route.visits:
            mode = problem.tasks[visit.task].modes[visit.mode]
            lines.append(router.path(departures, arrivals, at, mode.entry).line)
            if visit.task >= len(asked.windows):
                lines.append(router.graph.lines(edges[[visit.task - len(asked.windows)]])[0])
            else:
                visited += 1
            at = mode.exit
        lines.append(router.path(departures, arrivals, at, 0).line)
    return Found(plan.seconds, lines, visited)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The same with streets as points, not farther apart than so many metres."""

    stops: Stops
    seconds: NDArray[np.int64]
    stay: NDArray[np.int64]
    windows: list[tuple[Window, ...]]

    @classmethod
    def of(cls, asked: District, every: float) -> Points:
        """Put the points on the streets."""
        graph = asked.router.graph
        count = np.maximum(np.ceil(graph.length_m[asked.edges] / every).astype(int), 1)
        edge = np.repeat(asked.edges, count)
        nth = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
        at = (nth + 0.5) / np.repeat(count, count)
        there = shapely.line_interpolate_point(graph.lines(edge), at, normalized=True)
        snapped = asked.router.snap(shapely.get_x(there), shapely.get_y(there)).require()
        stops = Stops.together(asked.places, snapped)
        stay = np.r_[0, np.full(len(asked.windows), STAY), np.zeros(len(edge), dtype=int)]
        windows = [(), *asked.windows, *[()] * len(edge)]
        return cls(stops, matrix(asked.router, stops, stops), stay, windows)

    def found(self, asked: District, tours: list[list[int]]) -> Found:
        """Walk tours of nodes, as they are and with the streets that they leave out."""
        first = walked(asked, self, [[(node, node) for node in (0, *tour, 0)] for tour in tours], [])
        shares = covered(asked, first.lines)
        left_out = asked.edges[shares < WHOLE]
        return replace(first, completed=completed(asked, self, tours, left_out))


def completed(asked: District, points: Points, tours: list[list[int]], edges: NDArray[np.int64]) -> Found:
    """Walk tours with more streets in them, one after the other where it adds least."""
    legs = [[(node, node) for node in (0, *tour, 0)] for tour in tours]
    departures, arrivals = ends(points.stops, edges)
    far = matrix(asked.router, departures, arrivals)
    for start in range(len(points.stay), len(far), 2):
        best = (np.inf, 0, 0, (0, 0))
        for number, tour in enumerate(legs):
            here, there = np.array([depart for _, depart in tour[:-1]]), np.array([at for at, _ in tour[1:]])
            for entry, leave in ((start, start + 1), (start + 1, start)):
                more = far[here, entry] + far[leave, there] - far[here, there]
                at = int(more.argmin())
                best = min(best, (float(more[at]), number, at + 1, (entry, leave)))
        legs[best[1]].insert(best[2], best[3])
    return walked(asked, points, legs, edges)


def ends(stops: Stops, edges: NDArray[np.int64]) -> tuple[Stops, Stops]:
    """Departures and arrivals of stops and of the two ends of streets, which are gone along in between."""
    heads = Stops.heads(np.column_stack([2 * edges + 1, 2 * edges]))
    tails = Stops.tails(np.column_stack([2 * edges, 2 * edges + 1]))
    return Stops.together(stops, heads), Stops.together(stops, tails)


def walked(
    asked: District,
    points: Points,
    legs: list[list[tuple[int, int]]],
    edges: Sequence[int] | NDArray[np.int64],
) -> Found:
    """Walk along nodes to arrive at and to depart from; those behind the points are the ends of streets."""
    router, first = asked.router, len(points.stay)
    edges = np.asarray(edges, dtype=np.int64)
    departures, arrivals = ends(points.stops, edges)
    far = matrix(router, departures, arrivals)
    lines, seconds, visited = [], 0, 0
    for tour in legs:
        for (_, here), (there, leave) in pairwise(tour):
            lines.append(router.path(departures, arrivals, here, there).line)
            seconds += int(far[here, there])
            if there >= first:
                edge = edges[(there - first) // 2]
                lines.append(router.graph.lines(np.array([edge]))[0])
                seconds += round(float(router.seconds[2 * edge + (there > leave)]))
            else:
                seconds += int(points.stay[there])
                visited += 0 < there < len(asked.places)
    return Found(seconds, lines, visited)


def vroom_plans(asked: District, seconds: float, every: float) -> Found:
    """Plan with VROOM, at a level that ends within about a minute; it heeds its limit late."""
    import vroom  # noqa: PLC0415 - only where it is installed

    points = Points.of(asked, every)
    given = vroom.Input()
    far = np.minimum(points.seconds, 10**6).astype(np.uint32)
    given.set_durations_matrix(profile="car", matrix_input=far)
    shift = [BEGINS, BEGINS + SHIFT]
    given.add_vehicle([vroom.Vehicle(n + 1, start=0, end=0, time_window=shift) for n in range(asked.people)])
    for node in range(1, len(points.stay)):
        windows = [vroom.TimeWindow(w.opens, w.closes) for w in points.windows[node]]
        more = {"time_windows": windows} if windows else {}
        given.add_job([vroom.Job(node, location=node, default_service=int(points.stay[node]), **more)])
    began = time.process_time()
    solution = given.solve(exploration_level=LEVEL, nb_threads=1, timeout=timedelta(seconds=seconds))
    spent = time.process_time() - began
    table = solution.routes
    tours = [
        [int(node) for node, kind in zip(rows["id"], rows["type"], strict=True) if kind == "job"]
        for _, rows in table.groupby("vehicle_id")
    ]
    return replace(points.found(asked, tours), spent=spent)


def ortools_plans(asked: District, seconds: float, every: float) -> Found:
    """Plan with OR-Tools: cheapest insertion, then guided local search."""
    from ortools.constraint_solver import (  # noqa: PLC0415 - only where it is installed
        pywrapcp,
        routing_enums_pb2,
    )

    points = Points.of(asked, every)
    far = np.minimum(points.seconds, 10**6)
    index = pywrapcp.RoutingIndexManager(len(far), asked.people, 0)
    model = pywrapcp.RoutingModel(index)
    # With the stay at the beginning; one matrix is faster than a call for each pair.
    cost = model.RegisterTransitMatrix((far + points.stay[:, None]).tolist())
    model.SetArcCostEvaluatorOfAllVehicles(cost)
    model.AddDimension(cost, SHIFT, SHIFT, False, "time")  # noqa: FBT003 - their interface
    clock = model.GetDimensionOrDie("time")
    for node in range(1, len(far)):
        model.AddDisjunction([index.NodeToIndex(node)], 10**7)
        for window in points.windows[node]:
            clock.CumulVar(index.NodeToIndex(node)).SetRange(window.opens - BEGINS, window.closes - BEGINS)
    wish = pywrapcp.DefaultRoutingSearchParameters()
    wish.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    wish.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    wish.time_limit.seconds = int(seconds)
    began = time.process_time()
    solution = model.SolveWithParameters(wish)
    spent = time.process_time() - began
    if solution is None:
        return Found(0.0, [], 0, spent)
    tours = []
    for person in range(asked.people):
        tour, at = [], solution.Value(model.NextVar(model.Start(person)))
        while not model.IsEnd(at):
            tour.append(index.IndexToNode(at))
            at = solution.Value(model.NextVar(at))
        tours.append(tour)
    return replace(points.found(asked, [tour for tour in tours if tour]), spent=spent)


def covered(asked: District, lines: list[shapely.LineString]) -> NDArray[np.float64]:
    """Share of each street that lines pass, seen from the lines alone."""
    graph = asked.router.graph
    project = graph.projection.forward
    streets = project(graph.lines(asked.edges))
    count = np.maximum(np.rint(graph.length_m[asked.edges] / FINE_M).astype(int), 1)
    row = np.repeat(np.arange(len(streets)), count)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    fine = shapely.line_interpolate_point(streets[row], (nth + 0.5) / count[row], normalized=True)
    passed = shapely.STRtree(project(np.array(lines, dtype=object)))
    seen = np.unique(passed.query(fine, predicate="dwithin", distance=SEEN_M)[0])
    return np.bincount(row[seen], minlength=len(streets)) / count


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--places", type=int, default=300)
    parser.add_argument("--kilometres", type=float, default=60)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, action="append", help="metres between the peers' points")
    chosen = parser.parse_args()
    asked = district(
        chosen.file,
        places=chosen.places,
        kilometres=chosen.kilometres,
        people=chosen.people,
        seed=chosen.seed,
    )
    ours(asked, 1)  # loads the compiled kernels
    print(f"{len(asked.edges)} pieces of street, {len(asked.windows)} places, {asked.people} people")
    best = ours(asked, chosen.seconds)
    print(f"gridmap            {said(asked, best)}", flush=True)
    peers: dict[str, tuple[str, Callable[[District, float, float], Found]]] = {
        "VROOM": ("vroom", vroom_plans),
        "OR-Tools": ("ortools", ortools_plans),
    }
    for name, (module, plan) in peers.items():
        if importlib.util.find_spec(module) is None:
            print(f"{name} is not installed, and not compared")
            continue
        for every in chosen.every or [40.0]:
            found = plan(asked, chosen.seconds, every)
            if not found.lines:
                print(f"{name:9}{every:5.0f} m  no plan after {found.spent:.0f} s", flush=True)
                continue
            print(f"{name:9}{every:5.0f} m  {said(asked, found)}, in {found.spent:.0f} s", flush=True)
            if found.completed is not None:
                less = 100 * (1 - best.seconds / found.completed.seconds)
                print(f"     completed    {said(asked, found.completed)}; gridmap takes {less:.1f} % less")


def said(asked: District, found: Found) -> str:
    """What was found, in a few words."""
    share = 100 * np.average(covered(asked, found.lines), weights=asked.router.graph.length_m[asked.edges])
    return f"{found.seconds / 3600:8.2f} h, {found.visited} places, {share:.1f} % of the streets"


if __name__ == "__main__":
    main()
