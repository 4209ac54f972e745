"""Proving who one is: by password, counted and slowed down where it fails."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.errors import InvalidValueError, PermissionDeniedError
from gridmap.people import throttle
from gridmap.people.logins import change_password, check_password, keep_hash_current
from gridmap.people.models import Login
from gridmap.people.throttle import Subject
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

__all__ = ["attempt", "change_own_password", "prove_password"]


@contextmanager
def attempt(engine: Engine, subjects: list[Subject], *, now: datetime) -> Iterator[None]:
    """Count what happens in the block as a failed attempt if it raises PermissionDeniedError.

    The attempt is counted before and taken back after it, each in a transaction of its own: checking a
    password takes long, and must neither hold others up nor be undone by an error.

    Raises
    ------
    ThrottledError
        If there were too many before; the block is not entered.
    """
    with writing(engine) as session:
        throttle.charge(session, subjects, now=now)
    try:
        yield
    except PermissionDeniedError:
        raise
    except BaseException:
        # Nobody guessed wrong: the attempt is taken back, and nothing starts afresh.
        with writing(engine) as session:
            throttle.settle(session, subjects, passed=[])
        raise
    with writing(engine) as session:
        throttle.settle(session, subjects, passed=subjects[:1])


def prove_password(
    engine: Engine, username: str, password: str, *, address: str, day: date, now: datetime
) -> int:
    """Check a user name and password, and return the login's id.

    Parameters
    ----------
    address
        From which the attempt comes.
    day
        On which the login must be open.

    Raises
    ------
    PermissionDeniedError
        If they do not belong together or the login is not open; which of these is not said.
    ThrottledError
        If there were too many failures under this name or from this address.
    """
    with attempt(engine, [Subject.name(username), Subject.address(address)], now=now):
        with reading(engine) as session:
            login = check_password(session, username, password, day=day)
        _keep_current(engine, login, password)
        return login.id


def _keep_current(engine: Engine, login: Login, password: str) -> None:
    before = login.password_hash
    keep_hash_current(login, password)
    if login.password_hash != before:
        with writing(engine) as session:
            kept = session.scalar(select(Login).where(Login.id == login.id, Login.password_hash == before))
            if kept is not None:
                kept.password_hash = login.password_hash


def change_own_password(session: Session, login_id: int, old: str, new: str, *, now: datetime) -> Login:
    """Change the password of whoever knows it; other sessions and all tokens end.

    Raises
    ------
    PermissionDeniedError
        If the present password is wrong.
    InvalidValueError
        If the new one is not acceptable, or is the present one.
    """
    login = session.get_one(Login, login_id)
    check_password(session, login.username, old)
    if old == new:
        raise InvalidValueError("Expected another password than the present one.", parameter="password")
    change_password(session, login, new, now=now)
    return login
