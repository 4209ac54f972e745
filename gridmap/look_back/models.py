"""Tables of look-back samples and their checks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, Identified, text_enum

__all__ = ["CheckResult", "CheckTask", "LookBackSample"]


class CheckResult(StrEnum):
    """What a check found."""

    GOOD = "good"
    FAILED = "failed"


class LookBackSample(Base, Identified):
    """One drawing of closed problems, with everything needed to draw it again."""

    __tablename__ = "look_back_sample"

    seed: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(Integer)
    """How many were asked for."""
    closed_from: Mapped[datetime]
    closed_until: Mapped[datetime]
    """Closed before this."""
    candidates: Mapped[int] = mapped_column(Integer)
    """How many problems it was drawn from."""
    due_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(100))
    login_id: Mapped[int | None] = mapped_column(BigInteger)
    """Who drew it; None where that is not known, as names of older samples can be those of two people."""
    at: Mapped[datetime]


class CheckTask(Base, Identified):
    """A closed problem that somebody must look at again."""

    __tablename__ = "check_task"
    __table_args__ = (UniqueConstraint("sample_id", "problem_id", name="uq_check_task"),)

    sample_id: Mapped[int] = mapped_column(ForeignKey("look_back_sample.id"), index=True)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """Who is to look; not whoever fixed it."""
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    result: Mapped[CheckResult | None] = mapped_column(text_enum(CheckResult))
    done_by: Mapped[str | None] = mapped_column(String(100))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"), index=True)
    """The step that answered it."""
