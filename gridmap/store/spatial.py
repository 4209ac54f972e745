"""Questions about geometry that the spatial index answers, on both stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, func, literal_column, select, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from gridmap.store.base import Base

__all__ = ["Box", "box_condition", "in_box"]

Box = tuple[float, float, float, float]
"""West, south, east, north; degrees, EPSG:4326."""


def in_box(session: Session, model: type[Base], box: Box) -> ColumnElement[bool]:
    """SQL condition: the bounds of a row's geometry meet a box.

    Parameters
    ----------
    session
        Tells which store it is for.
    model
        A table with a column `geometry`.
    box
        Degrees, EPSG:4326.
    """
    return box_condition(session.get_bind().dialect.name, model, box)


def box_condition(dialect: str, model: type[Base], box: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition of `in_box` for the store of a name, its sides numbers or parameters."""
    geometry: Any = model.__table__.c.geometry
    west, south, east, north = box
    if dialect == "postgresql":
        condition: ColumnElement[bool] = geometry.op("&&")(
            func.ST_MakeEnvelope(west, south, east, north, 4326)
        )
        return condition
    index = table("SpatialIndex")
    column: Any = literal_column
    rows = (
        select(column("rowid"))
        .select_from(index)
        .where(
            and_(
                column("f_table_name") == model.__tablename__,
                column("f_geometry_column") == "geometry",
                column("search_frame") == func.BuildMbr(west, south, east, north, 4326),
            )
        )
        .correlate(None)
    )
    # The integer primary key is SQLite's rowid.
    key: ColumnElement[int] = model.__table__.c.id
    return key.in_(rows)
