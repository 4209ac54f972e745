"""Reads for the public, which sees published problems and nothing else.

Every answer to the public goes through `_published`: what is held or hidden appears in none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from gridmap.errors import NotFoundError
from gridmap.evidence.models import Attachment, AttachmentState
from gridmap.problems.models import Event, Problem, State
from gridmap.residents.models import (
    ApiKey,
    Moderation,
    Publication,
    PublicPhoto,
    ResidentNote,
    ResidentReport,
    Said,
)
from gridmap.residents.rules import COURSE, code_hash, key_hash, plain_place

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from gridmap.store.spatial import Box

__all__ = [
    "Followed",
    "PublicProblem",
    "Update",
    "find_key",
    "find_report",
    "photo_of",
    "photos_of",
    "public_near",
    "read_public",
    "updates_between",
]


@dataclass(frozen=True, slots=True)
class PublicProblem:
    """A problem as everybody may know it; nobody is named in it.

    Attributes
    ----------
    number
        Database id, for further reads; it never leaves.
    updated_at
        When its state last changed.
    held
        Whether it is not published and only read by the system that sent it.
    """

    number: int
    uid: uuid.UUID
    category_id: int
    state: State
    text: str
    address: str
    lon: float
    lat: float
    requested_at: datetime
    updated_at: datetime
    due_at: datetime | None
    organisation_id: int | None
    source: str
    attributes: dict[str, list[str]]
    media_urls: list[str]
    held: bool


_SHOWN = Publication.state == Moderation.PUBLISHED
_CHANGED = (
    select(func.max(Event.recorded_at))
    .where(Event.problem_id == Problem.id, Event.state.is_not(None))
    .correlate(Problem)
    .scalar_subquery()
)


def read_public(
    session: Session,
    *,
    uids: Sequence[uuid.UUID] | None = None,
    categories: Sequence[int] | None = None,
    states: Iterable[State] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    box: Box | None = None,
    limit: int = 1000,
    offset: int = 0,
    key: ApiKey | None = None,
) -> list[PublicProblem]:
    """Read published problems, newest first.

    Parameters
    ----------
    uids
        Only these.
    categories, states
        Only of these; database ids of categories.
    start, end
        Found from and until then.
    box
        Standing inside, degrees.
    limit, offset
        At most so many, after so many.
    key
        Of another system, which also reads what it sent itself and is still held, by its uid only.
    """
    shown: ColumnElement[bool] = _SHOWN
    if key is not None and uids is not None:
        mine = and_(ResidentReport.api_key_id == key.id, Publication.state == Moderation.HELD)
        shown = or_(_SHOWN, mine)
    query = (
        select(
            Problem.id,
            Problem.uid,
            Problem.category_id,
            Problem.state,
            Publication.text,
            Problem.address,
            Problem.lon,
            Problem.lat,
            Problem.found_at,
            func.coalesce(_CHANGED, Problem.found_at).label("updated_at"),
            Problem.fix_due_at,
            Problem.organisation_id,
            Problem.source,
            ResidentReport.attributes,
            ResidentReport.media_urls,
            Publication.state.label("moderation"),
        )
        .join(Publication, Publication.problem_id == Problem.id)
        .outerjoin(ResidentReport, ResidentReport.problem_id == Problem.id)
        .where(shown)
    )
    if uids is not None:
        query = query.where(Problem.uid.in_(list(uids)))
    if categories is not None:
        query = query.where(Problem.category_id.in_(list(categories)))
    if states is not None:
        query = query.where(Problem.state.in_(list(states)))
    if start is not None:
        query = query.where(Problem.found_at >= start)
    if end is not None:
        query = query.where(Problem.found_at <= end)
    if box is not None:
        west, south, east, north = box
        query = query.where(Problem.lon.between(west, east), Problem.lat.between(south, north))
    query = query.order_by(Problem.found_at.desc(), Problem.id.desc()).limit(limit).offset(offset)
    return [_public(row) for row in session.execute(query)]


def _public(row: Any) -> PublicProblem:
    lon, lat = plain_place(row.lon, row.lat)
    return PublicProblem(
        number=row.id,
        uid=row.uid,
        category_id=row.category_id,
        state=row.state,
        text=row.text,
        address=row.address,
        lon=lon,
        lat=lat,
        requested_at=row.found_at,
        updated_at=row.updated_at,
        due_at=row.fix_due_at,
        organisation_id=row.organisation_id,
        source=row.source.value,
        attributes=row.attributes or {},
        media_urls=row.media_urls or [],
        held=row.moderation is not Moderation.PUBLISHED,
    )


_NEAR = 0.0006
"""Degrees within which a published problem is offered as perhaps the same: some 60 m."""


def public_near(session: Session, lon: float, lat: float, category: int | None) -> list[PublicProblem]:
    """Return published open problems close to a place, those of the same category first; at most five."""
    box = (lon - _NEAR, lat - _NEAR, lon + _NEAR, lat + _NEAR)
    still = [state for state, course in COURSE.items() if course.open]
    found = read_public(session, box=box, states=still, limit=20)
    return sorted(found, key=lambda one: one.category_id != category)[:5]


def photos_of(session: Session, numbers: Iterable[int]) -> dict[int, list[uuid.UUID]]:
    """Uids of the public photos of problems, by their id."""
    found: dict[int, list[uuid.UUID]] = {}
    rows = session.execute(
        select(PublicPhoto.problem_id, Attachment.uid)
        .join(Attachment, Attachment.id == PublicPhoto.attachment_id)
        .where(PublicPhoto.problem_id.in_(list(numbers)))
        .order_by(Attachment.id)
    )
    for number, uid in rows:
        found.setdefault(number, []).append(uid)
    return found


def photo_of(session: Session, uid: uuid.UUID) -> Attachment:
    """Return a photo that is public, of a problem that is published.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = session.scalar(
        select(Attachment)
        .join(PublicPhoto, PublicPhoto.attachment_id == Attachment.id)
        .join(Publication, Publication.problem_id == Attachment.problem_id)
        .where(Attachment.uid == uid, _SHOWN, Attachment.state == AttachmentState.READY)
    )
    if row is None:
        raise NotFoundError("There is no such photo.")
    return row


