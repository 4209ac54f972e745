"""Calendars to count in, and a second way to count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gridmap.config import Settings
from gridmap.deadlines.calendar import load_calendar
from gridmap.problems.models import TimeUnit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gridmap.deadlines.calendar import WorkingCalendar

MINUTE = timedelta(minutes=1)
CONTINUOUS = {TimeUnit.URGENT_HOUR: 1, TimeUnit.URGENT_DAY: 24, TimeUnit.CALENDAR_DAY: 24}


@pytest.fixture
def calendar(tmp_path: Path) -> WorkingCalendar:
    return load_calendar(Settings(data_dir=tmp_path))


class Walker:
    """Limits counted minute by minute in plain Python, from the words of the specification."""

    def __init__(self, is_working_day, hours, zone) -> None:
        self.is_working_day, self.hours, self.zone = is_working_day, hours, zone
        self.day = sum(end - start for start, end in hours)

    def working(self, moment: datetime) -> bool:
        local = moment.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return self.is_working_day(local.date()) and any(start <= minute < end for start, end in self.hours)

    def due(self, start: datetime, allowed: int, unit: TimeUnit) -> datetime:
        if unit in CONTINUOUS:
            return start.astimezone(UTC) + timedelta(hours=allowed * CONTINUOUS[unit])
        left = allowed * (60 if unit is TimeUnit.WORKING_HOUR else self.day)
        at = start.astimezone(UTC)
        while left:
            if self.working(at):
                left -= 1
            at += MINUTE
        return at

    def used(self, start: datetime, end: datetime, unit: TimeUnit) -> int:
        if unit in CONTINUOUS:
            return (end - start) // timedelta(microseconds=1)
        at, minutes = start.astimezone(UTC), 0
        while at < end:
            minutes += self.working(at)
            at += MINUTE
        return minutes * 60_000_000


@pytest.fixture(scope="session")
def walker() -> type[Walker]:
    return Walker


def _stamp(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


@pytest.fixture(scope="session")
def stamp() -> Callable[[datetime], np.datetime64]:
    """Turn an aware time into what columns hold."""
    return _stamp
