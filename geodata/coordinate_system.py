"""A coordinate system as somebody states it: its name, its numbers and where they may lie."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from geodata.errors import DatumError
from geodata.shift import CHINA, Shift

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bounds = tuple[float, float, float, float]
    Floats = NDArray[np.float64]

__all__ = ["CoordinateSystem"]

# Published transformations worse than this would put a problem on the wrong side of the street, metres.
_WORST_ACCURACY = 5.0
_WORLD = (-180.0, -90.0, 180.0, 90.0)
# People do measure beyond the rim of their zone; a wrong zone is off by at least its whole width, degrees.
_MARGIN = 1.5
_AXES = 2

_CLARKE_MERCATOR = "+proj=merc +ellps=clrk66 +units=m +type=crs"
_NAMED: dict[str, tuple[Shift, str, Bounds]] = {
    "wgs84": (Shift.NONE, "EPSG:4326", _WORLD),
    "cgcs2000": (Shift.NONE, "EPSG:4490", CHINA),
    "gcj02": (Shift.GCJ02, "EPSG:4326", _WORLD),
    "bd09": (Shift.BD09, "EPSG:4326", _WORLD),
    "bd09mc": (Shift.BD09, _CLARKE_MERCATOR, CHINA),
}
_ALIASES = {
    "gps": "wgs84",
    "crs84": "wgs84",
    "ogccrs84": "wgs84",
    "epsg4326": "wgs84",
    "epsg4490": "cgcs2000",
    "国家2000": "cgcs2000",
    "2000国家大地坐标系": "cgcs2000",
    "火星坐标": "gcj02",
    "高德": "gcj02",
    "腾讯": "gcj02",
    "百度": "bd09",
    "bd09ll": "bd09",
    "百度墨卡托": "bd09mc",
}


@dataclass(frozen=True, slots=True)
class _Zones:
    """A run of EPSG codes, one a zone: CGCS2000 Gauss-Krüger of one width and one way of naming."""

    width: int
    by_meridian: bool
    epsg: int
    first: int
    step: int
    count: int

    @property
    def last(self) -> int:
        return self.first + self.step * (self.count - 1)

    def meridian(self, number: int) -> int:
        if self.by_meridian:
            return number
        return number * 3 if self.width == 3 else number * 6 - 3

    def code(self, number: int | str) -> str:
        return f"cgcs2000-gk{self.width}-{'cm' * self.by_meridian}{number}"


_ZONES = (
    _Zones(3, by_meridian=False, epsg=4513, first=25, step=1, count=21),
    _Zones(3, by_meridian=True, epsg=4534, first=75, step=3, count=21),
    _Zones(6, by_meridian=False, epsg=4491, first=13, step=1, count=11),
    _Zones(6, by_meridian=True, epsg=4502, first=75, step=6, count=11),
)
_GAUSS_KRUGER = re.compile(r"cgcs2000gk(?P<width>[36])(?P<cm>cm)?(?P<number>\d{1,3})e?")


@dataclass(frozen=True, slots=True)
class CoordinateSystem:
    """A stated coordinate system. Made by `parse`; two are equal when their codes are.

    Attributes
    ----------
    code
        Canonical name: ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09``, ``bd09mc``,
        ``cgcs2000-gk3-39`` (zone number leads the easting), ``cgcs2000-gk3-cm117`` (by central
        meridian, no zone number in the easting), the same with ``gk6``, or ``EPSG:32651``.
    shift
        How the numbers are displaced from the ground.
    crs
        What the numbers are once the shift is taken off, as pyproj reads it.
    area
        West, south, east, north in degrees: where a coordinate may lie.
    zone
        Number that leads a Gauss-Krüger easting; 0 for a zone named by its central meridian; else None.
    """

    code: str
    shift: Shift = field(compare=False)
    crs: str = field(compare=False)
    area: Bounds = field(compare=False)
    zone: int | None = field(compare=False, default=None)

    @classmethod
    def parse(cls, text: str) -> CoordinateSystem:
        """Read a system's name. Case, blanks, hyphens and underscores do not matter.

        Raises
        ------
        DatumError
            Unknown name, unknown EPSG code, or one without a published way to WGS-84 good to 5 m.
        """
        key = re.sub(r"[\s_\-:/]", "", text).lower()
        key = _ALIASES.get(key, key)
        if key in _NAMED:
            return cls(key, *_NAMED[key])
        if match := _GAUSS_KRUGER.fullmatch(key):
            zones = next(
                z
                for z in _ZONES
                if z.width == int(match["width"]) and z.by_meridian == (match["cm"] is not None)
            )
            return _gauss_kruger(zones, int(match["number"]))
        if match := re.fullmatch(r"epsg(\d{4,6})", key):
            return _epsg(int(match[1]))
        raise DatumError(
            "Expected one of the coordinate systems {allowed}; found {found!r}.",
            allowed=", ".join(cls.allowed()),
            found=text,
        )

    @staticmethod
    def allowed() -> tuple[str, ...]:
        """List what `parse` takes, for messages and choices."""
        return (*_NAMED, *(z.code(f"{z.first}…{z.last}") for z in _ZONES), "EPSG:…")

    @property
    def is_geographic(self) -> bool:
        """True where the numbers are degrees, longitude first; False where they are metres, easting first."""
        return bool(_crs(self.crs).is_geographic)

    def agrees_with(self, declared: str) -> bool:
        """Tell whether a file that declares the CRS `declared` may hold numbers of this system.

        Shifted coordinates have no CRS of their own, so that files label them as what they are not: degrees
        as WGS-84 or CGCS2000, metres as web Mercator. Else both must put the same numbers on the same spot,
        WGS-84 and CGCS2000 counting as one.

        Parameters
        ----------
        declared
            CRS as pyproj reads it (authority code or WKT).

        Raises
        ------
        DatumError
            If `declared` is no CRS.
        """
        labelled = "EPSG:3857" if self.shift is not Shift.NONE and not self.is_geographic else self.crs
        return _same_place(_crs(labelled), _crs(declared), self.area)

    def degrees(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Undo the projection, shape (n,): degrees with the shift still in; infinite where undefined."""
        way = _way(self.crs)
        return (x, y) if way is None else way.transform(x, y, direction="INVERSE")

    def numbers(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Project degrees that have the shift already, shape (n,); the opposite of `degrees`."""
        way = _way(self.crs)
        return (lon, lat) if way is None else way.transform(lon, lat)

    def __str__(self) -> str:
        return self.code


@lru_cache(maxsize=256)
def _crs(definition: str) -> CRS:
    try:
        return CRS.from_user_input(definition)
    except CRSError as error:
        raise DatumError(
            "Expected a coordinate reference system; found {found!r}.", found=definition[:80]
        ) from error


@lru_cache(maxsize=64)
def _way(definition: str) -> Transformer | None:
    """Way from degrees to the numbers of a CRS; None where the numbers are those degrees."""
    crs = _crs(definition)
    if _is_ground_truth(crs) and crs.is_geographic:
        return None
    return _from_degrees(crs)


def _from_degrees(crs: CRS) -> Transformer:
    # CGCS2000 counts as WGS-84, and Baidu's metres are a projection of BD-09 degrees: both only project.
    base = crs.geodetic_crs
    if base is not None and (_is_ground_truth(crs) or crs == _crs(_CLARKE_MERCATOR)):
        return Transformer.from_crs(base, crs, always_xy=True)
    try:
        way = Transformer.from_crs("EPSG:4326", crs, always_xy=True, allow_ballpark=False)
    except ProjError as error:
        raise _no_way(crs) from error
    if way.accuracy > _WORST_ACCURACY:
        raise _no_way(crs)
    return way


def _no_way(crs: CRS) -> DatumError:
    return DatumError(
        "Expected a published transformation to WGS-84 good to {metres} m; found none for {found}.",
        metres=_WORST_ACCURACY,
        found=crs.name,
    )


def _is_ground_truth(crs: CRS) -> bool:
    """Tell whether a CRS rests on WGS-84 or CGCS2000, as EPSG or as Esri's files name them."""
    base = crs.geodetic_crs
    name = base.datum.name if base is not None and base.datum is not None else ""
    name = name.lower().replace("_", " ").removeprefix("d ")
    return name.startswith(("world geodetic system 1984", "wgs 84", "wgs 1984", "china 2000", "cgcs 2000"))


def _same_place(first: CRS, second: CRS, area: Bounds) -> bool:
    if first.is_geographic != second.is_geographic or _is_ground_truth(first) != _is_ground_truth(second):
        return False
    west, south, east, north = area
    lon, lat = np.linspace(west, east, 5)[1:4], np.linspace(south, north, 5)[1:4]
    try:
        here, there = (np.asarray(_from_degrees(crs).transform(lon, lat)) for crs in (first, second))
    except DatumError:
        return False
    return np.allclose(here, there, rtol=0, atol=1e-6 if first.is_geographic else 0.1)


def _gauss_kruger(zones: _Zones, number: int) -> CoordinateSystem:
    index, rest = divmod(number - zones.first, zones.step)
    if rest or not 0 <= index < zones.count:
        raise DatumError(
            "Expected {first} to {last} in steps of {step} for {system}; found {found}.",
            first=zones.first,
            last=zones.last,
            step=zones.step,
            system=zones.code("…"),
            found=number,
        )
    meridian = zones.meridian(number)
    half = zones.width / 2 + _MARGIN
    area = (meridian - half, CHINA[1], meridian + half, CHINA[3])
    epsg = f"EPSG:{zones.epsg + index}"
    return CoordinateSystem(zones.code(number), Shift.NONE, epsg, area, 0 if zones.by_meridian else number)


def _epsg(code: int) -> CoordinateSystem:
    for zones in _ZONES:
        if zones.epsg <= code < zones.epsg + zones.count:
            return _gauss_kruger(zones, zones.first + zones.step * (code - zones.epsg))
    name = f"EPSG:{code}"
    crs = _crs(name)
    if len(crs.axis_info) != _AXES or not (crs.is_geographic or crs.is_projected):
        raise DatumError(
            "Expected a system of longitude and latitude or of easting and northing; found {found}.",
            found=crs.name,
        )
    _way(name)
    used = crs.area_of_use
    if used is None or used.west > used.east:
        return CoordinateSystem(name, Shift.NONE, name, _WORLD)
    west, south, east, north = used.bounds
    grown = (
        max(west - _MARGIN, -180.0),
        max(south - _MARGIN, -90.0),
        min(east + _MARGIN, 180.0),
        min(north + _MARGIN, 90.0),
    )
    return CoordinateSystem(name, Shift.NONE, name, grown)
