"""Weighted counts of places per pixel of a tile, and the sums that spare them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geodata import morton
from geodata.compiled import compiled, in_slices, thread_count
from geodata.errors import GeometryError
from geodata.point_columns import PointColumns, PointFilter, PointWeights, Rows, Sieve, weigh_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.compiled import Array

__all__ = ["CONDENSED_LEVEL", "bins", "condensed", "tile_sums"]

CONDENSED_LEVEL = 19
"""Zoom whose pixels `condensed` sums over."""

_LARGEST_BLOCK = 32
_WORTH_A_THREAD = 200_000
_CHUNK = 2048


class _Blocks(NamedTuple):
    """Square parts of a picture, each one slice of the rows."""

    start: Array
    stop: Array
    corner: Array
    """Position of the block's north-west pixel in the flattened picture."""


@compiled
def _fill_bins(  # noqa: PLR0917 - kernels take no keywords
    rows: Rows, sieve: Sieve, blocks: _Blocks, shift: int, pixel_at: Array, picture: Array
) -> None:
    """Sum weights per pixel; `pixel_at` tells where a block's pixel lies from its corner."""
    mask = np.uint64(len(pixel_at) - 1)
    bits = np.uint64(shift)
    code = rows.code
    weights = np.empty(_CHUNK, dtype=np.float32)
    for b in range(len(blocks.start)):
        corner = blocks.corner[b]
        current = np.uint64(0)
        total = np.float32(0.0)
        for start in range(blocks.start[b], blocks.stop[b], _CHUNK):
            stop = min(start + _CHUNK, blocks.stop[b])
            weigh_rows(rows, sieve, start, stop, weights)
            for i in range(start, stop):
                pixel = (code[i] >> bits) & mask
                if pixel != current:
                    picture[corner + pixel_at[current]] += total
                    total = np.float32(0.0)
                    current = pixel
                total += weights[i - start]
        picture[corner + pixel_at[current]] += total


@lru_cache(maxsize=64)
def _pixels_of_block(block: int, width: int) -> NDArray[np.int64]:
    """Offset of each of a block's pixels, in Morton order, in a flattened picture of `width` columns."""
    y, x = np.divmod(np.arange(block * block), block)
    return (y * width + x)[np.argsort(morton.interleave_all(x, y))]


