"""Millions of places as vector tiles: clusters where they are many, single places where they are few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geodata import morton
from geodata.compiled import compiled
from geodata.point_columns import PointColumns, PointFilter, Rows, Sieve, weigh_rows
from geodata.tile_wire import EXTENT, POINT, commands, encode_layer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from numpy.typing import ArrayLike, NDArray

    from geodata.compiled import Array

__all__ = ["CLUSTERS_ACROSS", "MOST_SINGLE", "point_tile"]

CLUSTERS_ACROSS = 8
"""Clusters along a tile, at most."""

MOST_SINGLE = 2000
"""Largest number of places a tile shows one by one."""

_CHUNK = 2048
_CLUSTER_BITS = 3


@compiled
def _gather(  # noqa: PLR0917 - kernels take no keywords
    rows: Rows,
    sieve: Sieve,
    start: int,
    stop: int,
    shift: int,
    group_of: Array,
    severity_of: Array,
    count: Array,
    place: Array,
    groups: Array,
    worst: Array,
) -> None:
    """Sum the places that count per cluster: number, columns and rows of codes, groups, worst severity."""
    bits = np.uint64(shift)
    mask = np.uint64(len(count) - 1)
    code, kind = rows.code, rows.kind
    weights = np.empty(_CHUNK, dtype=np.float32)
    for first in range(start, stop, _CHUNK):
        last = min(first + _CHUNK, stop)
        weigh_rows(rows, sieve, first, last, weights)
        for i in range(first, last):
            if weights[i - first] > 0.0:
                cluster = (code[i] >> bits) & mask
                count[cluster] += 1
                place[cluster, 0] += morton.deinterleave(code[i])
                place[cluster, 1] += morton.deinterleave(code[i] >> np.uint64(1))
                group = group_of[kind[i]]
                if group >= 0:
                    groups[cluster, group] += 1
                worst[cluster] = max(worst[cluster], severity_of[kind[i]])


def point_tile(
    points: PointColumns,
    tile: tuple[int, int, int],
    chosen: PointFilter | None = None,
    *,
    name: str = "places",
    groups: Mapping[str, Collection[int]] | None = None,
    describe: Callable[[NDArray[np.int64]], Mapping[str, ArrayLike]] | None = None,
    most_single: int = MOST_SINGLE,
) -> bytes:
    """Vector tile of the places that count.

    Up to `most_single` places are features of their own, also where they coincide, so that each can be
    clicked. More are gathered into at most 8 x 8 clusters, each at the mean of its places.

    Parameters
    ----------
    points
        The places.
    tile
        Zoom, column, row.
    chosen
        What counts; also what the reader may see.
    name
        Of the layer.
    groups
        States counted in each cluster, by attribute name, e.g. ``{"overdue": {3}}``; no state twice.
    describe
        Attributes of single places from their row numbers, int64 (m,): columns of shape (m,).
    most_single
        Largest number of places shown one by one.

    Returns
    -------
    bytes
        The same for the same input; empty where nothing counts. Attributes of a cluster: `count`, `worst`
        (highest severity), the `groups`, and `z`, `x`, `y` of the square it stands for (`x` and `y` are
        its column and row among tiles of zoom `z`).

    Raises
    ------
    GeometryError
        If there is no such tile, or the filter asks for a column the places lack.
    """
    z, x, y = tile
    start, stop = points.span(*morton.tile_range(z, x, y))
    chosen = chosen or PointFilter()
    if stop - start <= most_single:
        return _single(
            points, tile, np.flatnonzero(points.weigh(chosen, start=start, stop=stop)) + start, name, describe
        )
    sieve = points.sieve(chosen)
    bits = min(_CLUSTER_BITS, morton.LEVEL - z)
    shift = 2 * (morton.LEVEL - z - bits)
    size = 1 << 2 * bits
    groups = groups or {}
    group_of = np.full(len(points.kinds["state"]), -1, dtype=np.int64)
    for number, states in enumerate(groups.values()):
        group_of[np.isin(points.kinds["state"], list(states))] = number
    count = np.zeros(size, dtype=np.int64)
    place = np.zeros((size, 2), dtype=np.float64)
    grouped = np.zeros((size, max(len(groups), 1)), dtype=np.int64)
    worst = np.zeros(size, dtype=np.int64)
    severity_of = points.kinds["severity"].astype(np.int64)
    _gather(points.rows, sieve, start, stop, shift, group_of, severity_of, count, place, grouped, worst)
    if count.sum() <= most_single:
        rows = np.flatnonzero(points.weigh(chosen, start=start, stop=stop)) + start
        return _single(points, tile, rows, name, describe)
    full = np.flatnonzero(count)
    prefix = (np.uint64(morton.interleave(x, y)) << np.uint64(2 * bits)) + full.astype(np.uint64)
    column, row = morton.columns(prefix), morton.columns(prefix >> np.uint64(1))
    attributes: dict[str, ArrayLike] = {
        "count": count[full],
        "worst": worst[full],
        **{key: grouped[full, number] for number, key in enumerate(groups)},
        "z": np.full(len(full), z + bits),
        "x": column,
        "y": row,
    }
    drawing = _drawing(place[full] / count[full, None] + 0.5, tile)
    return encode_layer(name, POINT, drawing, attributes)


def _single(
    points: PointColumns,
    tile: tuple[int, int, int],
    rows: NDArray[np.int64],
    name: str,
    describe: Callable[[NDArray[np.int64]], Mapping[str, ArrayLike]] | None,
) -> bytes:
    code = points.rows.code[rows]
    place: NDArray[np.float64] = np.column_stack(
        (morton.columns(code) + 0.5, morton.columns(code >> np.uint64(1)) + 0.5)
    )
    attributes = describe(rows) if describe and rows.size else {}
    return encode_layer(name, POINT, _drawing(place, tile), attributes)


def _drawing(place: NDArray[np.float64], tile: tuple[int, int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Commands for points given as columns and rows of codes, shape (n, 2)."""
    z, x, y = tile
    units = (place / (1 << (morton.LEVEL - z)) - (x, y)) * EXTENT
    each = np.arange(len(place) + 1)
    return commands(np.floor(units).astype(np.int64), each, each, POINT)
