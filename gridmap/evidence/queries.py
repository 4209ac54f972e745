"""Reads of photos and videos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import case, exists, func, select, true, union
from sqlalchemy.orm import aliased

from gridmap.errors import NotFoundError
from gridmap.evidence.models import Attachment, AttachmentState, Stage
from gridmap.people.permissions import Permission
from gridmap.problems.models import Batch, Event, EventKind, Problem

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = [
    "attachments_of",
    "brings_after_photo",
    "known_files",
    "lacking_after_photo",
    "visible_attachment",
]

_SLICE = 10_000
"""Ids in one query."""
_BACK_TO_WORK = ("send_back", "reopen")
"""Steps after which the work is done anew and wants a new photo."""
_TAKEN_BACK = aliased(Event)
_UNDONE = (
    exists()
    .where(
        Batch.id == Event.batch_id,
        _TAKEN_BACK.problem_id == Event.problem_id,
        _TAKEN_BACK.kind == EventKind.UNDONE,
        _TAKEN_BACK.recorded_at == Batch.undone_at,
    )
    .correlate(Event)
)
"""A step was taken back on this problem, which others of its batch may have been spared."""


def lacking_after_photo(session: Session, problem_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which problems have no usable photo taken after fixing.

    What counts is tied to the problem at its last fixing or later, and was sent after it was last sent back
    or reopened. A sending back that was taken back is none.

    Parameters
    ----------
    problem_ids
        Shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (n,), True where one is lacking.
    """
    ids = np.asarray(problem_ids, dtype=np.int64)
    proven: set[int] = set()
    for part in _slices(np.unique(ids).tolist()):
        back = Event.action.in_(_BACK_TO_WORK)
        run = (
            select(
                Event.problem_id,
                func.max(case((Event.action == "fix", Event.id), else_=0)).label("fixed"),
                func.max(case((back, Event.id), else_=0)).label("back"),
                func.max(case((back, Event.recorded_at))).label("back_at"),
            )
            .where(
                Event.problem_id.in_(part),
                Event.kind == EventKind.STATE,
                (Event.action == "fix") | back,
                ~_UNDONE,
            )
            .group_by(Event.problem_id)
            .subquery()
        )
        query = (
            select(Attachment.problem_id)
            .outerjoin(run, run.c.problem_id == Attachment.problem_id)
            .where(
                Attachment.problem_id.in_(part),
                Attachment.stage == Stage.AFTER,
                Attachment.state == AttachmentState.READY,
                run.c.problem_id.is_(None)
                | (
                    (Attachment.event_id >= run.c.fixed)
                    & (Attachment.event_id > run.c.back)
                    & (run.c.back_at.is_(None) | (Attachment.created_at >= run.c.back_at))
                ),
            )
        )
        proven.update(number for number in session.scalars(query) if number is not None)
    return ~np.isin(ids, np.fromiter(proven, dtype=np.int64, count=len(proven)))


def brings_after_photo(
    session: Session, uids: Sequence[uuid.UUID], *, login_id: int, since: datetime | None
) -> bool:
    """Say whether one of the uploads named is a usable photo taken after fixing that proves nothing yet.

    Parameters
    ----------
    uids
        Of uploads.
    login_id
        Who must have sent it.
    since
        When the problem was fixed: what was sent before shows something else. None: it is not known.
    """
    sent = exists().where(
        Attachment.uid.in_(uids),
        Attachment.login_id == login_id,
        Attachment.problem_id.is_(None),
        Attachment.stage == Stage.AFTER,
        Attachment.state == AttachmentState.READY,
        true() if since is None else Attachment.created_at >= since,
    )
    return bool(session.scalar(select(sent)))


def _slices(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _SLICE):
        yield ids[start : start + _SLICE]


def attachments_of(
    session: Session, problem_ids: Iterable[int], *, stages: Sequence[Stage] | None = None
) -> dict[int, list[Attachment]]:
    """Return the attachments of problems, in the order in which they were sent; problems without have none.

    Parameters
    ----------
    problem_ids
        Of problems that the reader may see.
    stages
        None: all.
    """
    found: dict[int, list[Attachment]] = {}
    for part in _slices(list(problem_ids)):
        query = select(Attachment).where(Attachment.problem_id.in_(part)).order_by(Attachment.id)
        if stages is not None:
            query = query.where(Attachment.stage.in_(stages))
        for row in session.scalars(query):
            if row.problem_id is not None:
                found.setdefault(row.problem_id, []).append(row)
    return found


def visible_attachment(
    session: Session, actor: Actor, uid: uuid.UUID, *, permission: Permission = Permission.PROBLEM_READ
) -> Attachment:
    """Return an attachment that the actor may see: of a problem in scope, or one they sent themselves.

    Parameters
    ----------
    permission
        What the actor must hold where the problem lies. Beyond reading problems, having sent it oneself does
        not suffice.

    Raises
    ------
    NotFoundError
        If there is none, or it lies outside what the actor may see.
    """
    found = session.execute(
        select(Attachment, Problem.area_id, Problem.organisation_id)
        .outerjoin(Problem, Problem.id == Attachment.problem_id)
        .where(Attachment.uid == uid)
    ).one_or_none()
    if found is not None:
        row, area_id, organisation_id = found
        if _may_see(actor, row, area_id, organisation_id, permission):
            return row
    raise NotFoundError("There is no such photo or video, or it lies outside what you may see.")


def _may_see(
    actor: Actor, row: Attachment, area_id: int | None, organisation_id: int | None, permission: Permission
) -> bool:
    own = row.login_id is not None and row.login_id == actor.login_id
    if own and permission is Permission.PROBLEM_READ:
        return True
    if not actor.may(permission):
        return False
    scope = actor.scope(permission)
    return scope.everywhere if row.problem_id is None else scope.covers(area_id, organisation_id)


def known_files(session: Session) -> set[str]:
    """SHA-256 of every file that a row speaks of."""
    columns = (Attachment.sha256, Attachment.shown_sha256, Attachment.thumbnail_sha256)
    return {name for name in session.scalars(union(*(select(column) for column in columns))) if name}
