"""The fixes of a track as they came, and what can be wrong with them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from geodata.coordinate_system import CoordinateSystem
from geodata.datum import to_wgs84
from gridmap.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.street_router import Router

__all__ = ["MOST_FIXES", "Fixes", "check_fixes", "check_place"]

MOST_FIXES = 250_000
"""Fixes of one track: nearly three days, one every second."""

_LONGEST = timedelta(days=3)
_AHEAD = timedelta(minutes=10)
_LAST_SECOND = 2**32
_FAR_M = 3000.0
_SAMPLE = 400
_SHIFTED = ("gcj02", "bd09")


@dataclass(frozen=True, slots=True, eq=False)
class Fixes:
    """Fixes in the order they were recorded.

    Attributes
    ----------
    lon, lat
        Degrees, EPSG:4326, shape (n,).
    seconds
        Since 1970 UTC, shape (n,).
    accuracy_m
        As the receiver stated it, NaN where it did not, shape (n,).
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    seconds: NDArray[np.float64]
    accuracy_m: NDArray[np.float64]

    def __len__(self) -> int:
        """Count them."""
        return len(self.lon)

    def time(self, i: int) -> datetime:
        """When the i-th was taken."""
        return self.moment(float(self.seconds[i]))

    @staticmethod
    def moment(seconds: float) -> datetime:
        """Seconds since 1970 as a time."""
        return datetime.fromtimestamp(seconds, UTC)

    def pack(self) -> bytes:
        """Bytes from which `unpack` makes the same fixes."""
        file = io.BytesIO()
        np.savez_compressed(
            file, lon=self.lon, lat=self.lat, seconds=self.seconds, accuracy_m=self.accuracy_m.astype("f4")
        )
        return file.getvalue()

    @classmethod
    def unpack(cls, packed: bytes) -> Fixes:
        """Read what `pack` made."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            return cls(stored["lon"], stored["lat"], stored["seconds"], stored["accuracy_m"].astype(float))

    def read_as(self, datum: str) -> Fixes:
        """Return the same fixes if their numbers were of another datum."""
        lon, lat = to_wgs84(self.lon, self.lat, CoordinateSystem.parse(datum))
        return Fixes(np.asarray(lon), np.asarray(lat), self.seconds, self.accuracy_m)


def check_fixes(fixes: Fixes, *, now: datetime) -> None:
    """Raise InvalidValueError if fixes cannot be a track.

    Nothing is put in order here: a clock that ran backwards would make a walk out of noise.
    """
    if not 2 <= len(fixes) <= MOST_FIXES:
        raise InvalidValueError(
            "Expected from 2 to {most} points in a track; found {found}. Divide a longer one by days.",
            parameter="points",
            most=MOST_FIXES,
            found=len(fixes),
        )
    timed = (fixes.seconds >= 0) & (fixes.seconds < _LAST_SECOND)
    if not timed.all():
        raise InvalidValueError(
            "Expected seconds since 1970; found {found} at point {number}.",
            parameter="points",
            found=float(fixes.seconds[~timed][0]),
            number=int(np.flatnonzero(~timed)[0]) + 1,
        )
    placed = (np.abs(fixes.lon) <= 180) & (np.abs(fixes.lat) <= 90)
    if not placed.all():
        raise InvalidValueError(
            "Expected longitude and latitude in degrees; found {lon}, {lat} at point {number}.",
            parameter="points",
            lon=float(fixes.lon[~placed][0]),
            lat=float(fixes.lat[~placed][0]),
            number=int(np.flatnonzero(~placed)[0]) + 1,
        )
    back = np.flatnonzero(np.diff(fixes.seconds) < 0)
    if len(back):
        i = int(back[0])
        raise InvalidValueError(
            "Times run backwards in {count} places: point {number} was taken at {later}, the next one at "
            "{earlier}. Expected the order in which they were recorded.",
            parameter="points",
            count=len(back),
            number=i + 1,
            later=fixes.time(i).isoformat(timespec="seconds"),
            earlier=fixes.time(i + 1).isoformat(timespec="seconds"),
        )
    if fixes.time(-1) > now + _AHEAD:
        raise InvalidValueError(
            "Expected times that have passed; the last point is of {found}.",
            parameter="points",
            found=fixes.time(-1).isoformat(timespec="seconds"),
        )
    if fixes.time(-1) - fixes.time(0) > _LONGEST:
        raise InvalidValueError(
            "Expected a track of {days} days at most; this one begins at {begin} and ends at {end}.",
            parameter="points",
            days=_LONGEST.days,
            begin=fixes.time(0).isoformat(timespec="seconds"),
            end=fixes.time(-1).isoformat(timespec="seconds"),
        )


def check_place(fixes: Fixes, router: Router, *, datum: str) -> None:
    """Raise InvalidValueError if fixes lie nowhere near the streets, or only if read in another datum."""
    few = np.unique(np.linspace(0, len(fixes) - 1, min(len(fixes), _SAMPLE)).round().astype(np.int64))
    sample = Fixes(fixes.lon[few], fixes.lat[few], fixes.seconds[few], fixes.accuracy_m[few])
    off = _median_off(sample, router)
    if datum in ("wgs84", "cgcs2000"):
        for other in _SHIFTED:
            if off > 12 and (instead := _median_off(sample.read_as(other), router)) < min(off / 3, 15):
                raise InvalidValueError(
                    "The points lie {off} m from the streets as {datum}, but {instead} m as {other}: state "
                    "the datum in which they were recorded.",
                    parameter="datum",
                    off=round(off),
                    datum=datum.upper(),
                    instead=round(instead),
                    other=other.upper(),
                )
    if off > _FAR_M:
        raise InvalidValueError(
            "The track lies {km} km from the streets of this installation. Expected one walked here; check "
            "the datum and the order of longitude and latitude.",
            parameter="points",
            km=round(off / 1000, 1),
        )


def _median_off(fixes: Fixes, router: Router) -> float:
    return float(np.median(router.snap(fixes.lon, fixes.lat).moved_m))
