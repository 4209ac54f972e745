"""Polygons and lines as vector tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata import morton
from geodata.errors import GeometryError
from geodata.tile_wire import EXTENT, LINE, POLYGON, commands, encode_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["FeatureLayer"]

_BUFFER = 64
_TOLERANCE = 4.0
"""Tile units; a quarter of a screen pixel."""

_DIMENSION = {1: 1, 5: 1, 3: 2, 6: 2}
"""Dimension by shapely's type number: LineString, MultiLineString, Polygon, MultiPolygon."""


class FeatureLayer:
    """Lines or polygons, ready to be cut into tiles.

    Parameters
    ----------
    name
        Of the layer in the tile.
    geometries
        (Multi)LineStrings or (Multi)Polygons, not both, EPSG:4326, shape (n,). None and empty ones are in no
        tile.
    ids
        Feature numbers >= 0, shape (n,); positions if None.

    Raises
    ------
    GeometryError
        If geometries are of other kinds or mixed.
    """

    def __init__(self, name: str, geometries: ArrayLike, ids: ArrayLike | None = None) -> None:
        given = np.array(geometries, dtype=object).reshape(-1)
        present = given[~(shapely.is_missing(given) | shapely.is_empty(given))]
        dimensions = {_DIMENSION.get(int(kind), 0) for kind in np.unique(shapely.get_type_id(present))}
        if 0 in dimensions or len(dimensions) > 1:
            raise GeometryError(
                "Expected lines only or polygons only; found {kinds}.",
                kinds=sorted({geometry.geom_type for geometry in present}),
            )
        self._name = name
        self._kind = POLYGON if dimensions == {2} else LINE
        self._ids = np.arange(len(given)) if ids is None else np.asarray(ids, dtype=np.int64)
        self._unit = shapely.transform(given, _to_unit_square)
        self._tree = shapely.STRtree(self._unit)

    def __len__(self) -> int:
        return len(self._unit)

    def tile(
        self,
        z: int,
        x: int,
        y: int,
        attributes: Mapping[str, NDArray[Any]] | None = None,
        *,
        shown: NDArray[np.bool_] | None = None,
    ) -> bytes:
        """Vector tile of one layer.

        Geometries are cut at 1/64 tile beyond the border, simplified by up to a quarter of a screen pixel and
        rounded to 1/4096 of the tile; what vanishes is left out.

        Parameters
        ----------
        z, x, y
            Tile.
        attributes
            Columns of shape (n,), in the order of the geometries; None and NaN are left out.
        shown
            Which features may appear (filter, permission), shape (n,); all if None.

        Returns
        -------
        bytes
            The same for the same input; empty where nothing lies.
        """
        morton.tile_range(z, x, y)
        scale = float(1 << z)
        west, north = (x - _BUFFER / EXTENT) / scale, (y - _BUFFER / EXTENT) / scale
        east, south = (x + 1 + _BUFFER / EXTENT) / scale, (y + 1 + _BUFFER / EXTENT) / scale
        hits = np.sort(self._tree.query(shapely.box(west, north, east, south)))
        if shown is not None:
            hits = hits[shown[hits]]
        cut = shapely.clip_by_rect(self._unit[hits], west, north, east, south)
        cut = shapely.transform(cut, lambda points: (points * scale - (x, y)) * EXTENT)
        cut = shapely.simplify(cut, _TOLERANCE)
        if self._kind == POLYGON:
            cut = shapely.orient_polygons(cut)  # counter-clockwise as numbers, clockwise on the screen
        points, part_start, feature_part, kept = _parts(cut, self._kind)
        hits = hits[kept]
        columns = {name: np.asarray(values)[hits] for name, values in (attributes or {}).items()}
        return encode_layer(
            self._name,
            self._kind,
            commands(points, part_start, feature_part, self._kind),
            columns,
            self._ids[hits],
        )


def _to_unit_square(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees to the web-mercator square [0, 1] x [0, 1], y southwards."""
    lat = np.clip(points[:, 1], -morton.MAX_LATITUDE, morton.MAX_LATITUDE)
    y = 0.5 - np.arctanh(np.sin(np.radians(lat))) / (2 * np.pi)
    return np.column_stack(((points[:, 0] + 180.0) / 360.0, y))


def _parts(
    geometries: NDArray[Any], kind: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rounded lines or rings that still exist, as `commands` wants them, and the features that have any.

    A polygon whose exterior has vanished is dropped with its holes.
    """
    pieces, piece_feature = shapely.get_parts(geometries, return_index=True)
    wanted = shapely.get_dimensions(pieces) == (2 if kind == POLYGON else 1)
    pieces, piece_feature = pieces[wanted], piece_feature[wanted]
    if kind == POLYGON:
        parts, part_piece = shapely.get_rings(pieces, return_index=True)
    else:
        parts, part_piece = pieces, np.arange(len(pieces))
    coordinates, part = shapely.get_coordinates(parts, return_index=True)
    if kind == POLYGON:
        open_end = np.diff(part, append=-1) == 0  # a ring's last point is its first
        coordinates, part = coordinates[open_end], part[open_end]
    points = np.rint(coordinates).astype(np.int64)
    keep = np.any(points != points[_before(part)], axis=1)
    if kind == LINE:
        keep |= np.diff(part, prepend=-1) != 0
    points, part = points[keep], part[keep]

    length = np.bincount(part, minlength=len(parts))
    good = length >= (3 if kind == POLYGON else 2)
    if kind == POLYGON:
        good &= _doubled_area(points, part, len(parts)) != 0
        exterior = np.diff(part_piece, prepend=-1) != 0
        good &= good[exterior][part_piece] if len(parts) else good
    points, length = points[good[part]], length[good]
    part_feature = piece_feature[part_piece[good]]
    kept, first = np.unique(part_feature, return_index=True)
    part_start = np.concatenate(([0], np.cumsum(length)))
    return points, part_start, np.append(first, len(length)), kept


def _before(part: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of the point before each in its ring; before the first comes the last."""
    before = np.arange(len(part)) - 1
    first = np.diff(part, prepend=-1) != 0
    before[first] = np.flatnonzero(np.diff(part, append=-1) != 0)
    return before


def _doubled_area(points: NDArray[np.int64], part: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Twice the signed area of each ring, shape (count,)."""
    before = points[_before(part)]
    cross = before[:, 0] * points[:, 1] - points[:, 0] * before[:, 1]
    return np.asarray(np.bincount(part, weights=cross, minlength=count), dtype=np.float64)
