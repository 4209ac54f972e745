"""Hours of the day, as people write them: ``08:00-12:00,14:00-18:00``."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gridmap.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Span", "overlap", "parse_hours", "within_hours"]

Span = tuple[int, int]
"""Minutes of the day, from (inclusive) and to (exclusive); the second is smaller where midnight is passed."""

_SPAN = re.compile(r"(\d{1,2})[:：](\d{2})\s*[-–—~至]\s*(\d{1,2})[:：](\d{2})")
_WIDE = str.maketrans("０１２３４５６７８９－～", "0123456789-~")
_SEPARATORS = re.compile(r"[,，、;；\s]+")


def parse_hours(text: str) -> tuple[Span, ...]:
    """Read spans of the day, written with narrow or wide characters; none from a blank text.

    Raises
    ------
    InvalidValueError
        If it says something else.
    """
    spans, plain = [], text.translate(_WIDE)
    for found in _SPAN.finditer(plain):
        hour, minute, end_hour, end_minute = map(int, found.groups())
        span = (hour * 60 + minute, end_hour * 60 + end_minute)
        if max(minute, end_minute) > 59 or max(span) > 24 * 60 or span[0] == span[1]:
            raise _unread(text)
        spans.append(span)
    if _SEPARATORS.sub("", _SPAN.sub("", plain)):
        raise _unread(text)
    return tuple(spans)


def overlap(spans: tuple[Span, ...]) -> bool:
    """Whether some minute of the day lies in two of the spans."""
    edges = [part for a, b in spans for part in (((a, b),) if a < b else ((a, 24 * 60), (0, b)))]
    return any(end > start for (_, end), (start, _) in pairwise(sorted(edges)))


def within_hours(spans: tuple[Span, ...], minute: ArrayLike) -> NDArray[np.bool_]:
    """Whether minutes of the day, shape (n,), lie in one of the spans; in no spans always."""
    at = np.asarray(minute)
    if not spans:
        return np.ones(at.shape, dtype=bool)
    found = np.zeros(at.shape, dtype=bool)
    for start, end in spans:
        found |= (at >= start) & (at < end) if start < end else (at >= start) | (at < end)
    return found


def _unread(text: str) -> InvalidValueError:
    return InvalidValueError(
        "Expected hours such as 08:00-12:00,14:00-18:00; found {found!r}.", parameter="hours", found=text
    )
