"""What calendars have to know of a plan that was changed since: which rounds somebody has no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.patrols.keeping import versions
from gridmap.patrols.models import PatrolRoute
from gridmap.patrols.wishes import from_json, units_of
from gridmap.people.models import Person

if TYPE_CHECKING:
    import uuid
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from gridmap.patrols.models import PatrolPlan

__all__ = ["Lost", "led_rounds", "lost_rounds"]


@dataclass(frozen=True, slots=True)
class Lost:
    """A round of a former version, as it was last."""

    day: date
    leaves_at: datetime
    returns_at: datetime


def led_rounds(session: Session, version: PatrolPlan) -> list[tuple[PatrolRoute, uuid.UUID, date]]:
    """Return the rounds of one version of a plan, with whose each is as the wish names them, and its day."""
    units = units_of(from_json(version.wish)) if version.wish else []
    query = (
        select(PatrolRoute, Person.uid)
        .join(Person, Person.id == PatrolRoute.person_id)
        .where(PatrolRoute.plan_id == version.id)
        .order_by(PatrolRoute.id)
    )
    return [
        (route, *(units[route.unit] if route.unit < len(units) else (person, version.day)))
        for route, person in session.execute(query)
    ]


def lost_rounds(session: Session, plan: PatrolPlan, lead: uuid.UUID) -> list[Lost]:
    """Return the rounds that somebody had in former versions of a plan and not in the newest, by day.

    Parameters
    ----------
    plan
        Any version.
    lead
        Whose rounds, as the wish names them: of two who go together the first.
    """
    known: dict[date, Lost] = {}
    last: dict[date, Lost] = {}
    for version in versions(session, plan):
        last = {
            day: Lost(day, route.leaves_at, route.returns_at)
            for route, who, day in led_rounds(session, version)
            if who == lead
        }
        known |= last
    return [one for day, one in sorted(known.items()) if day not in last]
