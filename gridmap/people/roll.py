"""The roll: persons with their logins, for whoever manages them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.orm import selectinload

from gridmap.people import throttle
from gridmap.people.models import (
    Credential,
    CredentialKind,
    CredentialUse,
    Login,
    OneTimeCode,
    Organisation,
    Person,
)
from gridmap.people.permissions import Permission
from gridmap.people.throttle import Subject

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor, Scope

__all__ = ["KnownLogin", "Listed", "PeopleFilter", "Roll", "logins_of", "read_people"]


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which persons; `only`: ``logins``, ``none`` (without one), ``left``, or empty: all who are there."""

    text: str = ""
    only: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class KnownLogin:
    """A login as whoever manages it sees it."""

    login: Login
    last_sign_in: datetime | None
    last_used: datetime | None
    sessions: int
    has_code: bool
    blocked_until: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A person and their logins."""

    person: Person
    logins: list[KnownLogin] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Roll:
    """One page of the roll; `total` counts all pages."""

    rows: list[Listed]
    total: int


def within(scope: Scope) -> ColumnElement[bool]:
    """SQL condition on a person joined with their organisation: inside somebody's limits."""
    if scope.everywhere:
        return true()
    parts = []
    for holding in scope.holdings:
        limits: list[ColumnElement[bool]] = [true()]
        if holding.areas is not None:
            limits.append(Organisation.area_id.in_(holding.areas))
        if holding.organisations is not None:
            limits.append(Organisation.id.in_(holding.organisations))
        parts.append(and_(*limits))
    return or_(*parts)


def read_people(
    session: Session, actor: Actor, wanted: PeopleFilter, *, now: datetime, day: date, size: int
) -> Roll:
    """Read a page of persons whom somebody manages, by name."""
    scope = actor.scope(Permission.PERSON_MANAGE)
    conditions = [within(scope)]
    if wanted.only == "left":
        conditions.append(Person.valid_to <= day)
    else:
        conditions.append(Person.valid_to.is_(None) | (Person.valid_to > day))
    has_login = select(Login.id).where(Login.person_id == Person.id).exists()
    if wanted.only == "logins":
        conditions.append(has_login)
    elif wanted.only == "none":
        conditions.append(~has_login)
    if wanted.text:
        texts = [Person.name.contains(wanted.text, autoescape=True)]
        texts.append(Organisation.name.contains(wanted.text, autoescape=True))
        named = Login.username.contains(wanted.text, autoescape=True)
        texts.append(select(Login.id).where(Login.person_id == Person.id, named).exists())
        conditions.append(or_(*texts))
    base = select(Person).outerjoin(Person.organisation).where(*conditions)
    total = session.scalar(select(func.count()).select_from(base.subquery())) or 0
    persons = session.scalars(
        base.options(selectinload(Person.organisation))
        .order_by(Person.name, Person.id)
        .limit(size)
        .offset((wanted.page - 1) * size)
    ).all()
    known = logins_of(session, [person.id for person in persons], now=now)
    return Roll(
        [Listed(one, [login for login in known if login.login.person_id == one.id]) for one in persons], total
    )


def logins_of(session: Session, persons: list[int], *, now: datetime) -> list[KnownLogin]:
    """Return the logins of persons, with when they were last used."""
    logins = session.scalars(
        select(Login)
        .where(Login.person_id.in_(persons))
        .options(selectinload(Login.grants))
        .order_by(Login.username)
        .execution_options(populate_existing=True)
    ).all()
    ids = [login.id for login in logins]
    begun = dict(
        session.execute(
            select(Credential.login_id, func.max(Credential.begun_at))
            .where(Credential.login_id.in_(ids), Credential.kind == CredentialKind.SESSION)
            .group_by(Credential.login_id)
        ).all()
    )
    used = dict(
        session.execute(
            select(Credential.login_id, func.max(CredentialUse.at))
            .join(CredentialUse, CredentialUse.credential_id == Credential.id)
            .where(Credential.login_id.in_(ids))
            .group_by(Credential.login_id)
        ).all()
    )
    live = dict(
        session.execute(
            select(Credential.login_id, func.count(Credential.id))
            .join(Login, Login.id == Credential.login_id)
            .where(
                Credential.login_id.in_(ids),
                Credential.kind == CredentialKind.SESSION,
                Credential.ended_at.is_(None),
                Credential.expires_at > now,
                Credential.session_epoch == Login.session_epoch,
            )
            .group_by(Credential.login_id)
        ).all()
    )
    coded = set(
        session.scalars(
            select(OneTimeCode.login_id).where(
                OneTimeCode.login_id.in_(ids), OneTimeCode.confirmed_at.is_not(None)
            )
        )
    )
    names = {login.id: Subject.name(login.username) for login in logins}
    blocked = throttle.waiting(session, names.values(), now=now)
    return [
        KnownLogin(
            login=login,
            last_sign_in=begun.get(login.id),
            last_used=used.get(login.id) or begun.get(login.id),
            sessions=live.get(login.id, 0),
            has_code=login.id in coded,
            blocked_until=blocked.get(names[login.id].key),
        )
        for login in logins
    ]