@dataclass(frozen=True, slots=True)
class Update:
    """One step of the public course, or something said that was published."""

    uid: uuid.UUID
    problem: uuid.UUID
    at: datetime
    state: State
    text: str
    said: Said | None
    media_urls: list[str]


def updates_between(
    session: Session,
    start: datetime | None,
    end: datetime | None,
    *,
    problems: Sequence[int] | None = None,
    limit: int = 1000,
) -> list[Update]:
    """Return what changed publicly, oldest first: changes of state, and published remarks.

    Parameters
    ----------
    start, end
        When the store learnt of it; None: no limit.
    problems
        Only of these, by database id; the caller has made sure that they may be told. None: of published
        ones.
    """
    told = select(Publication.problem_id).where(_SHOWN) if problems is None else list(problems)
    lines = (
        select(
            Event.uid,
            Event.id,
            Event.problem_id,
            Event.recorded_at,
            Event.state,
            func.lag(Event.state).over(partition_by=Event.problem_id, order_by=Event.id).label("before"),
        )
        .where(Event.state.is_not(None), Event.problem_id.in_(told))
        .subquery()
    )
    line = lines.c
    query = (
        select(line.uid, Problem.uid, line.recorded_at, line.state)
        .join(Problem, Problem.id == line.problem_id)
        .where(or_(line.before.is_(None), line.before != line.state), *_during(line.recorded_at, start, end))
        .order_by(line.recorded_at, line.id)
        .limit(limit)
    )
    found = [Update(uid, of, at, state, "", None, []) for uid, of, at, state in session.execute(query)]
    notes = (
        select(ResidentNote, Problem.uid, Problem.state)
        .join(Problem, Problem.id == ResidentNote.problem_id)
        .where(
            ResidentNote.state == Moderation.PUBLISHED,
            ResidentNote.problem_id.in_(told),
            *_during(ResidentNote.at, start, end),
        )
        .order_by(ResidentNote.at)
        .limit(limit)
    )
    found += [
        Update(note.uid, of, note.at, state, note.public_text, note.said, note.media_urls)
        for note, of, state in session.execute(notes)
    ]
    return sorted(found, key=lambda one: one.at)[:limit]


def _during(column: Any, start: datetime | None, end: datetime | None) -> list[ColumnElement[bool]]:
    limits = []
    if start is not None:
        limits.append(column >= start)
    if end is not None:
        limits.append(column <= end)
    return limits


def find_key(session: Session, key: str) -> ApiKey | None:
    """Return the key that another system sent, unless it is unknown or revoked."""
    return session.scalar(select(ApiKey).where(ApiKey.key_hash == key_hash(key), ApiKey.revoked_at.is_(None)))


@dataclass(frozen=True, slots=True)
class Followed:
    """A report as whoever holds its code may see it."""

    report: ResidentReport
    problem: Problem
    publication: Publication
    notes: list[ResidentNote]
    course: list[Update]


def find_report(session: Session, code: str) -> Followed:
    """Return the report that a code belongs to.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = session.execute(
        select(ResidentReport, Problem, Publication)
        .join(Problem, Problem.id == ResidentReport.problem_id)
        .join(Publication, Publication.problem_id == Problem.id)
        .where(ResidentReport.code_hash == code_hash(code))
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no report with this code.")
    report, problem, publication = row
    notes = session.scalars(
        select(ResidentNote)
        .where(ResidentNote.problem_id == problem.id)
        .order_by(ResidentNote.at, ResidentNote.id)
    ).all()
    course = [one for one in updates_between(session, None, None, problems=[problem.id]) if one.said is None]
    return Followed(report, problem, publication, list(notes), course)
