"""What lets requests in as a login: browsers' sessions and machines' tokens, recognised by their secret."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.orm import contains_eager

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.people.logins import actor_for, is_open
from gridmap.people.models import Credential, CredentialKind, CredentialUse, Login, OneTimeCode
from gridmap.people.permissions import Permission

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = [
    "TOKEN_MARK",
    "Recognised",
    "Use",
    "begin_session",
    "credentials_of",
    "end_all",
    "end_one",
    "make_token",
    "recognise",
    "renew",
    "renew_if_due",
    "used",
]

TOKEN_MARK = "gridmap_"  # noqa: S105 - by which people and scanners tell what it is
"""How every token begins."""
_GRACE = timedelta(minutes=1)
LONGEST_TOKEN = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whom a request's secret belongs to."""

    actor: Actor
    login_id: int
    credential_id: int
    uid: uuid.UUID
    kind: CredentialKind
    expires_at: datetime
    renewed_at: datetime
    former: bool
    """Whether the secret was renewed meanwhile; it is good for requests that were under way."""
    rights_changed: bool
    """Whether roles changed since the secret was made: it is time to renew it."""
    must_change: bool
    """Whether the password has to be changed before anything else."""
    has_code: bool
    """Whether one-time codes are in force."""

    def good(self, now: datetime) -> bool:
        """Whether it lets anybody in at a time."""
        return now < self.expires_at and not (self.former and now > self.renewed_at + _GRACE)


def _hash(secret: str) -> bytes:
    # A fast hash is enough: the secret has 256 random bits.
    return hashlib.sha256(secret.encode()).digest()


def begin_session(
    session: Session, login: Login, *, name: str, address: str, lasts: timedelta, now: datetime
) -> str:
    """Begin a browser's session after a sign-in; return its secret, which is kept nowhere."""
    secret = secrets.token_urlsafe(32)
    made = _add(session, login, CredentialKind.SESSION, secret, name=name, now=now, expires_at=now + lasts)
    used(session, made.id, address, now=now)
    return secret


def make_token(
    session: Session,
    actor: Actor,
    *,
    name: str,
    permissions: Iterable[str],
    expires_at: datetime,
    now: datetime,
) -> str:
    """Make a token for a machine that acts as the actor's own login; return it, once and never again.

    Raises
    ------
    InvalidValueError
        If it has no name, no permission, one that the actor lacks, or would last longer than a year.
    """
    wanted = sorted(set(permissions))
    lacking = [one for one in wanted if one not in set(Permission) or not actor.may(one)]
    if not name.strip():
        raise InvalidValueError("Expected a name that says which machine it is for.", parameter="name")
    if not wanted or lacking:
        raise InvalidValueError(
            "Expected at least one permission, and only those you hold; found “{found}”.",
            parameter="permissions",
            found=", ".join(lacking),
        )
    if not now < expires_at <= now + LONGEST_TOKEN:
        raise InvalidValueError(
            "Expected a last day between tomorrow and a year from now.", parameter="expires_at"
        )
    login = session.get_one(Login, actor.login_id)
    secret = TOKEN_MARK + secrets.token_urlsafe(32)
    made = _add(
        session, login, CredentialKind.TOKEN, secret, name=name.strip(), now=now, expires_at=expires_at
    )
    made.permissions = wanted
    session.flush()
    return secret


def _add(
    session: Session,
    login: Login,
    kind: CredentialKind,
    secret: str,
    *,
    name: str,
    now: datetime,
    expires_at: datetime,
) -> Credential:
    made = Credential(
        login_id=login.id,
        kind=kind,
        name=name[:200],
        secret_hash=_hash(secret),
        renewed_at=now,
        session_epoch=login.session_epoch,
        rights_epoch=login.rights_epoch,
        begun_at=now,
        expires_at=expires_at,
    )
    session.add(made)
    session.flush()
    return made


