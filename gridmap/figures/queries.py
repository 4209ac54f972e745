"""Figures of a view and a period: the table, and the problems behind each of its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.errors import InvalidValueError
from gridmap.figures.counting import Lives, day_of, medians, members, spans, tallied
from gridmap.figures.formulas import COUNTS, RATES, TIMES, Basis, Rate
from gridmap.figures.grouping import By, Groups, group_cells, group_rows
from gridmap.figures.sharing import spread
from gridmap.hotspots.counts import day_positions, midnights
from gridmap.people.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

    from gridmap.figures.sharing import CellShares
    from gridmap.hotspots.view import View
    from gridmap.places.cards import Faces

__all__ = ["Figures", "Line", "Period", "Question", "read_figures", "rows_behind", "seconds_of"]

_MOST_DAYS = 3700
_MOST_BARS = 62


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the installation's time zone, both included.

    Raises
    ------
    InvalidValueError
        If the last comes before the first, or there are more than ten years between them.
    """

    first: date
    last: date

    def __post_init__(self) -> None:
        if not 0 <= (self.last - self.first).days < _MOST_DAYS:
            raise InvalidValueError(
                "Expected a last day on or after the first, within ten years; found {first} to {last}.",
                parameter="last",
                first=self.first.isoformat(),
                last=self.last.isoformat(),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the problems of a view.

    Parameters
    ----------
    period, basis
        Which of them, and by which of their days they are in it.
    by
        What tells the lines apart.
    sort
        Name of a figure, or ``name``; with a minus sign the largest first. Empty: the order of the groups.
    limit
        Most lines.
    """

    period: Period
    basis: Basis = Basis.FOUND
    by: By = By.SUBDISTRICT
    sort: str = "-found"
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one group; a rate or time is None where there is nothing to divide by or to order."""

    key: str
    name: str
    counts: Mapping[str, float]
    """Whole numbers, but of a cell: there lines and polygons count by the share that lies in it."""
    rates: dict[str, float | None]
    times: dict[str, float | None]
    days: list[int]
    """Problems of the period per bar of the small chart; see `Figures.span`."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A table of figures.

    Attributes
    ----------
    lines
        As many groups as were asked for, in order.
    groups
        How many there are.
    total
        All of them together.
    span
        Days in one bar of the small charts.
    """

    lines: list[Line]
    groups: int
    total: Line
    span: int


@dataclass(frozen=True)
class _Asked:
    """Rows of the period with their times and groups.

    Attributes
    ----------
    whole
        Each problem once.
    rows, times
        Each as often as it is in a group.
    weight
        By how much each of them counts there; None: by one.
    """

    whole: NDArray[np.int64]
    rows: NDArray[np.int64]
    times: NDArray[np.uint32]
    weight: NDArray[np.float64] | None
    bounds: NDArray[np.int64]
    groups: Groups


def _ask(view: View, question: Question, faces: Faces, zone: ZoneInfo, shares: CellShares | None) -> _Asked:
    if question.by is By.PERSON:
        faces.actor.scope(Permission.PERSON_READ)
    period = question.period
    bounds = midnights(period.first, period.last, zone)
    times = day_of(view.snapshot, view.rows, question.basis)
    inside = (times >= bounds[0]) & (times < bounds[-1])
    rows, times = view.rows[inside], times[inside]
    if question.by is By.CELL and shares is not None:
        number = view.snapshot.number[rows].astype(np.int64)
        cell = view.snapshot.values("cell", rows).astype(np.int64)
        parts = spread(number, cell, shares, faces=faces)
        groups = group_cells(parts.cell, faces)
        return _Asked(rows, rows[parts.at], times[parts.at], parts.weight, bounds, groups)
    groups = group_rows(
        view.snapshot, rows, question.by, faces=faces, times=times, bounds=bounds, first=period.first
    )
    return _Asked(rows, rows, times, None, bounds, groups)


def read_figures(
    view: View,
    question: Question,
    *,
    faces: Faces,
    zone: ZoneInfo,
    rates: Mapping[str, Rate],
    shares: CellShares | None = None,
) -> Figures:
    """Count the problems of a view that belong to a period, per group and all together.

    Parameters
    ----------
    view
        With problems of every state, limited to what the reader may see.
    question
        Which period, and what tells the lines apart.
    faces
        How people appear to the reader.
    zone
        Of the installation, for its days.
    rates
        With the denominators that the installation chose; see `gridmap.figures.formulas.chosen_rates`.
    shares
        Of lines and polygons, for figures per cell; None: each counts whole in the cell that leads.

    Raises
    ------
    PermissionDeniedError
        If lines are to be people and the reader may see none.
    InvalidValueError
        If there is no figure to sort by of that name.
    """
    asked = _ask(view, question, faces, zone, shares)
    lives = Lives.of(view.snapshot, asked.rows)
    count = len(asked.groups)
    counts = tallied(lives, asked.groups.of, count, view.moment, asked.weight)
    times = medians(lives, asked.groups.of, count, view.moment)
    divided = {
        name: _divided(counts[rate.numerator], counts[rate.denominator]) for name, rate in rates.items()
    }
    order = _ordered(question.sort, asked.groups, {**divided, **times, **counts})
    shown = order[: question.limit]
    span = -(-(len(asked.bounds) - 1) // _MOST_BARS)
    bars = _bars(asked, shown, span)
    lines = [
        Line(
            asked.groups.keys[at],
            asked.groups.names[at],
            {name: _count(column[at]) for name, column in counts.items()},
            {name: _known(column[at]) for name, column in divided.items()},
            {name: _known(column[at]) for name, column in times.items()},
            bars[position].tolist(),
        )
        for position, at in enumerate(shown)
    ]
    return Figures(lines, count, _total(view, lives, counts, rates, asked=asked, span=span), span)


def _count(value: float) -> float:
    """A count as it is read: whole where it is whole, else to two places."""
    return int(value) if float(value).is_integer() else round(float(value), 2)


def _total(
    view: View,
    lives: Lives,
    counts: Mapping[str, NDArray[Any]],
    rates: Mapping[str, Rate],
    *,
    asked: _Asked,
    span: int,
) -> Line:
    times = asked.times
    if asked.weight is None:
        sums = {name: int(column.sum()) for name, column in counts.items()}
    else:
        # Shares of what lies in no cell are missing from the groups; all together it is one problem.
        lives = Lives.of(view.snapshot, asked.whole)
        sums = {name: int(members(lives, name, view.moment).sum()) for name in counts}
        once = np.unique(asked.rows, return_index=True)[1]
        times = times[once]
    alone = np.zeros(len(lives), dtype=np.int64)
    days = np.bincount(_bar_of(times, asked.bounds, span), minlength=-(-(len(asked.bounds) - 1) // span))
    return Line(
        "",
        "",
        sums,
        {
            name: sums[rate.numerator] / sums[rate.denominator] if sums[rate.denominator] else None
            for name, rate in rates.items()
        },
        {name: _known(column[0]) for name, column in medians(lives, alone, 1, view.moment).items()},
        days.tolist(),
    )


def _divided(above: NDArray[np.int64], below: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _ordered(sort: str, groups: Groups, columns: Mapping[str, NDArray[np.generic]]) -> list[int]:
    if not sort:
        return list(range(len(groups)))
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name == "name":
        return sorted(range(len(groups)), key=lambda at: groups.names[at], reverse=down)
    if name not in columns:
        raise InvalidValueError(
            "Expected one of {expected}; found “{found}”.",
            parameter="sort",
            expected=", ".join(("name", *COUNTS, *RATES, *TIMES)),
            found=name,
        )
    values = np.asarray(columns[name], dtype=np.float64)
    # Stable and NaN last, whichever way.
    return [int(at) for at in np.argsort(-values if down else values, kind="stable")]


def _bar_of(times: NDArray[np.uint32], bounds: NDArray[np.int64], span: int) -> NDArray[np.int64]:
    return day_positions(times.astype(np.int64), bounds) // span


def _bars(asked: _Asked, shown: list[int], span: int) -> NDArray[np.int64]:
    """Problems per shown group and bar, shape (groups shown, bars)."""
    bars = -(-(len(asked.bounds) - 1) // span)
    if not shown:
        return np.zeros((0, bars), dtype=np.int64)
    line = np.full(len(asked.groups), len(shown))
    line[shown] = np.arange(len(shown))
    at = line[asked.groups.of] * bars + _bar_of(asked.times, asked.bounds, span)
    return np.bincount(at, minlength=(len(shown) + 1) * bars).reshape(-1, bars)[: len(shown)]


def rows_behind(
    view: View,
    question: Question,
    figure: str,
    key: str | None,
    *,
    faces: Faces,
    zone: ZoneInfo,
    shares: CellShares | None = None,
) -> NDArray[np.int64]:
    """Return the rows of a view that a number counts, or of a cell any share of, ascending.

    Parameters
    ----------
    figure
        Name of a count, or of a median: then what it was taken from.
    key
        Of the line; None: of the line of all.
    shares
        As for `read_figures`.

    Raises
    ------
    InvalidValueError
        If there is no such count or median.
    PermissionDeniedError
        As for `read_figures`.
    """
    if figure not in COUNTS and figure not in TIMES:
        raise InvalidValueError(
            "Expected one of {expected}; found “{found}”.",
            parameter="figure",
            expected=", ".join((*COUNTS, *TIMES)),
            found=figure,
        )
    asked = _ask(view, question, faces, zone, shares)
    lives = Lives.of(view.snapshot, asked.rows)
    kept = spans(lives, figure, view.moment) >= 0 if figure in TIMES else members(lives, figure, view.moment)
    if key is not None:
        named = np.array([one == key for one in asked.groups.keys], dtype=bool)
        kept &= named[asked.groups.of] if len(named) else False
    return np.unique(asked.rows[kept])


def seconds_of(view: View, rows: NDArray[np.int64], figure: str) -> NDArray[np.int64]:
    """How long each of the rows behind a median took, seconds, shape (n,)."""
    return spans(Lives.of(view.snapshot, rows), figure, view.moment)
