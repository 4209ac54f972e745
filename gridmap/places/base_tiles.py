"""The own base map: streets, buildings, water and green as vector tiles, made when first asked for.

Tiles are kept on disk until the imported ground changes. Everybody who may see places may see all of them.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import func, select

from geodata import morton
from geodata.osm_tags import RoadClass
from geodata.vector_tiles import FeatureLayer
from gridmap.places.models import Area, AreaLevel, Building, Street, Surface
from gridmap.store.spatial import in_box

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from gridmap.store.spatial import Box

__all__ = ["DEEPEST", "BaseTiles"]

DEEPEST = 15
"""Zoom of the last tiles; closer views enlarge them, so they hold everything."""

_MARGIN = 1 / 64
_FROM = {
    0: (RoadClass.MOTORWAY, RoadClass.TRUNK, RoadClass.PRIMARY),
    11: (RoadClass.SECONDARY,),
    12: (RoadClass.TERTIARY,),
    13: (RoadClass.RESIDENTIAL, RoadClass.UNCLASSIFIED),
    14: (RoadClass.LIVING_STREET, RoadClass.PEDESTRIAN, RoadClass.SERVICE),
    15: tuple(RoadClass),
}
_RANK = {kind.value: rank for rank, kind in enumerate(reversed(RoadClass))}
_BUILDINGS_FROM = 14
_SMALLEST_PIXELS = 2.0
_TABLES = (Street, Building, Surface, Area)


class BaseTiles:
    """Tiles of one installation, safe to ask from many threads and processes.

    Parameters
    ----------
    folder
        Where they are kept; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._place: tuple[int, Path] | None = None

    def get(self, session: Session, tile: tuple[int, int, int], *, base: int) -> bytes:
        """Return a vector tile.

        Its layers are ``surface`` (`kind` water or green, `name`), ``boundary`` (`name`, `level` of an area),
        ``building`` (`name`, `levels`) and ``street`` (`class`, `name`, `oneway`).

        Parameters
        ----------
        session
            Of the store.
        tile
            Zoom up to `DEEPEST`, column, row.
        base
            The clock of the base map, as `session` reads it.

        Raises
        ------
        GeometryError
            If there is no such tile.
        """
        z, x, y = tile
        morton.tile_range(z, x, y)
        file = self._current(session, base) / f"{z}-{x}-{y}.mvt"
        try:
            return file.read_bytes()
        except FileNotFoundError:
            pass
        made = b"".join(
            (
                _surfaces(session, tile),
                _boundaries(session, tile),
                _buildings(session, tile),
                _streets(session, tile),
            )
        )
        draft = file.with_suffix(f".{uuid.uuid4().hex}")
        try:
            draft.write_bytes(made)
            draft.replace(file)
        except FileNotFoundError:  # somebody saw a later ground and removed the folder
            pass
        return made

    def _current(self, session: Session, base: int) -> Path:
        """Folder of the tiles of this ground; the others are removed."""
        with self._lock:
            if self._place is None or self._place[0] != base or not self._place[1].is_dir():
                place = self._folder / f"{base}-{_witness(session)}"
                place.mkdir(parents=True, exist_ok=True)
                for other in self._folder.iterdir():
                    if other != place:
                        shutil.rmtree(other, ignore_errors=True)
                self._place = (base, place)
            return self._place[1]


def _witness(session: Session) -> str:
    """Tells this database from another one whose clock stands at the same number."""
    seen = hashlib.blake2b(digest_size=8)
    for model in _TABLES:
        for end in (func.min, func.max):
            row = select(model.uid).where(model.id == select(end(model.id)).scalar_subquery())
            seen.update(str(session.scalar(row)).encode())
    return seen.hexdigest()


def _box(tile: tuple[int, int, int]) -> Box:
    """Bounds of a tile and a margin, degrees."""
    z, x, y = tile
    edge = np.array([x - _MARGIN, x + 1 + _MARGIN]) / (1 << z)
    down = np.array([y + 1 + _MARGIN, y - _MARGIN]) / (1 << z)
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * down))))
    west, east = np.clip(edge * 360 - 180, -180, 180).tolist()
    return west, float(lat[0]), east, float(lat[1])


def _read(session: Session, query: Select[Any]) -> tuple[dict[str, NDArray[np.object_]], NDArray[np.object_]]:
    """Columns, and geometries from the one called ``wkb``, all of shape (n,)."""
    found = session.execute(query).mappings().all()
    columns = {
        name: np.array([row[name] for row in found], dtype=object)
        for name in query.selected_columns.keys()  # noqa: SIM118 - not a dictionary
    }
    wkb = np.array([bytes(value) for value in columns.pop("wkb")], dtype=object)
    return columns, np.asarray(shapely.from_wkb(wkb), dtype=object).reshape(-1)


def _select(session: Session, model: Any, tile: tuple[int, int, int], *columns: Any) -> Select[Any]:
    geometry = func.ST_AsBinary(model.geometry).label("wkb")
    return select(*columns, geometry).where(in_box(session, model, _box(tile))).order_by(model.id)


def _visible(shapes: NDArray[np.object_], z: int) -> NDArray[np.bool_]:
    """Which polygons are larger than a speck at a zoom."""
    side = _SMALLEST_PIXELS * 360 / (256 * 2**z)
    seen: NDArray[np.bool_] = shapely.area(shapes) >= side * side
    return seen


def _polygons(
    name: str, columns: dict[str, Any], shapes: NDArray[np.object_], tile: tuple[int, int, int]
) -> bytes:
    keep = _visible(shapes, tile[0])
    if not keep.any():
        return b""
    layer = FeatureLayer(name, shapes[keep])
    return layer.tile(*tile, {key: _given(values[keep]) for key, values in columns.items()})


def _given(values: NDArray[np.object_]) -> NDArray[np.object_]:
    """Empty texts are no attribute."""
    return np.array([None if value == "" else value for value in values], dtype=object)


def _surfaces(session: Session, tile: tuple[int, int, int]) -> bytes:
    return _polygons(
        "surface", *_read(session, _select(session, Surface, tile, Surface.kind, Surface.name)), tile
    )


def _buildings(session: Session, tile: tuple[int, int, int]) -> bytes:
    if tile[0] < _BUILDINGS_FROM:
        return b""
    return _polygons(
        "building", *_read(session, _select(session, Building, tile, Building.name, Building.levels)), tile
    )


def _streets(session: Session, tile: tuple[int, int, int]) -> bytes:
    z = tile[0]
    shown = {kind.value for zoom, kinds in _FROM.items() if z >= zoom for kind in kinds}
    query = _select(session, Street, tile, Street.road_class.label("class"), Street.name, Street.oneway)
    if z < DEEPEST:
        query = query.where(Street.road_class.in_(shown))
    columns, shapes = _read(session, query)
    if not len(shapes):
        return b""
    # The larger ones last: they are drawn over the others.
    order = np.argsort([_RANK.get(kind, 0) for kind in columns["class"]], kind="stable")
    layer = FeatureLayer("street", shapes[order])
    return layer.tile(*tile, {key: _given(values[order]) for key, values in columns.items()})


def _boundaries(session: Session, tile: tuple[int, int, int]) -> bytes:
    query = _select(session, Area, tile, Area.name, Area.level)
    if tile[0] < 12:
        query = query.where(Area.level != AreaLevel.COMMUNITY)
    columns, shapes = _read(session, query)
    if not len(shapes):
        return b""
    columns["level"] = np.array([level.value for level in columns["level"]], dtype=object)
    return FeatureLayer("boundary", shapely.boundary(shapes)).tile(*tile, columns)
