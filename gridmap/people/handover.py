"""When a person leaves: what they hold, and giving it to somebody else from a day on.

Nothing is deleted: a responsibility ends on the day before, and another one begins; the history stays. Only
what lies inside the limits of whoever manages the person is seen and handed over.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select, true, update

from gridmap.dispatch.models import DispatchRule
from gridmap.errors import ConflictError, InvalidValueError
from gridmap.language import N_
from gridmap.people.management import find_person, may_manage
from gridmap.people.models import Login, Person
from gridmap.people.permissions import Permission
from gridmap.people.within import within
from gridmap.places.models import Area, GridCell, InspectionPoint, PriorityRoad, Responsibility
from gridmap.problems.models import Event, EventKind, Problem, State
from gridmap.shops.models import Shopfront
from gridmap.store.clock import next_change

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["Foreseen", "Held", "HeldPlace", "Wish", "foresee", "hand_over", "held_by"]

_PLACES = (
    (Responsibility.cell_id, GridCell, GridCell.area_id),
    (Responsibility.point_id, InspectionPoint, InspectionPoint.area_id),
    (Responsibility.road_id, PriorityRoad, PriorityRoad.area_id),
    (Responsibility.area_id, Area, Area.id),
    (Responsibility.shop_id, Shopfront, Shopfront.area_id),
)
_CHANGED = N_("What would move has changed meanwhile. Look at it again, please.")
_OPEN = [state for state in State if not state.resolved]


@dataclass(frozen=True, slots=True)
class HeldPlace:
    """A place in a role."""

    responsibility: Responsibility
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Held:
    """What a person holds from a day on, as far as it lies inside somebody's limits."""

    places: list[HeldPlace]
    problems: list[int]
    """Case numbers of open problems that are theirs."""
    rules: list[DispatchRule]
    """Rules of dispatch that name them; only who may change rules sees these and hands them over."""

    def __bool__(self) -> bool:
        return bool(self.places or self.problems or self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A handover that somebody asks for.

    Attributes
    ----------
    to
        Who gets it; nobody: places are left without, and problems to their organisation.
    day
        The first day on which the other one holds it.
    leaves
        Whether the person is gone from that day on; their logins open no more.
    """

    to: uuid.UUID | None
    day: date
    leaves: bool


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a handover would move, and to whom."""

    wish: Wish
    person: Person
    other: Person | None
    held: Held

    @property
    def fingerprint(self) -> str:
        """Stands for all of it: whoever agreed to this agreed to nothing else."""
        held = self.held
        rows = [
            (str(row.uid), row.role.value, str(row.valid_from), str(row.valid_to))
            for row in (place.responsibility for place in held.places)
        ]
        rules = [
            (str(rule.uid), rule.position, str(rule.valid_from), str(rule.valid_to)) for rule in held.rules
        ]
        whose = (str(self.person.uid), str(self.wish.to), str(self.wish.day), self.wish.leaves)
        text = repr((whose, self.other and self.other.organisation_id, rows, held.problems, rules))
        return hashlib.sha256(text.encode()).hexdigest()


def held_by(session: Session, actor: Actor, person: Person, day: date) -> Held:
    """Return what a person holds on a day or later, as far as the actor manages it."""
    areas = actor.scope(Permission.PERSON_MANAGE).areas
    places: list[HeldPlace] = []
    for column, model, area in _PLACES:
        rows = session.execute(
            select(Responsibility, model.code, model.name)
            .join(model, model.id == column)
            .where(
                Responsibility.person_id == person.id,
                _still(Responsibility, day),
                true() if areas is None else area.in_(sorted(areas)),
            )
            .order_by(model.code)
        )
        places += [HeldPlace(row, code, name) for row, code, name in rows]
    problems = session.scalars(select(Problem.id).where(*_theirs(actor, person)).order_by(Problem.id))
    rules: list[DispatchRule] = []
    if actor.may_everywhere(Permission.DISPATCH_RULES):
        named = select(DispatchRule).where(DispatchRule.person_id == person.id, _still(DispatchRule, day))
        rules = list(session.scalars(named.order_by(DispatchRule.position)))
    return Held(places, list(problems), rules)


def _theirs(actor: Actor, person: Person) -> tuple[ColumnElement[bool], ...]:
    """SQL conditions: an open problem of the person inside the actor's limits."""
    scope = actor.scope(Permission.PERSON_MANAGE)
    inside: ColumnElement[bool] = within(scope, Problem.area_id, Problem.organisation_id)
    return Problem.person_id == person.id, Problem.state.in_(_OPEN), inside


def _holds_more(session: Session, person: Person, held: Held, day: date) -> bool:
    """Whether a person holds a place or an open problem besides what the actor sees."""
    places = session.scalar(
        select(func.count())
        .select_from(Responsibility)
        .where(Responsibility.person_id == person.id, _still(Responsibility, day))
    )
    problems = session.scalar(
        select(func.count())
        .select_from(Problem)
        .where(Problem.person_id == person.id, Problem.state.in_(_OPEN))
    )
    return (places or 0) > len(held.places) or (problems or 0) > len(held.problems)


def _still(model: type[Responsibility | DispatchRule], day: date) -> ColumnElement[bool]:
    """In force on a day or later; what ended before it began never was."""
    return model.valid_to.is_(None) | ((model.valid_to > day) & (model.valid_to > model.valid_from))


def foresee(session: Session, actor: Actor, uid: uuid.UUID, wish: Wish, *, today: date) -> Foreseen:
    """Say what a handover would move, as far as it lies inside the actor's limits; nothing is changed.

    Raises
    ------
    InvalidValueError
        If the day has passed, the other one is the same or not there on that day, or somebody leaves whose
        login holds more than the actor may give, or who holds something outside the actor's limits: it
        would be left with nobody.
    NotFoundError
        If one of them is not among those whom the actor manages.
    """
    day = wish.day
    if day < today:
        raise InvalidValueError(
            "Expected today or a later day; found {found}.", parameter="day", found=str(day)
        )
    person = find_person(session, actor, uid)
    other = None if wish.to is None else find_person(session, actor, wish.to)
    if other is person:
        raise InvalidValueError("Expected somebody else.", parameter="to")
    if other is not None and not (
        other.valid_from <= day and (other.valid_to is None or other.valid_to > day)
    ):
        raise InvalidValueError("{name} is not there on that day.", parameter="to", name=other.name)
    held = held_by(session, actor, person, day)
    if wish.leaves:
        if _holds_more(session, person, held, day):
            raise InvalidValueError(
                "{name} also holds something outside your limits. The headquarters must hand that over "
                "first.",
                parameter="leaves",
                name=person.name,
            )
        for login in session.scalars(select(Login).where(Login.person_id == person.id)):
            if not may_manage(actor, login) or login.id == actor.login_id:
                raise InvalidValueError("This login holds more than you may give.", parameter="leaves")
    return Foreseen(wish, person, other, held)


def hand_over(
    session: Session,
    actor: Actor,
    uid: uuid.UUID,
    wish: Wish,
    *,
    today: date,
    now: datetime,
    seen: str | None = None,
) -> Held:
    """Give what a person holds to somebody else from a day on, and let them leave; return what it was.

    Open problems go over at once: whoever gets them must see them before the day.

    Parameters
    ----------
    uid
        Who hands over.
    seen
        `Foreseen.fingerprint` of what the actor agreed to; None: whatever it is.

    Raises
    ------
    InvalidValueError, NotFoundError
        As for `foresee`.
    ConflictError
        If something else would move than the actor has seen.
    """
    foreseen = foresee(session, actor, uid, wish, today=today)
    person, other, held, day = foreseen.person, foreseen.other, foreseen.held, wish.day
    if seen is not None and seen != foreseen.fingerprint:
        raise ConflictError(_CHANGED)
    _places(session, held.places, other, day)
    _rules(session, held.rules, other, day)
    if wish.leaves:
        person.valid_to = day
    session.flush()
    problems = _problems(session, actor, person, other, now=now)
    if seen is not None and problems != held.problems:
        raise ConflictError(_CHANGED)
    return replace(held, problems=problems)


def _places(session: Session, places: Sequence[HeldPlace], other: Person | None, day: date) -> None:
    for row in (place.responsibility for place in places):
        if other is not None:
            begins = max(day, row.valid_from)
            session.add(
                Responsibility(
                    role=row.role,
                    person_id=other.id,
                    organisation_id=row.organisation_id and (other.organisation_id or row.organisation_id),
                    area_id=row.area_id,
                    cell_id=row.cell_id,
                    point_id=row.point_id,
                    road_id=row.road_id,
                    shop_id=row.shop_id,
                    valid_from=begins,
                    valid_to=row.valid_to,
                )
            )
        # One that would only have begun later never does: it ends on the day it begins.
        row.valid_to = max(day, row.valid_from)


def _rules(session: Session, rules: Sequence[DispatchRule], other: Person | None, day: date) -> None:
    for rule in rules:
        if other is None and rule.organisation_id is None:
            continue  # it names nobody else; the headquarters' page of rules shows that the person is gone
        session.add(
            DispatchRule(
                **{
                    column.key: getattr(rule, column.key)
                    for column in DispatchRule.__table__.columns
                    if column.key not in {"id", "uid", "person_id", "valid_from"}
                },
                person_id=other.id if other else None,
                valid_from=max(day, rule.valid_from),
            )
        )
        rule.valid_to = max(day, rule.valid_from)


def _problems(
    session: Session, actor: Actor, person: Person, other: Person | None, *, now: datetime
) -> list[int]:
    """Move what the person holds by now; return its case numbers."""
    # Who waits here for another's change reads the rows anew: what has gone to somebody else stays there.
    states = dict(
        session.execute(
            select(Problem.id, Problem.state)
            .where(*_theirs(actor, person))
            .order_by(Problem.id)
            .with_for_update()
        ).all()
    )
    if not states:
        return []
    session.add_all(
        Event(
            problem_id=number,
            kind=EventKind.ASSIGNED,
            at=now,
            recorded_at=now,
            actor=actor.name,
            person_id=actor.person_id,
            state=state,
            details={"person": str(other.uid) if other else None, "person_by": "handover"},
        )
        for number, state in states.items()
    )
    session.flush()
    session.execute(
        update(Problem)
        .where(*_theirs(actor, person))
        .values(person_id=other.id if other else None, change=next_change(session))
        .execution_options(synchronize_session=False)
    )
    return list(states)
