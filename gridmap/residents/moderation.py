"""Use cases of whoever looks at what residents send: publish and hide; keys of other systems; forgetting."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.evidence.models import Attachment, AttachmentState, MediaKind
from gridmap.people.permissions import Permission
from gridmap.problems.models import Event, EventKind, Problem
from gridmap.residents.models import (
    ApiKey,
    Moderation,
    Publication,
    PublicPhoto,
    Reporter,
    ResidentNote,
    ResidentReport,
)
from gridmap.residents.rules import key_hash, make_key
from gridmap.residents.unsolved import keep_last_said
from gridmap.store.clock import next_change

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor

__all__ = ["create_key", "decide_note", "decide_publication", "forget_reporters", "revoke_key"]


def _problem(session: Session, actor: Actor, problem_id: int) -> Problem:
    problem = session.scalar(select(Problem).where(Problem.id == problem_id).with_for_update())
    if problem is None or not actor.scope(Permission.RESIDENT_MODERATE).covers(
        problem.area_id, problem.organisation_id
    ):
        raise NotFoundError("There is no such report, or it lies outside what you may see.")
    return problem


def _line(session: Session, actor: Actor, problem: Problem, details: dict[str, str], now: datetime) -> None:
    session.add(
        Event(
            problem_id=problem.id,
            kind=EventKind.PUBLICATION,
            at=now,
            recorded_at=now,
            actor=actor.name,
            person_id=actor.person_id,
            state=problem.state,
            details=details,
        )
    )
    session.flush()
    problem.change = next_change(session)


def decide_publication(
    session: Session,
    actor: Actor,
    problem_uid: uuid.UUID,
    *,
    publish: bool,
    text: str,
    address: str = "",
    photos: Iterable[uuid.UUID] = (),
    answers: Iterable[str] = (),
    urls: Iterable[str] = (),
    now: datetime,
) -> Publication:
    """Show a problem to everybody, with what somebody has looked at, or hide it again.

    Parameters
    ----------
    text, address
        What everybody reads instead of the description and the address.
    photos
        Uids of those of the problem's photos that are shown; the others are not, or no longer. What came with
        a remark is decided on with it.
    answers, urls
        Codes of those of the report's answers, and those of its addresses of pictures, that are shown.

    Raises
    ------
    NotFoundError
        If there is no such problem where the actor may decide.
    InvalidValueError
        If a photo, an answer or an address is not one of this problem's.
    """
    number = session.scalar(select(Problem.id).where(Problem.uid == problem_uid))
    problem = _problem(session, actor, number or 0)
    row = session.scalar(select(Publication).where(Publication.problem_id == problem.id))
    if row is None:
        row = Publication(problem_id=problem.id)
        session.add(row)
    report = session.scalar(select(ResidentReport).where(ResidentReport.problem_id == problem.id))
    given, elsewhere = (report.attributes, report.media_urls) if report else ({}, [])
    row.state = Moderation.PUBLISHED if publish else Moderation.HIDDEN
    row.text, row.address = text.strip()[:4000], address.strip()[:300]
    row.attributes = {code: given[code] for code in _among(answers, given, "answers") if publish}
    row.media_urls = _among(urls, elsewhere, "urls") if publish else []
    row.decided_by, row.decided_at = actor.name, now
    row.published_at = (row.published_at or now) if publish else None
    notes = session.scalars(select(ResidentNote.photos).where(ResidentNote.problem_id == problem.id))
    theirs = {uuid.UUID(uid) for uids in notes for uid in uids}
    known = _photos(session, problem)
    own = {uid: one for uid, one in known.items() if uid not in theirs}
    shown = _show(session, actor, own, photos if publish else (), now=now)
    _line(session, actor, problem, {"publication": row.state.value, "photos": str(shown)}, now)
    return row


def _among(chosen: Iterable[str], known: Iterable[str], parameter: str) -> list[str]:
    """Return what was chosen in its order, or raise InvalidValueError where something is not known."""
    wanted, known = set(chosen), list(known)
    if not wanted <= set(known):
        raise InvalidValueError("Expected what belongs to this report.", parameter=parameter)
    return [one for one in known if one in wanted]


def _photos(session: Session, problem: Problem) -> dict[uuid.UUID, Attachment]:
    """Photos of a problem that can be shown, by their uid."""
    rows = session.scalars(
        select(Attachment).where(
            Attachment.problem_id == problem.id,
            Attachment.kind == MediaKind.PHOTO,
            Attachment.state == AttachmentState.READY,
        )
    )
    return {one.uid: one for one in rows}


def _show(
    session: Session,
    actor: Actor,
    known: Mapping[uuid.UUID, Attachment],
    wanted: Iterable[uuid.UUID],
    *,
    now: datetime,
) -> int:
    """Show those of some photos to everybody that are wanted, and none of the others; return how many."""
    chosen = set(wanted)
    if not chosen <= known.keys():
        raise InvalidValueError("Expected photos of this problem.", parameter="photos")
    ids = [one.id for one in known.values()]
    session.execute(delete(PublicPhoto).where(PublicPhoto.attachment_id.in_(ids)))
    session.add_all(
        PublicPhoto(
            attachment_id=known[uid].id,
            problem_id=known[uid].problem_id,
            published_by=actor.name,
            published_at=now,
        )
        for uid in chosen
    )
    return len(chosen)


def decide_note(
    session: Session,
    actor: Actor,
    note_uid: uuid.UUID,
    *,
    publish: bool,
    text: str,
    photos: Iterable[uuid.UUID] = (),
    urls: Iterable[str] = (),
    now: datetime,
) -> ResidentNote:
    """Show what a resident added, in words that somebody has looked at, or hide it.

    Parameters
    ----------
    text
        What everybody reads instead of the remark.
    photos, urls
        Uids of the photos that came with it, and its addresses of pictures, that are shown.

    Raises
    ------
    NotFoundError
        If there is no such note where the actor may decide.
    InvalidValueError
        If a photo or an address did not come with it.
    """
    note = session.scalar(select(ResidentNote).where(ResidentNote.uid == note_uid))
    if note is None:
        raise NotFoundError("There is no such report, or it lies outside what you may see.")
    problem = _problem(session, actor, note.problem_id)
    note.state = Moderation.PUBLISHED if publish else Moderation.HIDDEN
    note.public_text = text.strip()[:4000]
    note.public_urls = _among(urls, note.media_urls, "urls") if publish else []
    note.published_at = (note.published_at or now) if publish else None
    theirs = {uid: one for uid, one in _photos(session, problem).items() if str(uid) in note.photos}
    _show(session, actor, theirs, photos if publish else (), now=now)
    keep_last_said(session, problem.id)
    _line(session, actor, problem, {"note": str(note.uid), "publication": note.state.value}, now)
    return note


def create_key(
    session: Session, actor: Actor, name: str, *, trusted: bool, now: datetime
) -> tuple[ApiKey, str]:
    """Make a key for another system; return it and the key itself, which is shown this once."""
    actor.scope_everywhere(Permission.OPEN311_KEYS)
    name = name.strip()
    if not 1 <= len(name) <= 100:
        raise InvalidValueError(
            "Expected a name of 1 to {longest} characters; found {found}.",
            parameter="name",
            longest=100,
            found=len(name),
        )
    key = make_key()
    row = ApiKey(name=name, key_hash=key_hash(key), trusted=trusted, made_by=actor.name, made_at=now)
    session.add(row)
    session.flush()
    return row, key


def revoke_key(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> ApiKey:
    """Let a key open nothing any more.

    Raises
    ------
    NotFoundError, ConflictError
        If there is no such key, or it was revoked before.
    """
    actor.scope_everywhere(Permission.OPEN311_KEYS)
    row = session.scalar(select(ApiKey).where(ApiKey.uid == uid))
    if row is None:
        raise NotFoundError("There is no key {uid}.", uid=str(uid))
    if row.revoked_at is not None:
        raise ConflictError("This key was revoked before.")
    row.revoked_at = now
    session.flush()
    return row


def forget_reporters(session: Session, *, settings: Settings, now: datetime) -> int:
    """Remove who reported longer ago than the installation keeps that; return how many.

    What they wrote stays with the problem; the hashes of addresses go too.
    """
    before = now - timedelta(days=settings.resident_data_days)
    old = select(ResidentReport.id).where(ResidentReport.sent_at < before)
    gone = session.scalars(select(Reporter.id).where(Reporter.report_id.in_(old))).all()
    session.execute(delete(Reporter).where(Reporter.report_id.in_(old)))
    session.execute(
        update(ResidentReport)
        .where(ResidentReport.sent_at < before, ResidentReport.sender_hash.is_not(None))
        .values(sender_hash=None)
        .execution_options(synchronize_session=False)
    )
    return len(gone)
