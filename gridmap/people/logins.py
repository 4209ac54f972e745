"""Logins: passwords, and what a login may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from gridmap.errors import InvalidValueError, PermissionDeniedError
from gridmap.people.models import Grant, Login, Person
from gridmap.people.passwords import SHORTEST_PASSWORD, hash_password, matches, outdated
from gridmap.people.permissions import Actor, Holding, Permission, Role
from gridmap.places.queries import areas_below

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.orm import Session

__all__ = [
    "SHORTEST_PASSWORD",
    "actor_for",
    "actor_of",
    "change_password",
    "check_password",
    "create_login",
    "keep_hash_current",
]


def create_login(
    session: Session,
    *,
    person: Person,
    username: str,
    password: str,
    role: Role,
    area_id: int | None = None,
    organisation_id: int | None = None,
    must_change: bool = False,
) -> Login:
    """Give a person a login with one role, limited to an area or an organisation or neither.

    Parameters
    ----------
    must_change
        Whether the password is only for the first sign-in, because somebody else chose it.

    Raises
    ------
    InvalidValueError
        If the password is not acceptable or the user name is taken.
    """
    hashed = hash_password(password, username=username)
    if session.scalar(select(Login.id).where(Login.username == username)) is not None:
        raise InvalidValueError("The user name {username} is taken.", parameter="username", username=username)
    login = Login(person=person, username=username, password_hash=hashed, must_change=must_change)
    login.grants = [Grant(role=role, area_id=area_id, organisation_id=organisation_id)]
    session.add(login)
    session.flush()
    return login


def change_password(
    session: Session, login: Login, password: str, *, must_change: bool = False, now: datetime | None = None
) -> None:
    """Give a login a new password and end its sessions and tokens.

    Raises
    ------
    InvalidValueError
        If the password is not acceptable.
    """
    login.password_hash = hash_password(password, username=login.username)
    login.session_epoch += 1
    login.must_change = must_change
    login.password_set_at = now
    session.flush()


def check_password(session: Session, username: str, password: str, *, day: date | None = None) -> Login:
    """Check a user name and password.

    Parameters
    ----------
    day
        On which the person must be in force; None: whenever.

    Raises
    ------
    PermissionDeniedError
        If they do not belong together or the login is disabled; which of these is not said.
    """
    login = session.scalar(
        select(Login).where(Login.username == username).options(selectinload(Login.person))
    )
    right = matches(password, login.password_hash if login else None)
    if login is None or not right or not is_open(login, day):
        raise PermissionDeniedError("The user name or the password is wrong.")
    return login


def is_open(login: Login, day: date | None) -> bool:
    """Whether a login can be used on a day: not disabled, and its person has not left."""
    if login.disabled:
        return False
    return day is None or login.person.valid_to is None or day < login.person.valid_to


def keep_hash_current(login: Login, password: str) -> None:
    """Hash a password again that was just found right, if it was kept by older parameters."""
    if outdated(login.password_hash):
        login.password_hash = hash_password(password)


def actor_of(session: Session, login_id: int, session_epoch: int) -> Actor | None:
    """Return who a session belongs to; None if the login is gone, disabled, or its sessions were ended."""
    login = session.scalar(
        select(Login)
        .where(Login.id == login_id, Login.disabled.is_(False), Login.session_epoch == session_epoch)
        .options(selectinload(Login.grants), selectinload(Login.person))
    )
    return None if login is None else actor_for(session, login)


def actor_for(session: Session, login: Login, *, only: Iterable[str] | None = None) -> Actor:
    """Return who acts with a login.

    Parameters
    ----------
    only
        Permissions to which a token is limited; None: no limit.
    """
    holdings = tuple(
        Holding(
            role=grant.role,
            areas=None if grant.area_id is None else areas_below(session, grant.area_id),
            organisations=None if grant.organisation_id is None else frozenset({grant.organisation_id}),
        )
        for grant in login.grants
    )
    known = {permission.value for permission in Permission}
    return Actor(
        name=login.person.name,
        holdings=holdings,
        login_id=login.id,
        person_id=login.person_id,
        only=None if only is None else frozenset(Permission(name) for name in only if name in known),
    )
