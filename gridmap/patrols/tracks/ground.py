"""The streets as samples every few metres, each in its cell: what coverage is counted in."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import select

from gridmap.places.models import GridCell, InspectionPoint, PriorityRoad
from gridmap.store.clock import read_clocks
from gridmap.store.extract import read_sorted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.patrols.network import Network

__all__ = ["SAMPLE_M", "Ground", "GroundKeeper"]

SAMPLE_M = 10.0
"""Streets are sampled about this far apart, metres."""

_BESIDE_M = 15.0
_ROOM = 1e7
"""More than any street is long, metres."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Samples of all streets that are open on foot, in the order of streets and along each.

    Attributes
    ----------
    network
        Whose streets they are.
    street
        Row of the street, int64, shape (k,).
    at_m
        Where along the street's line, metres, shape (k,).
    edge
        Edge of the network, int64, shape (k,).
    metres
        How many metres each stands for, shape (k,).
    lon, lat
        Degrees, shape (k,).
    cell
        Id of the cell it lies in, -1 for none, int64, shape (k,).
    begins_m
        Where each edge begins along its street, shape (m,).
    cell_area
        Area of each cell by its id.
    points
        For each inspection point in force its id, its area (-1 for none), and the sample next to it (-1 if
        none is near); int64, shape (p, 3).
    roads
        For each priority road in force its id and its samples.
    """

    network: Network
    street: NDArray[np.int64]
    at_m: NDArray[np.float64]
    edge: NDArray[np.int64]
    metres: NDArray[np.float64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    cell: NDArray[np.int64]
    begins_m: NDArray[np.float64]
    cell_area: dict[int, int | None]
    points: NDArray[np.int64]
    roads: dict[int, NDArray[np.int64]]

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.street)

    def rows(
        self, street: NDArray[np.int64], begin_m: NDArray[np.float64], end_m: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Samples within stretches of streets: pairs of the stretch's number and the sample."""
        key = self.street * _ROOM + self.at_m
        low = np.searchsorted(key, street * _ROOM + begin_m - 1e-6, side="left")
        high = np.searchsorted(key, street * _ROOM + end_m + 1e-6, side="right")
        count = np.maximum(high - low, 0)
        stretch = np.repeat(np.arange(len(low)), count)
        within = np.arange(len(stretch)) - np.repeat(np.cumsum(count) - count, count)
        return stretch, low[stretch] + within

    def streets(self, refs: Iterable[str]) -> NDArray[np.int64]:
        """Rows of streets by what their sources call them, -1 where there is none any more."""
        known = {ref: row for row, ref in enumerate(self.network.graph.ref.tolist())}
        return np.array([known.get(ref, -1) for ref in refs], dtype=np.int64)


class GroundKeeper:
    """Keeps the samples until streets or places change; one per process, safe to ask from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[Any, Any, Ground] | None = None

    def get(self, session: Session, network: Network, day: date) -> Ground:
        """Return the samples as `session` sees the places on a day."""
        clocks = read_clocks(session)
        with self._lock:
            now = (id(network), clocks.base, clocks.ground, day)
            if self._kept is not None and self._kept[0] == now:
                return self._kept[2]
            places = _Places.read(session, day)
            # The clock moves for people too, and each time somebody has patrolled; the samples only change
            # with the places themselves.
            state = places.digest()
            same = self._kept is not None and self._kept[1] == state and self._kept[2].network is network
            ground = self._kept[2] if self._kept is not None and same else _sampled(network, places)
            self._kept = (now, state, ground)
            return ground


@dataclass(frozen=True, slots=True)
class _Places:
    """Places in force on a day, by column."""

    cells: dict[str, NDArray[Any]]
    points: dict[str, NDArray[Any]]
    roads: dict[str, NDArray[Any]]

    @classmethod
    def read(cls, session: Session, day: date) -> _Places:
        def of(model: Any, *columns: Any) -> dict[str, NDArray[Any]]:
            wanted = select(model.id, *columns, model.geometry).where(model.in_force(day))
            return read_sorted(session, wanted, model.id)

        return cls(
            of(GridCell, GridCell.area_id), of(InspectionPoint, InspectionPoint.area_id), of(PriorityRoad)
        )

    def digest(self) -> str:
        seen = hashlib.blake2b(digest_size=12)
        for table in (self.cells, self.points, self.roads):
            for name, values in table.items():
                said = shapely.to_wkb(values).tolist() if name == "geometry" else values.tolist()
                seen.update(repr((name, said)).encode())
        return seen.hexdigest()


def _sampled(network: Network, held: _Places) -> Ground:
    graph = network.graph
    router = network.router()
    edges = np.flatnonzero(router.piece >= 0)
    # Edges of a street stand in its order.
    length = graph.length_m
    whole = np.cumsum(length) - length
    first = np.searchsorted(graph.street, graph.street, side="left")
    begins = whole - whole[first]
    count = np.maximum(np.rint(length[edges] / SAMPLE_M).astype(np.int64), 1)
    edge = np.repeat(edges, count)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    fraction = (nth + 0.5) / np.repeat(count, count)
    places = shapely.line_interpolate_point(router.snapper.lines[edge], fraction, normalized=True)
    xy = shapely.get_coordinates(places)
    lon, lat = graph.projection.inverse_xy(*xy.T)
    cells = held.cells
    cell = np.full(len(edge), -1, dtype=np.int64)
    if len(cells["id"]):
        tree = shapely.STRtree(graph.projection.forward(cells["geometry"]))
        ids = np.asarray(cells["id"], dtype=np.int64)
        sample, found = tree.query(places, predicate="intersects")
        cell[sample[::-1]] = ids[found[::-1]]
        # The outermost cells end at the middle of the street around them.
        outside = np.flatnonzero(cell < 0)
        sample, found = tree.query_nearest(places[outside], max_distance=_BESIDE_M, all_matches=False)
        cell[outside[sample]] = ids[found]
    here = shapely.STRtree(places)
    project = graph.projection.forward
    return Ground(
        network,
        graph.street[edge],
        begins[edge] + fraction * length[edge],
        edge,
        np.repeat(length[edges] / count, count),
        lon,
        lat,
        cell,
        begins,
        {
            int(i): None if a is None or a < 0 else int(a)
            for i, a in zip(cells["id"], cells["area_id"], strict=True)
        },
        _points(held.points, here, project),
        _roads(held.roads, here, project),
    )


_SEEN_FROM_M = 40.0
_ALONG_M = 20.0


def _points(found: dict[str, NDArray[Any]], here: shapely.STRtree, project: Any) -> NDArray[np.int64]:
    rows = np.full((len(found["id"]), 3), -1, dtype=np.int64)
    if len(rows):
        rows[:, 0], rows[:, 1] = found["id"], found["area_id"]
        asked, near = here.query_nearest(
            project(found["geometry"]), max_distance=_SEEN_FROM_M, all_matches=False
        )
        rows[asked, 2] = near
    return rows


def _roads(
    found: dict[str, NDArray[Any]], here: shapely.STRtree, project: Any
) -> dict[int, NDArray[np.int64]]:
    if not len(found["id"]):
        return {}
    road, sample = here.query(project(found["geometry"]), predicate="dwithin", distance=_ALONG_M)
    return {int(i): sample[road == n].astype(np.int64) for n, i in enumerate(found["id"])}
