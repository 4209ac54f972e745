"""Cells, roads and points as vector tiles, from shapes kept in memory until the ground changes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata import morton
from geodata.tile_wire import EXTENT, POINT, commands, encode_layer
from geodata.vector_tiles import FeatureLayer
from gridmap.labels import site_label
from gridmap.people.permissions import Holding, Role, Scope
from gridmap.places.queries import read_places
from gridmap.places.responsibilities import Holder, holders_of

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.places.cards import Faces

__all__ = ["PlaceShapes", "ShapeKeeper", "place_tile"]

_EVERYWHERE = Scope((Holding(Role.HEADQUARTERS),))
_BUFFER = 128
"""Tile units beyond the border from which points are included, so that their signs are not cut."""


@dataclass(frozen=True, slots=True)
class PlaceShapes:
    """Places of one kind in force on a day, ready to be cut into tiles.

    Attributes
    ----------
    kind
        ``cell``, ``point`` or ``road``.
    columns
        Attributes for everybody, arrays of shape (n,).
    area
        Database ids of the areas they belong to, int64, shape (n,), -1 for none.
    holders
        Who holds each, n lists.
    layer, places
        The shapes; of points longitude and latitude, shape (n, 2).
    """

    kind: str
    columns: dict[str, NDArray[Any]]
    area: NDArray[np.int64]
    holders: list[list[Holder]]
    layer: FeatureLayer | None
    places: NDArray[np.float64]

    @classmethod
    def read(cls, session: Session, kind: str, day: date) -> PlaceShapes:
        """Read every place of a kind."""
        found = read_places(session, kind, scope=_EVERYWHERE, day=day)
        holders = holders_of(session, kind, None, day)
        held = [holders.get(row["id"], []) for row in found.rows]
        columns = {"uid": _column(found.rows, "uid"), "code": _column(found.rows, "code")}
        columns |= {"name": _column(found.rows, "name"), "held": np.array([bool(one) for one in held])}
        if kind == "point":
            columns |= {name: _column(found.rows, name) for name in ("site_type", "priority")}
            columns["site_type_name"] = np.array(
                [site_label(one) for one in columns["site_type"]], dtype=object
            )
        if kind == "road":
            columns |= {name: _column(found.rows, name) for name in ("level", "hours")}
        centres = shapely.point_on_surface(found.geometry) if kind == "point" else np.empty(0, dtype=object)
        return cls(
            kind=kind,
            columns=columns,
            area=np.array(
                [-1 if row["area_id"] is None else row["area_id"] for row in found.rows], dtype=np.int64
            ),
            holders=held,
            layer=None if kind == "point" else FeatureLayer(f"{kind}s", found.geometry),
            places=shapely.get_coordinates(centres),
        )

    def shown_to(self, scope: Scope) -> NDArray[np.bool_]:
        """Which of them a reader may see, shape (n,)."""
        if scope.areas is None:
            return np.ones(len(self.area), dtype=bool)
        return np.isin(self.area, list(scope.areas))


def _column(rows: list[dict[str, Any]], name: str) -> NDArray[Any]:
    values = [row[name] for row in rows]
    return np.array(values, dtype=np.int64 if values and isinstance(values[0], int) else object)


class ShapeKeeper:
    """Keeps the shapes of each kind until the ground or the day changes; safe to ask from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[tuple[int, date], PlaceShapes]] = {}

    def get(self, session: Session, kind: str, *, ground: int, day: date, language: str) -> PlaceShapes:
        """Return shapes as of a change of the ground, as `session` reads it."""
        with self._lock:
            known = self._kept.get((kind, language))
            if known is None or known[0] != (ground, day):
                known = self._kept[kind, language] = ((ground, day), PlaceShapes.read(session, kind, day))
            return known[1]


def place_tile(shapes: PlaceShapes, tile: tuple[int, int, int], *, scope: Scope, faces: Faces) -> bytes:
    """Vector tile of the layer ``cells``, ``points`` or ``roads`` with what the reader may see.

    Attributes are those of `PlaceShapes` and `holder`, the name of who holds the place.

    Raises
    ------
    GeometryError
        If there is no such tile.
    """
    shown = shapes.shown_to(scope)
    if shapes.layer is not None:
        holder = np.array([faces.first_name(one) for one in shapes.holders], dtype=object)
        return shapes.layer.tile(*tile, {**shapes.columns, "holder": holder}, shown=shown)
    units = _units(shapes.places, tile)
    here = shown & ((units >= -_BUFFER) & (units < EXTENT + _BUFFER)).all(axis=1)
    at = np.flatnonzero(here)
    if not len(at):
        return b""
    each = np.arange(len(at) + 1)
    attributes: dict[str, Any] = {name: values[at] for name, values in shapes.columns.items()}
    attributes["holder"] = np.array([faces.first_name(shapes.holders[i]) for i in at], dtype=object)
    return encode_layer(f"{shapes.kind}s", POINT, commands(units[at], each, each, POINT), attributes)


def _units(places: NDArray[np.float64], tile: tuple[int, int, int]) -> NDArray[np.int64]:
    """Tile units of points in degrees, shape (n, 2)."""
    z, x, y = tile
    morton.tile_range(z, x, y)
    lat = np.clip(places[:, 1], -morton.MAX_LATITUDE, morton.MAX_LATITUDE)
    down = 0.5 - np.arctanh(np.sin(np.radians(lat))) / (2 * np.pi)
    square = np.column_stack([(places[:, 0] + 180.0) / 360.0, down])
    return np.floor((square * (1 << z) - (x, y)) * EXTENT).astype(np.int64)
