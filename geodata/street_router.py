"""Ways and distances in the street network, exact, on contraction hierarchies of its own arcs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import routingkit_cch
import shapely
from shapely import LineString
from shapely.ops import substring

from geodata.errors import GeometryError
from geodata.street_places import Piece, Pieces, Snapped, Snapper, Stops, pieces_of
from geodata.travel import Profile
from geodata.turns import expand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.street_graph import StreetGraph

__all__ = ["SNAP_M", "Route", "Router"]

SNAP_M = 150.0
"""How far a place may be moved onto a street unless something else is said, metres."""
_MILLISECONDS = 1000
_NOTHING_M = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A way from one stop to another.

    Attributes
    ----------
    seconds, metres
        How long it takes, and is.
    arcs
        Along which it goes, in order, int64, shape (k,); the first and the last one perhaps only in part.
    begin, end
        Where on its first arc it begins and where on its last arc it ends, 0 to 1.
    line
        EPSG:4326. Of no length where both stops are the same.
    """

    seconds: float
    metres: float
    arcs: NDArray[np.int64]
    begin: float
    end: float
    line: LineString


@dataclass(frozen=True, slots=True, eq=False)
class _Access:
    """Where the stops of a list touch the nodes of the graph; those of one stop stand together."""

    stop: NDArray[np.int64]
    node: NDArray[np.int64]
    cost: NDArray[np.int64]
    arc: NDArray[np.int64]
    fraction: NDArray[np.float64]

    def of(self, stop: int) -> list[tuple[int, int]]:
        begin, end = np.searchsorted(self.stop, [stop, stop + 1])
        return list(zip(self.node[begin:end].tolist(), self.cost[begin:end].tolist(), strict=True))

    def by(self, node: int) -> tuple[int, float]:
        """Arc, and place on it, by which one gets to a node or from it the cheapest."""
        rows = np.flatnonzero(self.node == node)
        best = rows[self.cost[rows].argmin()]
        return int(self.arc[best]), float(self.fraction[best])


