"""Pages of problems: which ones and in which order; a page follows from where the last one ended."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gridmap.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.hotspots.view import View

__all__ = ["Page", "Sort", "in_box", "page_of"]


class Sort(StrEnum):
    """Orders of a list; a minus sign is for the largest first."""

    NEWEST = "-found_at"
    OLDEST = "found_at"
    DUE = "due_at"
    OVERDUE = "-overdue"
    """What is overdue, the longest first; then the others by due time."""
    SEVERITY = "-severity"
    NUMBER = "number"


_KEYS = {
    Sort.NEWEST: ("opened", -1),
    Sort.OLDEST: ("opened", 1),
    Sort.DUE: ("due", 1),
    Sort.OVERDUE: ("due", 1),
    Sort.SEVERITY: ("severity", -1),
    Sort.NUMBER: ("number", 1),
}
_BEHIND = 2**33
"""More than any time that columns hold."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some problems of a view, in order.

    Attributes
    ----------
    numbers
        Case numbers, int64, shape (k,).
    total
        Problems on all pages.
    next
        Cursor of the following page; None at the end.
    """

    numbers: NDArray[np.int64]
    total: int
    next: str | None


def in_box(view: View, rows: NDArray[np.int64], box: tuple[float, float, float, float]) -> NDArray[np.int64]:
    """Return those rows that lie in a box or on its border (west, south, east, north; EPSG:4326)."""
    west, south, east, north = box
    lon, lat = view.snapshot.lon[rows], view.snapshot.lat[rows]
    return rows[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)]


def page_of(
    view: View,
    rows: NDArray[np.int64],
    *,
    sort: Sort,
    limit: int,
    cursor: str | None = None,
    measure: NDArray[np.int64] | None = None,
) -> Page:
    """Cut a page out of some rows of a view.

    A cursor holds the last row's place in the order, not a count, so that problems which come in meanwhile
    neither double nor hide others.

    Parameters
    ----------
    measure
        What to order the rows by instead, the smallest first, shape of `rows`.

    Raises
    ------
    InvalidValueError
        If the cursor was not made by this list in this order.
    """
    name, sign = _KEYS[sort] if measure is None else ("", 1)
    made_for = sort.value if measure is None else "measure"
    key = view.snapshot.values(name, rows).astype(np.int64) * sign if measure is None else measure
    if measure is None and sort is Sort.OVERDUE:
        key += np.where(view.overdue(rows), 0, _BEHIND)
    # Among equals the newest number first where the newest is asked for, else the oldest.
    number = view.snapshot.number[rows] * sign
    total = len(rows)
    if cursor is not None:
        last_key, last_number = _open_cursor(cursor, made_for)
        behind = (key > last_key) | ((key == last_key) & (number > last_number))
        key, number = key[behind], number[behind]
    more = len(key) > limit
    if more:
        # Only rows up to the limit-th key can be on the page; sorting the rest would be wasted.
        bound = np.partition(key, limit - 1)[limit - 1]
        key, number = key[key <= bound], number[key <= bound]
    order = np.lexsort((number, key))[:limit]
    key, number = key[order], number[order]
    following = _close_cursor(made_for, int(key[-1]), int(number[-1])) if more else None
    return Page(number * sign, total, following)


def _close_cursor(made_for: str, key: int, number: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([made_for, key, number]).encode()).decode()


def _open_cursor(cursor: str, order: str) -> tuple[int, int]:
    try:
        made_for, key, number = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if made_for == order:
            return int(key), int(number)
    except (binascii.Error, ValueError, TypeError):
        pass
    raise InvalidValueError(
        "Expected a cursor from an earlier page of the same list; found {found}.",
        parameter="cursor",
        found=cursor[:80],
    )
