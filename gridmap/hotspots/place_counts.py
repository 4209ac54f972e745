"""Problems of one place: which of a view's rows they are, and how many in which state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.projection import LocalProjection
from gridmap.hotspots.loading import STATES, UNRESOLVED
from gridmap.problems.models import State

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from gridmap.hotspots.view import View
    from gridmap.places.directory import Directory

__all__ = ["POINT_REACH_METRES", "PlaceCounts", "counts_at", "rows_at"]

POINT_REACH_METRES = 50.0
"""A problem this near to an inspection point is one of its problems."""


@dataclass(frozen=True, slots=True)
class PlaceCounts:
    """Problems of a place that match the filter, its state left aside."""

    unresolved: int
    overdue: int
    closed: int
    total: int
    shared: int
    """Unresolved lines and polygons with a share in a cell that another one leads; not in the others."""


def rows_at(
    view: View,
    rows: NDArray[np.int64],
    kind: str,
    place_id: int,
    directory: Directory,
    *,
    shape: Any = None,
    shared: Collection[int] = (),
) -> NDArray[np.int64]:
    """Return those rows of a view that belong to a place.

    Parameters
    ----------
    kind
        ``area`` (with everything below it), ``cell``, ``road``, ``person``, or ``point``: within 50 m of it.
    place_id
        Its database id.
    shape
        A point's shapely geometry, EPSG:4326; the others need none.
    shared
        Case numbers of lines and polygons that have a share in a cell which another one leads; of these too,
        only what the view lets through.
    """
    snapshot = view.snapshot
    if kind == "area":
        inside = snapshot.pairs.within(areas=directory.below(place_id))
        here: NDArray[np.bool_] = inside[snapshot.points.rows.area[rows]]
        return rows[here] if len(rows) else rows
    if kind == "point":
        return _near(view, rows, shape)
    of_place: NDArray[np.bool_] = snapshot.values(kind, rows) == place_id
    if shared:
        of_place |= np.isin(snapshot.number[rows], list(shared))
    return rows[of_place]


def _near(view: View, rows: NDArray[np.int64], shape: Any) -> NDArray[np.int64]:
    projection = LocalProjection.around([shape])
    around = projection.inverse(shapely.buffer(projection.forward([shape]), POINT_REACH_METRES * 1.01))[0]
    west, south, east, north = around.bounds
    lon, lat = view.snapshot.lon[rows], view.snapshot.lat[rows]
    rows = rows[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)]
    if not len(rows):
        return rows
    points = shapely.points(*projection.forward_xy(view.snapshot.lon[rows], view.snapshot.lat[rows]))
    near: NDArray[np.bool_] = shapely.distance(points, projection.forward([shape])[0]) <= POINT_REACH_METRES
    return rows[near]


def counts_at(
    view: View,
    kind: str,
    place_id: int,
    directory: Directory,
    *,
    shape: Any,
    shared: Collection[int] = (),
) -> PlaceCounts:
    """Count the problems of a place; parameters as of `rows_at`."""
    everything = view.without("state")
    rows = rows_at(view, everything, kind, place_id, directory, shape=shape)
    state = view.snapshot.values("state", rows)
    return PlaceCounts(
        unresolved=_unresolved(view, rows),
        overdue=int(view.overdue(rows).sum()),
        closed=int((state == STATES.index(State.CLOSED)).sum()),
        total=len(rows),
        shared=_unresolved(view, everything[np.isin(view.snapshot.number[everything], list(shared))])
        if shared
        else 0,
    )


def _unresolved(view: View, rows: NDArray[np.int64]) -> int:
    return int(np.isin(view.snapshot.values("state", rows), list(UNRESOLVED)).sum())
