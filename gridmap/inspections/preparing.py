"""From what is open along a route, and the hands there are, to what is fixed first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gridmap.errors import InvalidValueError
from gridmap.inspections.readiness import (
    Load,
    Remedy,
    chance_to_see,
    deductions,
    fix_first,
    places,
    worked_hours,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

    from geodata.travel import Profile
    from gridmap.hours import Span
    from gridmap.inspections.deduction_table import DeductionTable
    from gridmap.inspections.queries import Seen

__all__ = ["HANDS", "TO_VERIFY_H", "Means", "Prepared", "expect", "prepare", "usual_hours"]

HANDS = 2
"""Of each organisation, unless something else is said."""
TO_VERIFY_H = 0.25
"""Hours to look whether what is reported as fixed is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """With what the route is made ready.

    Parameters
    ----------
    begins_at
        When work begins.
    spans
        In which minutes of the day work is done; none: round the clock.
    hands
        Of organisations, by row of the store; of others `HANDS`.
    hours
        To fix a problem, by category; of others what is usual for its severity.
    limit
        The most points that one place loses.
    table
        What a problem costs.
    """

    begins_at: datetime
    table: DeductionTable
    limit: float
    spans: tuple[Span, ...] = ()
    hands: Mapping[int, int] = field(default_factory=dict)
    hours: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """What is fixed first, with what led to it; the arrays stand for the problems of a `Seen`, shape (k,).

    Attributes
    ----------
    chance
        That the assessors see it.
    load
        What each costs and takes.
    owners
        Rows of the organisations, in the order in which `load.owner` counts them.
    remedy
        The plan.
    """

    chance: NDArray[np.float64]
    load: Load
    owners: tuple[int, ...]
    remedy: Remedy


def usual_hours(seen: Seen, table: DeductionTable) -> dict[int, float]:
    """Hours that are assumed for each category along a route: usual for the severity most of it has."""
    found = {}
    for category in np.unique(seen.category).tolist():
        severity = np.clip(seen.severity[seen.category == category], 0, len(table.hours) - 1)
        found[category] = float(table.hours[np.bincount(severity).argmax()])
    return found


def prepare(seen: Seen, profile: Profile, means: Means, *, zone: ZoneInfo) -> Prepared:
    """Work out the deductions to expect, and what to fix first.

    Parameters
    ----------
    seen
        What is open along the route.
    profile
        How the assessors go.
    means
        Hands and hours.
    zone
        In which the working hours are meant.

    Raises
    ------
    InvalidValueError
        If a number makes no sense.
    """
    _check(means)
    corridor = seen.corridor
    chance, cost = _costs(seen, profile, means.table)
    owners, owner = np.unique(seen.organisation[seen.organisation >= 0], return_inverse=True)
    of = np.full(len(chance), -1, dtype=np.int64)
    of[seen.organisation >= 0] = owner
    hours = usual_hours(seen, means.table) | dict(means.hours)
    categories, category = np.unique(seen.category, return_inverse=True)
    taken = np.array([hours[one] for one in categories.tolist()], dtype=float)[category]
    offset = means.begins_at.astimezone(zone).utcoffset()
    shift = np.timedelta64(offset, "us") if offset is not None else np.timedelta64(0, "us")
    begin = np.datetime64(means.begins_at.astimezone(zone).replace(tzinfo=None), "us")
    load = Load(
        cost=cost,
        hours=np.where(seen.fixed, np.minimum(taken, TO_VERIFY_H), taken),
        deadline=worked_hours(begin, seen.passes_at + shift, means.spans),
        owner=of,
        place=places(corridor.stop, corridor.along_m, means.table.place_m),
    )
    hands = np.array([means.hands.get(one, HANDS) for one in owners.tolist()], dtype=float)
    remedy = fix_first(load, hands, limit=means.limit)
    return Prepared(chance=chance, load=load, owners=tuple(owners.tolist()), remedy=remedy)


def expect(seen: Seen, profile: Profile, table: DeductionTable) -> float:
    """Deductions to expect if the assessors came now, as things are.

    Parameters
    ----------
    seen
        What is open along the route.
    profile
        How they go.
    table
        What a problem costs.
    """
    _, cost = _costs(seen, profile, table)
    at = places(seen.corridor.stop, seen.corridor.along_m, table.place_m)
    return deductions(cost, at, table.most_points)


def _costs(
    seen: Seen, profile: Profile, table: DeductionTable
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chance that each problem is seen, and the deduction to expect for it."""
    corridor = seen.corridor
    chance = chance_to_see(corridor.aside_m, corridor.hidden, corridor.stop >= 0, profile, table)
    severity = np.clip(seen.severity, 0, len(table.points) - 1)
    return chance, table.points[severity] * chance * np.where(seen.fixed, table.still_there, 1.0)


def _check(means: Means) -> None:
    numbers = (
        *(("hands", value, 0, 999) for value in means.hands.values()),
        *(("hours", value, 0.1, 999) for value in means.hours.values()),
        ("limit", means.limit, 0.1, 100),
    )
    for name, value, least, most in numbers:
        if not least <= value <= most:
            raise InvalidValueError(
                "Expected a number from {least} to {most}; found {found}.",
                parameter=name,
                least=least,
                most=most,
                found=value,
            )
