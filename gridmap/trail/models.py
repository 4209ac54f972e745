"""Tables of the trail."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, BigId, text_enum

__all__ = ["Deed", "TrailEntry", "TrailHead", "TrailLine"]


class TrailHead(Base):
    """One row: where the chain ends. Whoever appends locks it until their transaction ends."""

    __tablename__ = "trail_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    hash: Mapped[str] = mapped_column(String(64), default="")


class TrailEntry(Base):
    """One transaction (变更记录): who, when and from where; what, is in its lines."""

    __tablename__ = "trail_entry"

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(100), index=True)
    login_id: Mapped[int | None] = mapped_column(BigInteger)
    """No foreign key: an entry outlives what it tells of."""
    origin: Mapped[str] = mapped_column(String(300))
    """From where: the client's address and the request, or the command."""
    lines: Mapped[int] = mapped_column(Integer)
    key: Mapped[str] = mapped_column(String(16))
    """Which signing key it was made with."""
    hash: Mapped[str] = mapped_column(String(64))
    """Over the entry, its lines and the hash before it."""


class Deed(StrEnum):
    """What became of a row."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


class TrailLine(Base):
    """What became of one row, or of many at once."""

    __tablename__ = "trail_line"
    __table_args__ = (Index("ix_trail_line_table_name_row_id", "table_name", "row_id"),)

    seq: Mapped[int] = mapped_column(ForeignKey("trail_entry.seq"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(String(40))
    deed: Mapped[Deed] = mapped_column(text_enum(Deed))
    row_id: Mapped[int | None] = mapped_column(BigInteger)
    """None: many rows, which are in `rows`."""
    row_uid: Mapped[str | None] = mapped_column(String(32))
    count: Mapped[int] = mapped_column(Integer, default=1)
    before: Mapped[str | None] = mapped_column(Text)
    """JSON of what the changed columns were; its text is part of the hash."""
    after: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str | None] = mapped_column(String(32))
    """Of the row afterwards; see `gridmap.trail.canon`."""
    rows: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Ids and digests of many rows; see `gridmap.trail.packing`."""
