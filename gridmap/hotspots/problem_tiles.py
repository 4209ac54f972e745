"""Problems of a view as vector tiles: clusters from afar, single ones near by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import func, select

from geodata import morton
from geodata.tile_wire import EXTENT, POINT, commands, encode_layer
from geodata.vector_tiles import FeatureLayer
from gridmap.hotspots.loading import STATES
from gridmap.problems.models import Problem
from gridmap.store.extract import read_columns
from gridmap.store.spatial import in_box

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy.orm import Session

    from gridmap.hotspots.view import View
    from gridmap.places.directory import Directory

__all__ = ["AREAS", "LAYER", "LINES", "SINGLE_FROM", "outline_tile", "problem_tile"]

LAYER = "problems"
LINES, AREAS = "problem_lines", "problem_areas"
SINGLE_FROM = 16
"""Zoom from which every problem is a feature of its own."""
_CLUSTER_BITS = 3
"""A tile is cut into 8 x 8 clusters at most."""
_BEYOND = 1 / 64
"""Of a tile's side, from beyond which shapes are drawn, so that their outline is not seen at its border."""
_FEW = 60
"""Problems in a tile below which they are shown one by one at any zoom."""


def problem_tile(view: View, tile: tuple[int, int, int], directory: Directory) -> bytes:
    """Vector tile of one layer, `LAYER`.

    A cluster has `n`, `overdue` (how many of them) and `worst` (highest severity), and stands at the mean of
    its problems. A single problem has `number`, `category` (code), `category_name`, `state`, `overdue` and
    `severity`, and its number as the feature's id.

    Parameters
    ----------
    tile
        Zoom, column, row.

    Raises
    ------
    GeometryError
        If there is no such tile.
    """
    z, x, y = tile
    low, high = morton.tile_range(z, x, y)
    code = view.codes
    first, last = np.searchsorted(code, np.array([low, high], dtype=np.uint64))
    if first == last:
        return b""
    rows, code = view.rows[first:last], code[first:last]
    if z >= SINGLE_FROM or len(rows) <= _FEW:
        return _single(view, tile, rows, directory)
    # Codes are sorted: a cluster is one run of them.
    bits = min(_CLUSTER_BITS, morton.LEVEL - z)
    run = np.flatnonzero(np.diff(code >> np.uint64(2 * (morton.LEVEL - z - bits)), prepend=np.uint64(2**63)))
    count = np.diff(run, append=len(rows))
    snapshot = view.snapshot
    place = np.column_stack(
        [np.add.reduceat(values[rows], run) / count for values in (snapshot.lon, snapshot.lat)]
    )
    overdue = view.overdue(rows).astype(np.int64)
    attributes: dict[str, ArrayLike] = {
        "n": count,
        "overdue": np.add.reduceat(overdue, run),
        "worst": np.maximum.reduceat(snapshot.values("severity", rows), run).astype(np.int64),
    }
    return encode_layer(LAYER, POINT, _drawing(place, tile), attributes)


def _single(view: View, tile: tuple[int, int, int], rows: NDArray[np.int64], directory: Directory) -> bytes:
    snapshot = view.snapshot
    category, of = np.unique(snapshot.values("category", rows), return_inverse=True)
    entries = [directory.categories.get(int(row_id)) for row_id in category]
    codes = np.array([entry.code if entry else None for entry in entries], dtype=object)
    names = np.array([entry.label if entry else None for entry in entries], dtype=object)
    states = np.array([state.value for state in STATES], dtype=object)
    number = snapshot.number[rows]
    attributes: dict[str, ArrayLike] = {
        "number": number,
        "category": codes[of],
        "category_name": names[of],
        "state": states[snapshot.values("state", rows)],
        "overdue": view.overdue(rows),
        "severity": snapshot.values("severity", rows).astype(np.int64),
    }
    place = np.column_stack([snapshot.lon[rows], snapshot.lat[rows]])
    return encode_layer(LAYER, POINT, _drawing(place, tile), attributes, number)


def _drawing(place: NDArray[np.float64], tile: tuple[int, int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Commands for points in degrees, shape (n, 2)."""
    z, x, y = tile
    lat = np.clip(place[:, 1], -morton.MAX_LATITUDE, morton.MAX_LATITUDE)
    across = (place[:, 0] + 180.0) / 360.0
    down = 0.5 - np.arctanh(np.sin(np.radians(lat))) / (2 * np.pi)
    units = (np.column_stack([across, down]) * (1 << z) - (x, y)) * EXTENT
    each = np.arange(len(place) + 1)
    return commands(np.clip(np.floor(units), 0, EXTENT).astype(np.int64), each, each, POINT)


def outline_tile(view: View, session: Session, tile: tuple[int, int, int], directory: Directory) -> bytes:
    """Vector tile of the layers `LINES` and `AREAS`: the shapes of problems that are no points.

    Each has `number`, `category` (code) and `overdue`, and its number as the feature's id. Empty below zoom
    `SINGLE_FROM`, where such shapes are no larger than the sign of a problem.

    Raises
    ------
    GeometryError
        If there is no such tile.
    """
    z, x, y = tile
    morton.tile_range(z, x, y)
    if z < SINGLE_FROM:
        return b""
    query = select(Problem.id, Problem.geometry).where(
        in_box(session, Problem, _bounds(tile)), func.GeometryType(Problem.geometry) != "POINT"
    )
    found = read_columns(session, query)
    snapshot, rows = view.snapshot, view.rows
    seen = rows[np.isin(snapshot.number[rows], found["id"])] if len(found["id"]) else rows[:0]
    if not len(seen):
        return b""
    order = np.argsort(found["id"])
    numbers = snapshot.number[seen]
    shapes = found["geometry"][order][np.searchsorted(found["id"][order], numbers)]
    entries = [directory.categories.get(int(row_id)) for row_id in snapshot.values("category", seen)]
    attributes = {
        "number": numbers,
        "category": np.array([entry.code if entry else None for entry in entries], dtype=object),
        "overdue": view.overdue(seen),
    }
    drawn = b""
    for name, dimension in ((LINES, 1), (AREAS, 2)):
        here = shapely.get_dimensions(shapes) == dimension
        if not here.any():
            continue
        layer = FeatureLayer(name, shapes[here], numbers[here])
        drawn += layer.tile(z, x, y, {key: values[here] for key, values in attributes.items()})
    return drawn


def _bounds(tile: tuple[int, int, int]) -> tuple[float, float, float, float]:
    """West, south, east and north of a tile and a little beyond, degrees."""
    z, x, y = tile
    size = 1 << z
    west, east = ((x + part) / size * 360.0 - 180.0 for part in (-_BEYOND, 1 + _BEYOND))
    north, south = (
        math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * (y + part) / size))))
        for part in (-_BEYOND, 1 + _BEYOND)
    )
    return west, south, east, north
