"""From what there is to do, and the network, to the question that the planner answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely import LineString

from geodata.errors import GeometryError
from geodata.street_places import Stops
from gridmap.errors import InvalidValueError
from gridmap.patrols.models import VisitKind
from gridmap.patrols.people import START_REACH_M
from gridmap.patrols.planning import UNREACHABLE, Mode, Problem, Task, Travel, Window, Worker
from gridmap.patrols.stretches import edges_along
from gridmap.patrols.targets import Spots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geodata.street_graph import StreetGraph
    from geodata.street_router import Router
    from gridmap.patrols.frequency import Frequency
    from gridmap.patrols.planning import Route
    from gridmap.patrols.targets import Roads

__all__ = ["Posed", "Target", "pose"]

SNAP_M = 300.0
"""How far from a street a place may lie, metres: estates and markets are entered from their gates."""
_LOOKING = 1.5
"""Who looks at a street walks it so many times slower."""
_ROAD_WORTH = 6.0
"""Of a stretch of a priority road, times the seconds that walking it takes; twice that for a key road."""
MOST_SPOTS = 1000
MOST_STRETCHES = 750
"""More would take gigabytes of times between all of them; the most worthwhile are planned."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a task stands for.

    Parameters
    ----------
    id
        Row of the point, the problem or the road.
    edge
        Of the network, for a road; -1 for a place.
    """

    kind: VisitKind
    id: int
    edge: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """A question for the planner, and what its nodes and tasks stand for.

    Attributes
    ----------
    problem
        Seconds count from midnight of the first day; node 0 is where people start and end who start and end
        nowhere else.
    targets
        Of each task.
    keys
        Of each task; the same whenever the question is posed again, as long as the streets are the same.
    home
        For each task the first day on which it is tried.
    lost
        What cannot be reached, with the reason.
    routers
        Ways for each way of moving.
    departures, arrivals
        Of each node, for each way of moving.
    lon, lat
        Of the starts and ends and of each place, as they are on the map, degrees.
    """

    problem: Problem
    targets: tuple[Target, ...]
    keys: tuple[str, ...]
    home: tuple[int, ...]
    lost: tuple[tuple[Target, GeometryError], ...]
    routers: tuple[Router, ...]
    departures: tuple[Stops, ...]
    arrivals: tuple[Stops, ...]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    ends: int
    """First node that is an end of a stretch: those along a street's line are even from there."""

    def places(self, tasks: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitude and latitude of tasks, of a stretch its middle, shape (n,)."""
        node = np.array([self.problem.tasks[task].modes[0].entry for task in tasks], dtype=np.int64)
        edge = np.array([self.targets[task].edge for task in tasks], dtype=np.int64)
        lon, lat = self.lon[np.minimum(node, self.ends - 1)], self.lat[np.minimum(node, self.ends - 1)]
        street = np.flatnonzero(edge >= 0)
        if len(street):
            middle = shapely.line_interpolate_point(
                self.routers[0].graph.lines(edge[street]), 0.5, normalized=True
            )
            lon[street], lat[street] = shapely.get_x(middle), shapely.get_y(middle)
        return lon, lat

    def draw(self, route: Route) -> tuple[LineString, float]:
        """Line and metres of a round, along the streets and back to its end, EPSG:4326."""
        worker = self.problem.workers[route.worker]
        router = self.routers[worker.travel]
        ends = self.departures[worker.travel], self.arrivals[worker.travel]
        at, parts, metres = worker.start, [], 0.0
        for visit in route.visits:
            mode = self.problem.tasks[visit.task].modes[visit.mode]
            way = router.path(*ends, at, mode.entry)
            parts.append(shapely.get_coordinates(way.line))
            metres += way.metres + mode.metres
            edge = self.targets[visit.task].edge
            if edge >= 0:
                line = shapely.get_coordinates(router.graph.lines([edge])[0])
                parts.append(line[:: -1 if (mode.entry - self.ends) % 2 else 1])
            at = mode.exit
        way = router.path(*ends, at, worker.end)
        parts.append(shapely.get_coordinates(way.line))
        whole = shapely.remove_repeated_points(LineString(np.concatenate(parts)))
        return whole, metres + way.metres


def pose(
    routers: Sequence[Router],
    spots: Spots,
    roads: Roads,
    *,
    starts: Sequence[tuple[float, float]],
    workers: Sequence[Worker],
    limits: Sequence[Any],
    frequency: Frequency,
    stay: Mapping[VisitKind, int],
) -> Posed:
    """Pose the question who visits which places and walks which streets.

    Parameters
    ----------
    routers
        Ways for each way of moving; whether a place can be reached is judged by the first.
    spots, roads
        What there is to do. A road becomes a task for each piece between two junctions, in the hours in which
        it matters.
    starts
        Longitudes and latitudes where people start and end: nodes 0 and so on. The first one is moved if it
        is cut off from most places.
    workers
        Who goes, in seconds from midnight of the first day.
    limits
        Of each worker the ground to which they are sent, EPSG:4326; None: all.
    frequency
        How often, and on which days.
    stay
        Seconds at a place of each kind.

    Raises
    ------
    geodata.errors.GeometryError
        If no street is near the first start.
    InvalidValueError
        If nothing can be reached, or another start or end is cut off.
    """
    router, start = routers[0], starts[0]
    base = router.snap(*start, limit_m=START_REACH_M)
    base.require()
    spots, beyond = _worthwhile(spots)
    snapped = router.snap(spots.lon, spots.lat, limit_m=SNAP_M)
    faults = snapped.faults()
    places = [Target(kind, int(row)) for kind, row in zip(spots.kind, spots.id, strict=True)]
    reached = np.array([i for i in range(len(spots)) if i not in faults], dtype=np.int64)
    if len(reached) and base.piece[0] != snapped.home:
        # Across the water from most of the places: they start at one of those.
        start = float(spots.lon[reached[0]]), float(spots.lat[reached[0]])
        base = router.snap(*start, limit_m=SNAP_M)
    starts = [start, *starts[1:]]

    graph = router.graph
    walkable = np.isfinite(router.seconds)
    usable = (walkable[::2] | walkable[1::2]) & (router.piece == base.piece[0])
    edge, road = edges_along(graph, roads.geometry, usable)
    first = np.argsort(roads.level[road], kind="stable")[:MOST_STRETCHES]
    edge, road = edge[first], road[first]
    lost = [(places[i], fault) for i, fault in faults.items()]
    lost += [(target, _too_much()) for target in beyond]
    lost += [
        (Target(VisitKind.ROAD, int(roads.id[which])), GeometryError("No street that is open runs along it."))
        for which in np.setdiff1d(np.arange(len(roads.id)), road)
    ]
    # One node at each end of a stretch: who arrives there goes along it, who leaves from there has done so.
    node = len(starts) + len(reached)
    departures, arrivals, travel = [], [], []
    for how in routers:
        there = _snapped_together(how, starts, spots.lon[reached], spots.lat[reached])
        departures.append(Stops.together(there, Stops.heads(np.column_stack([2 * edge + 1, 2 * edge]))))
        arrivals.append(Stops.together(there, Stops.tails(np.column_stack([2 * edge, 2 * edge + 1]))))
        far = how.matrix(departures[-1], arrivals[-1])
        seconds = np.where(np.isfinite(far), np.rint(far), UNREACHABLE).astype(np.int64)
        # Only time counts here; a round's metres are measured on its line.
        travel.append(Travel(seconds=seconds, metres=seconds))
    _require_starts(starts, workers, travel, node)
    tasks: list[Task] = []
    targets: list[Target] = []
    home: list[int] = []
    for n, (i, phase) in enumerate(
        zip(reached.tolist(), _phases(spots.lon[reached], spots.lat[reached]), strict=True)
    ):
        kind, own = places[i].kind, spots.own_of(i)
        seconds_there = own.minutes * 60 if own and own.minutes else stay[kind]
        for windows in frequency.turns(kind, phase, own, seconds_there):
            tasks.append(
                Task.place(
                    len(starts) + n,
                    seconds_there,
                    windows=windows,
                    # The way there is weighed against its worth, and not the stay, which is wanted.
                    prize=int(spots.worth[i]) + seconds_there,
                    name=f"{kind} {places[i].id}",
                )
            )
            targets.append(places[i])
            home.append(0 if windows else int(phase * len(frequency.days)))
    phases = np.arange(len(roads.id)) / max(len(roads.id), 1)
    hours = [
        frequency.turns_of_road(text, int(often), float(phase))
        for text, often, phase in zip(roads.hours.tolist(), roads.per_day, phases, strict=True)
    ]
    for n, (one, which) in enumerate(zip(edge.tolist(), road.tolist(), strict=True)):
        for windows in hours[which]:
            whole = _stretch(routers, one, node + 2 * n, int(roads.level[which]), windows)
            sides = _sides(whole) if frequency.sides == 2 else [whole]
            tasks += sides
            targets += [Target(VisitKind.ROAD, int(roads.id[which]), one)] * len(sides)
            home += [int(phases[which] * len(frequency.days))] * len(sides)
    if not tasks:
        raise InvalidValueError(
            "Expected places, problems or priority roads that can be reached here; found none.",
            parameter="area",
        )
    posed = Posed(
        Problem(travel=tuple(travel), tasks=tuple(tasks), workers=tuple(workers)),
        tuple(targets),
        _keys(graph, targets),
        tuple(home),
        tuple(lost),
        tuple(routers),
        tuple(departures),
        tuple(arrivals),
        np.r_[[lon for lon, _ in starts], spots.lon[reached]],
        np.r_[[lat for _, lat in starts], spots.lat[reached]],
        node,
    )
    return _limited(posed, limits)


def _snapped_together(
    router: Router,
    starts: Sequence[tuple[float, float]],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
) -> Stops:
    """Starts and places on the streets that are open to one way of moving."""
    begin = [router.snap(*one, limit_m=START_REACH_M).stops for one in starts]
    return Stops.together(*begin, router.snap(lon, lat, limit_m=SNAP_M).stops)


def _require_starts(
    starts: Sequence[tuple[float, float]], workers: Sequence[Worker], travel: Sequence[Travel], nodes: int
) -> None:
    """Refuse starts and ends of somebody's own from which hardly any place can be reached."""
    for worker in workers:
        seconds = travel[worker.travel].seconds
        for node in {worker.start, worker.end} - {0}:
            there = min(
                int((seconds[node, :nodes] < UNREACHABLE).sum()),
                int((seconds[:nodes, node] < UNREACHABLE).sum()),
            )
            if there <= nodes / 2:
                raise InvalidValueError(
                    "Expected a start and an end near a street from which most places can be reached; found "
                    "{lon}, {lat}.",
                    parameter="people",
                    lon=round(starts[node][0], 5),
                    lat=round(starts[node][1], 5),
                )


def _limited(posed: Posed, limits: Sequence[Any]) -> Posed:
    """The same question with tasks only for those who are sent there."""
    if all(limit is None for limit in limits):
        return posed
    points = shapely.points(*posed.places(range(len(posed.problem.tasks))))
    inside = {id(limit): shapely.covers(limit, points) for limit in limits if limit is not None}
    tasks = []
    for number, task in enumerate(posed.problem.tasks):
        may = frozenset(
            worker for worker, limit in enumerate(limits) if limit is None or inside[id(limit)][number]
        )
        tasks.append(task if len(may) == len(limits) else replace(task, workers=may))
    problem = Problem(travel=posed.problem.travel, tasks=tuple(tasks), workers=posed.problem.workers)
    return replace(posed, problem=problem)


def _phases(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> list[float]:
    """Rank places along a curve through the area, from 0 to below 1: neighbours are due on the same day."""
    if not len(lon):
        return []
    x, y = (np.int64(1023 * (v - v.min()) / max(float(np.ptp(v)), 1e-9)) for v in (lon, lat))
    code = np.zeros(len(lon), dtype=np.int64)
    for bit in range(10):
        code |= ((x >> bit & 1) << 2 * bit) | ((y >> bit & 1) << 2 * bit + 1)
    rank = np.empty(len(lon))
    rank[np.argsort(code, kind="stable")] = np.arange(len(lon))
    return [float(value) for value in rank / len(lon)]


def _sides(whole: Task) -> list[Task]:
    """A stretch once in each direction: traffic keeps right, and so each passes another side."""
    entries = dict.fromkeys(mode.entry for mode in whole.modes)
    return [replace(whole, modes=tuple(m for m in whole.modes if m.entry == entry)) for entry in entries]


def _keys(graph: StreetGraph, targets: Sequence[Target]) -> tuple[str, ...]:
    """Name tasks by what they are; stretches by their middle, as edges are numbered anew with the streets."""
    edges = [target.edge for target in targets if target.edge >= 0]
    middles = shapely.line_interpolate_point(
        graph.lines(np.array(edges, dtype=np.int64)), 0.5, normalized=True
    )
    ends = iter(f"-{x:.5f},{y:.5f}" for x, y in shapely.get_coordinates(middles).tolist())
    seen: Counter[str] = Counter()
    keys = []
    for target in targets:
        name = f"{target.kind.value}-{target.id}{next(ends) if target.edge >= 0 else ''}"
        seen[name] += 1
        keys.append(f"{name}-{seen[name]}")
    return tuple(keys)


def _stretch(
    routers: Sequence[Router], edge: int, node: int, level: int, windows: tuple[Window, ...]
) -> Task:
    """A piece of a street, in each direction and way of moving in which it is open."""
    metres = round(float(routers[0].graph.length_m[edge]))
    modes = []
    for number, router in enumerate(routers):
        for way, (tail, head) in enumerate(((node, node + 1), (node + 1, node))):
            seconds = float(router.seconds[2 * edge + way])
            if np.isfinite(seconds):
                which = number if len(routers) > 1 else None
                modes.append(
                    Mode(
                        entry=tail, exit=head, seconds=round(seconds * _LOOKING), metres=metres, travel=which
                    )
                )
    worth = _ROAD_WORTH * (2 if level == 1 else 1)
    return Task(
        modes=tuple(modes),
        windows=windows,
        prize=round(min(mode.seconds for mode in modes) * worth),
        name=f"road {edge}",
    )


def _too_much() -> GeometryError:
    return GeometryError("There is more to do here than one plan takes; {most} places.", most=MOST_SPOTS)


def _worthwhile(spots: Spots) -> tuple[Spots, list[Target]]:
    """The places that are worth the most, and the others."""
    if len(spots) <= MOST_SPOTS:
        return spots, []
    order = np.argsort(-spots.worth, kind="stable")
    best = np.sort(order[:MOST_SPOTS])
    rest = [Target(spots.kind[i], int(spots.id[i])) for i in np.sort(order[MOST_SPOTS:]).tolist()]
    kinds = tuple(spots.kind[i] for i in best.tolist())
    own = tuple(spots.own[i] for i in best.tolist()) if spots.own else ()
    return Spots(kinds, spots.id[best], spots.lon[best], spots.lat[best], spots.worth[best], own), rest
