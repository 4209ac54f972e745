"""Places from the columns or the geometry of a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from geodata.datum import CoordinateSystem, geometries_to_wgs84_rows, to_wgs84_rows
from geodata.errors import DatumError, FormatError, GeodataError, GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.table import Table

    Objects = NDArray[np.object_]

__all__ = ["Coordinates", "coordinates_of"]

_NUMBER = r"[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?"
_HEMISPHERE = "[NSEWnsew]|东经|西经|北纬|南纬|东|西|北|南"
# 121.47, 121°28′30.5″E, 东经121度28分30秒, E121°28.5'
_ANGLE = (
    rf"(?:{_HEMISPHERE})?\s*{_NUMBER}(?:\s*[°度º]\s*(?:{_NUMBER}\s*['′’分]\s*)?"
    rf"(?:{_NUMBER}\s*(?:[\"″”秒]|''|′′|’’)\s*)?)?\s*(?:{_HEMISPHERE})?"
)
_PARTS = re.compile(
    rf"\s*(?P<before>{_HEMISPHERE})?\s*(?P<degrees>{_NUMBER})"
    rf"(?:\s*[°度º]\s*(?:(?P<minutes>{_NUMBER})\s*['′’分]\s*)?"
    rf"(?:(?P<seconds>{_NUMBER})\s*(?:[\"″”秒]|''|′′|’’)\s*)?)?\s*(?P<after>{_HEMISPHERE})?\s*",
    re.IGNORECASE,
)
_PAIR = re.compile(
    rf"[(\[（]?\s*(?P<first>{_ANGLE})\s*(?:[,，;；、|/]|\s)\s*(?P<second>{_ANGLE})\s*[)\]）]?", re.IGNORECASE
)
_NEGATIVE = frozenset(("S", "W", "南", "西", "南纬", "西经"))
_NORTH_SOUTH = frozenset(("N", "S", "北", "南", "北纬", "南纬"))
_SIXTY = 60


class Coordinates(NamedTuple):
    """Places of the rows of a table.

    Attributes
    ----------
    geometry
        Shape (n,), shapely geometries in EPSG:4326; None where refused.
    refused
        Shape (n,), True where a row has no usable place.
    reasons
        Shape (n,), a `GeodataError` where refused (shared by the rows it is true of), else None.
    """

    geometry: Objects
    refused: NDArray[np.bool_]
    reasons: Objects


def coordinates_of(
    table: Table,
    system: CoordinateSystem,
    *,
    lon_field: str | None = None,
    lat_field: str | None = None,
    pair_field: str | None = None,
    wkt_field: str | None = None,
) -> Coordinates:
    """Take each row's place and bring it to WGS-84.

    From the columns named, else from the geometry of the file. Numbers may be decimal, or degrees, minutes
    and seconds with or without hemisphere; a pair is longitude, latitude in one cell ("121.47,31.23") unless
    its hemispheres say otherwise.

    Parameters
    ----------
    table
        Table with n rows.
    system
        What the numbers are. In surveying, X is the northing: name the easting's column as `lon_field`.
    lon_field, lat_field
        Columns of longitude (easting) and latitude (northing).
    pair_field
        Column of both.
    wkt_field
        Column of geometries as well-known text.

    Raises
    ------
    DatumError
        The file declares a CRS that contradicts `system`.
    FormatError
        A column is missing, or nothing says where the places are.
    """
    if wkt_field is not None:
        return _from_wkt(table.text(wkt_field), system)
    if pair_field is not None:
        first, second, unread = _pairs(table.text(pair_field))
        return _points(first, second, unread, system)
    if lon_field is not None and lat_field is not None:
        lon, lat = _angles(table.text(lon_field)), _angles(table.text(lat_field))
        return _points(lon.value, lat.value, _merge(lon.reasons, lat.reasons), system)
    if table.geometry is None or lon_field is not None or lat_field is not None:
        raise FormatError(
            "Expected two columns of coordinates, one of pairs, one of WKT, or a geometry; found none."
        )
    if table.crs is not None and not system.agrees_with(table.crs):
        raise DatumError(
            "Expected coordinates in {stated}, as stated; the file declares {declared}.",
            stated=system.code,
            declared=_short(table.crs),
        )
    return _shapes(table.geometry, np.full(len(table), None, dtype=object), system)


class _Angles(NamedTuple):
    value: NDArray[np.float64]
    reasons: Objects
    north_south: NDArray[np.bool_]


def _blank() -> GeodataError:
    return GeometryError("Expected a coordinate; found a blank cell.")


def _normal(texts: Objects) -> pd.Series[str]:
    """Full-width digits and signs as plain ones; Latin commas are not touched: they part pairs."""
    return pd.Series(texts, dtype="str").str.normalize("NFKC").str.strip()


def _angles(texts: Objects) -> _Angles:
    """Read n cells as numbers or as degrees, minutes and seconds; NaN with a reason where it cannot be."""
    plain = pd.to_numeric(pd.Series(texts, dtype="str"), errors="coerce").to_numpy(dtype=np.float64).copy()
    reasons = np.full(len(texts), None, dtype=object)
    north_south = np.zeros(len(texts), dtype=np.bool_)
    blank = pd.isna(texts)
    reasons[blank] = _blank()
    rows = np.flatnonzero(np.isnan(plain) & ~blank)
    if len(rows):
        parts = _extract(_normal(texts[rows]), _PARTS)
        numbers = parts[["degrees", "minutes", "seconds"]].astype(np.float64)
        sixty = numbers[["minutes", "seconds"]].fillna(0.0)
        side = parts["before"].fillna(parts["after"]).str.upper()
        size = numbers["degrees"].abs() + sixty["minutes"] / _SIXTY + sixty["seconds"] / _SIXTY**2
        negative = (numbers["degrees"] < 0) ^ side.isin(_NEGATIVE)
        bad = (numbers["degrees"].isna() | (sixty >= _SIXTY).any(axis=1) | (sixty < 0).any(axis=1)).to_numpy()
        plain[rows] = np.where(bad, np.nan, np.where(negative, -size, size))
        north_south[rows] = side.isin(_NORTH_SOUTH)
        reasons[rows[bad]] = _unreadable(texts[rows[bad]])
    return _Angles(plain, reasons, north_south)


def _pairs(texts: Objects) -> tuple[NDArray[np.float64], NDArray[np.float64], Objects]:
    parts = _extract(_normal(texts), _PAIR)
    first, second = (_angles(parts[name].to_numpy(dtype=object)) for name in ("first", "second"))
    reasons = _merge(first.reasons, second.reasons)
    unread = ~pd.isna(texts) & parts["first"].isna().to_numpy()
    reasons[unread] = _unreadable(texts[unread])
    turned = first.north_south & ~second.north_south
    return (
        np.where(turned, second.value, first.value),
        np.where(turned, first.value, second.value),
        reasons,
    )


def _extract(texts: pd.Series[str], pattern: re.Pattern[str]) -> pd.DataFrame:
    anchored = re.compile(rf"^(?:{pattern.pattern})$", re.IGNORECASE)
    return texts.astype(object).str.extract(anchored, expand=True)


def _unreadable(found: Objects) -> GeodataError:
    return GeometryError(
        "Expected a number or degrees, minutes and seconds; found {found}.",
        found=", ".join(map(repr, found[:3])) + " …" * (len(found) > 3),
    )


def _merge(first: Objects, second: Objects) -> Objects:
    return np.where(pd.isna(first), second, first)


def _points(
    x: NDArray[np.float64], y: NDArray[np.float64], reasons: Objects, system: CoordinateSystem
) -> Coordinates:
    read = pd.isna(reasons)
    placed = to_wgs84_rows(x[read], y[read], system)
    reasons[read] = placed.reasons
    refused = ~pd.isna(reasons)
    geometry = np.full(len(x), None, dtype=object)
    geometry[~refused] = shapely.points(placed.lon[~placed.refused], placed.lat[~placed.refused])
    return Coordinates(geometry, refused, reasons)


def _from_wkt(texts: Objects, system: CoordinateSystem) -> Coordinates:
    geometry = np.asarray(shapely.from_wkt(texts, on_invalid="ignore"), dtype=object)
    reasons = np.full(len(texts), None, dtype=object)
    unread = shapely.is_missing(geometry) & ~pd.isna(texts)
    reasons[unread] = GeometryError("Expected a geometry as well-known text, such as POINT (121.47 31.23).")
    return _shapes(geometry, reasons, system)


def _shapes(geometry: Objects, reasons: Objects, system: CoordinateSystem) -> Coordinates:
    placed = geometries_to_wgs84_rows(geometry, system)
    reasons = _merge(reasons, placed.reasons)
    empty = pd.isna(reasons) & (shapely.is_missing(geometry) | shapely.is_empty(geometry))
    reasons[empty] = GeometryError("Expected a geometry; found none or an empty one.")
    refused = ~pd.isna(reasons)
    placed.geometry[refused] = None
    return Coordinates(placed.geometry, refused, reasons)


def _short(crs: str) -> str:
    """Return the name of a CRS given as WKT, or its code."""
    match = re.match(r'\w+\["([^"]+)"', crs)
    return match[1] if match else crs
