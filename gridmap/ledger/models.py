"""Tables of what offices write beside a problem, and of the columns somebody likes to see."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, Identified

__all__ = ["LedgerChoice", "LedgerNote", "LedgerRevision"]


class LedgerNote(Base, Identified):
    """What an office notes beside a problem (备注): why it lasts, and what solving it would cost."""

    __tablename__ = "ledger_note"

    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), unique=True)
    remark: Mapped[str] = mapped_column(Text, default="")
    funding: Mapped[float | None]
    """Money needed, in 10,000 yuan (万元)."""
    actor: Mapped[str] = mapped_column(String(100))
    changed_at: Mapped[datetime]


class LedgerChoice(Base, Identified):
    """The columns of the ledger that a login chose last."""

    __tablename__ = "ledger_choice"

    login_id: Mapped[int] = mapped_column(ForeignKey("login.id", ondelete="CASCADE"), unique=True)
    columns: Mapped[list[str]] = mapped_column(JSON)


class LedgerRevision(Base, Identified):
    """One edited ledger that was taken over, so that it can be taken back."""

    __tablename__ = "ledger_revision"

    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(100))
    login_id: Mapped[int | None] = mapped_column(ForeignKey("login.id"))
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """Per problem its case number, the last line of its history before steps, and what each field was."""
    batches: Mapped[list[str]] = mapped_column(JSON)
    """Uids of the steps that were taken, in order."""
