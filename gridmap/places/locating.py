"""Which area and cell a place lies in: columns derived from geometry, refilled when the ground changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import bindparam, func, select, update

from geodata.cell_index import CellIndex
from gridmap.places.models import Area, AreaLevel, GridCell, InspectionPoint, PriorityRoad
from gridmap.shops.locating import locate_shops

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

__all__ = ["locate_places"]

_SMALLEST_FIRST = (AreaLevel.COMMUNITY, AreaLevel.SUBDISTRICT, AreaLevel.DISTRICT, AreaLevel.CITY)


def locate_places(session: Session, *, on: date, reach_metres: float) -> None:
    """Fill the area of cells, points and roads, the cell of points, the parents of areas; where shops lie.

    A place belongs to the smallest area in force that covers the point standing for it; what
    was stated in an import is not overwritten, except a point's cell and area, which are always derived, and
    where a shop lies (`gridmap.shops.locating`): at no road that is farther away than `reach_metres`.
    """
    areas = _shapes(session, Area, on, Area.level, Area.parent_id)
    cells = _shapes(session, GridCell, on, GridCell.area_id)
    points = _shapes(session, InspectionPoint, on, InspectionPoint.area_id, InspectionPoint.cell_id)
    roads = _shapes(session, PriorityRoad, on, PriorityRoad.area_id)

    _fill(session, Area, areas, {"parent_id": _parents(areas)}, missing_only=True)
    _fill(session, GridCell, cells, {"area_id": _area_of(cells, areas)}, missing_only=True)
    _fill(session, PriorityRoad, roads, {"area_id": _area_of(roads, areas)}, missing_only=True)
    cell = (
        _ids(cells, CellIndex(cells["geometry"].to_numpy()).assign(*_lonlat(points))) if len(cells) else None
    )
    area = _area_of(points, areas)
    if cell is not None:
        refreshed = _shapes(session, GridCell, on, GridCell.area_id)
        by_cell = pd.Series(refreshed["area_id"].to_numpy(), index=refreshed["id"].to_numpy(), dtype=object)
        of_cell = by_cell.reindex(cell).to_numpy(dtype=object)
        area = np.where(pd.isna(of_cell), area, of_cell)
    derived = {"area_id": area} | ({} if cell is None else {"cell_id": cell})
    _fill(session, InspectionPoint, points, derived, missing_only=False)
    locate_shops(session, on=on, reach_metres=reach_metres)


def _shapes(session: Session, model: Any, on: date, *columns: Any) -> pd.DataFrame:
    query = (
        select(model.id, func.ST_AsBinary(model.geometry), *columns)
        .where(model.in_force(on))
        .order_by(model.code)
    )
    names = ["id", "geometry", *(column.key for column in columns)]
    frame = pd.DataFrame(session.execute(query).all(), columns=names, dtype=object)
    frame["geometry"] = np.asarray(shapely.from_wkb(frame["geometry"].to_numpy()), dtype=object)
    return frame


def _lonlat(frame: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    inside = shapely.point_on_surface(frame["geometry"].to_numpy())
    return shapely.get_x(inside), shapely.get_y(inside)


def _ids(frame: pd.DataFrame, positions: NDArray[np.int32]) -> NDArray[np.object_]:
    ids = np.array([*frame["id"], None], dtype=np.object_)
    return ids[positions]


def _area_of(places: pd.DataFrame, areas: pd.DataFrame) -> NDArray[np.object_]:
    """Id of the smallest area around each place; shape (n,)."""
    found = np.full(len(places), None, dtype=object)
    lon, lat = _lonlat(places)
    for level in _SMALLEST_FIRST:
        of_level = areas[areas["level"] == level]
        if len(of_level):
            ids = _ids(of_level, CellIndex(of_level["geometry"].to_numpy()).assign(lon, lat))
            found = np.where(pd.isna(found), ids, found)
    return found


def _parents(areas: pd.DataFrame) -> NDArray[np.object_]:
    """Id of the area one level up or more around each area; shape (n,)."""
    found = np.full(len(areas), None, dtype=object)
    for position, level in enumerate(_SMALLEST_FIRST[:-1]):
        rows = np.flatnonzero((areas["level"] == level).to_numpy())
        above = areas[areas["level"].isin(_SMALLEST_FIRST[position + 1 :])]
        if len(rows) and len(above):
            found[rows] = _area_of(areas.iloc[rows], above)
    return found


def _fill(
    session: Session,
    model: Any,
    frame: pd.DataFrame,
    columns: dict[str, NDArray[np.object_]],
    *,
    missing_only: bool,
) -> None:
    """Write derived columns where they differ from what stands there."""
    for name, values in columns.items():
        old = frame[name].to_numpy(dtype=object)
        differs = np.array([a != b for a, b in zip(old, values, strict=True)], dtype=bool)
        rows = np.flatnonzero(differs & (pd.isna(old) if missing_only else True))
        if len(rows):
            table = model.__table__
            session.execute(
                update(table).where(table.c.id == bindparam("_row")).values({name: bindparam("_value")}),
                [{"_row": int(frame["id"].iloc[r]), "_value": values[r]} for r in rows],
            )
