"""Morton codes: one sortable integer for a place.

The web-mercator square (EPSG:3857) is cut into 2**24 x 2**24 pixels, about 2.4 m wide at the equator; a
code interleaves the 24 bits of column and row, column first from below (the order of quadkeys). All places
of a map tile are then one contiguous interval of codes, whatever its zoom.
Source: Morton (1966); tile numbering of OGC Two Dimensional Tile Matrix Set, WebMercatorQuad.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geodata.compiled import compiled, in_slices
from geodata.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from geodata.compiled import Array

__all__ = [
    "LEVEL",
    "MAX_LATITUDE",
    "columns",
    "decode",
    "deinterleave",
    "encode",
    "interleave",
    "interleave_all",
    "tile_of",
    "tile_range",
]

LEVEL = 24
"""Bits per axis: a code is a tile number at this zoom."""

MAX_LATITUDE = math.degrees(math.atan(math.sinh(math.pi)))
"""Northern edge of the web-mercator square, degrees."""


@compiled
def interleave(x: int, y: int) -> np.uint64:
    """Code of a column and row in [0, 2**24): scalars, inside kernels or out of them."""
    a = np.uint64(x)
    b = np.uint64(y)
    a = (a | (a << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    b = (b | (b << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    a = (a | (a << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    b = (b | (b << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    a = (a | (a << np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    b = (b | (b << np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    a = (a | (a << np.uint64(2))) & np.uint64(0x3333333333333333)
    b = (b | (b << np.uint64(2))) & np.uint64(0x3333333333333333)
    a = (a | (a << np.uint64(1))) & np.uint64(0x5555555555555555)
    b = (b | (b << np.uint64(1))) & np.uint64(0x5555555555555555)
    return a | (b << np.uint64(1))


@compiled
def deinterleave(code: int) -> np.uint64:
    """Column of a code (its even bits); the row is the column of ``code >> 1``."""
    a = np.uint64(code) & np.uint64(0x5555555555555555)
    a = (a | (a >> np.uint64(1))) & np.uint64(0x3333333333333333)
    a = (a | (a >> np.uint64(2))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    a = (a | (a >> np.uint64(4))) & np.uint64(0x00FF00FF00FF00FF)
    a = (a | (a >> np.uint64(8))) & np.uint64(0x0000FFFF0000FFFF)
    return (a | (a >> np.uint64(16))) & np.uint64(0x00000000FFFFFFFF)


@compiled
def _encode(lon: Array, lat: Array, codes: Array, start: int, stop: int) -> int:
    """Fill codes[start:stop]; return the first position with no longitude and latitude, or -1."""
    side = 1 << 24
    for i in range(start, stop):
        if not (-180.0 <= lon[i] <= 180.0 and -90.0 <= lat[i] <= 90.0):  # NaN fails too
            return i
        s = math.sin(math.radians(min(max(lat[i], -MAX_LATITUDE), MAX_LATITUDE)))
        x = int((lon[i] + 180.0) / 360.0 * side)
        y = int((0.5 - math.atanh(s) / (2.0 * math.pi)) * side)
        codes[i] = interleave(min(max(x, 0), side - 1), min(max(y, 0), side - 1))
    return -1


def encode(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.uint64]:
    """Morton codes of places.

    Parameters
    ----------
    lon, lat
        Decimal degrees, EPSG:4326, arrays of one shape (n,). Latitudes beyond the web-mercator square
        (about 85.05 degrees) count as its edge.

    Returns
    -------
    numpy.ndarray
        uint64, shape (n,), each below 2**48.

    Raises
    ------
    GeometryError
        If shapes differ, or a value is NaN or no longitude or latitude.
    """
    x = np.ascontiguousarray(lon, dtype=np.float64)
    y = np.ascontiguousarray(lat, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise GeometryError(
            "Expected longitudes and latitudes of one shape (n,); found {lon} and {lat}.",
            lon=x.shape,
            lat=y.shape,
        )
    codes = np.empty(x.size, dtype=np.uint64)

    def work(start: int, stop: int) -> None:
        bad = _encode(x, y, codes, start, stop)
        if bad >= 0:
            raise GeometryError(
                "Expected a longitude in [-180, 180] and a latitude in [-90, 90] at position {position}; "
                "found {lon}, {lat}.",
                position=bad,
                lon=float(x[bad]),
                lat=float(y[bad]),
            )

    in_slices(work, x.size, at_least=100_000)
    return codes


def decode(codes: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes (EPSG:4326, degrees, shape (n,)) of the centres of the codes' pixels."""
    code = np.asarray(codes, dtype=np.uint64)
    x = (columns(code) + 0.5) / (1 << LEVEL)
    y = (columns(code >> np.uint64(1)) + 0.5) / (1 << LEVEL)
    return x * 360.0 - 180.0, np.degrees(np.arctan(np.sinh(np.pi * (1.0 - 2.0 * y))))


def columns(codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Columns of codes, shape (n,); their rows are the columns of ``codes >> 1``."""
    value = codes & np.uint64(0x5555555555555555)
    for shift, mask in (
        (1, 0x3333333333333333),
        (2, 0x0F0F0F0F0F0F0F0F),
        (4, 0x00FF00FF00FF00FF),
        (8, 0x0000FFFF0000FFFF),
        (16, 0x00000000FFFFFFFF),
    ):
        value = (value | (value >> np.uint64(shift))) & np.uint64(mask)
    return value.astype(np.int64)


@compiled
def interleave_all(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Codes (n,) of columns and rows (n,) in [0, 2**24)."""
    codes = np.empty(len(x), dtype=np.uint64)
    for i in range(len(x)):
        codes[i] = interleave(x[i], y[i])
    return codes


def tile_range(z: int, x: int, y: int) -> tuple[int, int]:
    """Codes of a map tile, as a half-open interval ``[lo, hi)``.

    Raises
    ------
    GeometryError
        If there is no such tile, or its zoom lies beyond 24.
    """
    if not 0 <= z <= LEVEL:
        raise GeometryError("Expected a zoom in [0, {limit}]; found {found}.", limit=LEVEL, found=z)
    if not (0 <= x < 1 << z and 0 <= y < 1 << z):
        raise GeometryError(
            "Expected tile column and row in [0, {limit}) at zoom {zoom}; found {x}, {y}.",
            limit=1 << z,
            zoom=z,
            x=x,
            y=y,
        )
    prefix = int(interleave(x, y))
    shift = 2 * (LEVEL - z)
    return prefix << shift, (prefix + 1) << shift


def tile_of(code: int, z: int) -> tuple[int, int]:
    """Column and row of the tile at zoom `z` that holds `code`."""
    prefix = int(code) >> 2 * (LEVEL - z)
    return int(deinterleave(prefix)), int(deinterleave(prefix >> 1))
