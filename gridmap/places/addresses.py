"""Where an address lies, as far as the store knows it: points, shops and streets."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import func, or_, select

from gridmap.errors import InvalidValueError
from gridmap.places.models import InspectionPoint, PriorityRoad, Street
from gridmap.shops.models import Shopfront

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

__all__ = ["place_of_address", "place_of_code"]

_APART = 0.002
"""Degrees: some 200 m, beyond which places of one name are not the same."""


def place_of_code(session: Session, code: str, *, day: date) -> tuple[float, float]:
    """Return longitude and latitude of the point that has a code, degrees, EPSG:4326.

    Parameters
    ----------
    day
        On which it must be in force.

    Raises
    ------
    InvalidValueError
        If there is none.
    """
    found = _shapes(session, InspectionPoint, InspectionPoint.code == code, InspectionPoint.in_force(day))
    if not len(found):
        raise InvalidValueError(
            "Expected the code of a point; found “{found}”. Send lat and long instead.",
            parameter="address_id",
            found=code[:80],
        )
    return _middle(found)


def place_of_address(session: Session, address: str, *, day: date) -> tuple[float, float]:
    """Return where something stands that has an address or a name, degrees, EPSG:4326.

    Points by address and name and shops by address come first, then streets and roads by name, of which it is
    a place in the middle.

    Parameters
    ----------
    day
        On which it must be in force.

    Raises
    ------
    InvalidValueError
        If nothing is known by that name, or several things that stand apart.
    """
    names = {address, unicodedata.normalize("NFKC", address)}
    exact = [
        (
            InspectionPoint,
            or_(InspectionPoint.address.in_(names), InspectionPoint.name.in_(names)),
            InspectionPoint.in_force(day),
        ),
        (Shopfront, Shopfront.address.in_(names), Shopfront.in_force(day)),
    ]
    found = np.concatenate([_shapes(session, *one) for one in exact])
    if len(found):
        west, south, east, north = shapely.total_bounds(shapely.point_on_surface(found))
        if max(east - west, north - south) > _APART:
            raise InvalidValueError(
                "Several places are called “{found}”. Send lat and long instead.",
                parameter="address_string",
                found=address[:80],
            )
        return _middle(found[:1])
    for model, *conditions in (
        (Street, Street.name.in_(names)),
        (PriorityRoad, PriorityRoad.name.in_(names), PriorityRoad.in_force(day)),
    ):
        found = _shapes(session, model, *conditions)
        if len(found):
            return _middle(found)
    raise InvalidValueError(
        "Expected the address or the name of a known place, or the name of a street; found “{found}”. "
        "Send lat and long instead.",
        parameter="address_string",
        found=address[:80],
    )


def _shapes(session: Session, model: Any, *conditions: ColumnElement[bool]) -> Any:
    rows = session.scalars(
        select(func.ST_AsBinary(model.geometry)).where(*conditions).order_by(model.id).limit(1000)
    )
    return shapely.from_wkb(np.array([bytes(wkb) for wkb in rows], dtype=object))


def _middle(shapes: Any) -> tuple[float, float]:
    # A point on a line's surface is its end where it has no other vertex.
    shape = shapely.union_all(shapes)
    place = shapely.get_point(shapely.shortest_line(shape, shape.centroid), 0)
    return round(place.x, 7), round(place.y, 7)
