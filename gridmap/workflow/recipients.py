"""Who gets a problem that is dispatched, and how much time it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from gridmap.dispatch.service import choose
from gridmap.errors import InvalidValueError
from gridmap.people.models import Organisation, Person
from gridmap.problems.models import State
from gridmap.workflow.changes import Given
from gridmap.workflow.rules import STATES
from gridmap.workflow.transitions import DISPATCHES

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.deadlines.limits import Limits
    from gridmap.workflow.lives import Lives
    from gridmap.workflow.step import Step

__all__ = ["recipients", "with_time"]


def recipients(session: Session, lives: Lives, step: Step, *, settings: Settings, now: datetime) -> Given:
    """Find who gets each problem: whom the step names, or else whom rules and responsibilities give it to.

    An organisation that has returned a problem as not theirs does not get it again unless it is named.

    Raises
    ------
    InvalidValueError
        If there is no such organisation or person, or the person belongs to another organisation.
    """
    organisation, person = lives["organisation_id"].copy(), lives["person_id"].copy()
    reason, rule = (np.full(len(lives), None, dtype=object) for _ in range(2))
    if step.organisation is not None or step.person is not None:
        body, who = _named(session, step.organisation, step.person)
        reason[:] = "chosen"
        # Whoever held it before stays at it only within the same organisation.
        person[organisation != body] = -1
        organisation[:] = body
        if who >= 0:
            person[:] = who
    elif step.action in DISPATCHES and len(lives):
        choice = choose(session, lives["id"], settings=settings, now=now)
        returned = (lives["state"] == STATES.index(State.RETURNED)) & (choice.organisation == organisation)
        organisation, person = np.where(returned, -1, choice.organisation), choice.person
        reason, rule = choice.codes(), choice.ruled()
    return Given(
        organisation=organisation,
        person=person,
        allowed=lives["category_allowed"].astype(np.int64),
        unit=lives["category_unit"].astype(np.int64),
        reason=reason,
        rule=rule,
    )


def with_time(given: Given, lives: Lives, limits: Limits) -> Given:
    """Give each problem the time of the first condition that fits it, or else its category's own.

    Parameters
    ----------
    given
        Who gets the problems, with the categories' own times.
    lives
        The problems.
    limits
        The table of conditions in force.
    """
    allowed, unit, _ = limits.allowed(
        given.allowed,
        given.unit,
        category=lives["category_id"],
        area=lives["area_id"],
        road=lives["road_id"],
        severity=lives["severity"],
        found_at=lives["found_at"],
    )
    return replace(given, allowed=allowed, unit=unit)


def _named(session: Session, organisation: uuid.UUID | None, person: uuid.UUID | None) -> tuple[int, int]:
    """Ids of an organisation and of a person, -1 for nobody."""
    who = -1
    own = None
    if person is not None:
        found = session.execute(select(Person.id, Person.organisation_id).where(Person.uid == person)).first()
        if found is None:
            raise InvalidValueError("There is no person {found}.", parameter="person", found=str(person))
        who, own = found
    if organisation is None:
        return -1 if own is None else own, who
    body = session.scalar(select(Organisation.id).where(Organisation.uid == organisation))
    if body is None:
        raise InvalidValueError(
            "There is no organisation {found}.", parameter="organisation", found=str(organisation)
        )
    if own is not None and own != body:
        raise InvalidValueError("This person belongs to another organisation.", parameter="person")
    return body, who
