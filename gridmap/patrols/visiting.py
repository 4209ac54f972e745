"""What an inspection point has of its own for patrols: hours, how often, how long."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.hours import overlap, parse_hours
from gridmap.language import N_, gettext
from gridmap.patrols.rhythm import Rhythm
from gridmap.people.permissions import Permission
from gridmap.places.models import InspectionPoint

if TYPE_CHECKING:
    import uuid
    from datetime import date

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = [
    "LONGEST_STAY",
    "RHYTHM_NAMES",
    "Visiting",
    "point_to_plan",
    "rhythm_name",
    "set_visiting",
    "visiting_of",
]

LONGEST_STAY = 240
_LONGEST_HOURS = 100
RHYTHM_NAMES = {
    "1/1": N_("once a day"),
    "2/1": N_("twice a day"),
    "3/1": N_("three times a day"),
    "1/2": N_("every other day"),
    "1/3": N_("every third day"),
    "1/7": N_("once a week"),
    "2/7": N_("twice a week"),
    "3/7": N_("three times a week"),
}


@dataclass(frozen=True, slots=True)
class Visiting:
    """How patrols go to one place.

    Parameters
    ----------
    hours
        As `gridmap.hours.parse_hours` reads them; empty: any.
    rhythm, minutes
        None: as the plan says.
    """

    hours: str = ""
    rhythm: Rhythm | None = None
    minutes: int | None = None


@cache
def visiting_of(hours: str, rhythm: str, minutes: int) -> Visiting | None:
    """Return what a row says of its own, minutes below 1 nothing; None if nothing that can be read."""
    if not (hours or rhythm or minutes > 0):
        return None
    try:
        read = Rhythm.parse(rhythm, parameter="visit_rhythm")
    except InvalidValueError:
        return None
    return Visiting(hours, read, minutes if minutes > 0 else None)


def rhythm_name(text: str) -> str:
    """Say a rhythm such as ``2/1``, in the reader's language; nothing of an empty one."""
    if text in RHYTHM_NAMES or not text:
        return gettext(RHYTHM_NAMES[text]) if text else ""
    times, days = text.split("/")
    if days == "1":
        return gettext("{n} times a day", n=times)
    return gettext("{n} times in {days} days", n=times, days=days)


def point_to_plan(session: Session, actor: Actor, uid: uuid.UUID, *, day: date) -> InspectionPoint:
    """Return a point in force whose area's patrols the actor plans.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    query = select(InspectionPoint).where(InspectionPoint.uid == uid, InspectionPoint.in_force(day))
    point = session.scalar(query)
    if point is None or not actor.scope(Permission.PATROL_PLAN).covers(point.area_id, None):
        raise NotFoundError("There is no such place, or it lies outside what you may see.")
    return point


def set_visiting(
    session: Session, actor: Actor, uid: uuid.UUID, visiting: Visiting, *, day: date
) -> InspectionPoint:
    """Say how patrols go to a point; what is empty is left to each plan.

    Raises
    ------
    NotFoundError
        If there is no such point whose area's patrols the actor plans.
    InvalidValueError
        If something makes no sense.
    """
    point = point_to_plan(session, actor, uid, day=day)
    hours = visiting.hours.strip()
    try:
        crossing = overlap(parse_hours(hours))
    except InvalidValueError as error:
        raise InvalidValueError(error.message, parameter="visit_hours", **error.params) from error
    if crossing or len(hours) > _LONGEST_HOURS:
        raise InvalidValueError(
            "Expected hours that do not overlap; found “{found}”.", parameter="visit_hours", found=hours
        )
    if visiting.minutes is not None and not 1 <= visiting.minutes <= LONGEST_STAY:
        raise InvalidValueError(
            "Expected a whole number from {least} to {most}; found {found}.",
            parameter="visit_minutes",
            least=1,
            most=LONGEST_STAY,
            found=visiting.minutes,
        )
    point.visit_hours, point.visit_minutes = hours, visiting.minutes
    point.visit_rhythm = str(visiting.rhythm) if visiting.rhythm else ""
    return point
