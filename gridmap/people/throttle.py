"""Slowing down whoever guesses: failed attempts are counted under a user name and from an address.

An attempt is counted as failed before it is tried and taken back when it succeeds, so that any number of
server processes trying at once get no more attempts than one would. A user name that does not exist is
counted like one that does. Nothing is told apart but by the key, a hash.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from gridmap.errors import ThrottledError
from gridmap.people.models import Attempts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session

__all__ = ["Allowance", "Subject", "charge", "refuse_waiting", "release", "settle", "waiting"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures are free, and how long the wait after more of them grows."""

    free: int
    first: timedelta
    longest: timedelta
    forgotten_after: timedelta
    """Without any attempt for so long, the count starts again."""

    def wait(self, failures: int) -> timedelta:
        """Time that must pass after the last of so many failures: doubled by each one more.

        >>> NAME.wait(4), NAME.wait(5), NAME.wait(7)
        (datetime.timedelta(0), datetime.timedelta(seconds=30), datetime.timedelta(seconds=120))
        """
        if failures < self.free:
            return timedelta(0)
        # Beyond 2**30 the longest wait has long been reached.
        return min(self.first * float(2 ** min(failures - self.free, 30)), self.longest)


NAME = Allowance(5, timedelta(seconds=30), timedelta(hours=1), timedelta(hours=24))
ADDRESS = Allowance(50, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=2))
"""An office shares one address: it gets more attempts, and shorter waits."""
FOLLOW = Allowance(20, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=2))
"""A code is copied or typed: who misses so often is guessing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Under what attempts are counted."""

    key: bytes
    allowance: Allowance

    @classmethod
    def name(cls, username: str) -> Subject:
        """Attempts under a user name, whether there is such a login or not."""
        return cls(_key("name", username.strip().casefold()), NAME)

    @classmethod
    def code(cls, login_id: int) -> Subject:
        """Attempts at the one-time code of a login whose password was right."""
        return cls(_key("code", str(login_id)), NAME)

    @classmethod
    def address(cls, address: str) -> Subject:
        """Attempts from an address; of IPv6, from the network of 64 bits that a connection gets."""
        return cls(_key("address", _network(address)), ADDRESS)

    @classmethod
    def follow(cls, address: str) -> Subject:
        """Codes of residents' reports that were tried from an address and are none."""
        return cls(_key("follow", _network(address)), FOLLOW)


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return address
    if found.version == 6:
        found = found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False).network_address
    return str(found)


def _key(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}:{text}".encode()).digest()


def charge(session: Session, subjects: Iterable[Subject], *, now: datetime) -> None:
    """Count an attempt as failed before it is tried; `settle` takes it back.

    Parameters
    ----------
    session
        Of a writing transaction, to be committed before the attempt.
    subjects
        Under what it is counted.
    now
        Time of the attempt.

    Raises
    ------
    ThrottledError
        If one of them has to wait. Nothing is counted then: the wait ends although others go on trying.
    """
    _forget(session, now)
    # One order for everybody: two attempts never wait for each other.
    ordered = sorted(subjects, key=lambda subject: subject.key)
    rows = [_locked(session, subject, now) for subject in ordered]
    _refuse([row.blocked_until for row in rows if row.blocked_until and row.blocked_until > now], now)
    for row, subject in zip(rows, ordered, strict=True):
        if row.last_at + subject.allowance.forgotten_after < now:
            row.failures = 0
        row.failures += 1
        row.last_at = now
        wait = subject.allowance.wait(row.failures)
        row.blocked_until = now + wait if wait else None
    session.flush()


def _refuse(blocked: Collection[datetime], now: datetime) -> None:
    if blocked:
        seconds = math.ceil((max(blocked) - now).total_seconds())
        raise ThrottledError(
            "Too many failed attempts. Please try again in {seconds} seconds.",
            retry_after=seconds,
            seconds=seconds,
        )


def refuse_waiting(session: Session, subjects: Iterable[Subject], *, now: datetime) -> None:
    """Refuse those who have to wait, without counting anything.

    Raises
    ------
    ThrottledError
        If one of them has to wait.
    """
    _refuse(waiting(session, subjects, now=now).values(), now)


def _locked(session: Session, subject: Subject, now: datetime) -> Attempts:
    """The row of a subject, made if need be, locked until the transaction ends."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(
        insert(Attempts).values(key=subject.key, failures=0, last_at=now).on_conflict_do_nothing()
    )
    return session.execute(
        select(Attempts)
        .where(Attempts.key == subject.key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()


def _forget(session: Session, now: datetime) -> None:
    """Drop what no longer counts, so that made-up names do not pile up."""
    longest = max(NAME.forgotten_after, ADDRESS.forgotten_after)
    old = select(Attempts.key).where(Attempts.last_at < now - longest).with_for_update(skip_locked=True)
    session.execute(
        delete(Attempts).where(Attempts.key.in_(old)).execution_options(synchronize_session=False)
    )


def settle(session: Session, subjects: Iterable[Subject], *, passed: Iterable[Subject]) -> None:
    """Take back the attempt that succeeded.

    Parameters
    ----------
    session
        Of a writing transaction.
    subjects
        What it was charged to.
    passed
        Those of them that start afresh: the name that was proved, but not the address, from which another
        name may be under attack.
    """
    afresh = {subject.key for subject in passed}
    for subject in sorted(subjects, key=lambda subject: subject.key):
        row = session.get(Attempts, subject.key, with_for_update=True, populate_existing=True)
        if row is None:
            continue
        if subject.key in afresh:
            session.delete(row)
        else:
            row.failures = max(row.failures - 1, 0)
            if row.failures < subject.allowance.free:
                row.blocked_until = None
    session.flush()


def release(session: Session, subjects: Iterable[Subject]) -> None:
    """Let somebody try again at once."""
    keys = [subject.key for subject in subjects]
    session.execute(delete(Attempts).where(Attempts.key.in_(keys)))


def waiting(session: Session, subjects: Iterable[Subject], *, now: datetime) -> dict[bytes, datetime]:
    """Return until when subjects have to wait, by key; who may try is left out."""
    keys = [subject.key for subject in subjects]
    rows = session.execute(
        select(Attempts.key, Attempts.blocked_until).where(
            Attempts.key.in_(keys), Attempts.blocked_until > now
        )
    )
    return {bytes(key): until for key, until in rows if until is not None}
