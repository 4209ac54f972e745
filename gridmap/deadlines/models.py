"""Tables of limits, of what follows when they pass, and of the papers that come of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gridmap.people.models import Organisation
from gridmap.problems.models import State, TimeUnit
from gridmap.store.base import Base, BigId, Identified, text_enum

__all__ = [
    "Accountability",
    "AccountabilityState",
    "Escalation",
    "EscalationStep",
    "Notice",
    "NoticeItem",
    "NoticeKind",
    "Reminder",
    "StepKind",
    "TimeLimit",
]


class TimeLimit(Base, Identified):
    """Time allowed for problems of a category under conditions; empty conditions hold always.

    Limits are asked in ascending order of `position`; the first that fits decides, and where none does the
    category's own time.
    """

    __tablename__ = "time_limit"

    position: Mapped[int] = mapped_column(Integer)
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), index=True)
    """This category or one below it."""
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    """Inside this area or one below it."""
    road_level: Mapped[int | None] = mapped_column(SmallInteger)
    """At a priority road of this level or a more important one; 1 is the most important."""
    hours: Mapped[str] = mapped_column(String(100), default="")
    """Found within these hours of the day, such as ``18:00-08:00``; may pass midnight."""
    least_severity: Mapped[int | None] = mapped_column(SmallInteger)
    """At least this grave, 1 to 5."""
    time_allowed: Mapped[int] = mapped_column(Integer)
    time_unit: Mapped[TimeUnit] = mapped_column(text_enum(TimeUnit))
    remark: Mapped[str] = mapped_column(Text, default="")


class StepKind(StrEnum):
    """What is done about a limit that ends or has ended."""

    REMIND = "remind"
    """Before it ends: the person is reminded."""
    NOTICE = "notice"
    """Supervision notice (督查通知书) to the organisation."""
    LEADER = "leader"
    """The leader in charge is told."""
    ACCOUNTABILITY = "accountability"
    """Put on the accountability list (问责)."""


class EscalationStep(Base, Identified):
    """One line of the table of steps, in ascending order of `position`.

    A reminder comes `wait` before the limit ends. The first of the others comes `wait` after it has ended,
    each further one `wait` after the one before was taken: nobody is called to account unwarned.
    """

    __tablename__ = "escalation_step"

    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[StepKind] = mapped_column(text_enum(StepKind))
    wait: Mapped[int] = mapped_column(Integer)
    unit: Mapped[TimeUnit] = mapped_column(text_enum(TimeUnit))
    enabled: Mapped[bool] = mapped_column(default=True)


class NoticeKind(StrEnum):
    """What kind of paper a notice is; each is numbered by itself."""

    RECTIFICATION = "rectification"
    """整改通知单: orders an organisation to fix problems by a time."""
    SUPERVISION = "supervision"
    """督查通知书: says that limits have passed."""


class Notice(Base, Identified):
    """The numbered paper that orders an organisation to fix named problems."""

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("kind", "year", "number", name="uq_notice_number"),)

    kind: Mapped[NoticeKind] = mapped_column(text_enum(NoticeKind))
    year: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(Integer)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    text: Mapped[str] = mapped_column(Text, default="")
    """What is demanded beyond fixing; may be blank."""
    issued_at: Mapped[datetime] = mapped_column(index=True)
    issued_by: Mapped[str] = mapped_column(String(100))
    answer_by: Mapped[datetime | None]
    """Until when an answer in writing is wanted."""
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(100))

    organisation: Mapped[Organisation] = relationship()


class NoticeItem(Base):
    """One problem on a notice, with its limit at that time."""

    __tablename__ = "notice_item"
    __table_args__ = (UniqueConstraint("notice_id", "problem_id", name="uq_notice_item"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"))
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    due_at: Mapped[datetime | None]
    state: Mapped[State | None] = mapped_column(text_enum(State))
    """In which it was then; none on notices from before this was kept."""


class Reminder(Base, Identified):
    """What somebody is told about limits, in the application's inbox; see `Escalation` for the problems."""

    __tablename__ = "reminder"
    __table_args__ = (
        Index("ix_reminder_person_id_read_at", "person_id", "read_at"),
        Index("ix_reminder_organisation_id_read_at", "organisation_id", "read_at"),
    )

    kind: Mapped[StepKind] = mapped_column(text_enum(StepKind))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    """Everybody of this organisation, where no person is known."""
    sent_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class AccountabilityState(StrEnum):
    """What became of an entry on the accountability list."""

    OPEN = "open"
    EXCUSED = "excused"
    """The reason was accepted (免责)."""
    TALKED = "talked"
    """Admonishing talk (约谈)."""
    CRITICISED = "criticised"
    """Criticised in a bulletin (通报批评)."""
    REFERRED = "referred"
    """Handed over to the discipline office (移交问责)."""


class Accountability(Base, Identified):
    """One entry of the accountability list; it stays, whatever becomes of it."""

    __tablename__ = "accountability"

    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who answered for the problem when it was entered."""
    due_at: Mapped[datetime]
    entered_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[AccountabilityState] = mapped_column(
        text_enum(AccountabilityState), default=AccountabilityState.OPEN
    )
    note: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(100))


class Escalation(Base, Identified):
    """A step taken for a problem because of one limit: the same limit is never followed twice by a step."""

    __tablename__ = "escalation"
    __table_args__ = (UniqueConstraint("problem_id", "step_id", "due_at", name="uq_escalation_once"),)

    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"))
    step_id: Mapped[int] = mapped_column(ForeignKey("escalation_step.id"))
    due_at: Mapped[datetime]
    taken_at: Mapped[datetime]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"), index=True)
    reminder_id: Mapped[int | None] = mapped_column(ForeignKey("reminder.id"), index=True)
