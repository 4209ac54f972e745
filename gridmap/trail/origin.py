"""Who is at work, and from where: known at the edge, written wherever something changes."""

from __future__ import annotations

import getpass
import shlex
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Origin", "acting", "current_origin", "set_origin"]

_SECRET_OPTIONS = frozenset({"--password", "--key", "--secret", "--token"})
_LONGEST_NAME, _LONGEST_WHERE = 100, 300


@dataclass(frozen=True, slots=True)
class Origin:
    """Who acts, by name and login, and from where: ``web 10.0.0.7 POST /api/v1/problems``, ``command …``."""

    actor: str
    where: str
    login_id: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "actor", self.actor[:_LONGEST_NAME])
        object.__setattr__(self, "where", self.where[:_LONGEST_WHERE])

    @classmethod
    def of_command(cls, arguments: Sequence[str]) -> Origin:
        """Whoever runs a command on the server, with its arguments but without secrets."""
        shown = []
        for before, word in zip(("", *arguments), arguments, strict=False):
            option, sign, _ = word.partition("=")
            if before in _SECRET_OPTIONS:
                shown.append("...")
            else:
                shown.append(f"{option}=..." if sign and option in _SECRET_OPTIONS else word)
        return cls(_account(), f"command gridmap {shlex.join(shown)}")


_current: ContextVar[Origin | None] = ContextVar("gridmap_origin", default=None)


def set_origin(origin: Origin) -> None:
    """Say who acts from now on in this context, as each request and each command does."""
    _current.set(origin)


@contextmanager
def acting(origin: Origin) -> Iterator[None]:
    """Say who acts within the block."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def current_origin() -> Origin:
    """Return who acts; where nobody said so, the program itself and the account that runs it."""
    return _current.get() or Origin(_account(), f"program {Path(sys.argv[0]).name}")


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "-"
