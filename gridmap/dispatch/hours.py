"""Hours of the day as people write them: ``07:20-08:10,19:00-02:00``."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridmap.errors import InvalidValueError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from numpy.typing import ArrayLike, NDArray

__all__ = ["MINUTES", "Spans", "minutes_of_day", "parse_hours", "within"]

MINUTES = 1440
"""Of a day."""

Spans = tuple[tuple[int, int], ...]
"""From a minute of the day (inclusive) to another (exclusive); the second is smaller past midnight."""

_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*(?:-|~|至|到)\s*(\d{1,2}):(\d{2})")


def parse_hours(text: str) -> Spans:
    """Read spans of hours; full-width characters will do, an empty text is no span.

    Raises
    ------
    InvalidValueError
        If a span is not of the form ``19:00-23:00``, or has no length.
    """
    written = unicodedata.normalize("NFKC", text).replace("、", ",").replace("–", "-").replace("—", "-")
    return tuple(_span(part.strip()) for part in re.split(r"[,;\s]+(?=\d)", written.strip()) if part.strip())


def _span(text: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(text)
    if found:
        first, first_minute, last, last_minute = map(int, found.groups())
        start, end = 60 * first + first_minute, 60 * last + last_minute
        if first_minute < 60 and last_minute < 60 and start < MINUTES and end <= MINUTES and start != end:
            return start, end
    raise InvalidValueError(
        "Expected hours such as 07:20-08:10,19:00-02:00; found “{found}”.", parameter="hours", found=text
    )


def within(spans: Spans, minute: ArrayLike) -> NDArray[np.bool_]:
    """Which minutes of the day lie in one of the spans, shape (n,)."""
    at = np.asarray(minute)
    found = np.zeros(at.shape, dtype=bool)
    for start, end in spans:
        found |= (start <= at) & (at < end) if start < end else (start <= at) | (at < end)
    return found


def minutes_of_day(times: ArrayLike, zone: ZoneInfo) -> NDArray[np.int16]:
    """Minute of the local day of each time.

    Parameters
    ----------
    times
        datetime64, UTC, shape (n,), none of them NaT.
    zone
        Time zone.
    """
    local = pd.DatetimeIndex(np.asarray(times)).tz_localize("UTC").tz_convert(zone)
    return np.asarray(local.hour * 60 + local.minute).astype(np.int16)
