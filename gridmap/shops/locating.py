"""Where a shop lies and who enforces there: columns derived from the ground, refilled when that changes.

Area, cell and road are found as those of a problem are. The organisation is that of the first of these that
has one; of an area, its own or the next one's above:

============================  ==================================================
a responsibility for          in the role
============================  ==================================================
the cell                      enforcement (执法)
the road                      enforcement, then road owner (路段责任人)
the area                      enforcement
============================  ==================================================

Otherwise it is the community's or subdistrict's office.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely
from sqlalchemy import bindparam, func, select, update

from geodata.cell_index import OUTSIDE
from gridmap.places.ground import ground_on
from gridmap.places.models import ResponsibilityRole
from gridmap.shops.models import Shopfront

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from gridmap.places.ground import Ground

__all__ = ["locate_shops", "whereabouts"]

_ENFORCERS = (
    ("cell", ResponsibilityRole.ENFORCEMENT),
    ("road", ResponsibilityRole.ENFORCEMENT),
    ("road", ResponsibilityRole.ROAD_OWNER),
    ("area", ResponsibilityRole.ENFORCEMENT),
)
_COLUMNS = ("area_id", "cell_id", "road_id", "organisation_id")


def whereabouts(
    ground: Ground, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> dict[str, NDArray[np.int64]]:
    """Ids of area, cell, road and organisation by column; degrees, shape (n,); -1: none."""
    cell = ground.cells.assign(lon, lat)
    area = _taken(ground.cell_area, cell)
    homeless = np.flatnonzero(area < 0)
    area[homeless] = ground.areas.assign(lon[homeless], lat[homeless])
    road = ground.roads.nearest(lon, lat)
    at: dict[str, NDArray[Any]] = {"area": area, "cell": cell, "road": road}
    organisation = np.full(len(lon), OUTSIDE, dtype=np.int64)
    for ids in (
        *(_taken(ground.held[place, role].organisation, at[place]) for place, role in _ENFORCERS),
        _taken(ground.office, area),
    ):
        organisation = np.where(organisation < 0, ids, organisation)
    return {
        "area_id": _taken(ground.area_ids, area),
        "cell_id": _taken(ground.cell_ids, cell),
        "road_id": _taken(ground.road_ids, road),
        "organisation_id": organisation,
    }


def _taken(ids: NDArray[np.int64], at: NDArray[Any]) -> NDArray[np.int64]:
    """Ids at positions, -1 at -1."""
    return np.asarray(np.append(ids, OUTSIDE)[at])


def locate_shops(session: Session, *, on: date, reach_metres: float) -> None:
    """Fill where every shop in force lies and who enforces there.

    Parameters
    ----------
    session
        Of a writing transaction; its own changes of the ground count.
    on
        The day whose ground counts.
    reach_metres
        How far from a priority road a shop lies at it.
    """
    columns = [getattr(Shopfront, name) for name in _COLUMNS]
    rows = session.execute(
        select(Shopfront.id, func.ST_AsBinary(Shopfront.geometry), *columns).where(Shopfront.in_force(on))
    ).all()
    if not rows:
        return
    shapes = shapely.from_wkb(np.array([bytes(row[1]) for row in rows], dtype=object))
    middle = shapely.point_on_surface(shapes)
    ground = ground_on(session, on, reach_metres=reach_metres)
    found = whereabouts(ground, shapely.get_x(middle), shapely.get_y(middle))
    new = np.stack([found[name] for name in _COLUMNS], axis=1)
    old = np.array([[-1 if one is None else one for one in row[2:]] for row in rows], dtype=np.int64)
    differ = np.flatnonzero((new != old).any(axis=1))
    if len(differ):
        table = cast("Table", Shopfront.__table__)
        session.execute(
            update(table)
            .where(table.c.id == bindparam("_row"))
            .values({name: bindparam(f"_{name}") for name in _COLUMNS}),
            [
                {"_row": rows[i][0]}
                | {
                    f"_{name}": None if one < 0 else int(one)
                    for name, one in zip(_COLUMNS, new[i], strict=True)
                }
                for i in differ.tolist()
            ],
        )
