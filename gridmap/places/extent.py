"""Where there is anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from gridmap.places.models import Area, GridCell, InspectionPoint, Street

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Scope
    from gridmap.store.spatial import Box

__all__ = ["extent_of", "from_openstreetmap"]


def from_openstreetmap(session: Session) -> bool:
    """Whether streets come from OpenStreetMap, whose contributors must then be named on every map."""
    return session.scalar(select(Street.id).where(Street.source_ref.like("osm:%")).limit(1)) is not None


def extent_of(session: Session, *, scope: Scope, day: date) -> Box | None:
    """Bounds of the cells in force on a day that a reader may see; without cells of areas, points or streets.

    Returns
    -------
    tuple or None
        West, south, east, north; degrees, EPSG:4326. None of an empty installation.
    """
    for model in (GridCell, Area, InspectionPoint, Street):
        found = _bounds(session, model, scope, day)
        if found is not None:
            return found
    return None


def _bounds(session: Session, model: Any, scope: Scope, day: date) -> Box | None:
    corners: Any
    if session.get_bind().dialect.name == "postgresql":
        box = func.ST_Extent(model.geometry, type_=None)
        corners = [f(box) for f in (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax)]
    else:
        corners = [
            func.min(func.MbrMinX(model.geometry)),
            func.min(func.MbrMinY(model.geometry)),
            func.max(func.MbrMaxX(model.geometry)),
            func.max(func.MbrMaxY(model.geometry)),
        ]
    query = select(*corners)
    if model is not Street:
        query = query.where(model.in_force(day))
        if scope.areas is not None:
            query = query.where((model.id if model is Area else model.area_id).in_(scope.areas))
    west, south, east, north = session.execute(query).one()
    return None if west is None else (west, south, east, north)
