"""The displacement of maps drawn in China: GCJ-02 and BD-09 against WGS-84.

GCJ-02 (Amap, Tencent, most phone maps) moves WGS-84 by 100 to 700 m with a smooth function; BD-09
(Baidu) moves GCJ-02 once more. The formulas are the approximations the whole field uses, published at
https://en.wikipedia.org/wiki/Restrictions_on_geographic_data_in_China . They are undone by iteration,
to better than 1e-9 degrees, and not by the coarser closed forms in circulation.

Both apply inside a rough rectangle around China (72.004 to 137.8347 E, 0.8293 to 55.8271 N), the usual
one; outside of it the numbers are WGS-84. The rectangle is tested on the numbers given, so that a point
within a shift's length of its rim may not come back from a round trip. No city lies there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from geodata.errors import DatumError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Step = Callable[[Floats, Floats], tuple[Floats, Floats]]

__all__ = ["CHINA", "Shift", "within"]

CHINA = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north of the rectangle inside which the shifts apply, degrees."""

_KRASSOVSKY_AXIS = 6378245.0
_KRASSOVSKY_E2 = 0.00669342162296594323
_BAIDU_WAVE = np.pi * 3000 / 180
_CONVERGED = 1e-12
_MOST_STEPS = 30


def within(area: tuple[float, float, float, float], lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    """Tell which points lie in `area` (west, south, east, north; degrees); False for what is not finite."""
    west, south, east, north = area
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


class Shift(StrEnum):
    """How numbers are displaced from the ground."""

    NONE = "none"
    GCJ02 = "gcj02"
    BD09 = "bd09"

    def apply(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Displace WGS-84; degrees, shape (n,)."""
        return self._inside_china(_STEPS[self], lon, lat)

    def undo(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Bring displaced degrees back to WGS-84; shape (n,).

        Raises
        ------
        DatumError
            If the iteration does not settle, which no coordinate inside the rectangle brings about.
        """
        return self._inside_china([_inverse(step) for step in reversed(_STEPS[self])], lon, lat)

    @staticmethod
    def _inside_china(steps: list[Step], lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        inside = within(CHINA, lon, lat)
        if not steps or not inside.any():
            return lon, lat
        moved = lon[inside], lat[inside]
        for step in steps:
            moved = step(*moved)
        lon, lat = lon.copy(), lat.copy()
        lon[inside], lat[inside] = moved
        return lon, lat


def _gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    x, y = lon - 105, lat - 35
    root = np.sqrt(np.abs(x))
    short = (20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + short
    east += (20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + short
    north += (20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    # Metres to degrees on the Krassovsky ellipsoid: radii of the meridian and of the parallel.
    phi = np.radians(lat)
    flat = 1 - _KRASSOVSKY_E2 * np.sin(phi) ** 2
    meridian = _KRASSOVSKY_AXIS * (1 - _KRASSOVSKY_E2) / flat**1.5
    parallel = _KRASSOVSKY_AXIS / np.sqrt(flat) * np.cos(phi)
    return lon + np.degrees(east / parallel), lat + np.degrees(north / meridian)


def _bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU_WAVE)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU_WAVE)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _inverse(step: Step) -> Step:
    """Undo `step` by correcting a guess with its own error; a round gains one and a half digits or more."""

    def inverse(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        guess_lon, guess_lat = lon, lat
        for _ in range(_MOST_STEPS):
            there_lon, there_lat = step(guess_lon, guess_lat)
            error_lon, error_lat = lon - there_lon, lat - there_lat
            guess_lon, guess_lat = guess_lon + error_lon, guess_lat + error_lat
            if max(np.abs(error_lon).max(), np.abs(error_lat).max()) < _CONVERGED:
                return guess_lon, guess_lat
        raise DatumError("Expected the shift to be undone in {steps} steps; it was not.", steps=_MOST_STEPS)

    return inverse


_STEPS: dict[Shift, list[Step]] = {Shift.NONE: [], Shift.GCJ02: [_gcj02], Shift.BD09: [_gcj02, _bd09]}
