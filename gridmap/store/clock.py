"""The clock of changes: one number per committed change of problems, in the order of commits.

Readers compare it with the change up to which their snapshot is true. The row is locked until the
transaction ends, so that a smaller number is never committed after a larger one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, select, update
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ["ChangeClock", "Reading", "next_change", "read_clock"]


class ChangeClock(Base):
    """One row: the last change, and the last one after which a snapshot must be rebuilt from nothing."""

    __tablename__ = "change_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    change: Mapped[int] = mapped_column(BigInteger, default=0)
    rebuild: Mapped[int] = mapped_column(BigInteger, default=0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the clock showed."""

    change: int
    rebuild: int


def next_change(session: Session, *, rebuild: bool = False) -> int:
    """Take the next change number for this transaction; take it last, as it holds others up until the end.

    Parameters
    ----------
    session
        Of a writing transaction.
    rebuild
        Whether rows were removed or so many changed that snapshots should start afresh.
    """
    values = {"change": ChangeClock.change + 1}
    if rebuild:
        values["rebuild"] = ChangeClock.change + 1
    return session.execute(update(ChangeClock).values(values).returning(ChangeClock.change)).scalar_one()


def read_clock(session: Session) -> Reading:
    """Read the clock as this transaction sees it."""
    change, rebuild = session.execute(select(ChangeClock.change, ChangeClock.rebuild)).one()
    return Reading(change, rebuild)
