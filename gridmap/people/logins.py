"""Logins: passwords, and what a login may do."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from gridmap.errors import InvalidValueError, PermissionDeniedError
from gridmap.people.models import Grant, Login, Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.queries import areas_below

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ["SHORTEST_PASSWORD", "actor_of", "change_password", "create_login", "sign_in"]

SHORTEST_PASSWORD = 8
_hasher = PasswordHasher()


@cache
def _nobody() -> str:
    """Checked when there is no such login, so that both answers take equally long."""
    return _hasher.hash("nobody")


def create_login(
    session: Session,
    *,
    person: Person,
    username: str,
    password: str,
    role: Role,
    area_id: int | None = None,
    organisation_id: int | None = None,
) -> Login:
    """Give a person a login with one role, limited to an area or an organisation or neither.

    Raises
    ------
    InvalidValueError
        If the password is too short or the user name is taken.
    """
    hashed = _hashed(password)
    if session.scalar(select(Login.id).where(Login.username == username)) is not None:
        raise InvalidValueError("The user name {username} is taken.", parameter="username", username=username)
    login = Login(person=person, username=username, password_hash=hashed)
    login.grants = [Grant(role=role, area_id=area_id, organisation_id=organisation_id)]
    session.add(login)
    session.flush()
    return login


def _hashed(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidValueError(
            "Expected a password of at least {shortest} characters; found {found}.",
            parameter="password",
            shortest=SHORTEST_PASSWORD,
            found=len(password),
        )
    return _hasher.hash(password)


def change_password(session: Session, login: Login, password: str) -> None:
    """Give a login a new password and end its sessions.

    Raises
    ------
    InvalidValueError
        If the password is too short.
    """
    login.password_hash = _hashed(password)
    login.session_epoch += 1
    session.flush()


def sign_in(session: Session, username: str, password: str) -> Login:
    """Check a user name and password.

    Raises
    ------
    PermissionDeniedError
        If they do not belong together or the login is disabled; which of these is not said.
    """
    login = session.scalar(select(Login).where(Login.username == username))
    try:
        _hasher.verify(login.password_hash if login else _nobody(), password)
    except (VerificationError, InvalidHashError) as error:
        raise PermissionDeniedError("The user name or the password is wrong.") from error
    if login is None or login.disabled:
        raise PermissionDeniedError("The user name or the password is wrong.")
    return login


def actor_of(session: Session, login_id: int, session_epoch: int) -> Actor | None:
    """Return who a session belongs to; None if the login is gone, disabled, or its sessions were ended."""
    login = session.scalar(
        select(Login)
        .where(Login.id == login_id, Login.disabled.is_(False), Login.session_epoch == session_epoch)
        .options(selectinload(Login.grants), selectinload(Login.person))
    )
    if login is None:
        return None
    holdings = tuple(
        Holding(
            role=grant.role,
            areas=None if grant.area_id is None else areas_below(session, grant.area_id),
            organisations=None if grant.organisation_id is None else frozenset({grant.organisation_id}),
        )
        for grant in login.grants
    )
    return Actor(name=login.person.name, holdings=holdings, login_id=login.id, person_id=login.person_id)
