"""From what there is to do, and the network, to the question that the planner answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

from geodata.errors import GeometryError
from geodata.street_places import Stops
from gridmap.errors import InvalidValueError
from gridmap.hours import parse_hours
from gridmap.patrols.models import VisitKind
from gridmap.patrols.planning import UNREACHABLE, Problem, Task, Travel, Window, Worker
from gridmap.patrols.stretches import edges_along
from gridmap.patrols.targets import Spots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geodata.street_graph import StreetGraph
    from geodata.street_router import Router
    from gridmap.patrols.planning import Route
    from gridmap.patrols.targets import Roads

__all__ = ["Posed", "Target", "pose"]

SNAP_M = 300.0
"""How far from a street a place may lie, metres: estates and markets are entered from their gates."""
_LOOKING = 1.5
"""Who looks at a street walks it so many times slower."""
_ROAD_WORTH = 6.0
"""Of a stretch of a priority road, times the seconds that walking it takes; twice that for a key road."""
_DAY = 24 * 3600
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
        Seconds count from midnight of the day; node 0 is where everybody starts and ends.
    targets
        Of each task.
    keys
        Of each task; the same whenever the question is posed again, as long as the streets are the same.
    lost
        What cannot be reached, with the reason.
    departures, arrivals
        Of each node.
    lon, lat
        Of the start and of each place, as they are on the map, degrees.
    """

    problem: Problem
    targets: tuple[Target, ...]
    keys: tuple[str, ...]
    lost: tuple[tuple[Target, GeometryError], ...]
    router: Router
    departures: Stops
    arrivals: Stops
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
                self.router.graph.lines(edge[street]), 0.5, normalized=True
            )
            lon[street], lat[street] = shapely.get_x(middle), shapely.get_y(middle)
        return lon, lat

    def draw(self, route: Route) -> tuple[LineString, float]:
        """Line and metres of a round, along the streets and back to its end, EPSG:4326."""
        worker = self.problem.workers[route.worker]
        at, parts, metres = worker.start, [], 0.0
        for visit in route.visits:
            mode = self.problem.tasks[visit.task].modes[visit.mode]
            way = self.router.path(self.departures, self.arrivals, at, mode.entry)
            parts.append(shapely.get_coordinates(way.line))
            metres += way.metres + mode.metres
            edge = self.targets[visit.task].edge
            if edge >= 0:
                line = shapely.get_coordinates(self.router.graph.lines([edge])[0])
                parts.append(line[:: -1 if (mode.entry - self.ends) % 2 else 1])
            at = mode.exit
        way = self.router.path(self.departures, self.arrivals, at, worker.end)
        parts.append(shapely.get_coordinates(way.line))
        whole = shapely.remove_repeated_points(LineString(np.concatenate(parts)))
        return whole, metres + way.metres


def pose(
    router: Router,
    spots: Spots,
    roads: Roads,
    *,
    start: tuple[float, float],
    workers: Sequence[Worker],
    stay: Mapping[VisitKind, int],
) -> Posed:
    """Pose the question who visits which places and walks which streets.

    Parameters
    ----------
    router
        Ways for those who go.
    spots, roads
        What there is to do. A road becomes a task for each piece between two junctions, in the hours in which
        it matters.
    start
        Longitude and latitude where everybody starts and ends, unless cut off from most places.
    workers
        Who goes, from node 0 to node 0, in seconds from midnight.
    stay
        Seconds at a place of each kind.

    Raises
    ------
    geodata.errors.GeometryError
        If no street is near the start.
    InvalidValueError
        If nothing can be reached.
    """
    base = router.snap(*start, limit_m=SNAP_M * 5)
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
    node = 1 + len(reached)
    departures = Stops.together(
        base.stops, snapped.stops[reached], Stops.heads(np.column_stack([2 * edge + 1, 2 * edge]))
    )
    arrivals = Stops.together(
        base.stops, snapped.stops[reached], Stops.tails(np.column_stack([2 * edge, 2 * edge + 1]))
    )
    tasks = [
        Task.place(
            1 + n,
            stay[places[i].kind],
            # The way there is weighed against its worth, and not the stay, which is wanted.
            prize=int(spots.worth[i]) + stay[places[i].kind],
            name=f"{places[i].kind} {places[i].id}",
        )
        for n, i in enumerate(reached.tolist())
    ]
    targets = [places[i] for i in reached.tolist()]
    shift = Window(min(one.shift.opens for one in workers), max(one.shift.closes for one in workers))
    open_in = [_windows(text, shift) for text in roads.hours.tolist()]
    for n, (one, which) in enumerate(zip(edge.tolist(), road.tolist(), strict=True)):
        tasks.append(_stretch(router, one, node + 2 * n, int(roads.level[which]), open_in[which]))
        targets.append(Target(VisitKind.ROAD, int(roads.id[which]), one))
    if not tasks:
        raise InvalidValueError(
            "Expected places, problems or priority roads that can be reached here; found none.",
            parameter="area",
        )
    far = router.matrix(departures, arrivals)
    seconds = np.where(np.isfinite(far), np.rint(far), UNREACHABLE).astype(np.int64)
    # Only time counts here; a round's metres are measured on its line.
    travel = Travel(seconds=seconds, metres=seconds)
    return Posed(
        Problem(travel=(travel,), tasks=tuple(tasks), workers=tuple(workers)),
        tuple(targets),
        _keys(graph, targets),
        tuple(lost),
        router,
        departures,
        arrivals,
        np.r_[start[0], spots.lon[reached]],
        np.r_[start[1], spots.lat[reached]],
        node,
    )


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


def _stretch(router: Router, edge: int, node: int, level: int, windows: tuple[Window, ...]) -> Task:
    forward, backward = router.seconds[2 * edge], router.seconds[2 * edge + 1]
    seconds = round(float(min(forward, backward)) * _LOOKING)
    both = bool(np.isfinite(forward) and np.isfinite(backward))
    tail, head = (node, node + 1) if np.isfinite(forward) else (node + 1, node)
    return Task.street(
        tail,
        head,
        seconds,
        round(float(router.graph.length_m[edge])),
        both_ways=both,
        windows=windows,
        prize=round(seconds * _ROAD_WORTH * (2 if level == 1 else 1)),
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
    return Spots(kinds, spots.id[best], spots.lon[best], spots.lat[best], spots.worth[best]), rest


def _windows(text: str | None, shift: Window) -> tuple[Window, ...]:
    """The hours that fall into a shift, which may pass midnight; none where none matter more than others."""
    spans = []
    try:
        hours = parse_hours(text or "")
    except InvalidValueError:
        # Offices also write 全天 or 早晚高峰: such a road is walked at any time.
        hours = ()
    for begin, end in hours:
        closes = end if end > begin else end + _DAY // 60
        spans += [
            Window(max(begin * 60 + later, 0), closes * 60 - 1 + later)
            for later in (-_DAY, 0, _DAY)
            if closes * 60 - 1 + later > 0
        ]
    # A road that matters at other hours only is still worth a look, at any time of this shift.
    return tuple(one for one in spans if one.opens <= shift.closes and one.closes >= shift.opens)
