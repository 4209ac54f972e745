"""Places on the street network: moved there from where they are, and what cannot be reached."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.street_graph import StreetGraph
    from geodata.travel import Profile

__all__ = ["Piece", "Pieces", "Snapped", "Snapper", "Stops", "pieces_of"]

_NAMES = 3
_LARGE_M = 2000.0


@dataclass(frozen=True, slots=True, eq=False)
class Stops:
    """Where ways begin and end.

    Attributes
    ----------
    arc
        Arc that each lies on, int64, shape (n,); -1 for one that lies on no street and has no way to it
        or from it.
    fraction
        Where on it, 0 at its tail to 1 at its head, shape (n,).
    both
        Whether one may come and go along the other direction as well, bool, shape (n,).
    """

    arc: NDArray[np.int64]
    fraction: NDArray[np.float64]
    both: NDArray[np.bool_]

    def __len__(self) -> int:
        """Count the stops."""
        return len(self.arc)

    def __getitem__(self, rows: Any) -> Stops:
        """Choose some of them."""
        return Stops(self.arc[rows], self.fraction[rows], self.both[rows])

    @classmethod
    def tails(cls, arcs: Any) -> Stops:
        """Where one begins to go along arcs: arrive here to cover a street in this direction."""
        return cls._ends(arcs, 0.0)

    @classmethod
    def heads(cls, arcs: Any) -> Stops:
        """Where one has gone along arcs: depart from here when a street was covered in this direction."""
        return cls._ends(arcs, 1.0)

    @classmethod
    def _ends(cls, arcs: Any, fraction: float) -> Stops:
        arc = np.asarray(arcs, dtype=np.int64).reshape(-1)
        return cls(arc, np.full(len(arc), fraction), np.zeros(len(arc), dtype=bool))

    @classmethod
    def together(cls, *several: Stops) -> Stops:
        """All of them, one after the other."""
        return cls(
            np.concatenate([stops.arc for stops in several]),
            np.concatenate([stops.fraction for stops in several]),
            np.concatenate([stops.both for stops in several]),
        )

    def ways(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Each arc that may be used, stop by stop: whose it is, the arc, and where on it."""
        placed = self.arc >= 0
        own = np.flatnonzero(placed)
        other = np.flatnonzero(placed & self.both)
        row = np.concatenate([own, other])
        arc = np.concatenate([self.arc[own], self.arc[other] ^ 1])
        fraction = np.concatenate([self.fraction[own], 1.0 - self.fraction[other]])
        order = np.argsort(row, kind="stable")
        return row[order], arc[order], fraction[order]


@dataclass(frozen=True, slots=True, eq=False)
class Snapped:
    """Places moved onto streets.

    Attributes
    ----------
    stops
        Where they are now; -1 where the nearest street is beyond the limit.
    lon, lat
        Where they are now, degrees; of the nearest street where it is beyond the limit. Shape (n,).
    moved_m
        How far each was moved, or would have to be, shape (n,).
    side
        1 where the place lies right of its street's line, -1 left of it, 0 on it, int8, shape (n,).
    piece
        Piece of the network, see `Pieces`; there is no way from one to another and back. Shape (n,).
    large
        Whether that piece is a large one, shape (n,).
    limit_m
        How far they might be moved.
    profile
        For whom the streets had to be open.
    street
        Name of the street, or what its source calls it, shape (n,).
    """

    stops: Stops
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    moved_m: NDArray[np.float64]
    side: NDArray[np.int8]
    piece: NDArray[np.int64]
    large: NDArray[np.bool_]
    limit_m: float
    profile: Profile
    street: NDArray[np.str_]

    def __len__(self) -> int:
        """Count the places."""
        return len(self.moved_m)

    @property
    def home(self) -> int:
        """The large piece in which most of the places lie."""
        there = self.piece[(self.stops.arc >= 0) & self.large]
        return int(np.bincount(there).argmax()) if len(there) else 0

    def fault(self, i: int) -> GeometryError | None:
        """Say why the i-th place cannot be reached from most of the others; None where it can."""
        if self.stops.arc[i] < 0:
            return GeometryError(
                "The nearest street that is open ({street}) is {metres} m away; expected {limit} m at most.",
                street=str(self.street[i]),
                metres=round(float(self.moved_m[i])),
                limit=round(self.limit_m),
            )
        if self.piece[i] != self.home:
            return GeometryError(
                "The nearest street that is open ({street}) is cut off from most of the places.",
                street=str(self.street[i]),
            )
        return None

    def faults(self) -> dict[int, GeometryError]:
        """Every place that cannot be reached, with the reason."""
        doubtful = np.flatnonzero((self.stops.arc < 0) | (self.piece != self.home)).tolist()
        return {i: fault for i in doubtful if (fault := self.fault(i)) is not None}

    def require(self) -> Stops:
        """Return the stops if all can be reached.

        Raises
        ------
        GeometryError
            For the first one that cannot.
        """
        for fault in self.faults().values():
            raise fault
        return self.stops