class Router:
    """Ways for one profile. Immutable once made, and safe to ask from many threads.

    Time on each arc is counted in whole milliseconds; but for that, ways are exact. To turn round at a
    junction takes no time and is allowed where no rule forbids it.

    Parameters
    ----------
    graph
        The network.
    profile
        How somebody goes.
    by_length
        Find the shortest ways instead of the quickest: all that is called seconds is then metres.

    Attributes
    ----------
    graph, profile
        As given.
    seconds
        Along each arc, infinite where it may not be used, shape (2m,).
    """

    def __init__(
        self, graph: StreetGraph, profile: Profile = Profile.FOOT, *, by_length: bool = False
    ) -> None:
        self.graph = graph
        self.profile = profile
        speed = graph.speed[profile]
        self._open = speed > 0
        if not self._open.any():
            raise GeometryError("Expected streets that are open to whoever goes this way; found none.")
        self._cost = np.zeros(len(speed), dtype=np.int64)
        metres = np.repeat(graph.length_m, 2)[self._open]
        pace = 1.0 if by_length else 3.6 / speed[self._open]
        self._cost[self._open] = np.rint(metres * pace * _MILLISECONDS)
        self.seconds = np.where(self._open, self._cost / _MILLISECONDS, np.inf)
        tails = np.column_stack([graph.first_node, graph.last_node]).reshape(-1)
        self._graph = expand(tails, self._open, graph.turns[profile], len(graph.node_lon))
        tail, head, node = self._graph.tail.tolist(), self._graph.head.tolist(), self._graph.node
        order = routingkit_cch.compute_order_inertial(
            len(node), tail, head, graph.node_lat[node].tolist(), graph.node_lon[node].tolist()
        )
        # The metric points into it.
        self._cch = routingkit_cch.CCH(order, tail, head, False)  # noqa: FBT003 - positional in the engine
        self._metric = routingkit_cch.CCHMetric(self._cch, self._cost[self._graph.arc].tolist())
        by_arc = np.argsort(self._graph.arc, kind="stable")
        self._tails = self._graph.tail[by_arc]
        self._tails_of = np.searchsorted(self._graph.arc[by_arc], np.arange(len(speed) + 1))

    @cached_property
    def fabric(self) -> Pieces:
        """How the network falls apart for the profile."""
        found = self._graph
        edges: NDArray[np.bool_] = np.logical_or(self._open[::2], self._open[1::2])
        return pieces_of(self.graph, edges, (found.arc >> 1, found.tail, found.head), len(found.node))

    @property
    def piece(self) -> NDArray[np.int64]:
        """Which piece of the network each edge lies in, 0 for the largest; -1 where it is closed. Shape (m,).

        In the largest there is a way from everywhere to everywhere.
        """
        return self.fabric.of

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Every piece of the network but the largest, the longest first."""
        return Piece.read(self.graph, self.fabric)

    @cached_property
    def snapper(self) -> Snapper:
        """Finds the nearest street."""
        return Snapper(self.graph, self.profile, self.fabric)

    def snap(self, lon: Any, lat: Any, *, limit_m: float = SNAP_M) -> Snapped:
        """Move places onto the nearest street that is open to the profile.

        A street of a large piece is preferred where one is within the limit. No place is dropped: see
        `Snapped.faults` for those that cannot be reached.

        Parameters
        ----------
        lon, lat
            Degrees, EPSG:4326, shape (n,), or one place.
        limit_m
            How far they may be moved.
        """
        places = np.atleast_1d(np.asarray(lon, dtype=float)), np.atleast_1d(np.asarray(lat, dtype=float))
        return self.snapper.snap(*places, limit_m)

    def matrix(
        self, departures: Stops | Snapped, arrivals: Stops | Snapped | None = None
    ) -> NDArray[np.float64]:
        """Seconds from each departure to each arrival, shape (n, k); infinite where there is no way.

        Parameters
        ----------
        departures, arrivals
            Stops; where no arrivals are given they are the departures.
        """
        start = _stops(departures)
        end = start if arrivals is None else _stops(arrivals)
        out = np.full((len(start), len(end)), np.inf)
        sources, targets = self._leaving(start), self._arriving(end)
        if len(sources.node) and len(targets.node):
            pinned = routingkit_cch.CCHOneToMany(self._metric, targets.node.tolist())
            reached, first = np.unique(targets.stop, return_index=True)
            for i in range(len(start)):
                begin = sources.of(i)
                if begin:
                    # What cannot be reached comes as None and becomes NaN.
                    far = np.array(pinned.distances_from_multi(begin), dtype=float) + targets.cost
                    out[i, reached] = np.fmin.reduceat(far, first)
            out[np.isnan(out)] = np.inf
            out /= _MILLISECONDS
        row, column, seconds, *_ = self._along_one_arc(start, end)
        np.minimum.at(out, (row, column), seconds)
        return out

    def path(self, departure: Stops | Snapped, arrival: Stops | Snapped, i: int = 0, j: int = 0) -> Route:
        """Return the quickest way from the i-th departure to the j-th arrival.

        Raises
        ------
        GeometryError
            If there is none.
        """
        seconds, arcs, begin, end = self.trace(departure, arrival, i, j)
        line, metres = _drawn(self.graph, arcs, begin, end)
        return Route(seconds, metres, arcs, begin, end, line)

    def trace(
        self, departure: Stops | Snapped, arrival: Stops | Snapped, i: int = 0, j: int = 0
    ) -> tuple[float, NDArray[np.int64], float, float]:
        """Return `path` undrawn: seconds, arcs, where it begins on the first and ends on the last one.

        Raises
        ------
        GeometryError
            If there is none.
        """
        start, end = _stops(departure)[[i]], _stops(arrival)[[j]]
        _, _, direct, arc, begin, finish = self._along_one_arc(start, end)
        sources, targets = self._leaving(start), self._arriving(end)
        seconds, nodes, taken = self._query(sources.of(0), targets.of(0))
        if len(direct) and direct.min() <= seconds:
            best = int(direct.argmin())
            return float(direct[best]), arc[[best]], float(begin[best]), float(finish[best])
        if not np.isfinite(seconds):
            raise GeometryError("There is no way between the two places on streets that are open.")
        first, begins = sources.by(nodes[0])
        last, ends = targets.by(nodes[-1])
        arcs = np.array([first, *self._graph.arc[taken].tolist(), last], dtype=np.int64)
        # Who stands at the end of an arc does not go along it.
        if begins >= 1.0:
            arcs, begins = arcs[1:], 0.0
        if len(arcs) > 1 and ends <= 0.0:
            arcs, ends = arcs[:-1], 1.0
        return seconds, arcs, begins, ends

    def _query(
        self, sources: list[tuple[int, int]], targets: list[tuple[int, int]]
    ) -> tuple[float, list[int], list[int]]:
        """Seconds, nodes and arcs of the quickest way; infinite where there is none."""
        if not (sources and targets):
            return np.inf, [], []
        query = routingkit_cch.CCHQuery(self._metric)
        result = query.run_multi(sources, targets)
        if result.distance is None:
            return np.inf, [], []
        return result.distance / _MILLISECONDS, list(result.node_path), list(result.arc_path)

    def _leaving(self, stops: Stops) -> _Access:
        stop, arc, fraction = stops.ways()
        usable = self._open[arc]
        stop, arc, fraction = stop[usable], arc[usable], fraction[usable]
        cost = np.rint((1.0 - fraction) * self._cost[arc]).astype(np.int64)
        return _Access(stop, self._graph.arrival[arc], cost, arc, fraction)

    def _arriving(self, stops: Stops) -> _Access:
        stop, arc, fraction = stops.ways()
        cost = np.rint(fraction * self._cost[arc]).astype(np.int64)
        # An arc begins at several nodes where who comes from somewhere may not go on to somewhere else.
        count = self._tails_of[arc + 1] - self._tails_of[arc]
        row = np.repeat(np.arange(len(arc)), count)
        at = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + self._tails_of[arc][row]
        return _Access(stop[row], self._tails[at], cost[row], arc[row], fraction[row])

    def _along_one_arc(self, start: Stops, end: Stops) -> tuple[NDArray[Any], ...]:
        """Pairs that lie on one arc in its direction: departure, arrival, seconds, arc, and where on it."""
        i, arc, begin = start.ways()
        j, other, finish = end.ways()
        order = np.argsort(other, kind="stable")
        low = np.searchsorted(other[order], arc, side="left")
        count = np.searchsorted(other[order], arc, side="right") - low
        row = np.repeat(np.arange(len(arc)), count)
        at = order[np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + low[row]]
        ahead = self._open[arc[row]] & (finish[at] >= begin[row])
        row, at = row[ahead], at[ahead]
        seconds = (finish[at] - begin[row]) * self.seconds[arc[row]]
        return i[row], j[at], seconds, arc[row], begin[row], finish[at]


def _stops(places: Stops | Snapped) -> Stops:
    return places.stops if isinstance(places, Snapped) else places


def _drawn(graph: StreetGraph, arcs: NDArray[np.int64], begin: float, end: float) -> tuple[LineString, float]:
    parts = [
        shapely.get_coordinates(line)[:: -1 if arc & 1 else 1]
        for line, arc in zip(graph.lines(arcs >> 1), arcs.tolist(), strict=True)
    ]
    projection = graph.projection
    whole = LineString(np.column_stack(projection.forward_xy(*np.concatenate(parts).T)))
    length = graph.length_m[arcs >> 1]
    start = begin * length[0]
    # Below nought the engine would count from the end.
    stop = max(length.sum() - (1.0 - end) * length[-1], start)
    cut = substring(whole, start, stop) if stop - start > _NOTHING_M else whole.interpolate(start)
    xy = shapely.get_coordinates(shapely.remove_repeated_points(cut))
    lon, lat = projection.inverse_xy(*np.repeat(xy, 2 if len(xy) == 1 else 1, axis=0).T)
    return LineString(np.column_stack([lon, lat])), float(cut.length)
