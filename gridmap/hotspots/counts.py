"""Problems counted: per cell for colours, and per category, state, source, area, organisation and day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.point_columns import NEVER
from gridmap.hotspots.loading import SOURCES, STATES
from gridmap.hotspots.snapshot import DOUBTFUL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

    from gridmap.hotspots.view import View
    from gridmap.places.directory import Directory

__all__ = ["CellLoad", "Days", "Summary", "cell_loads", "day_positions", "midnights", "summarise", "tally"]

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class CellLoad:
    """Problems in a cell: those that match, those of them that are overdue, and how many are doubtful."""

    matching: int
    overdue: int
    doubtful: int


@dataclass(frozen=True, slots=True)
class Days:
    """Problems per day of the installation's time zone, from `first` on, arrays of shape (d,)."""

    first: date
    found: NDArray[np.int64]
    closed: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts by database id or enumeration value; a group is counted with every other part of the filter.

    `categories` and `areas` include what lies below; None is what has no area or organisation.
    """

    total: int
    overdue: int
    doubtful: int
    categories: Mapping[int, int]
    states: Mapping[str, int]
    sources: Mapping[str, int]
    areas: Mapping[int | None, int]
    organisations: Mapping[int | None, int]
    days: Days | None


def tally(view: View) -> CellLoad:
    """Count all of a view."""
    rows = view.rows
    return CellLoad(len(rows), int(view.overdue(rows).sum()), len(_doubtful_rows(view)))


def cell_loads(view: View) -> tuple[dict[int, CellLoad], CellLoad]:
    """Count per cell.

    Returns
    -------
    tuple
        Loads by cell id, cells without any left out, and the load outside every cell.
    """
    cell = view.snapshot.points.rows.cell
    rows, doubtful = view.rows, _doubtful_rows(view)
    overdue = rows[view.overdue(rows)]
    size = int(cell.max(initial=-1)) + 2
    counts = np.stack([np.bincount(cell[part] + 1, minlength=size) for part in (rows, overdue, doubtful)])
    found = np.flatnonzero(counts.any(axis=0))
    loads = {
        int(at) - 1: CellLoad(*values) for at, values in zip(found, counts[:, found].T.tolist(), strict=True)
    }
    return loads, loads.pop(-1, CellLoad(0, 0, 0))


def _doubtful_rows(view: View) -> NDArray[np.int64]:
    rows = view.without("doubt")
    return rows[(view.snapshot.values("flags", rows) & DOUBTFUL) > 0]


def summarise(view: View, directory: Directory, zone: ZoneInfo) -> Summary:
    """Count a view in every way that a filter panel and a time slider show."""
    snapshot = view.snapshot
    whole = tally(view)

    def counted(name: str) -> dict[int, int]:
        return _count(snapshot.values(name, view.without(name)))

    categories: Counter[int] = Counter()
    for category_id, count in counted("category").items():
        categories[category_id] += count
        category = directory.categories.get(category_id)
        if category is not None and category.parent is not None:
            categories[category.parent] += count
    areas: Counter[int | None] = Counter()
    for area_id, count in counted("area").items():
        for above in directory.above(area_id) if area_id >= 0 else ():
            areas[above.id] += count
        if area_id < 0:
            areas[None] += count
    return Summary(
        total=whole.matching,
        overdue=whole.overdue,
        doubtful=whole.doubtful,
        categories=categories,
        states={STATES[position].value: count for position, count in counted("state").items()},
        sources={SOURCES[position]: count for position, count in counted("source").items()},
        areas=areas,
        organisations={key if key >= 0 else None: count for key, count in counted("organisation").items()},
        days=_days(view, zone),
    )


def _count(values: NDArray[Any]) -> dict[int, int]:
    """Occurrences of each value >= -1."""
    counts = np.bincount(values.astype(np.int64) + 1)
    found = np.flatnonzero(counts)
    return {int(at) - 1: int(counts[at]) for at in found}


def _days(view: View, zone: ZoneInfo) -> Days | None:
    rows = view.without("time")
    if not len(rows):
        return None
    opened = view.snapshot.values("opened", rows)
    closed = view.snapshot.values("closed", rows)
    closed = closed[closed < NEVER]
    last = max(int(opened.max()), int(closed.max(initial=0)))
    first = datetime.fromtimestamp(int(min(opened.min(), closed.min(initial=opened.min()))), zone).date()
    bounds = midnights(first, datetime.fromtimestamp(last, zone).date(), zone)
    return Days(first, _per_day(opened, bounds), _per_day(closed, bounds))


def midnights(first: date, last: date, zone: ZoneInfo) -> NDArray[np.int64]:
    """Starts of the days from `first` to the one after `last`, seconds since 1970 UTC."""
    start = datetime(first.year, first.month, first.day, tzinfo=zone)
    return np.array(
        [
            int((start + timedelta(days=i)).astimezone(UTC).timestamp())
            for i in range((last - first).days + 2)
        ],
        dtype=np.int64,
    )


def _per_day(times: NDArray[np.int64], bounds: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bincount(day_positions(times, bounds), minlength=len(bounds) - 1)


def day_positions(times: NDArray[np.int64], bounds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Day of each time between `bounds` (see `midnights`), counted from 0; seconds since 1970 UTC."""
    if (np.diff(bounds) == _DAY).all():
        return np.asarray((times - bounds[0]) // _DAY)
    # Summer time: days of 23 and 25 hours.
    return np.asarray(np.searchsorted(bounds, times, side="right") - 1)
