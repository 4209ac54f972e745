"""Changing the tables of limits and of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gridmap.deadlines.models import TimeLimit
from gridmap.deadlines.step_table import lock_steps
from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.hours import parse_hours
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.problems.models import Category, TimeUnit

if TYPE_CHECKING:
    import uuid

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["LimitWish", "add_limit", "change_category", "change_step", "move_limit", "remove_limit"]

_MOST, _LONGEST = 999, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitWish:
    """A row for the table of limits; blank conditions hold always.

    Parameters
    ----------
    category, area
        Codes; what lies below is meant too.
    road_level
        At a priority road of this level or a more important one.
    hours
        Of the day when it was found; may pass midnight.
    least_severity
        1 to 5.
    allowed, unit
        Time that is given.
    """

    category: str
    allowed: int
    unit: TimeUnit
    area: str = ""
    road_level: int | None = None
    hours: str = ""
    least_severity: int | None = None
    remark: str = ""


def add_limit(session: Session, actor: Actor, wish: LimitWish) -> TimeLimit:
    """Append a row to the table of limits.

    Raises
    ------
    PermissionDeniedError
        If the actor may not change rules everywhere.
    InvalidValueError
        Naming the field, what was expected and what was found.
    NotFoundError
        If there is no such category or area.
    """
    actor.scope_everywhere(Permission.DEADLINE_RULES)
    _check_time(wish.allowed)
    parse_hours(wish.hours)
    for name, value, most in (("road_level", wish.road_level, 9), ("least_severity", wish.least_severity, 5)):
        if value is not None and not 1 <= value <= most:
            raise InvalidValueError(
                "Expected a number from 1 to {most}; found {found}.", parameter=name, most=most, found=value
            )
    if not any((wish.area, wish.road_level, wish.hours.strip(), wish.least_severity)):
        raise InvalidValueError(
            "Expected at least one condition; without one, change the category's own time.",
            parameter="conditions",
        )
    area = _current(session, Area, wish.area) if wish.area else None
    last = session.scalar(select(func.max(TimeLimit.position))) or 0
    limit = TimeLimit(
        position=last + 1,
        category_id=_current(session, Category, wish.category),
        area_id=area,
        road_level=wish.road_level,
        hours=wish.hours.strip(),
        least_severity=wish.least_severity,
        time_allowed=wish.allowed,
        time_unit=wish.unit,
        remark=wish.remark.strip()[:_LONGEST],
    )
    session.add(limit)
    session.flush()
    return limit


def move_limit(session: Session, actor: Actor, uid: uuid.UUID, *, up: bool) -> None:
    """Ask a row of the table of limits before, or after, its neighbour.

    Raises
    ------
    PermissionDeniedError
        If the actor may not change rules everywhere.
    NotFoundError
        If there is no such row.
    """
    limit = _limit(session, actor, uid)
    rows = list(session.scalars(select(TimeLimit).order_by(TimeLimit.position, TimeLimit.id)))
    at = rows.index(limit)
    other = at - 1 if up else at + 1
    if 0 <= other < len(rows):
        rows[at], rows[other] = rows[other], rows[at]
    for position, row in enumerate(rows, start=1):
        row.position = position
    session.flush()


def remove_limit(session: Session, actor: Actor, uid: uuid.UUID) -> None:
    """Take a row out of the table of limits; problems keep the time they were given.

    Raises
    ------
    PermissionDeniedError
        If the actor may not change rules everywhere.
    NotFoundError
        If there is no such row.
    """
    session.delete(_limit(session, actor, uid))
    session.flush()


def change_category(
    session: Session, actor: Actor, code: str, *, allowed: int, unit: TimeUnit, after_photo: bool
) -> None:
    """Give a category another time of its own, and say whether closing needs a photo taken after fixing.

    Problems keep the time they were given; what is closed stays closed, whatever photos it has.

    Raises
    ------
    PermissionDeniedError
        If the actor may not change rules everywhere.
    NotFoundError
        If there is no such category.
    InvalidValueError
        If the time is none.
    """
    actor.scope_everywhere(Permission.DEADLINE_RULES)
    _check_time(allowed)
    category = session.get_one(Category, _current(session, Category, code))
    category.time_allowed, category.time_unit, category.after_photo = allowed, unit, after_photo
    session.flush()


def change_step(
    session: Session, actor: Actor, uid: uuid.UUID, *, wait: int, unit: TimeUnit, enabled: bool
) -> None:
    """Change when a step after a limit is taken, or whether.

    Raises
    ------
    PermissionDeniedError
        If the actor may not change rules everywhere.
    NotFoundError
        If there is no such step.
    InvalidValueError
        If the wait is below 0 or too long.
    """
    actor.scope_everywhere(Permission.DEADLINE_RULES)
    step = next((step for step in lock_steps(session) if step.uid == uid), None)
    if step is None:
        raise NotFoundError("There is no such step.")
    if not 0 <= wait <= _MOST:
        raise InvalidValueError(
            "Expected a number from 0 to {most}; found {found}.", parameter="wait", most=_MOST, found=wait
        )
    step.wait, step.unit, step.enabled = wait, unit, enabled
    session.flush()


def _limit(session: Session, actor: Actor, uid: uuid.UUID) -> TimeLimit:
    actor.scope_everywhere(Permission.DEADLINE_RULES)
    limit = session.scalar(select(TimeLimit).where(TimeLimit.uid == uid))
    if limit is None:
        raise NotFoundError("There is no such limit.")
    return limit


def _check_time(allowed: int) -> None:
    if not 1 <= allowed <= _MOST:
        raise InvalidValueError(
            "Expected a number from 1 to {most}; found {found}.",
            parameter="allowed",
            most=_MOST,
            found=allowed,
        )


def _current(session: Session, table: type[Area | Category], code: str) -> int:
    found = session.scalar(select(table.id).where(table.code == code, table.valid_to.is_(None)))
    if found is None:
        raise NotFoundError("There is no category or area {code}.", code=code)
    return found
