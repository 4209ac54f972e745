"""Passwords: what is accepted, how they are kept, and checking one."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gridmap.errors import InvalidValueError

__all__ = ["LONGEST_PASSWORD", "SHORTEST_PASSWORD", "hash_password", "matches", "outdated"]

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1000
"""Hashing takes time with length; nobody types more."""
_hasher = PasswordHasher()


def hash_password(password: str, *, username: str = "") -> str:
    """Hash a password for keeping (argon2id).

    Raises
    ------
    InvalidValueError
        If it is too short, too long, the user name, or one character over and over.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidValueError(
            "Expected a password of at least {shortest} characters; found {found}.",
            parameter="password",
            shortest=SHORTEST_PASSWORD,
            found=len(password),
        )
    if len(password) > LONGEST_PASSWORD:
        raise InvalidValueError(
            "Expected a password of at most {longest} characters; found {found}.",
            parameter="password",
            longest=LONGEST_PASSWORD,
            found=len(password),
        )
    if password.casefold() == username.casefold() or len(set(password)) == 1:
        raise InvalidValueError(
            "Expected a password that is not the user name and not one character over and over.",
            parameter="password",
        )
    return _hasher.hash(password)


@cache
def _nobody() -> str:
    """Checked when there is no such login, so that both answers take equally long."""
    return _hasher.hash("nobody")


def matches(password: str, hashed: str | None) -> bool:
    """Whether a password is the kept one; without one the check takes as long and fails."""
    if len(password) > LONGEST_PASSWORD:
        password = ""
    try:
        _hasher.verify(hashed or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


def outdated(hashed: str) -> bool:
    """Whether a kept hash was made with other parameters than are used now."""
    return _hasher.check_needs_rehash(hashed)
