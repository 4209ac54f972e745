"""Changing the rules of dispatch: thought of first, and then done as it was thought of."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.dispatch.hours import parse_hours
from gridmap.dispatch.models import DispatchRule
from gridmap.dispatch.rulebook import rules_in_force
from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.people.models import Organisation, Person
from gridmap.people.permissions import Permission
from gridmap.places.models import Area, PriorityRoad
from gridmap.problems.models import Category, Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["Change", "ChangeKind", "Draft", "apply_change", "fingerprint", "think_of"]

_LONGEST_NAME = 200


class ChangeKind(StrEnum):
    """What is done to the rules."""

    ADD = "add"
    EDIT = "edit"
    UP = "up"
    DOWN = "down"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule as somebody states it, with uids and a category's code; what is empty is no condition."""

    name: str = ""
    area: str = ""
    category: str = ""
    road: str = ""
    site_type: str = ""
    hours: str = ""
    source: str = ""
    least_severity: int = 0
    organisation: str = ""
    person: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of the rules.

    Parameters
    ----------
    kind
        What is done.
    uid
        To which rule; of a new one, its own.
    draft
        The rule as it is to be, where one is added or edited.
    """

    kind: ChangeKind
    uid: uuid.UUID
    draft: Draft = field(default_factory=Draft)


def fingerprint(rows: Sequence[DispatchRule]) -> str:
    """Short text that differs when any rule or their order does."""
    said = [[getattr(row, name) for name in _COLUMNS] for row in rows]
    return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()


def think_of(session: Session, actor: Actor, change: Change, *, on: date) -> list[DispatchRule]:
    """Return the rules as they would be, in order; nothing is written.

    Parameters
    ----------
    session
        Any; what is returned does not belong to it.
    actor, change
        Who changes what.
    on
        Day of the change, in the installation's time zone.

    Raises
    ------
    PermissionDeniedError
        If the actor may not change the rules of the whole city.
    NotFoundError
        If there is no such rule in force.
    InvalidValueError
        If the rule names nobody, or something that is not there, or its hours cannot be read.
    """
    actor.scope_everywhere(Permission.DISPATCH_RULES)
    rows = [_copy(row) for row in rules_in_force(session, on)]
    if change.kind is ChangeKind.ADD:
        return [*rows, _drafted(session, change, on, DispatchRule(uid=change.uid, valid_from=on))]
    at = next((position for position, row in enumerate(rows) if row.uid == change.uid), None)
    if at is None:
        raise NotFoundError("There is no such rule, or it has ended.")
    if change.kind is ChangeKind.EDIT:
        rows[at] = _drafted(session, change, on, rows[at])
    elif change.kind is ChangeKind.END:
        del rows[at]
    else:
        to = at - 1 if change.kind is ChangeKind.UP else at + 1
        if 0 <= to < len(rows):
            rows[at], rows[to] = rows[to], rows[at]
    return rows


def apply_change(session: Session, actor: Actor, change: Change, *, seen: str, on: date) -> None:
    """Change the rules. No problem moves by this; see `gridmap.dispatch.moves`.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor, change, on
        As for `think_of`.
    seen
        `fingerprint` of the rules that the actor saw.

    Raises
    ------
    ConflictError
        If somebody else has changed the rules meanwhile.
    PermissionDeniedError, NotFoundError, InvalidValueError
        As for `think_of`.
    """
    now = rules_in_force(session, on)
    thought = think_of(session, actor, change, on=on)
    if fingerprint(now) != seen:
        raise ConflictError("Somebody else has changed the rules meanwhile. Look at them again, please.")
    left = {row.uid for row in thought}
    for row in now:
        if row.uid not in left:
            row.valid_to = on
    for position, row in enumerate(thought, start=1):
        row.position = position
        session.merge(row)
    session.flush()


_COLUMNS = tuple(column.key for column in DispatchRule.__table__.columns)


def _copy(row: DispatchRule) -> DispatchRule:
    return DispatchRule(**{name: getattr(row, name) for name in _COLUMNS})


def _drafted(session: Session, change: Change, on: date, row: DispatchRule) -> DispatchRule:
    """Put what a draft says into a rule that no session holds."""
    draft = change.draft
    if not draft.name or len(draft.name) > _LONGEST_NAME:
        raise InvalidValueError(
            "Expected a name of 1 to {longest} characters; found {found}.",
            parameter="name",
            longest=_LONGEST_NAME,
            found=len(draft.name),
        )
    if not draft.organisation and not draft.person:
        raise InvalidValueError("Expected an organisation or a person.", parameter="organisation")
    if not 0 <= draft.least_severity <= 5:
        raise InvalidValueError(
            "Expected a severity from 0 to 5; found {found}.",
            parameter="least_severity",
            found=draft.least_severity,
        )
    if draft.source and draft.source not in set(Source):
        raise InvalidValueError("There is no source “{found}”.", parameter="source", found=draft.source)
    parse_hours(draft.hours)
    row.name, row.hours, row.remark = draft.name, draft.hours, draft.remark
    row.site_type, row.least_severity = draft.site_type or None, draft.least_severity
    row.source = Source(draft.source) if draft.source else None
    row.area_id = _named(session, "area", Area, draft.area, Area.in_force(on))
    row.road_id = _named(session, "road", PriorityRoad, draft.road, PriorityRoad.in_force(on))
    row.organisation_id = _named(session, "organisation", Organisation, draft.organisation)
    row.person_id = _named(session, "person", Person, draft.person, Person.in_force(on))
    row.category_id = None
    if draft.category:
        row.category_id = session.scalar(select(Category.id).where(Category.code == draft.category))
        if row.category_id is None:
            raise InvalidValueError("There is no category {code}.", parameter="category", code=draft.category)
    return row


def _named(session: Session, parameter: str, model: Any, uid: str, *conditions: Any) -> int | None:
    if not uid:
        return None
    try:
        query = select(model.id).where(model.uid == uuid.UUID(uid), *conditions)
    except ValueError:
        found = None
    else:
        found = session.scalar(query)
    if found is None:
        raise InvalidValueError("There is nothing with the uid {found}.", parameter=parameter, found=uid)
    return int(found)
