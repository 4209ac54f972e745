"""What stands near each square and does not change from week to week: sites by type, and priority roads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from gridmap.places.models import InspectionPoint, PriorityRoad
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.forecast.squares import Grid, Ground

__all__ = ["read_beside"]

_FEWEST = 5
"""Sites of a type below which nothing can be learned of it."""
_STEP_DEG = 0.0005
"""Roads are sampled about 50 m apart."""


def read_beside(
    session: Session, ground: Ground, grid: Grid, *, areas: frozenset[int] | None, day: date
) -> NDArray[np.float64]:
    """Count sites of each frequent type, and priority roads by level, in and around each square.

    Parameters
    ----------
    areas
        Whose sites the reader may know; None for all.

    Returns
    -------
    numpy.ndarray
        Logarithms, shape (g, s); s may be 0.
    """
    points = read_columns(
        session,
        select(InspectionPoint.site_type, InspectionPoint.area_id, InspectionPoint.geometry)
        .where(InspectionPoint.in_force(day))
        .order_by(InspectionPoint.id),
    )
    roads = read_columns(
        session,
        select(PriorityRoad.level, PriorityRoad.area_id, PriorityRoad.geometry)
        .where(PriorityRoad.in_force(day))
        .order_by(PriorityRoad.id),
    )
    columns = []
    kept = _within(points["area_id"], areas)
    middle = shapely.centroid(points["geometry"][kept])
    key = grid.keys(shapely.get_x(middle), shapely.get_y(middle))
    kinds = points["site_type"][kept].astype(str)
    for kind, count in zip(*np.unique(kinds, return_counts=True), strict=True):
        if count >= _FEWEST:
            columns.append(_near(ground, key[kinds == kind]))
    kept = _within(roads["area_id"], areas)
    level = roads["level"][kept]
    for one in np.unique(level):
        lines = shapely.segmentize(roads["geometry"][kept][level == one], _STEP_DEG)
        places = shapely.get_coordinates(lines)
        columns.append(_near(ground, grid.keys(places[:, 0], places[:, 1])))
    return np.stack(columns, axis=1) if columns else np.zeros((len(ground), 0))


def _within(area: NDArray[np.int64], areas: frozenset[int] | None) -> NDArray[np.bool_]:
    return np.ones(len(area), dtype=bool) if areas is None else np.isin(area, list(areas))


def _near(ground: Ground, key: NDArray[np.int64]) -> NDArray[np.float64]:
    row = ground.rows(key)
    counts = np.bincount(row[row >= 0], minlength=len(ground)).astype(float)
    return np.log1p(4 * ground.spread(counts, 1))