class Snapper:
    """Finds the nearest open street.

    Parameters
    ----------
    graph
        The network.
    profile
        For whom it has to be open.
    pieces
        In which the network lies for it.
    """

    def __init__(self, graph: StreetGraph, profile: Profile, pieces: Pieces) -> None:
        self._graph = graph
        self._profile = profile
        self._pieces = pieces
        self._projection = graph.projection
        self._open = graph.speed[profile] > 0

    @cached_property
    def lines(self) -> NDArray[np.object_]:
        """Every edge in metres, shape (m,)."""
        return self._projection.forward(self._graph.lines())

    @cached_property
    def open_edges(self) -> NDArray[np.int64]:
        """Edges that are open one way at least."""
        return np.flatnonzero(self._open[::2] | self._open[1::2])

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Over the lines of `open_edges`, in metres."""
        return shapely.STRtree(self.lines[self.open_edges])

    @cached_property
    def _trees(self) -> tuple[tuple[NDArray[np.int64], shapely.STRtree], ...]:
        placed = np.flatnonzero(self._pieces.of >= 0)
        large = self._pieces.large[self._pieces.of[placed]]
        chosen = (placed[large], placed[~large])
        return tuple((edges, shapely.STRtree(self.lines[edges])) for edges in chosen if len(edges))

    def snap(self, lon: NDArray[np.float64], lat: NDArray[np.float64], limit_m: float) -> Snapped:
        """Move places, see `geodata.street_router.Router.snap`."""
        xy = self._projection.forward_xy(lon, lat)
        points = np.asarray(shapely.points(*xy), dtype=object).reshape(-1)
        edge = np.full(len(points), -1, dtype=np.int64)
        for limit in (limit_m, None):
            for edges, tree in self._trees:
                left = np.flatnonzero(edge < 0)
                if not len(left):
                    break
                asked, found = tree.query_nearest(points[left], max_distance=limit, all_matches=False)
                edge[left[asked]] = edges[found]
        moved = np.asarray(shapely.distance(self.lines[edge], points))
        stops, side = self.stops_on(edge, points)
        along = np.where(stops.arc & 1, 1.0 - stops.fraction, stops.fraction)
        there = shapely.line_interpolate_point(self.lines[edge], along, normalized=True)
        new_lon, new_lat = self._projection.inverse_xy(shapely.get_x(there), shapely.get_y(there))
        street = self._graph.street[edge]
        name = np.where(self._graph.name[street] != "", self._graph.name[street], self._graph.ref[street])
        return Snapped(
            stops=Stops(np.where(moved <= limit_m, stops.arc, -1), stops.fraction, stops.both),
            lon=new_lon,
            lat=new_lat,
            moved_m=moved,
            side=side,
            piece=self._pieces.of[edge],
            large=self._pieces.large[self._pieces.of[edge]],
            limit_m=limit_m,
            profile=self._profile,
            street=name,
        )

    def stops_on(
        self, edge: NDArray[np.int64], points: NDArray[np.object_]
    ) -> tuple[Stops, NDArray[np.int8]]:
        """Put points (metres) on given edges; also on which side each lies, 1 for right, shape (n,)."""
        lines = self.lines[edge]
        fraction = np.clip(shapely.line_locate_point(lines, points, normalized=True), 0.0, 1.0)
        forward, backward = self._open[2 * edge], self._open[2 * edge + 1]
        stops = Stops(
            np.where(forward, 2 * edge, 2 * edge + 1),
            np.where(forward, fraction, 1.0 - fraction),
            forward & backward,
        )
        return stops, _side(lines, points, fraction)


def _side(
    lines: NDArray[np.object_], points: NDArray[np.object_], fraction: NDArray[np.float64]
) -> NDArray[np.int8]:
    step = 1e-3
    before = shapely.line_interpolate_point(lines, np.clip(fraction - step, 0, 1), normalized=True)
    after = shapely.line_interpolate_point(lines, np.clip(fraction + step, 0, 1), normalized=True)
    along = shapely.get_coordinates(after) - shapely.get_coordinates(before)
    off = shapely.get_coordinates(points) - shapely.get_coordinates(before)
    cross = along[:, 0] * off[:, 1] - along[:, 1] * off[:, 0]
    reach = np.hypot(along[:, 0], along[:, 1])
    return np.where(np.abs(cross) <= 1e-3 * np.maximum(reach, 1e-9), 0, -np.sign(cross)).astype(np.int8)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the network from which there is no way to its largest piece and back.

    Attributes
    ----------
    edges
        How many it has.
    metres
        How long it is.
    names
        Names of its longest streets.
    lon, lat
        Somewhere on it, degrees.
    large
        Whether rounds can be planned in it.
    """

    edges: int
    metres: float
    names: tuple[str, ...]
    lon: float
    lat: float
    large: bool

    @classmethod
    def read(cls, graph: StreetGraph, pieces: Pieces) -> tuple[Piece, ...]:
        """Every piece but the largest, the longest first."""
        found = []
        piece = pieces.of
        order = np.argsort(piece, kind="stable")
        cut = np.searchsorted(piece[order], np.arange(1, int(piece.max(initial=0)) + 2))
        for begin, end in zip(cut[:-1].tolist(), cut[1:].tolist(), strict=True):
            edges = order[begin:end]
            edges = edges[np.argsort(-graph.length_m[edges], kind="stable")]
            names = dict.fromkeys(str(n) for n in graph.name[graph.street[edges]] if n)
            corner = graph.corner[edges[0]]
            found.append(
                cls(
                    len(edges),
                    float(graph.length_m[edges].sum()),
                    tuple(names)[:_NAMES],
                    float(graph.lon[corner]),
                    float(graph.lat[corner]),
                    bool(pieces.large[piece[edges[0]]]),
                )
            )
        return tuple(sorted(found, key=lambda one: -one.metres))


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """How the network falls apart for somebody.

    Attributes
    ----------
    of
        Which piece each edge lies in, -1 where it is closed, int64, shape (m,). Pieces are numbered by their
        length, the longest is 0.
    metres
        How long each is, shape (p,).
    round
        Whether there is a way from everywhere in it to everywhere in it; else it only leads into another one
        or out of it. Shape (p,).
    """

    of: NDArray[np.int64]
    metres: NDArray[np.float64]
    round: NDArray[np.bool_]

    @property
    def large(self) -> NDArray[np.bool_]:
        """Pieces in which rounds can be planned: two banks of a river may both be, shape (p,)."""
        large: NDArray[np.bool_] = self.round & (self.metres >= _LARGE_M)
        large[:1] = True
        return large