def bins(
    points: PointColumns, sieve: Sieve, z: int, x: int, y: int, *, side: int = 256, margin: int = 0
) -> NDArray[np.float32]:
    """Summed weights per pixel of a map tile.

    Parameters
    ----------
    points, sieve
        The places and what counts among them, from ``points.sieve(...)``.
    z, x, y
        Tile.
    side
        Pixels along the tile, a power of two. Not above ``2 ** (24 - z)``: no pixel is finer than a code.
    margin
        Further pixels on every side. Beyond the edge of the world they are 0.

    Returns
    -------
    numpy.ndarray
        float32, shape (side + 2 margin, side + 2 margin), first row north.

    Raises
    ------
    GeometryError
        If there is no such tile or `side` does not fit.
    """
    morton.tile_range(z, x, y)
    level = z + side.bit_length() - 1
    if side < 1 or side & (side - 1) or level > morton.LEVEL:
        raise GeometryError(
            "Expected a power of two up to {limit} pixels along a tile at zoom {zoom}; found {found}.",
            limit=1 << (morton.LEVEL - z),
            zoom=z,
            found=side,
        )
    block = min(side, _LARGEST_BLOCK)
    rings = -(-margin // block)
    per_side = side // block + 2 * rings
    width = per_side * block
    picture = np.zeros(width * width, dtype=np.float32)
    world = 1 << (level - block.bit_length() + 1)
    row, column = np.divmod(np.arange(per_side * per_side), per_side)
    block_x = x * (side // block) - rings + column
    block_y = y * (side // block) - rings + row
    there = (block_x >= 0) & (block_y >= 0) & (block_x < world) & (block_y < world)
    shift = 2 * (morton.LEVEL - level)
    code_bits = np.uint64(shift + 2 * (block.bit_length() - 1))
    low = morton.interleave_all(block_x[there], block_y[there])
    start = np.searchsorted(points.rows.code, low << code_bits)
    stop = np.searchsorted(points.rows.code, (low + np.uint64(1)) << code_bits)
    corner = (row * block * width + column * block)[there]
    full = stop > start
    blocks = _cut(points.rows.code, _Blocks(start[full], stop[full], corner[full]), shift)
    pixel_at = _pixels_of_block(block, width)
    ends = np.cumsum(blocks.stop - blocks.start)

    def work(first: int, last: int) -> None:
        # Blocks and their cuts end between pixels, so no two threads write to one.
        a, b = np.searchsorted(ends, (first, last))
        part = slice(a, len(ends) if last == size else b)
        _fill_bins(
            points.rows, sieve, _Blocks(*(values[part] for values in blocks)), shift, pixel_at, picture
        )

    size = int(ends[-1]) if ends.size else 0
    if size:
        in_slices(work, size, at_least=_WORTH_A_THREAD)
    skip = rings * block - margin
    square = picture.reshape(width, width)
    return np.ascontiguousarray(square[skip : width - skip, skip : width - skip])


def _cut(code: Array, blocks: _Blocks, shift: int) -> _Blocks:
    """Cut large blocks between pixels, so that threads can share them."""
    if (
        thread_count() == 1
        or not (large := np.flatnonzero(blocks.stop - blocks.start > _WORTH_A_THREAD)).size
    ):
        return blocks
    middle = code[(blocks.start[large] + blocks.stop[large]) // 2] >> np.uint64(shift)
    cut = np.searchsorted(code, middle << np.uint64(shift))
    start, stop = np.append(blocks.start, cut), np.append(blocks.stop, blocks.stop[large])
    stop[large] = cut
    corner = np.append(blocks.corner, blocks.corner[large])
    return _Blocks(start, stop, corner)


@compiled
def _condense(  # noqa: PLR0917 - kernels take no keywords
    rows: Rows, sieve: Sieve, category_of: Array, shift: int, area_count: int, categories: int, out: Rows
) -> int:
    """Sum places of one pixel, category and area; return their number, and write them if `out` has room."""
    sums = np.zeros(categories * area_count, dtype=np.float32)
    touched = np.empty(categories * area_count, dtype=np.int64)
    weights = np.empty(_CHUNK, dtype=np.float32)
    bits = np.uint64(shift)
    code, kind, area = rows.code, rows.kind, rows.area
    out_code, out_kind, out_area, out_mass = out.code, out.kind, out.area, out.mass
    known = 0
    written = 0
    n = len(code)
    for start in range(0, n, _CHUNK):
        weigh_rows(rows, sieve, start, min(start + _CHUNK, n), weights)
        for i in range(start, min(start + _CHUNK, n)):
            if weights[i - start] > 0.0:
                slot = np.int64(category_of[kind[i]]) * area_count
                if area_count > 1:
                    slot += area[i] + 1
                if sums[slot] == 0.0:
                    touched[known] = slot
                    known += 1
                sums[slot] += weights[i - start]
            if i + 1 == n or (code[i + 1] >> bits) != (code[i] >> bits):
                for j in range(known):
                    slot = touched[j]
                    if len(out_code) > 0:
                        out_code[written] = (code[i] >> bits) << bits
                        out_kind[written] = slot // area_count
                        out_area[written] = slot % area_count - 1
                        out_mass[written] = sums[slot]
                    sums[slot] = 0.0
                    written += 1
                known = 0
    return written


def condensed(
    points: PointColumns, resting: PointFilter, weights: PointWeights, *, by_category: bool
) -> PointColumns:
    """Places of one pixel at the condensed level, one area and, if asked, one category as one row."""
    names, category_of = np.unique(points.kinds["category"], return_inverse=True)
    if not by_category:
        names, category_of = names[:1], np.zeros_like(category_of)
    areas = int(points.rows.area.max(initial=-1)) + 2
    sieve = points.sieve(resting, weights)
    shift = 2 * (morton.LEVEL - CONDENSED_LEVEL)

    def run(room: int) -> tuple[int, Rows]:
        nothing, no_time = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.uint32)
        out = Rows(
            code=np.empty(room, dtype=np.uint64),
            kind=np.empty(room, dtype=np.uint16),
            area=np.empty(room, dtype=np.int32),
            cell=nothing,
            organisation=nothing,
            opened=no_time,
            closed=no_time,
            due=no_time,
            mass=np.empty(room, dtype=np.float32),
        )
        return _condense(points.rows, sieve, category_of, shift, areas, len(names), out), out

    count, _ = run(0)
    _, rows = run(count)
    rest = {name: np.zeros(len(names), dtype=np.uint8) for name in ("state", "severity", "source", "flags")}
    return PointColumns(rows, {"category": names, **rest})


@compiled
def _sum_tiles(rows: Rows, sieve: Sieve, shift: int, found: Array, sums: Array) -> int:
    """Prefixes of the tiles that hold what counts, ascending, and its sum; more may be found than fit."""
    bits = np.uint64(shift)
    code = rows.code
    weights = np.empty(_CHUNK, dtype=np.float32)
    count = 0
    latest = np.uint64(0)
    for start in range(0, len(code), _CHUNK):
        stop = min(start + _CHUNK, len(code))
        weigh_rows(rows, sieve, start, stop, weights)
        for i in range(start, stop):
            if weights[i - start] > 0.0:
                if count == 0 or code[i] >> bits != latest:
                    latest = code[i] >> bits
                    if count < len(found):
                        found[count] = latest
                        sums[count] = 0.0
                    count += 1
                if count <= len(found):
                    sums[count - 1] += weights[i - start]
    return count


def tile_sums(rows: Rows, sieve: Sieve, shift: int) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Prefixes of the tiles that hold what counts, ascending, and the sum of each; `shift` as of codes."""
    room = 4096
    while True:
        found, sums = np.empty(room, dtype=np.uint64), np.empty(room, dtype=np.float64)
        count = _sum_tiles(rows, sieve, shift, found, sums)
        if count <= room:
            return found[:count], sums[:count]
        room = count