def recognise(session: Session, secret: str, *, day: date) -> Recognised | None:
    """Return whom a secret belongs to; None if nobody, or whoever it was may not come in any more.

    Whether it is still good at a time is for `Recognised.good`, so that this answer can be remembered as
    long as the clock of access stands and the day lasts.
    """
    hashed = _hash(secret)
    found = session.scalar(
        select(Credential)
        .join(Credential.login)
        .options(contains_eager(Credential.login).selectinload(Login.grants))
        .where(
            (Credential.secret_hash == hashed) | (Credential.former_hash == hashed),
            Credential.ended_at.is_(None),
            Credential.session_epoch == Login.session_epoch,
        )
        .execution_options(populate_existing=True)
    )
    if found is None or not is_open(found.login, day):
        return None
    has_code = session.scalar(
        select(OneTimeCode.login_id).where(
            OneTimeCode.login_id == found.login_id, OneTimeCode.confirmed_at.is_not(None)
        )
    )
    return Recognised(
        actor=actor_for(session, found.login, only=found.permissions),
        login_id=found.login_id,
        credential_id=found.id,
        uid=found.uid,
        kind=found.kind,
        expires_at=found.expires_at,
        renewed_at=found.renewed_at,
        former=found.secret_hash != hashed,
        rights_changed=found.rights_epoch != found.login.rights_epoch,
        must_change=found.login.must_change,
        has_code=has_code is not None,
    )


def renew(session: Session, credential_id: int, *, now: datetime) -> str:
    """Give a session a new identity, after a change of what it may do; return the new secret.

    The old one is good for another minute, for requests that were under way.
    """
    row = session.get_one(Credential, credential_id, with_for_update=True, populate_existing=True)
    return _renewed(session, row, now)


def renew_if_due(session: Session, credential_id: int, *, now: datetime) -> str | None:
    """Renew a session whose login's roles changed; None if another request did so just now."""
    row = session.get_one(Credential, credential_id, with_for_update=True, populate_existing=True)
    rights = session.scalar(select(Login.rights_epoch).where(Login.id == row.login_id))
    return None if rights == row.rights_epoch else _renewed(session, row, now)


def _renewed(session: Session, row: Credential, now: datetime) -> str:
    login = session.get_one(Login, row.login_id, populate_existing=True)
    secret = secrets.token_urlsafe(32)
    row.former_hash, row.secret_hash = row.secret_hash, _hash(secret)
    row.renewed_at = now
    row.session_epoch, row.rights_epoch = login.session_epoch, login.rights_epoch
    session.flush()
    return secret


def end_all(session: Session, login_id: int, *, now: datetime, but: int | None = None) -> int:
    """End every session of a login, but perhaps one; tokens go on. Return how many were ended."""
    ended = session.execute(
        update(Credential)
        .where(
            Credential.login_id == login_id,
            Credential.kind == CredentialKind.SESSION,
            Credential.ended_at.is_(None),
            Credential.id != (but or 0),
        )
        .values(ended_at=now)
        .returning(Credential.id)
    )
    return len(ended.all())


def end_one(session: Session, login_id: int, uid: uuid.UUID, *, now: datetime) -> None:
    """End one session or token of a login.

    Raises
    ------
    NotFoundError
        If the login has none of this uid.
    """
    row = session.scalar(select(Credential).where(Credential.uid == uid, Credential.login_id == login_id))
    if row is None:
        raise NotFoundError("There is no such session or token.")
    row.ended_at = row.ended_at or now
    session.flush()


@dataclass(frozen=True, slots=True)
class Use:
    """A session or token that is in force, as its owner sees it."""

    id: int
    uid: uuid.UUID
    kind: CredentialKind
    name: str
    permissions: list[str] | None
    begun_at: datetime
    expires_at: datetime
    used_at: datetime
    address: str


def credentials_of(session: Session, login_id: int, *, now: datetime) -> list[Use]:
    """Return the sessions and tokens of a login that are in force, the last used first."""
    rows = session.execute(
        select(Credential, CredentialUse.at, CredentialUse.address)
        .join(Login, Login.id == Credential.login_id)
        .outerjoin(CredentialUse, CredentialUse.credential_id == Credential.id)
        .where(
            Credential.login_id == login_id,
            Credential.ended_at.is_(None),
            Credential.expires_at > now,
            Credential.session_epoch == Login.session_epoch,
        )
    )
    found = [
        Use(
            id=row.id,
            uid=row.uid,
            kind=row.kind,
            name=row.name,
            permissions=row.permissions,
            begun_at=row.begun_at,
            expires_at=row.expires_at,
            used_at=at or row.begun_at,
            address=address or "",
        )
        for row, at, address in rows
    ]
    return sorted(found, key=lambda use: use.used_at, reverse=True)


def used(session: Session, credential_id: int, address: str, *, now: datetime) -> None:
    """Keep when and from where a credential was used."""
    row = session.get(CredentialUse, credential_id)
    if row is None:
        session.add(CredentialUse(credential_id=credential_id, at=now, address=address))
    else:
        row.at, row.address = now, address
    session.flush()
