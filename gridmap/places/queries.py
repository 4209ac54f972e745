"""Reads of areas and what lies in them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import func, select

from gridmap.places.models import Area, GridCell, InspectionPoint, PriorityRoad
from gridmap.store.spatial import in_box

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Scope
    from gridmap.store.spatial import Box

__all__ = ["KINDS", "VISITS", "Places", "areas_below", "find_place", "read_places"]

KINDS: dict[str, type[Area | GridCell | InspectionPoint | PriorityRoad]] = {
    "area": Area,
    "cell": GridCell,
    "point": InspectionPoint,
    "road": PriorityRoad,
}
VISITS = ("visit_hours", "visit_rhythm", "visit_minutes")
"""What a point may have of its own for patrols."""
_SHOWN = {
    "area": ("code", "name", "level", "parent_id"),
    "cell": ("code", "name", "area_id", "last_patrol_at"),
    "point": ("code", "name", "site_type", "priority", "address", *VISITS, "area_id", "cell_id"),
    "road": ("code", "name", "level", "hours", "patrols_per_day", "last_patrol_at", "area_id"),
}


@dataclass(frozen=True, slots=True)
class Places:
    """Places of one kind.

    Attributes
    ----------
    rows
        Columns of the table by name, one dictionary per place; `uid` is text.
    geometry
        Shapely geometries, EPSG:4326, shape (n,).
    more
        Whether others follow after the last one.
    """

    rows: list[dict[str, Any]]
    geometry: NDArray[np.object_]
    more: bool = False


def areas_below(session: Session, area_id: int) -> frozenset[int]:
    """Return the ids of an area and of every area below it."""
    tree = select(Area.id).where(Area.id == area_id).cte(recursive=True)
    tree = tree.union_all(select(Area.id).where(Area.parent_id == tree.c.id))
    return frozenset(session.scalars(select(tree.c.id)))


def read_places(
    session: Session,
    kind: str,
    *,
    scope: Scope,
    day: date,
    box: Box | None = None,
    after: int = 0,
    limit: int | None = None,
    uid: str | None = None,
) -> Places:
    """Read places in force on a day, by id.

    Parameters
    ----------
    kind
        One of `KINDS`.
    scope
        Where the reader may read places; what belongs to no area is only for those without a limit.
    box
        Only those whose bounds meet it.
    after
        Only ids above this one.
    limit
        At most so many.
    uid
        Only this one.
    """
    model: Any = KINDS[kind]
    columns = [model.id, model.uid, *(getattr(model, name) for name in _SHOWN[kind])]
    query = select(*columns, func.ST_AsBinary(model.geometry).label("wkb")).where(
        model.in_force(day), model.id > after
    )
    if scope.areas is not None:
        query = query.where((model.id if kind == "area" else model.area_id).in_(scope.areas))
    if box is not None:
        query = query.where(in_box(session, model, box))
    if uid is not None:
        query = query.where(model.uid == uuid.UUID(uid))
    query = query.order_by(model.id)
    if limit is not None:
        query = query.limit(limit + 1)
    found = [dict(row) for row in session.execute(query).mappings()]
    more = limit is not None and len(found) > limit
    found = found[:limit]
    geometry = shapely.from_wkb(np.array([bytes(row.pop("wkb")) for row in found], dtype=object))
    for row in found:
        row["uid"] = str(row["uid"])
    return Places(found, np.asarray(geometry, dtype=object).reshape(-1), more)


def find_place(session: Session, kind: str, uid: str, *, scope: Scope, day: date) -> Places:
    """Read one place; no rows if there is none that the reader may see."""
    return read_places(session, kind, scope=scope, day=day, uid=uid)
