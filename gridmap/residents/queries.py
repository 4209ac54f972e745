"""Reads for the public, which sees published problems and nothing else.

Every answer to the public goes through `_published`: what is held or hidden appears in none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, or_, select

from gridmap.errors import NotFoundError
from gridmap.evidence.models import Attachment, AttachmentState
from gridmap.problems.models import Event, Problem, State
from gridmap.residents.models import (
    ApiKey,
    Moderation,
    Publication,
    PublicPhoto,
    ResidentReport,
)
from gridmap.residents.rules import COURSE, key_hash, plain_place

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from gridmap.store.spatial import Box

__all__ = [
    "PublicProblem",
    "find_key",
    "photo_of",
    "photos_of",
    "public_near",
    "read_public",
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
    text, address, attributes, media_urls
        As somebody has looked at them; to the system that sent it, until then, as it sent them.
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
    moderation: Moderation
    """Not published: only read by the system that sent it."""


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
        Of another system, which also reads what it sent itself, published or not, by its uid only.
    """
    shown: ColumnElement[bool] = _SHOWN
    if key is not None and uids is not None:
        shown = or_(_SHOWN, ResidentReport.api_key_id == key.id)
    query = (
        select(
            Problem.id,
            Problem.uid,
            Problem.category_id,
            Problem.state,
            Publication.text,
            Publication.address,
            Problem.lon,
            Problem.lat,
            Problem.found_at,
            func.coalesce(_CHANGED, Problem.found_at).label("updated_at"),
            Problem.fix_due_at,
            Problem.organisation_id,
            Problem.source,
            case((_SHOWN, Publication.attributes), else_=ResidentReport.attributes).label("attributes"),
            case((_SHOWN, Publication.media_urls), else_=ResidentReport.media_urls).label("media_urls"),
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
        # What somebody wrote before deciding not to publish it is for nobody.
        text="" if row.moderation is Moderation.HIDDEN else row.text,
        address="" if row.moderation is Moderation.HIDDEN else row.address,
        lon=lon,
        lat=lat,
        requested_at=row.found_at,
        updated_at=row.updated_at,
        due_at=row.fix_due_at,
        organisation_id=row.organisation_id,
        source=row.source.value,
        attributes=row.attributes or {},
        media_urls=row.media_urls or [],
        moderation=row.moderation,
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


def find_key(session: Session, key: str) -> ApiKey | None:
    """Return the key that another system sent, unless it is unknown or revoked."""
    return session.scalar(select(ApiKey).where(ApiKey.key_hash == key_hash(key), ApiKey.revoked_at.is_(None)))
