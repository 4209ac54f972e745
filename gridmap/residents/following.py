"""Residents and other systems add to what was reported: remarks, photos, whether it is solved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from gridmap.errors import ConflictError, InvalidValueError, LimitReachedError, NotFoundError
from gridmap.problems.models import Event, EventKind, Problem
from gridmap.residents.models import Moderation, ResidentNote, Said
from gridmap.residents.service import add_photos, checked_text, checked_urls, resident
from gridmap.residents.unsolved import keep_last_said
from gridmap.store.clock import next_change

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.evidence.examination import Examined
    from gridmap.residents.models import ApiKey

__all__ = ["NewNote", "say"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNote:
    """What somebody adds to a problem.

    Parameters
    ----------
    uid
        The same one sent twice is one.
    said
        A remark, or that it is solved, or that it is not.
    at
        When another system says that it was said; None: now.
    external_id
        How the other system calls it.
    """

    uid: uuid.UUID
    said: Said
    text: str = ""
    at: datetime | None = None
    external_id: str | None = None
    media_urls: Sequence[str] = ()


_MOST_NOTES_A_DAY = 20


def say(
    session: Session,
    problem_id: int,
    note: NewNote,
    photos: Sequence[Examined] = (),
    *,
    key: ApiKey | None = None,
    settings: Settings,
    now: datetime,
) -> tuple[ResidentNote, bool]:
    """Add a remark, a photo, or whether it is solved; the history gets a line, the public nothing yet.

    That a closed problem is not solved is seen by whoever looks back at closed ones: where the reporter says
    it at once, where another system does once somebody has looked at it, unless its key is trusted.

    Parameters
    ----------
    problem_id
        Of a problem that the caller has found by a code, or that another system may know.
    note, photos, key
        What is said; by which system, if any.

    Raises
    ------
    LimitReachedError
        If too much was added within a day.
    InvalidValueError
        If nothing is said, or too much.
    NotFoundError
        If there is no such problem.
    """
    known = session.scalar(
        select(ResidentNote).where(ResidentNote.uid == note.uid)
        if note.external_id is None
        else select(ResidentNote).where(
            ResidentNote.external_id == note.external_id,
            ResidentNote.api_key_id == (key.id if key else None),
            ResidentNote.problem_id == problem_id,
        )
    )
    if known is not None:
        if known.problem_id != problem_id:
            raise ConflictError("Another report has the identity {uid}.", uid=str(note.uid))
        return known, False
    problem = session.scalar(select(Problem).where(Problem.id == problem_id).with_for_update())
    if problem is None:
        raise NotFoundError("There is no such report.")
    text = checked_text(note.text, "text")
    urls = checked_urls(note.media_urls)
    if not text and not photos and not urls and note.said is Said.REMARK:
        raise InvalidValueError("Write something, or add a photo.", parameter="text")
    said_today = session.scalar(
        select(func.count(ResidentNote.id)).where(
            ResidentNote.problem_id == problem_id, ResidentNote.at > now - timedelta(days=1)
        )
    )
    if key is None and (said_today or 0) >= _MOST_NOTES_A_DAY:
        raise LimitReachedError(
            "At most {most} remarks a day can be added to one report.", most=_MOST_NOTES_A_DAY
        )
    actor = resident(key.name if key else "居民")
    trusted = key is not None and key.trusted
    made = ResidentNote(
        uid=note.uid,
        problem_id=problem_id,
        said=note.said,
        text=text,
        at=min(note.at or now, now),
        state=Moderation.PUBLISHED if trusted else Moderation.HELD,
        public_text=text,
        api_key_id=key.id if key else None,
        external_id=note.external_id,
        media_urls=urls,
        public_urls=urls if trusted else [],
        photos=[str(photo.upload.uid) for photo in photos],
        published_at=now if trusted else None,
    )
    session.add(made)
    keep_last_said(session, problem_id)
    details: dict[str, Any] = {"said": note.said.value, "note": str(made.uid)}
    session.add(
        Event(
            problem_id=problem_id,
            kind=EventKind.RESIDENT,
            at=made.at,
            recorded_at=now,
            actor=actor.name,
            state=problem.state,
            note=text or None,
            details=details,
        )
    )
    add_photos(session, actor, problem, photos, publish=trusted, settings=settings, now=now)
    session.flush()
    problem.change = next_change(session)
    session.flush()
    return made, True
