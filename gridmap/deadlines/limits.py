"""How much time a problem is given: the first condition of its category that fits, or the category's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import select

from gridmap.deadlines.calendar import UNITS, load_calendar
from gridmap.deadlines.models import TimeLimit
from gridmap.hours import parse_hours, within_hours
from gridmap.places.models import Area, PriorityRoad
from gridmap.problems.models import Category
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.deadlines.calendar import WorkingCalendar
    from gridmap.hours import Span

__all__ = ["Condition", "Limits", "first_fitting", "load_limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One row of the table, with everything below its category and area spelled out; None: always."""

    categories: frozenset[int]
    areas: frozenset[int] | None = None
    road_level: int | None = None
    hours: tuple[Span, ...] = ()
    least_severity: int | None = None
    allowed: int
    unit: int
    """Position in `TimeUnit`."""


def first_fitting(
    conditions: Iterable[Condition],
    *,
    category: ArrayLike,
    area: ArrayLike,
    road_level: ArrayLike,
    minute: ArrayLike,
    severity: ArrayLike,
) -> NDArray[np.int16]:
    """Position of the first condition that fits each problem, -1: none; shape (n,).

    Parameters
    ----------
    conditions
        In the order in which they are asked.
    category, area
        Ids, shape (n,); -1: none.
    road_level
        Of the priority road, shape (n,); -1: at none.
    minute
        Of the day when it was found, in the installation's zone, shape (n,).
    severity
        1 to 5, shape (n,).
    """
    kinds, places, levels = np.asarray(category), np.asarray(area), np.asarray(road_level)
    found = np.full(kinds.shape, -1, dtype=np.int16)
    for at, condition in enumerate(conditions):
        fits = (found < 0) & np.isin(kinds, list(condition.categories))
        if condition.areas is not None:
            fits &= np.isin(places, list(condition.areas))
        if condition.road_level is not None:
            fits &= (levels >= 0) & (levels <= condition.road_level)
        if condition.hours:
            fits &= within_hours(condition.hours, minute)
        if condition.least_severity is not None:
            fits &= np.asarray(severity) >= condition.least_severity
        found[fits] = at
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The table of conditions in force, and the calendar in which limits are counted."""

    conditions: tuple[Condition, ...]
    road_levels: dict[int, int]
    calendar: WorkingCalendar
    zone: tzinfo

    def allowed(
        self,
        own_allowed: ArrayLike,
        own_unit: ArrayLike,
        *,
        category: ArrayLike,
        area: ArrayLike,
        road: ArrayLike,
        severity: ArrayLike,
        found_at: ArrayLike,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
        """Time that problems are given.

        Parameters
        ----------
        own_allowed, own_unit
            The category's own time in whole units, and positions in `TimeUnit`, shape (n,).
        category, area, road
            Ids, shape (n,); -1: none.
        severity
            1 to 5, shape (n,).
        found_at
            datetime64, UTC, shape (n,).

        Returns
        -------
        tuple
            Whole units, positions in `TimeUnit`, and the position of the condition that decided, -1 where it
            was the category; shape (n,) each.
        """
        many, unit = (np.array(values, dtype=np.int64) for values in (own_allowed, own_unit))
        if not self.conditions:
            return many, unit, np.full(many.shape, -1, dtype=np.int16)
        by = first_fitting(
            self.conditions,
            category=category,
            area=area,
            road_level=self._levels(np.asarray(road)),
            minute=self._minutes(found_at),
            severity=severity,
        )
        given = by >= 0
        many[given] = np.array([condition.allowed for condition in self.conditions])[by[given]]
        unit[given] = np.array([condition.unit for condition in self.conditions])[by[given]]
        return many, unit, by

    def _levels(self, road: NDArray[Any]) -> NDArray[np.int64]:
        ids = np.array([-1, *sorted(self.road_levels)])
        levels = np.array([-1, *(self.road_levels[one] for one in ids[1:].tolist())])
        at = np.minimum(np.searchsorted(ids, road), len(ids) - 1)
        return np.where(ids[at] == road, levels[at], -1)

    def _minutes(self, found_at: ArrayLike) -> NDArray[np.int64]:
        if not any(condition.hours for condition in self.conditions):
            return np.zeros(np.shape(found_at), dtype=np.int64)
        local = pd.DatetimeIndex(np.asarray(found_at)).tz_localize("UTC").tz_convert(self.zone)
        return np.asarray(local.hour * 60 + local.minute)


def load_limits(session: Session, settings: Settings) -> Limits:
    """Read the table of conditions in force."""
    rows = session.scalars(select(TimeLimit).order_by(TimeLimit.position, TimeLimit.id)).all()
    calendar = load_calendar(settings)
    if not rows:
        return Limits((), {}, calendar, settings.zone)
    kinds = _tree(read_columns(session, select(Category.id, Category.parent_id)))
    areas = _tree(read_columns(session, select(Area.id, Area.parent_id)))
    roads = read_columns(session, select(PriorityRoad.id, PriorityRoad.level))
    return Limits(
        tuple(
            Condition(
                categories=_below(kinds, row.category_id),
                areas=None if row.area_id is None else _below(areas, row.area_id),
                road_level=row.road_level,
                hours=parse_hours(row.hours),
                least_severity=row.least_severity,
                allowed=row.time_allowed,
                unit=UNITS[row.time_unit],
            )
            for row in rows
        ),
        dict(zip(roads["id"].tolist(), roads["level"].tolist(), strict=True)),
        calendar,
        settings.zone,
    )


def _tree(rows: dict[str, NDArray[Any]]) -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for one, parent in zip(rows["id"].tolist(), rows["parent_id"].tolist(), strict=True):
        children.setdefault(parent, []).append(one)
    return children


def _below(children: dict[int, list[int]], top: int) -> frozenset[int]:
    found, ahead = {top}, [top]
    while ahead:
        new = [child for child in children.get(ahead.pop(), []) if child not in found]
        found.update(new)
        ahead += new
    return frozenset(found)
