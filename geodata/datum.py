"""Coordinates from the system they are stated in to WGS-84 and back, refusing numbers that do not fit.

CGCS2000 agrees with WGS-84 to well under a metre: its numbers are passed on unchanged. For GCJ-02 and
BD-09 see `geodata.shift`. Baidu's metres (BD09MC) are a Mercator projection on the Clarke 1866
ellipsoid, within 0.2 m of Baidu's own polynomials.

Nothing here guesses a system. It is stated, and what cannot belong to it is refused: metres for degrees,
exchanged axes, another zone, the 0, 0 of missing coordinates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from geodata.coordinate_system import CoordinateSystem
from geodata.errors import N_, DatumError
from geodata.shift import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

__all__ = [
    "CoordinateSystem",
    "Placed",
    "PlacedGeometries",
    "from_wgs84",
    "geometries_from_wgs84",
    "geometries_to_wgs84",
    "geometries_to_wgs84_rows",
    "to_wgs84",
    "to_wgs84_rows",
]

_LARGEST_DEGREES = 180.0
# A Chinese longitude read as a latitude ends north of every grid on earth.
_NORTHERNMOST_GRID = 72.0
_CITIES_OF_CHINA = (73.0, 17.5, 135.5, 54.0)
# A Gauss-Krüger easting is the zone's number times this, plus the metres.
_ZONE_NUMBER = 1e6
_OUTSIDE = N_(
    "Expected {system} within {west}…{east}° E, {south}…{north}° N; found numbers outside: {found}."
)


class Placed(NamedTuple):
    """Coordinates in WGS-84, row by row.

    Attributes
    ----------
    lon, lat
        Degrees, shape (n,); NaN where refused.
    refused
        Shape (n,), True where the numbers do not fit the stated system.
    reasons
        Shape (n,), a `DatumError` where refused (rows refused for one reason share it), else None.
    """

    lon: Floats
    lat: Floats
    refused: Flags
    reasons: NDArray[np.object_]


class PlacedGeometries(NamedTuple):
    """Geometries in WGS-84, row by row.

    Attributes
    ----------
    geometry
        Shape (n,), shapely geometries in EPSG:4326 without heights; None where refused or None before.
    refused, reasons
        As in `Placed`.
    """

    geometry: NDArray[np.object_]
    refused: Flags
    reasons: NDArray[np.object_]


def to_wgs84(x: ArrayLike, y: ArrayLike, system: CoordinateSystem) -> tuple[Floats, Floats]:
    """Bring coordinates to WGS-84.

    Parameters
    ----------
    x, y
        Longitude and latitude in degrees, or easting and northing in metres; shape (n,) or scalars.
    system
        What they are.

    Returns
    -------
    lon, lat
        Degrees, EPSG:4326, shape (n,).

    Raises
    ------
    DatumError
        If any pair does not fit the system; says what was expected and found.
    """
    placed = to_wgs84_rows(x, y, system)
    _raise_first(placed.refused, placed.reasons)
    return placed.lon, placed.lat


def to_wgs84_rows(x: ArrayLike, y: ArrayLike, system: CoordinateSystem) -> Placed:
    """`to_wgs84` that marks the rows which do not fit instead of raising."""
    x, y = _columns(x, y)
    lon, lat = system.degrees(x, y)
    refused, reasons = _refuse(x, y, lon, lat, system)
    lon, lat = system.shift.undo(np.where(refused, np.nan, lon), np.where(refused, np.nan, lat))
    return Placed(lon, lat, refused, reasons)


def from_wgs84(lon: ArrayLike, lat: ArrayLike, system: CoordinateSystem) -> tuple[Floats, Floats]:
    """Bring WGS-84 to `system`.

    Parameters
    ----------
    lon, lat
        Degrees, EPSG:4326, shape (n,) or scalars.
    system
        What is wanted.

    Returns
    -------
    x, y
        Longitude and latitude in degrees, or easting and northing in metres, shape (n,).

    Raises
    ------
    DatumError
        If a pair is no WGS-84, or lies outside of the area the system is made for.
    """
    lon, lat = to_wgs84(lon, lat, CoordinateSystem.parse("wgs84"))
    outside = ~within(system.area, lon, lat)
    if outside.any():
        raise _reason(_OUTSIDE, lon[outside], lat[outside], system)
    return system.numbers(*system.shift.apply(lon, lat))


def geometries_to_wgs84(geometries: Any, system: CoordinateSystem) -> NDArray[np.object_]:
    """Bring geometries to WGS-84.

    Parameters
    ----------
    geometries
        Array-like of n shapely geometries or None.
    system
        What their coordinates are.

    Returns
    -------
    NDArray
        Shape (n,), EPSG:4326, without heights.

    Raises
    ------
    DatumError
        If any coordinate does not fit the system.
    """
    placed = geometries_to_wgs84_rows(geometries, system)
    _raise_first(placed.refused, placed.reasons)
    return placed.geometry


def geometries_to_wgs84_rows(geometries: Any, system: CoordinateSystem) -> PlacedGeometries:
    """`geometries_to_wgs84` that marks geometries with a coordinate that does not fit."""
    shapes = np.atleast_1d(np.asarray(geometries, dtype=object))
    coordinates, row = shapely.get_coordinates(shapes, return_index=True)
    placed = to_wgs84_rows(coordinates[:, 0], coordinates[:, 1], system)
    refused = np.zeros(len(shapes), dtype=np.bool_)
    refused[row[placed.refused]] = True
    reasons = np.full(len(shapes), None, dtype=object)
    reasons[row[placed.refused]] = placed.reasons[placed.refused]
    moved = shapely.force_2d(shapes)
    moved[refused] = None
    kept = ~refused[row]
    ground = np.column_stack([placed.lon[kept], placed.lat[kept]])
    return PlacedGeometries(shapely.set_coordinates(moved, ground), refused, reasons)


def geometries_from_wgs84(geometries: Any, system: CoordinateSystem) -> NDArray[np.object_]:
    """Bring geometries in EPSG:4326 to `system`, shape (n,), without heights; errors as in `from_wgs84`."""
    shapes = shapely.force_2d(np.atleast_1d(np.asarray(geometries, dtype=object)))
    coordinates = shapely.get_coordinates(shapes)
    numbers = from_wgs84(coordinates[:, 0], coordinates[:, 1], system)
    return np.asarray(shapely.set_coordinates(shapes, np.column_stack(numbers)), dtype=object)


def _columns(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    first, second = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (x, y))
    if first.shape != second.shape or first.ndim != 1:
        raise DatumError(
            "Expected two columns of one length; found shapes {x} and {y}.", x=first.shape, y=second.shape
        )
    return first, second


def _raise_first(refused: Flags, reasons: NDArray[np.object_]) -> None:
    for reason in reasons[refused][:1]:
        raise reason


def _refuse(
    x: Floats, y: Floats, lon: Floats, lat: Floats, system: CoordinateSystem
) -> tuple[Flags, NDArray[np.object_]]:
    """Find the rows which cannot be coordinates of `system`, and say why; the first test that hits counts."""
    refused = np.zeros(len(x), dtype=np.bool_)
    reasons = np.full(len(x), None, dtype=object)
    suspect = ~within(system.area, lon, lat) | (lat > _NORTHERNMOST_GRID) | ((x == 0) & (y == 0))
    if not system.is_geographic:
        suspect |= _size(x, y) <= _LARGEST_DEGREES
    rows = np.flatnonzero(suspect)
    if len(rows):
        for hit, template in _tests(x[rows], y[rows], lon[rows], lat[rows], system):
            new = rows[hit & ~refused[rows]]
            refused[new] = True
            if len(new):
                reasons[new] = _reason(template, x[new], y[new], system)
    return refused, reasons


def _size(x: Floats, y: Floats) -> Floats:
    return np.maximum(np.abs(x), np.abs(y))


def _tests(
    x: Floats, y: Floats, lon: Floats, lat: Floats, system: CoordinateSystem
) -> Iterator[tuple[Flags, str]]:
    """Yield what can be wrong, most telling first; messages take the names of `_reason`."""
    yield ~(np.isfinite(x) & np.isfinite(y)), N_("Expected two numbers; found an empty or infinite one.")
    yield (x == 0) & (y == 0), N_("Expected a place; found 0, 0, which stands for a missing coordinate.")
    inside = within(system.area, lon, lat)
    mirror_lon, mirror_lat = system.degrees(y, x)
    swapped = within(system.area, mirror_lon, mirror_lat) & ~inside
    swapped |= (lat > _NORTHERNMOST_GRID) & within(_CITIES_OF_CHINA, mirror_lon, mirror_lat)
    if system.is_geographic:
        yield swapped, N_("Expected longitude before latitude for {system}; found them exchanged: {found}.")
        large = ~inside & (_size(x, y) > 2 * _LARGEST_DEGREES)
        yield large, N_("Expected degrees for {system}; found metres or other large numbers: {found}.")
    else:
        small = _size(x, y) <= _LARGEST_DEGREES
        yield small, N_("Expected metres for {system}; found degrees: {found}.")
        yield swapped, N_("Expected easting before northing for {system}; found them exchanged: {found}.")
        if system.zone is not None:
            yield from _zone_tests(~inside, np.floor(x / _ZONE_NUMBER), system.zone)
    yield ~inside, _OUTSIDE


def _zone_tests(outside: Flags, number: Floats, zone: int) -> Iterator[tuple[Flags, str]]:
    if zone:
        none = outside & (number == 0)
        yield none, N_("Expected eastings that begin with zone number {zone}; found none: {found}.")
        other = outside & (number != zone)
        yield other, N_("Expected eastings that begin with zone number {zone}; found another: {found}.")
    else:
        some = outside & (number > 0)
        yield some, N_("Expected eastings without a zone number for {system}; found one: {found}.")


def _reason(template: str, x: Floats, y: Floats, system: CoordinateSystem) -> DatumError:
    west, south, east, north = system.area
    return DatumError(
        template,
        system=system.code,
        found=f"{_span(x)}, {_span(y)}",
        zone=system.zone,
        west=west,
        east=east,
        south=south,
        north=north,
    )


def _span(values: Floats) -> str:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return "–"
    low, high = (f"{v:.10g}" for v in (finite.min(), finite.max()))
    return low if low == high else f"{low} … {high}"
