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

__all__ = ["Lost", "lost_rounds"]


@dataclass(frozen=True, slots=True)
class Lost:
    """A round of a former version, as it was last."""

    day: date
    leaves_at: datetime
    returns_at: datetime


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
        units = units_of(from_json(version.wish)) if version.wish else []
        query = (
            select(PatrolRoute, Person.uid)
            .join(Person, Person.id == PatrolRoute.person_id)
            .where(PatrolRoute.plan_id == version.id)
        )
        last = {}
        for route, person in session.execute(query):
            who, day = units[route.unit] if route.unit < len(units) else (person, version.day)
            if who == lead:
                last[day] = Lost(day, route.leaves_at, route.returns_at)
        known |= last
    return [one for day, one in sorted(known.items()) if day not in last]
