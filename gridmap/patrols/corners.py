"""Hot corners (易发点位): squares where problems are to be expected, as places worth a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.forecast.service import Forecast
    from gridmap.hotspots.snapshot import Snapshot
    from gridmap.patrols.tracks.coverage import Coverage

__all__ = ["Corner", "days_unseen", "hot_corners"]

MOST_CORNERS = 40
_WORTH = 2700
"""Of a find that is to be expected, in seconds of somebody's time: that of an open problem of severity 3."""
_LEAST = 0.02
"""Finds to be expected, below which nobody goes for it."""
_LONGEST_DAYS = 14.0
_WEEK_DAYS = 7.0
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Corner:
    """A hot corner, written as one word so that it is kept with the wish of a plan.

    Parameters
    ----------
    square
        Its number.
    lon, lat
        Middle of what was found there, degrees, EPSG:4326.
    worth
        Seconds of somebody's time that may be spent to get there.
    """

    square: int
    lon: float
    lat: float
    worth: int

    def __str__(self) -> str:
        """Write it."""
        return f"{self.square}:{self.lon:.6f}:{self.lat:.6f}:{self.worth}"

    @classmethod
    def parse(cls, text: str) -> Corner:
        """Read it as it was written."""
        square, lon, lat, worth = text.split(":")
        return cls(int(square), float(lon), float(lat), int(worth))


def hot_corners(
    forecast: Forecast, snapshot: Snapshot, unseen: NDArray[np.float64] | None = None
) -> tuple[Corner, ...]:
    """Return the corners most worth a look: finds to be expected times how long nobody was there.

    Parameters
    ----------
    forecast
        For the shift, made from `snapshot`.
    unseen
        Days since each square was seen, infinite if never, shape (g,); see `days_unseen`. None: not known.
    """
    stale = np.ones(len(forecast.ground))
    if unseen is not None:
        stale += np.minimum(unseen, _LONGEST_DAYS) / _WEEK_DAYS
    inside = forecast.square >= 0
    square, row = forecast.square[inside], forecast.row[inside]
    finds = np.bincount(square, minlength=len(forecast.ground))
    worth = np.rint(_WORTH * forecast.expected * stale)
    # Where nothing was found there is nowhere to go to: only its neighbours are bad.
    worth[(finds == 0) | (forecast.expected < _LEAST)] = 0
    best = np.lexsort((forecast.ground.key, -worth))[:MOST_CORNERS]
    best = best[worth[best] > 0]
    lon, lat = (
        np.bincount(square, weights=degrees[row], minlength=len(finds)) / np.maximum(finds, 1)
        for degrees in (snapshot.lon, snapshot.lat)
    )
    return tuple(
        Corner(
            int(forecast.ground.key[at]), round(float(lon[at]), 6), round(float(lat[at]), 6), int(worth[at])
        )
        for at in best.tolist()
    )


def days_unseen(forecast: Forecast, coverage: Coverage, at: float) -> NDArray[np.float64]:
    """Return how many days ago any street of each square was walked, infinite if never, shape (g,).

    Parameters
    ----------
    coverage
        What the reader may know of it.
    at
        Seconds since 1970 UTC.
    """
    ground = coverage.ground
    row = forecast.ground.rows(forecast.grid.keys(ground.lon, ground.lat))
    known = (row >= 0) & coverage.shown & (coverage.last >= 0)
    last = np.full(len(forecast.ground), -np.inf)
    np.maximum.at(last, row[known], coverage.last[known])
    return np.maximum(at - last, 0) / _DAY_S
