"""Use cases of the ledger that are not its coming back: which columns somebody likes to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.ledger.columns import COLUMNS, USUAL
from gridmap.ledger.models import LedgerChoice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["choose_columns", "columns_of"]


def columns_of(session: Session, actor: Actor) -> tuple[str, ...]:
    """Names of the columns that a login chose last; what offices keep, until it chooses."""
    if actor.login_id is not None:
        kept = session.scalar(select(LedgerChoice.columns).where(LedgerChoice.login_id == actor.login_id))
        if kept:
            return tuple(name for name in kept if name in COLUMNS)
    return USUAL


def choose_columns(session: Session, actor: Actor, names: Iterable[str]) -> None:
    """Remember the columns that a login wants; unknown names are left out, none at all: the usual ones."""
    if actor.login_id is None:
        return
    wanted = [name for name in COLUMNS if name in set(names)] or list(USUAL)
    kept = session.scalar(select(LedgerChoice).where(LedgerChoice.login_id == actor.login_id))
    if kept is None:
        session.add(LedgerChoice(login_id=actor.login_id, columns=wanted))
    elif kept.columns != wanted:
        kept.columns = wanted
    session.flush()
