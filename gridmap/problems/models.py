"""Tables of problems, their categories and their history."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import IntFlag, StrEnum
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gridmap.store.base import Base, BigId, Identified, Valid, index_of_present, text_enum

__all__ = [
    "ALTERING",
    "Batch",
    "Category",
    "Event",
    "EventKind",
    "Flag",
    "LinkKind",
    "Problem",
    "ProblemCell",
    "ProblemLink",
    "Request",
    "RequestState",
    "Source",
    "State",
    "TimeUnit",
]


class State(StrEnum):
    """Where a problem stands in its life."""

    RECORDED = "recorded"
    CHECKED = "checked"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    FIXED = "fixed"
    VERIFIED = "verified"
    CLOSED = "closed"
    SENT_BACK = "sent_back"
    RETURNED = "returned"
    SUSPENDED = "suspended"
    REJECTED = "rejected"
    MERGED = "merged"

    @property
    def resolved(self) -> bool:
        """Whether nothing is left to do."""
        return self in {State.CLOSED, State.REJECTED, State.MERGED}


class Source(StrEnum):
    """Who found it."""

    PATROL = "patrol"
    ASSESSOR = "assessor"
    RESIDENT = "resident"
    HOTLINE = "hotline"
    DEPARTMENT = "department"
    CAMERA = "camera"
    OTHER = "other"


class TimeUnit(StrEnum):
    """How an allowed time is counted; see `gridmap.deadlines.calendar`."""

    WORKING_HOUR = "working_hour"
    WORKING_DAY = "working_day"
    URGENT_HOUR = "urgent_hour"
    URGENT_DAY = "urgent_day"
    CALENDAR_DAY = "calendar_day"


class Flag(IntFlag):
    """What is remarkable about a record."""

    NONE = 0
    DEFAULT_COORDINATE = 1
    """Stands on a point where so many cases stand that it must mean "place unknown"."""
    IMPOSSIBLE_TIMES = 2
    """Closed before it was found, or found in the future."""
    OUTSIDE_CELLS = 4
    """In no grid cell."""
    DOUBTFUL = DEFAULT_COORDINATE | IMPOSSIBLE_TIMES
    """What keeps a problem out of heat and figures unless asked for."""


class Category(Base, Identified, Valid):
    """Kind of problem (问题类别), major or minor, with the time allowed and who normally fixes it."""

    __tablename__ = "category"

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    name_en: Mapped[str] = mapped_column(String(200), default="")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)
    severity: Mapped[int] = mapped_column(SmallInteger, default=2)
    """1 slight to 5 grave; the weight in heat."""
    time_allowed: Mapped[int] = mapped_column(Integer, default=8)
    time_unit: Mapped[TimeUnit] = mapped_column(text_enum(TimeUnit), default=TimeUnit.WORKING_HOUR)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    after_photo: Mapped[bool] = mapped_column(default=False)
    """Whether closing needs a photo taken after fixing."""
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class Problem(Base, Identified):
    """Something wrong at a place (问题). Its `id` is the case number people quote."""

    __tablename__ = "problem"
    __table_args__ = (
        UniqueConstraint("external_source", "external_id", name="uq_problem_external"),
        Index("ix_problem_state_due_at", "state", "due_at"),
        *(index_of_present("problem", name) for name in ("road_id", "person_id", "import_id")),
    )

    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), index=True)
    state: Mapped[State] = mapped_column(text_enum(State), default=State.RECORDED)
    source: Mapped[Source] = mapped_column(text_enum(Source), default=Source.OTHER)
    severity: Mapped[int] = mapped_column(SmallInteger, default=2)
    flags: Mapped[int] = mapped_column(SmallInteger, default=0)
    found_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime | None]
    """When the step that is waited for must be taken; of a resolved problem, when it had to be fixed."""
    closed_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    """When it was first found to be real and no duplicate: filed (立案)."""
    dispatched_at: Mapped[datetime | None]
    """When it was first given to an organisation."""
    fixed_at: Mapped[datetime | None]
    """When the organisation last handed it back as fixed."""
    fix_due_at: Mapped[datetime | None]
    """When the organisation must hand it back; of one that is handed back or suspended, as it last ran."""
    time_allowed: Mapped[int | None] = mapped_column(Integer)
    """Time for fixing that this problem was given, with extensions; none before dispatch."""
    time_unit: Mapped[TimeUnit | None] = mapped_column(text_enum(TimeUnit))
    clock_since: Mapped[datetime | None]
    """Since when the clock of fixing runs; none: it stands."""
    clock_used: Mapped[int] = mapped_column(BigInteger, default=0)
    """Microseconds used before `clock_since`, in the unit's own time."""
    on_time: Mapped[bool | None]
    """Whether it was handed back in time; none until it was."""
    rework: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often it was sent back."""
    returns: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often an organisation said that it is not theirs."""
    suspensions: Mapped[int] = mapped_column(SmallInteger, default=0)
    extensions: Mapped[int] = mapped_column(SmallInteger, default=0)
    look_backs: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often it was looked at again after closing and found good."""
    reopened: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often it was found bad again after closing: look-backs that failed."""
    recurrence: Mapped[bool] = mapped_column(default=False)
    """Whether it came up where another one of its kind had been closed; see `ProblemLink`."""
    fixed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who handed it back."""
    description: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(String(300), default="")
    geometry: Mapped[Any] = mapped_column(Geometry("GEOMETRY", srid=4326, spatial_index=True, nullable=False))
    lon: Mapped[float]
    """Longitude of the point that stands for the geometry."""
    lat: Mapped[float]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    cell_id: Mapped[int | None] = mapped_column(ForeignKey("grid_cell.id"), index=True)
    road_id: Mapped[int | None] = mapped_column(ForeignKey("priority_road.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    external_source: Mapped[str | None] = mapped_column(String(100))
    external_id: Mapped[str | None] = mapped_column(String(100))
    change: Mapped[int] = mapped_column(BigInteger, index=True)
    """Number of the change, in the order of commits, that last touched this row."""
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))

    category: Mapped[Category] = relationship()


class EventKind(StrEnum):
    """What an event records."""

    RECORDED = "recorded"
    ASSIGNED = "assigned"
    STATE = "state"
    IMPORTED = "imported"
    UNDONE = "undone"
    EVIDENCE = "evidence"
    """Photos or videos were added outside of a step."""
    EDITED = "edited"
    RESIDENT = "resident"
    """A resident or another system added something."""
    PUBLICATION = "publication"
    """Somebody decided what everybody may see."""
    ESCALATED = "escalated"
    """A limit neared or passed, and somebody was told; or a notice named it."""
    JOINT = "joint"
    """Taken into a joint operation, or that one ended."""


ALTERING = frozenset(
    {
        EventKind.RECORDED,
        EventKind.ASSIGNED,
        EventKind.STATE,
        EventKind.IMPORTED,
        EventKind.UNDONE,
        EventKind.EDITED,
    }
)
"""Kinds of events that change how a problem stands; the others only tell what happened around it."""


class Event(Base):
    """One immutable line of a problem's history (流转记录)."""

    __tablename__ = "event"
    __table_args__ = tuple(index_of_present("event", name) for name in ("batch_id", "import_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(unique=True, default=uuid.uuid4)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    kind: Mapped[EventKind] = mapped_column(text_enum(EventKind))
    at: Mapped[datetime]
    """When it happened."""
    recorded_at: Mapped[datetime] = mapped_column(index=True)
    """When the store learnt of it."""
    actor: Mapped[str] = mapped_column(String(100))
    state: Mapped[State | None] = mapped_column(text_enum(State))
    """State after the event."""
    action: Mapped[str | None] = mapped_column(String(24))
    """The step that was taken; see `gridmap.workflow.transitions`."""
    note: Mapped[str | None] = mapped_column(Text)
    """What whoever took it said."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who took it, where that is a person."""
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"))
    """The action on many problems that it belongs to."""
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


class Batch(Base, Identified):
    """One action on many problems, which can be undone as one."""

    __tablename__ = "batch"

    action: Mapped[str] = mapped_column(String(24))
    note: Mapped[str] = mapped_column(Text, default="")
    actor: Mapped[str] = mapped_column(String(100))
    login_id: Mapped[int | None] = mapped_column(ForeignKey("login.id"))
    at: Mapped[datetime]
    problems: Mapped[int] = mapped_column(Integer)
    """On how many it was taken."""
    undone_at: Mapped[datetime | None]


class ProblemCell(Base):
    """How much of a line or polygon lies in a cell; a point has no rows, as its cell says all.

    The shares of a problem sum to 1 over what lies in cells; its own `cell_id` is the one that leads.
    """

    __tablename__ = "problem_cell"
    __table_args__ = (UniqueConstraint("problem_id", "cell_id", name="uq_problem_cell"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id", ondelete="CASCADE"))
    cell_id: Mapped[int] = mapped_column(ForeignKey("grid_cell.id", ondelete="CASCADE"), index=True)
    share: Mapped[float]
    """By length or area, more than 0 and up to 1."""
    leads: Mapped[bool]


class LinkKind(StrEnum):
    """How one problem belongs to another."""

    MERGED = "merged"
    """It is the same thing, reported again."""
    RECURRENCE = "recurrence"
    """It came up at the same place after the other was closed."""


class ProblemLink(Base, Identified):
    """One problem belongs to another."""

    __tablename__ = "problem_link"
    __table_args__ = (UniqueConstraint("problem_id", "other_id", "kind", name="uq_problem_link"),)

    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    kind: Mapped[LinkKind] = mapped_column(text_enum(LinkKind))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it turned out not to be so."""
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"), index=True)


class RequestState(StrEnum):
    """What became of a request."""

    OPEN = "open"
    GRANTED = "granted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    """Asked by a step that was taken back."""


class Request(Base, Identified):
    """An organisation asks for a problem to be suspended or for more time."""

    __tablename__ = "request"

    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    action: Mapped[str] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime | None]
    more: Mapped[int | None] = mapped_column(Integer)
    """In the unit of the problem's own limit."""
    asked_by: Mapped[str] = mapped_column(String(100))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    state: Mapped[RequestState] = mapped_column(text_enum(RequestState), default=RequestState.OPEN)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided_at: Mapped[datetime | None]
    asked_in_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"), index=True)
    decided_in_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"), index=True)
