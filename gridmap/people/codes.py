"""One-time codes (TOTP, RFC 6238) as a second proof at signing in, and recovery codes for a lost device.

A login's secret is worked out from random bytes in the store and the installation's key: a copy of the
database alone makes no code. A code is good for its 30 seconds and one step to either side, once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

import pyotp
from sqlalchemy import delete, func, select

from gridmap.errors import ConflictError, InvalidValueError, PermissionDeniedError
from gridmap.people.models import Login, OneTimeCode, RecoveryCode

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

__all__ = [
    "begin_codes",
    "confirm_codes",
    "has_codes",
    "recovery_codes_left",
    "remove_codes",
    "use_code",
]

_STEP_SECONDS = 30
_SLACK = (-1, 0, 1)
"""Steps by which a telephone's clock may be off."""
_RECOVERY_CODES = 10
_RECOVERY_BYTES = 10


def _secret(row: OneTimeCode, key: str) -> str:
    made = hmac.digest(key.encode(), b"one-time code " + row.sealed_secret, "sha256")
    return base64.b32encode(made[:20]).decode()


def _step_of(row: OneTimeCode, key: str, code: str, now: datetime) -> int | None:
    """Step that a code belongs to, if it is one that may be used now."""
    maker = pyotp.TOTP(_secret(row, key))
    current = int(now.timestamp()) // _STEP_SECONDS
    for step in (current + slack for slack in _SLACK):
        if step > row.last_step and hmac.compare_digest(maker.generate_otp(step), code):
            return step
    return None


def _row(session: Session, login_id: int) -> OneTimeCode | None:
    return session.scalar(
        select(OneTimeCode)
        .where(OneTimeCode.login_id == login_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def has_codes(session: Session, login_id: int) -> bool:
    """Whether one-time codes are in force for a login."""
    query = select(OneTimeCode.id).where(
        OneTimeCode.login_id == login_id, OneTimeCode.confirmed_at.is_not(None)
    )
    return session.scalar(query) is not None


def begin_codes(session: Session, login: Login, *, key: str) -> tuple[str, str]:
    """Return a new secret, as text and as the address that a QR code carries; in force once confirmed.

    Asked again before that, it is the same secret.

    Parameters
    ----------
    key
        The installation's, which never enters the store.

    Raises
    ------
    ConflictError
        If codes are in force already.
    """
    row = _row(session, login.id)
    if row is None:
        row = OneTimeCode(login_id=login.id, sealed_secret=secrets.token_bytes(32))
        session.add(row)
        session.flush()
    if row.confirmed_at is not None:
        raise ConflictError("One-time codes are in force already.")
    secret = _secret(row, key)
    return secret, pyotp.TOTP(secret).provisioning_uri(name=login.username, issuer_name="gridmap")


def confirm_codes(session: Session, login_id: int, code: str, *, key: str, now: datetime) -> list[str]:
    """Put codes in force, now that the device has shown a right one; return the recovery codes, once.

    Raises
    ------
    InvalidValueError
        If the code is wrong.
    ConflictError
        If there is nothing to confirm.
    """
    row = _row(session, login_id)
    if row is None or row.confirmed_at is not None:
        raise ConflictError("There is nothing to confirm.")
    step = _step_of(row, key, _plain(code), now)
    if step is None:
        raise InvalidValueError(
            "This is not the code that the device should show now. Is its clock right?", parameter="code"
        )
    row.confirmed_at, row.last_step = now, step
    made = [
        base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
        for _ in range(_RECOVERY_CODES)
    ]
    session.add_all(RecoveryCode(login_id=login_id, code_hash=_hash(one)) for one in made)
    session.flush()
    return ["-".join(one[i : i + 4] for i in range(0, len(one), 4)) for one in made]


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _hash(code: str) -> bytes:
    # A fast hash is enough: a recovery code has 80 random bits.
    return hashlib.sha256(code.encode()).digest()


def use_code(session: Session, login_id: int, code: str, *, key: str, now: datetime) -> None:
    """Take a one-time code or a recovery code; each is taken once.

    Raises
    ------
    PermissionDeniedError
        If it is wrong, too old, or was used before; which of these is not said.
    """
    plain, row = _plain(code), _row(session, login_id)
    if row is not None and row.confirmed_at is not None:
        step = _step_of(row, key, plain, now)
        if step is not None:
            row.last_step = step
            session.flush()
            return
        spare = session.scalar(
            select(RecoveryCode)
            .where(
                RecoveryCode.login_id == login_id,
                RecoveryCode.code_hash == _hash(plain),
                RecoveryCode.used_at.is_(None),
            )
            .with_for_update()
        )
        if spare is not None:
            spare.used_at = now
            session.flush()
            return
    raise PermissionDeniedError("The code is wrong, or was used before.")


def recovery_codes_left(session: Session, login_id: int) -> int:
    """Return how many recovery codes a login has left."""
    query = select(func.count(RecoveryCode.id)).where(
        RecoveryCode.login_id == login_id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(query) or 0


def remove_codes(session: Session, login_id: int) -> None:
    """Take codes out of force, with the recovery codes."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.login_id == login_id))
    session.execute(delete(OneTimeCode).where(OneTimeCode.login_id == login_id))
