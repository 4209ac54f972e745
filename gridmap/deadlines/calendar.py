"""Working time: how long after a start a limit ends, and how much of a limit is used.

===============  ==========================================================================
unit             its own time
===============  ==========================================================================
`working_hour`   hours in which offices work: by default 8–12 and 14–18 on working days
`working_day`    as many working hours as one working day has, so that 15 working days that
                 begin on a Monday at 10:00 end on a working day at 10:00
`urgent_hour`    hours by the clock, day and night, on holidays too (紧急工作小时)
`urgent_day`     24 hours by the clock (紧急工作日)
`calendar_day`   24 hours by the clock (自然日)
===============  ==========================================================================

A limit ends at the first moment at which that much of the unit's time has passed: four working hours that
begin at 08:00 end at 12:00, and so do those that begin during the night before. That makes stopping and going
on exact: what is used when a clock stops, and what is left when it goes on, add up.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.deadlines.days import listed_days
from gridmap.hours import parse_hours
from gridmap.problems.models import TimeUnit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from numpy.typing import ArrayLike, NDArray

    from gridmap.config import Settings
    from gridmap.deadlines.days import DayList
    from gridmap.errors import InvalidValueError
    from gridmap.hours import Span

__all__ = ["CONTINUOUS", "UNITS", "WorkingCalendar", "as_stamp", "as_time", "load_calendar"]

UNITS: Mapping[TimeUnit, int] = MappingProxyType({unit: at for at, unit in enumerate(TimeUnit)})
"""Position of a unit in columns."""
CONTINUOUS = frozenset({TimeUnit.URGENT_HOUR, TimeUnit.URGENT_DAY, TimeUnit.CALENDAR_DAY})
"""Units that run day and night."""

_HOUR = 3_600_000_000
_WEEK = 7 * 24 * _HOUR
_FIRST_YEAR, _LAST_YEAR = 2000, 2050
_NOTICE = timedelta(days=60)
_NAT = np.iinfo(np.int64).min
_KEPT = 8

_kept: OrderedDict[tuple[Any, ...], WorkingCalendar] = OrderedDict()
_lock = Lock()


class WorkingCalendar:
    """Vectorised working-time arithmetic.

    Parameters
    ----------
    listed
        Days that differ from Monday to Friday, and the years that have a file. Other years are worked from
        Monday to Friday.
    hours
        Working hours of a working day, in ascending order, none past midnight.
    zone
        In which days and hours are meant. Beyond 2000 to 2050, and the years listed, summer time is that of
        the nearest week known.
    """

    def __init__(self, listed: DayList, *, hours: tuple[Span, ...], zone: tzinfo) -> None:
        self.listed = listed
        self.hours = hours
        self.zone = zone
        years = [_FIRST_YEAR, _LAST_YEAR, *(year + step for year in listed.years for step in (-1, 1))]
        edges = np.array([_monday(min(years)), _monday(max(years) + 1)], dtype="datetime64[D]")
        days = np.arange(*edges)
        worked = np.is_busday(days)
        at = (np.array(list(listed.days), dtype="datetime64[D]") - edges[0]).astype(np.int64)
        worked[at] = list(listed.days.values())
        minutes = np.array(hours, dtype="timedelta64[m]")
        spans = self._utc((days[worked, None, None] + minutes).reshape(-1))
        self._starts, self._lengths = spans[::2].copy(), spans[1::2] - spans[::2]
        self._after = np.cumsum(self._lengths)
        self._before = self._after - self._lengths
        self._first, self._last = self._utc(edges)
        self.day = int(np.diff(minutes, axis=1).astype("timedelta64[us]").astype(np.int64).sum())
        """Working time of one working day, in microseconds."""
        size = {TimeUnit.WORKING_HOUR: _HOUR, TimeUnit.WORKING_DAY: self.day, TimeUnit.URGENT_HOUR: _HOUR}
        self._sizes = np.array([size.get(unit, 24 * _HOUR) for unit in TimeUnit])
        self._continuous = np.array([unit in CONTINUOUS for unit in TimeUnit])

    def due(
        self, start: ArrayLike, allowed: ArrayLike, unit: ArrayLike, used: ArrayLike = 0
    ) -> NDArray[np.datetime64]:
        """When limits end. Arrays and scalars broadcast.

        Parameters
        ----------
        start
            datetime64, UTC: since when the clock runs. NaT has no limit.
        allowed
            Whole units.
        unit
            Positions in `TimeUnit`.
        used
            Microseconds of the unit's own time that passed before `start`, on earlier runs of the clock.

        Returns
        -------
        numpy.ndarray
            datetime64[us], UTC. It lies before `start` where more was used than is allowed.
        """
        since, many, kind, spent = np.broadcast_arrays(
            _microseconds(start),
            np.asarray(allowed, dtype=np.int64),
            np.asarray(unit, dtype=np.intp),
            np.asarray(used, dtype=np.int64),
        )
        left = many * self._sizes[kind] - spent
        ends = np.asarray(since + left)
        counted = ~self._continuous[kind] & ((many != 0) | (spent != 0))
        if counted.any():
            ends[counted] = self._moment(self._worked(since[counted]) + left[counted])
        return np.where(since == _NAT, _NAT, ends).view("datetime64[us]")

    def used(self, start: ArrayLike, end: ArrayLike, unit: ArrayLike) -> NDArray[np.int64]:
        """Microseconds of the unit's own time from `start` to `end`, UTC; 0 where one of them is NaT.

        Negative where `end` lies before `start`. Arrays and scalars broadcast.
        """
        since, until, kind = np.broadcast_arrays(
            _microseconds(start), _microseconds(end), np.asarray(unit, dtype=np.intp)
        )
        known = (since != _NAT) & (until != _NAT)
        passed = np.asarray(np.where(known, until - since, 0))
        counted = known & ~self._continuous[kind]
        if counted.any():
            passed[counted] = self._worked(until[counted]) - self._worked(since[counted])
        return passed

    def granted(
        self, start: ArrayLike, end: ArrayLike, unit: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Whole units, and microseconds used of them before `start`, of a limit that is given as a time.

        ``due(start, *granted)`` with the same units is `end`, or the first working moment that is as far.
        """
        passed = np.maximum(self.used(start, end, unit), 0)
        size = self._sizes[np.asarray(unit, dtype=np.intp)]
        allowed = -(-passed // size)
        return allowed, allowed * size - passed

    def is_worked(self, day: date) -> bool:
        """Whether a day is worked."""
        return self.listed.days.get(day, day.weekday() < 5)

    def unknown_years(self, today: date) -> tuple[int, ...]:
        """Years without a file into which limits set today may reach: those of the next 60 days."""
        return tuple(sorted({today.year, (today + _NOTICE).year} - self.listed.years))

    @property
    def faults(self) -> tuple[InvalidValueError, ...]:
        """Why files of this installation are left aside."""
        return self.listed.faults

    def _worked(self, moment: NDArray[np.int64]) -> NDArray[np.int64]:
        """Working time up to moments, counted from the first; whole weeks take others into the table."""
        weeks = np.where(
            moment < self._first,
            (moment - self._first) // _WEEK,
            np.where(moment >= self._last, (moment - self._last) // _WEEK + 1, 0),
        )
        inside = moment - weeks * _WEEK
        at = np.maximum(np.searchsorted(self._starts, inside, side="right") - 1, 0)
        worked = self._before[at] + np.clip(inside - self._starts[at], 0, self._lengths[at])
        return np.asarray(worked + weeks * 5 * self.day)

    def _moment(self, worked: NDArray[np.int64]) -> NDArray[np.int64]:
        """First moment up to which that much was worked."""
        week, total = 5 * self.day, self._after[-1]
        weeks = np.where(
            worked <= 0, -(-worked // week) - 1, np.where(worked > total, -((total - worked) // week), 0)
        )
        inside = worked - weeks * week
        at = np.searchsorted(self._after, inside)
        return np.asarray(self._starts[at] + inside - self._before[at] + weeks * _WEEK)

    def _utc(self, local: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """Microseconds of UTC; an hour that summer time skips is its end, one that comes twice the first."""
        stamps = pd.DatetimeIndex(local.astype("datetime64[us]"))
        zoned = stamps.tz_localize(
            self.zone, ambiguous=np.ones(len(stamps), dtype=bool), nonexistent="shift_forward"
        )
        return zoned.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]").view(np.int64).copy()


def as_stamp(moment: datetime) -> np.datetime64:
    """Turn an aware time into what columns hold: datetime64[us], UTC."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def as_time(stamp: Any) -> datetime:
    """Turn one datetime64, UTC, into an aware time."""
    found: datetime = np.asarray(stamp, dtype="datetime64[us]").item()
    return found.replace(tzinfo=UTC)


def load_calendar(settings: Settings) -> WorkingCalendar:
    """Return the installation's calendar, from memory while its files are the same."""
    folder = settings.data_dir / "calendars"
    try:
        seen = tuple(sorted((e.name, e.stat().st_mtime_ns, e.stat().st_size) for e in folder.iterdir()))
    except OSError:
        seen = ()
    key = (str(folder), seen, settings.working_hours, settings.timezone)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    calendar = WorkingCalendar(
        listed_days(folder), hours=parse_hours(settings.working_hours), zone=settings.zone
    )
    with _lock:
        _kept[key] = calendar
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return calendar


def _monday(year: int) -> date:
    """First Monday of a year."""
    first = date(year, 1, 1)
    return first + timedelta(days=-first.weekday() % 7)


def _microseconds(moment: ArrayLike) -> NDArray[np.int64]:
    return np.asarray(moment, dtype="datetime64[us]").view(np.int64)
