"""Use cases of photos and videos."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from gridmap.errors import ConflictError, InvalidValueError, LimitReachedError, NotFoundError
from gridmap.evidence.models import Attachment, AttachmentState, Stage
from gridmap.evidence.rules import doubts, metres_between, minutes_between, moment_of
from gridmap.people.permissions import Permission
from gridmap.problems.models import Event, EventKind, Problem
from gridmap.store.clock import next_change

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.evidence.examination import Examined
    from gridmap.people.permissions import Actor, Scope

__all__ = ["add_attachment", "admit", "compare", "find_own", "hold_own", "tie"]


def admit(session: Session, actor: Actor, *, settings: Settings, now: datetime) -> None:
    """Say whether a login may send a photo or video now, before any of it is taken in.

    Raises
    ------
    PermissionDeniedError
        If the actor may not.
    LimitReachedError
        If the login sent so many within the last hour.
    """
    actor.scope(Permission.EVIDENCE_ADD)
    if actor.login_id is None:
        return
    sent = session.scalar(
        select(func.count(Attachment.id)).where(
            Attachment.login_id == actor.login_id, Attachment.created_at > now - timedelta(hours=1)
        )
    )
    if sent is not None and sent >= settings.evidence_per_hour:
        raise LimitReachedError(
            "Expected at most {most} photos and videos within an hour; wait a little and send it again.",
            most=settings.evidence_per_hour,
        )


def find_own(session: Session, actor: Actor, uid: uuid.UUID) -> Attachment | None:
    """Return what this login sent under a uid; None if nothing was.

    Raises
    ------
    ConflictError
        If somebody else sent something under it.
    """
    known = session.scalar(select(Attachment).where(Attachment.uid == uid))
    if known is not None and known.login_id != actor.login_id:
        raise ConflictError("Another attachment has the identity {uid}.", uid=str(uid))
    return known


def add_attachment(
    session: Session, actor: Actor, examined: Examined, *, settings: Settings, now: datetime
) -> Attachment:
    """Record what was examined (`gridmap.evidence.examination.examine`), and tie it to its problem.

    Where the upload names a problem, its history gets a line for it. Sent again, it is recorded once.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor, examined, settings, now
        Who sends what, and when.

    Raises
    ------
    PermissionDeniedError
        If the actor may not add evidence.
    LimitReachedError
        If the login sent too many within the last hour.
    NotFoundError
        If there is no such problem where the actor may add evidence.
    ConflictError
        If something else has this identity.
    InvalidValueError
        If the problem has as many as one may have, or it shows a pledge or an offence of a shop.
    """
    scope = actor.scope(Permission.EVIDENCE_ADD)
    upload = examined.upload
    known = find_own(session, actor, upload.uid)
    if known is not None:
        return _same(known, examined)
    admit(session, actor, settings=settings, now=now)
    problem = None if upload.problem is None else _find_problem(session, upload.problem, scope)
    made = _row(actor, examined, settings=settings, now=now)
    if upload.lon is not None and upload.lat is not None and made.lon is not None and made.lat is not None:
        made.metres_off = metres_between((made.lon, made.lat), (upload.lon, upload.lat))
    _judge(made, settings)
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        # Sent twice at the same time: the other one was first.
        known = find_own(session, actor, upload.uid)
        if known is None:
            raise
        return _same(known, examined)
    if problem is not None:
        event = _line(session, actor, problem, [made], now=now)
        _tie(session, [made], problem, event, settings)
        problem.change = next_change(session)
    session.flush()
    return made


def _find_problem(session: Session, uid: uuid.UUID, scope: Scope) -> Problem:
    problem = session.scalar(select(Problem).where(Problem.uid == uid).with_for_update())
    if problem is None or not scope.covers(problem.area_id, problem.organisation_id):
        raise NotFoundError("There is no such problem, or it lies outside what you may see.")
    return problem


def _same(known: Attachment, examined: Examined) -> Attachment:
    if known.sha256 != examined.original.sha256:
        raise ConflictError("Another attachment has the identity {uid}.", uid=str(known.uid))
    return known


def _row(actor: Actor, examined: Examined, *, settings: Settings, now: datetime) -> Attachment:
    upload, derived = examined.upload, examined.derived
    return Attachment(
        uid=upload.uid,
        stage=upload.stage,
        kind=examined.kind,
        state=AttachmentState.READY,
        media_type=examined.media_type,
        size=examined.original.size,
        sha256=examined.original.sha256,
        shown_type=derived.shown_type,
        shown_size=examined.shown.size,
        shown_sha256=examined.shown.sha256,
        thumbnail_size=examined.thumbnail.size,
        thumbnail_sha256=examined.thumbnail.sha256,
        width=derived.width,
        height=derived.height,
        duration=derived.duration,
        taken_at=moment_of(derived.taken, settings.zone),
        lon=derived.lon,
        lat=derived.lat,
        stated_at=upload.taken_at,
        file_name=upload.file_name[:200],
        uploaded_by=actor.name,
        login_id=actor.login_id,
        created_at=now,
    )


def _line(
    session: Session, actor: Actor, problem: Problem, made: list[Attachment], *, now: datetime
) -> Event:
    """A line of the history for evidence that came outside of a step."""
    event = Event(
        problem_id=problem.id,
        kind=EventKind.EVIDENCE,
        at=now,
        recorded_at=now,
        actor=actor.name,
        person_id=actor.person_id,
        state=problem.state,
        details={
            "attachments": [
                {"uid": str(one.uid), "stage": one.stage.value, "sha256": one.sha256} for one in made
            ]
        },
    )
    session.add(event)
    session.flush()
    return event


def tie(
    session: Session,
    attachment_uids: Sequence[uuid.UUID],
    *,
    problem_id: int,
    event_id: int,
    actor: Actor,
    settings: Settings,
) -> list[Attachment]:
    """Tie what a login sent earlier to the event that it proves; return it in the order of the uids.

    The caller has checked that the actor may take the step, and moves the problem's change afterwards.

    Parameters
    ----------
    session
        Of a writing transaction.
    attachment_uids
        Of attachments that this login sent; tying them twice to the same event does nothing.
    problem_id, event_id
        What they prove.
    actor, settings
        Who ties them; where photos are doubted.

    Raises
    ------
    NotFoundError
        If this login sent no such thing.
    ConflictError
        If it proves something else already.
    InvalidValueError
        If the problem would have more than one may have, or one shows a pledge or an offence of a shop.
    """
    if not attachment_uids:
        return []
    mine = hold_own(session, actor, attachment_uids)
    if any(row.problem_id is not None and row.event_id != event_id for row in mine):
        raise ConflictError("A photo or video that was named proves something else already.")
    problem, event = session.get_one(Problem, problem_id), session.get_one(Event, event_id)
    _tie(session, [row for row in mine if row.problem_id is None], problem, event, settings)
    session.flush()
    return mine


def hold_own(session: Session, actor: Actor, uids: Sequence[uuid.UUID]) -> list[Attachment]:
    """Hold what this login sent under some uids until the transaction ends, in their order.

    Raises
    ------
    NotFoundError
        If it sent nothing under one of them.
    """
    query = select(Attachment).where(Attachment.uid.in_(uids), Attachment.login_id == actor.login_id)
    rows = {row.uid: row for row in session.scalars(query.with_for_update())}
    found = [rows[uid] for uid in dict.fromkeys(uids) if uid in rows]
    if len(found) < len(set(uids)):
        raise NotFoundError("A photo or video that was named has not arrived; send it again.")
    return found


def compare(row: Attachment, *, lon: float, lat: float, at: datetime, settings: Settings) -> None:
    """Compare where and when the camera says that something was taken with the place and time it proves."""
    row.stated_at = at
    if row.lon is not None and row.lat is not None:
        row.metres_off = metres_between((row.lon, row.lat), (lon, lat))
    _judge(row, settings)


def _tie(
    session: Session, rows: list[Attachment], problem: Problem, event: Event, settings: Settings
) -> None:
    strange = next((row.stage for row in rows if row.stage in _OF_SHOPS), None)
    if strange is not None:
        raise InvalidValueError(
            "Expected a photo or video of a problem; found one of stage {found}.",
            parameter="attachments",
            found=strange.value,
        )
    there = session.scalar(select(func.count(Attachment.id)).where(Attachment.problem_id == problem.id))
    if (there or 0) + len(rows) > settings.evidence_per_problem:
        raise InvalidValueError(
            "Expected at most {most} photos and videos for one problem; found {found}.",
            parameter="attachments",
            most=settings.evidence_per_problem,
            found=(there or 0) + len(rows),
        )
    sent = session.execute(
        select(Attachment.sha256, Attachment.problem_id, Attachment.stage).where(
            Attachment.sha256.in_([row.sha256 for row in rows]), Attachment.problem_id.is_not(None)
        )
    ).all()
    elsewhere = {one.sha256 for one in sent if one.problem_id != problem.id}
    here = {(one.sha256, _moment(one.stage)) for one in sent if one.problem_id == problem.id}
    here |= {(row.sha256, _moment(row.stage)) for row in rows}
    for row in rows:
        row.problem_id, row.event_id = problem.id, event.id
        if row.stated_at is None:
            row.stated_at = problem.found_at if row.stage in _AS_FOUND else event.at
        if row.lon is not None and row.lat is not None:
            row.metres_off = metres_between((row.lon, row.lat), (problem.lon, problem.lat))
        # One picture does not show a place at two moments of its problem's life.
        twice = any(sha256 == row.sha256 and moment != _moment(row.stage) for sha256, moment in here)
        _judge(row, settings, reused=twice or row.sha256 in elsewhere)


_AS_FOUND = {Stage.FOUND, Stage.BEFORE}
_OF_SHOPS = {Stage.PLEDGE, Stage.OFFENCE}
"""What proves something of a shop, and no problem."""


def _moment(stage: Stage) -> Stage:
    return Stage.FOUND if stage in _AS_FOUND else stage


def _judge(row: Attachment, settings: Settings, *, reused: bool = False) -> None:
    if row.stated_at is not None and row.taken_at is not None:
        row.minutes_off = minutes_between(row.stated_at, row.taken_at)
    row.doubts = doubts(
        metres_off=row.metres_off,
        minutes_off=row.minutes_off,
        reused=reused,
        most_metres=settings.evidence_metres,
        most_minutes=settings.evidence_minutes,
    )
