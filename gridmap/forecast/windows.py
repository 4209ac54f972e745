"""What is forecast: some hours of some days; and the same hours in the weeks before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

__all__ = ["DAY", "WEEK", "Window", "local_seconds"]

DAY = 86_400
WEEK = 7 * DAY
_FIRST = date(1970, 1, 1)


def local_seconds(at: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """Turn seconds since 1970 UTC into what a clock on the wall shows, as seconds; ascending stays ascending.

    Only where summer time ends are two hours told apart no more.
    """
    import pandas as pd  # noqa: PLC0415 - a server starts without it

    utc = pd.to_datetime(pd.Series(at), unit="s", utc=True)
    wall = utc.dt.tz_convert(zone).dt.tz_localize(None)
    return np.maximum.accumulate(wall.to_numpy().astype("datetime64[s]").astype(np.int64))


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of one to seven days, by the clock on the wall.

    Parameters
    ----------
    first
        First day.
    days
        How many.
    opens, closes
        Hours of each day, in seconds from its midnight; more than a day where they pass midnight.
    """

    first: date
    days: int = 1
    opens: int = 0
    closes: int = DAY

    @property
    def day(self) -> int:
        """First day, counted from 1970."""
        return (self.first - _FIRST).days

    @property
    def begin(self) -> int:
        """First second."""
        return self.day * DAY + self.opens

    @property
    def end(self) -> int:
        """The second after the last."""
        return (self.day + self.days - 1) * DAY + self.closes

    def earlier(self, weeks: int) -> Window:
        """Return the same weekdays and hours so many weeks earlier."""
        return Window(self.first - timedelta(weeks=weeks), self.days, self.opens, self.closes)

    def every_day(self) -> Window:
        """Return the same hours of seven days."""
        return Window(self.first, 7, self.opens, self.closes)

    def in_hours(self, at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which times lie within the hours, of whatever day."""
        return np.asarray((at - self.opens) % DAY < self.closes - self.opens)

    def weeks_before(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many weeks earlier the same window held each time; the window itself is 0, -1 where none did.

        Later ones are -1 as well.
        """
        offset = (at - self.opens) // DAY - self.day
        held = self.in_hours(at) & (offset % 7 < self.days) & (offset < 7)
        return np.where(held, -(offset // 7), -1)

    def holds(self, at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which times lie in the window."""
        return np.asarray(self.weeks_before(at) == 0)
