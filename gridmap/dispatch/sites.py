"""Which problems lie near an inspection point of a type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import select

from geodata.projection import LocalProjection
from gridmap.places.models import InspectionPoint
from gridmap.store.extract import read_columns
from gridmap.store.remembered import Remembered

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

__all__ = ["near_sites"]


@dataclass(frozen=True, slots=True)
class _Sites:
    """Inspection points by type, in metres."""

    projection: LocalProjection
    trees: dict[str, shapely.STRtree]


_remembered: Remembered[_Sites] = Remembered(3)


def near_sites(
    session: Session,
    kinds: Iterable[str],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    on: date,
    reach_metres: float,
) -> dict[str, NDArray[np.bool_]]:
    """Say for each type of site which places lie within reach of one, bool of shape (n,).

    Parameters
    ----------
    kinds
        Types of inspection points.
    lon, lat
        Degrees, EPSG:4326, shape (n,).
    on
        Day on which the points are in force.
    reach_metres
        Farther away is not near.
    """
    near = {kind: np.zeros(len(lon), dtype=bool) for kind in kinds}
    if not near or not len(lon):
        return near
    sites = _remembered.get(session, (on,), lambda: _load(session, on))
    places = shapely.points(*sites.projection.forward_xy(lon, lat))
    for kind in near.keys() & sites.trees.keys():
        found, _ = sites.trees[kind].query(places, predicate="dwithin", distance=reach_metres)
        near[kind][found] = True
    return near


def _load(session: Session, on: date) -> _Sites:
    query = select(InspectionPoint.site_type, InspectionPoint.geometry).where(InspectionPoint.in_force(on))
    rows = read_columns(session, query)
    if not len(rows["geometry"]):
        return _Sites(LocalProjection(0.0, 0.0), {})
    projection = LocalProjection.around(rows["geometry"])
    shapes: Any = projection.forward(rows["geometry"])
    kinds = np.unique(rows["site_type"].astype(str)).tolist()
    return _Sites(projection, {kind: shapely.STRtree(shapes[rows["site_type"] == kind]) for kind in kinds})