def pieces_of(
    graph: StreetGraph,
    open_edges: NDArray[np.bool_],
    arcs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    nodes: int,
) -> Pieces:
    """Find the pieces of a network.

    Parameters
    ----------
    graph
        The network.
    open_edges
        Which edges may be used at all.
    arcs
        Edge, tail and head of each arc that may be used, with turns taken into account.
    nodes
        How many nodes they have.
    """
    # A sixth of a second to read, which no start should wait for.
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    edge, tail, head = arcs
    joined = coo_array((np.ones(len(edge), dtype=np.int8), (tail, head)), (nodes, nodes))
    _, label = connected_components(joined, directed=True, connection="strong")
    inside = label[tail] == label[head]
    piece = np.full(len(graph), -1, dtype=np.int64)
    piece[edge[inside]] = label[tail[inside]]
    left = np.flatnonzero(open_edges & (piece < 0))
    if len(left):
        count = len(graph.node_lon)
        ends = (graph.first_node[left], graph.last_node[left])
        meeting = coo_array((np.ones(len(left), dtype=np.int8), ends), (count, count))
        _, group = connected_components(meeting, directed=False)
        piece[left] = nodes + group[ends[0]]
    placed = np.flatnonzero(piece >= 0)
    known, number = np.unique(piece[placed], return_inverse=True)
    metres = np.bincount(number, weights=graph.length_m[placed]).astype(np.float64)
    # What does not lead round is never the first.
    order = np.lexsort((-metres, known >= nodes))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    piece[placed] = rank[number]
    return Pieces(piece, metres[order], known[order] < nodes)
