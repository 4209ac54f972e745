"""Keeping persons and logins: by the headquarters, and by area managers within their area.

Whoever manages gives at most what they have: roles that their own may give, within their own limits; and they
touch no login that holds more.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.people import throttle
from gridmap.people.codes import remove_codes
from gridmap.people.credentials import end_all
from gridmap.people.logins import change_password, create_login
from gridmap.people.models import Grant, Login, Organisation, OrganisationKind, OutsideIdentity, Person
from gridmap.people.permissions import GIVES, Permission, Role
from gridmap.people.throttle import Subject
from gridmap.places.models import Area

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor, Scope

__all__ = [
    "GrantWish",
    "PersonRecord",
    "add_login",
    "add_organisation",
    "end_sessions",
    "find_login",
    "find_person",
    "give_roles",
    "may_give",
    "may_manage",
    "release_login",
    "remove_login_codes",
    "reset_password",
    "save_person",
    "set_disabled",
    "wishes_of",
]

_LONGEST = {"name": 100, "phone": 40, "duty": 200}


@dataclass(frozen=True, slots=True)
class GrantWish:
    """A role to give, within an area, an organisation, both or neither."""

    role: Role
    area_id: int | None = None
    organisation_id: int | None = None


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """What is kept of a person."""

    name: str
    phone: str = ""
    duty: str = ""
    organisation: uuid.UUID | None = None


def may_give(actor: Actor, wish: GrantWish) -> bool:
    """Whether somebody may give a role within limits: one of their roles may, and lies around them."""
    return any(
        wish.role in GIVES.get(held.role, ())
        and (held.areas is None or wish.area_id in held.areas)
        and (held.organisations is None or wish.organisation_id in held.organisations)
        for held in actor.holdings
        if actor.may(Permission.PERSON_MANAGE)
    )


def may_manage(actor: Actor, login: Login) -> bool:
    """Whether somebody may change a login: they could give every role that it has."""
    return all(
        may_give(actor, GrantWish(grant.role, grant.area_id, grant.organisation_id)) for grant in login.grants
    )


def person_in(scope: Scope, person: Person) -> bool:
    """Whether a person lies within limits: where their organisation does."""
    body = person.organisation
    return scope.everywhere or scope.covers(body.area_id if body else None, body.id if body else None)


def find_person(session: Session, actor: Actor, uid: uuid.UUID) -> Person:
    """Return a person whom somebody manages.

    Raises
    ------
    NotFoundError
        If there is none, or they lie outside.
    """
    scope = actor.scope(Permission.PERSON_MANAGE)
    person = session.scalar(select(Person).where(Person.uid == uid))
    if person is None or not person_in(scope, person):
        raise NotFoundError("There is no such person, or they are outside what you manage.")
    return person


def find_login(session: Session, actor: Actor, uid: uuid.UUID) -> Login:
    """Return a login that somebody may change, locked until the transaction ends.

    Raises
    ------
    NotFoundError
        If there is none, or its person lies outside.
    PermissionDeniedError
        If it holds more than whoever asks.
    """
    login = session.scalar(select(Login).where(Login.uid == uid).with_for_update())
    if login is None or not person_in(actor.scope(Permission.PERSON_MANAGE), login.person):
        raise NotFoundError("There is no such login, or it is outside what you manage.")
    if not may_manage(actor, login):
        raise PermissionDeniedError("This login holds more than you may give.")
    return login


def save_person(
    session: Session, actor: Actor, record: PersonRecord, *, uid: uuid.UUID | None, today: date
) -> Person:
    """Add a person, or change one.

    Parameters
    ----------
    uid
        Of the one to change; None: a new one.

    Raises
    ------
    InvalidValueError
        If the name is missing, a text too long, or there is no such organisation.
    PermissionDeniedError
        If the organisation lies outside what the actor manages.
    """
    person = find_person(session, actor, uid) if uid else Person(valid_from=today)
    for field, longest in _LONGEST.items():
        text = getattr(record, field).strip()
        if len(text) > longest:
            raise InvalidValueError(
                "Expected at most {longest} characters; found {found}.",
                parameter=field,
                longest=longest,
                found=len(text),
            )
    if not record.name.strip():
        raise InvalidValueError("Expected a name.", parameter="name")
    body = None
    if record.organisation is not None:
        body = session.scalar(select(Organisation).where(Organisation.uid == record.organisation))
        if body is None:
            raise InvalidValueError("There is no such organisation.", parameter="organisation")
    person.name, person.duty = record.name.strip(), record.duty.strip()
    person.phone = record.phone.strip() or None
    person.organisation = body
    person.organisation_id = body.id if body else None
    if not person_in(actor.scope(Permission.PERSON_MANAGE), person):
        raise PermissionDeniedError("This organisation lies outside what you manage.")
    session.add(person)
    session.flush()
    return person


def add_login(
    session: Session, actor: Actor, person: Person, username: str, wishes: Sequence[GrantWish]
) -> tuple[Login, str]:
    """Give a person a login; return it and its first password, which must be changed at the first sign-in.

    Raises
    ------
    InvalidValueError
        If the user name is missing, too long or taken, or no role is given.
    PermissionDeniedError
        If a role is more than the actor may give.
    """
    name = username.strip()
    if not 0 < len(name) <= 100:
        raise InvalidValueError("Expected a user name of 1 to 100 characters.", parameter="username")
    _check_wishes(actor, wishes)
    password = secrets.token_urlsafe(9)
    first, *others = wishes
    login = create_login(
        session,
        person=person,
        username=name,
        password=password,
        role=first.role,
        area_id=first.area_id,
        organisation_id=first.organisation_id,
        must_change=True,
    )
    login.grants += [Grant(role=w.role, area_id=w.area_id, organisation_id=w.organisation_id) for w in others]
    session.flush()
    return login, password


def _check_wishes(actor: Actor, wishes: Sequence[GrantWish]) -> None:
    if not wishes:
        raise InvalidValueError("Expected at least one role.", parameter="role")
    if not all(may_give(actor, wish) for wish in wishes):
        raise PermissionDeniedError("You may only give roles below your own, within your own limits.")


def give_roles(session: Session, actor: Actor, uid: uuid.UUID, wishes: Sequence[GrantWish]) -> Login:
    """Set the roles of a login; its sessions go on under a new identity.

    Raises
    ------
    PermissionDeniedError
        If it is the actor's own login, or the roles are more than the actor may give.
    ConflictError
        If nobody would be left to manage the whole city.
    """
    login = find_login(session, actor, uid)
    _not_oneself(actor, login)
    _check_wishes(actor, wishes)
    present = [GrantWish(one.role, one.area_id, one.organisation_id) for one in login.grants]
    if sorted(map(repr, present)) == sorted(map(repr, wishes)):
        return login
    login.grants = [
        Grant(role=wish.role, area_id=wish.area_id, organisation_id=wish.organisation_id) for wish in wishes
    ]
    login.rights_epoch += 1
    session.flush()
    _somebody_left(session)
    return login


def _not_oneself(actor: Actor, login: Login) -> None:
    if login.id == actor.login_id:
        raise PermissionDeniedError("Nobody changes their own roles or shuts themselves out.")


def _somebody_left(session: Session) -> None:
    """Raise ConflictError unless somebody can still manage logins for the whole city."""
    query = (
        select(func.count(Grant.id))
        .join(Grant.login)
        .where(
            Grant.role == Role.HEADQUARTERS,
            Grant.area_id.is_(None),
            Grant.organisation_id.is_(None),
            Login.disabled.is_(False),
        )
    )
    if not session.scalar(query):
        raise ConflictError("Nobody would be left to manage the whole city.")


def set_disabled(session: Session, actor: Actor, uid: uuid.UUID, *, disabled: bool) -> Login:
    """Shut a login out at once, or let it in again."""
    login = find_login(session, actor, uid)
    _not_oneself(actor, login)
    if login.disabled != disabled:
        login.disabled = disabled
        login.session_epoch += 1
        session.flush()
        _somebody_left(session)
    return login


def reset_password(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> tuple[Login, str]:
    """Give a login a new password for the next sign-in, end its sessions, and let it try at once."""
    login = find_login(session, actor, uid)
    password = secrets.token_urlsafe(9)
    change_password(session, login, password, must_change=True, now=now)
    throttle.release(session, [Subject.name(login.username), Subject.code(login.id)])
    return login, password


def end_sessions(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> int:
    """End every session of a login; return how many there were."""
    return end_all(session, find_login(session, actor, uid).id, now=now)


def release_login(session: Session, actor: Actor, uid: uuid.UUID) -> Login:
    """Let a login that has to wait after failures try again at once."""
    login = find_login(session, actor, uid)
    throttle.release(session, [Subject.name(login.username), Subject.code(login.id)])
    return login


def remove_login_codes(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> Login:
    """Take codes and the identity outside from a login whose owner lost them; end its sessions."""
    login = find_login(session, actor, uid)
    remove_codes(session, login.id)
    bound = session.scalar(select(OutsideIdentity).where(OutsideIdentity.login_id == login.id))
    if bound is not None:
        session.delete(bound)
    end_all(session, login.id, now=now)
    session.flush()
    return login


def wishes_of(session: Session, rows: Sequence[tuple[str, str, str]]) -> list[GrantWish]:
    """Read roles with the uids of their limits, as a form states them; rows without a role are left out.

    Raises
    ------
    InvalidValueError
        If there is no such role, area or organisation.
    """
    found = []
    for role, area, body in rows:
        if not role:
            continue
        if role not in set(Role):
            raise InvalidValueError("There is no role {role}.", parameter="role", role=role)
        found.append(
            GrantWish(
                Role(role),
                _id_of(session, Area, area, "area"),
                _id_of(session, Organisation, body, "organisation"),
            )
        )
    return found


def _id_of(session: Session, model: type[Area | Organisation], uid: str, parameter: str) -> int | None:
    if not uid:
        return None
    try:
        found = session.scalar(select(model.id).where(model.uid == uuid.UUID(uid)))
    except ValueError:
        found = None
    if found is None:
        raise InvalidValueError("There is nothing with the uid {found}.", parameter=parameter, found=uid)
    return found


def add_organisation(
    session: Session, actor: Actor, name: str, kind: str, area_id: int | None
) -> Organisation:
    """Add an organisation; for whoever manages the whole city.

    Raises
    ------
    InvalidValueError
        If the name is missing, too long or taken, or there is no such kind.
    """
    actor.scope_everywhere(Permission.PERSON_MANAGE)
    named = name.strip()
    if not 0 < len(named) <= 200:
        raise InvalidValueError("Expected a name of 1 to 200 characters.", parameter="name")
    if kind not in set(OrganisationKind):
        raise InvalidValueError(
            "Expected one of {expected}.", parameter="kind", expected=", ".join(OrganisationKind)
        )
    if session.scalar(select(Organisation.id).where(Organisation.name == named)) is not None:
        raise InvalidValueError("There is an organisation “{name}” already.", parameter="name", name=named)
    body = Organisation(name=named, kind=OrganisationKind(kind), area_id=area_id)
    session.add(body)
    session.flush()
    return body
