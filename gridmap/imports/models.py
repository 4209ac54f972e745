"""Tables that remember each import, so that it can be repeated and undone."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, BigId, Identified, text_enum

__all__ = ["Import", "ImportChange", "ImportState"]


class ImportState(StrEnum):
    """Where an import stands."""

    APPLIED = "applied"
    UNDONE = "undone"


class Import(Base, Identified):
    """One file brought in. Rows that it created carry its id; rows that it changed are in `ImportChange`."""

    __tablename__ = "import"

    kind: Mapped[str] = mapped_column(String(24))
    file_name: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Datum, field mapping and whatever else was stated."""
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Rows read, created, changed, unchanged and refused."""
    state: Mapped[ImportState] = mapped_column(text_enum(ImportState), default=ImportState.APPLIED)
    actor: Mapped[str] = mapped_column(String(100))
    login_id: Mapped[int | None] = mapped_column(BigInteger)
    """Who brought it in, where that was somebody signed in. No foreign key, as persons come from imports."""
    applied_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class ImportChange(Base):
    """What one row was before an import changed it."""

    __tablename__ = "import_change"
    __table_args__ = (Index("ix_import_change_import_id_table_name", "import_id", "table_name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import.id"))
    table_name: Mapped[str] = mapped_column(String(40))
    row_uid: Mapped[uuid.UUID]
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
