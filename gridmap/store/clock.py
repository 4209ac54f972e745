"""The clocks of changes, by which readers know whether what they remember is still true.

One counts committed changes of problems, in the order of commits: readers compare it with the change up to
which their snapshot is true. Its row is locked until the transaction ends, so that a smaller number is never
committed after a larger one. The other counts changes of everything else on the map; triggers in the database
move it, so that no writer can forget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, select, update
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ["ChangeClock", "Clocks", "GroundClock", "Reading", "next_change", "read_clock", "read_clocks"]


class ChangeClock(Base):
    """One row: the last change, and the last one after which a snapshot must be rebuilt from nothing."""

    __tablename__ = "change_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    change: Mapped[int] = mapped_column(BigInteger, default=0)
    rebuild: Mapped[int] = mapped_column(BigInteger, default=0)


class GroundClock(Base):
    """One row, moved by triggers: changes of places and who holds them, the base map, shops, and logins."""

    __tablename__ = "ground_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    ground: Mapped[int] = mapped_column(BigInteger, default=0)
    base: Mapped[int] = mapped_column(BigInteger, default=0)
    access: Mapped[int] = mapped_column(BigInteger, default=0)
    shops: Mapped[int] = mapped_column(BigInteger, default=0)


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
    # Without the mapper, and made once: asked for in every transaction.
    change: int = session.connection().execute(_REBUILT if rebuild else _MOVED).scalar_one()
    return change


def read_clock(session: Session) -> Reading:
    """Read the clock as this transaction sees it."""
    change, rebuild = session.execute(select(ChangeClock.change, ChangeClock.rebuild)).one()
    return Reading(change, rebuild)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both clocks at one moment."""

    change: int
    rebuild: int
    ground: int
    """Areas, cells, points, roads, responsibilities, organisations, persons, categories."""
    base: int
    """What the base map shows: streets, buildings, surfaces, areas, and of points what a map has of them."""
    access: int
    """Logins and what they may do."""
    shops: int
    """Shopfronts, their pledges and offences."""


_CHANGES, _GROUND = ChangeClock.__table__.c, GroundClock.__table__.c
_NEXT = _CHANGES.change + 1
_MOVED = update(ChangeClock).values(change=_NEXT).returning(_CHANGES.change)
_REBUILT = _MOVED.values(rebuild=_NEXT)
_BOTH = select(
    _CHANGES.change, _CHANGES.rebuild, _GROUND.ground, _GROUND.base, _GROUND.access, _GROUND.shops
).where(_CHANGES.id == _GROUND.id)


def read_clocks(session: Session) -> Clocks:
    """Read both clocks by one query, as this transaction sees them."""
    # Asked at every request: without the mapper it takes a third of the time.
    return Clocks(*session.connection().execute(_BOTH).one())
