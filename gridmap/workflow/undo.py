"""Taking a step back, on as many problems as it was taken on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased

from gridmap.errors import ConflictError, NotFoundError
from gridmap.language import N_
from gridmap.look_back.answers import forget_answers
from gridmap.problems.models import ALTERING, Batch, Event, EventKind, Problem
from gridmap.problems.shares import restore_shares
from gridmap.store.bulk import insert_rows
from gridmap.store.bulk_update import update_rows
from gridmap.store.clock import next_change
from gridmap.workflow.history import before_of
from gridmap.workflow.links import end_links
from gridmap.workflow.lives import hold_lives, read_lives
from gridmap.workflow.requests import forget
from gridmap.workflow.transitions import TRANSITIONS, Action

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["LONGEST", "Undone", "preview_undo", "undo", "undoable"]

LONGEST = timedelta(days=1)
"""A step can be taken back for this long."""
_NOT_YOURS = N_("There is no such step, or it is not yours to take back.")


@dataclass(frozen=True, slots=True, eq=False)
class Undone:
    """Case numbers on which a step was taken back, and those that have moved on since; int64."""

    numbers: NDArray[np.int64]
    moved_on: NDArray[np.int64]


def undo(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> Undone:
    """Put problems back to where they stood before a step; those that have moved on since stay.

    A problem has moved on by another step or a correction, not by a photo, a notice or what a resident says.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor
        Who took the step and may still take it there, or whoever holds its permission everywhere.
    uid
        Of the step's batch.
    now
        Time of the change.

    Raises
    ------
    NotFoundError
        If there is no such step, or it was taken by somebody else and is not the actor's to take back.
    ConflictError
        If it was taken back already, is too long ago, or every problem has moved on since.
    """
    batch = _held(session, actor, uid, now=now, lock=True)
    everyone = _problems_of(session, batch)
    hold_lives(session, everyone)
    rows = _unmoved(session, batch)
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    moved_on = np.setdiff1d(everyone, numbers)
    if not len(numbers):
        raise ConflictError("Every one of these problems has moved on since; nothing was taken back.")
    columns = before_of([details for _, details in rows])
    if not _still_may(session, actor, batch, rows):
        raise NotFoundError(_NOT_YOURS)
    forget(session, batch, numbers)
    forget_answers(session, batch, numbers)
    end_links(session, batch, numbers, now=now)
    batch.undone_at = now
    session.flush()
    update_rows(session, Problem, numbers, columns)
    restore_shares(
        session,
        {number: details["shares"] for number, details in rows if details.get("shares") is not None},
    )
    lives = read_lives(session, numbers)
    insert_rows(
        session,
        Event,
        {
            "problem_id": lives["id"],
            "kind": EventKind.UNDONE,
            "at": now,
            "recorded_at": now,
            "actor": actor.name,
            "person_id": actor.person_id,
            "state": lives["state"],
            "action": batch.action,
            "details": {},
        },
    )
    update_rows(session, Problem, numbers, {"change": next_change(session)})
    return Undone(np.sort(numbers), moved_on)


def preview_undo(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> Undone:
    """Say on which problems a step would be taken back; changes nothing.

    Raises
    ------
    NotFoundError, ConflictError
        As `undo`; but none of the problems may be left to take back.
    """
    batch = _held(session, actor, uid, now=now, lock=False)
    rows = _unmoved(session, batch)
    if rows and not _still_may(session, actor, batch, rows):
        raise NotFoundError(_NOT_YOURS)
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    return Undone(np.sort(numbers), np.setdiff1d(_problems_of(session, batch), numbers))


def undoable(session: Session, actor: Actor, number: int, *, now: datetime) -> uuid.UUID | None:
    """Return the batch of the last step on a problem, where the actor can take it back on this problem now.

    Parameters
    ----------
    number
        Case number.
    """
    found = session.execute(
        select(Batch, Event.details)
        .join(Event, Event.batch_id == Batch.id)
        .where(
            Event.id
            == select(func.max(Event.id))
            .where(Event.problem_id == number, Event.kind.in_(ALTERING))
            .scalar_subquery()
        )
    ).one_or_none()
    if found is None:
        return None
    batch, details = found
    if batch.undone_at is not None or now - batch.at > LONGEST or not _may(actor, batch):
        return None
    return batch.uid if _still_may(session, actor, batch, [(number, details)]) else None


def _held(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime, lock: bool) -> Batch:
    """Find a step that the actor can take back."""
    query = select(Batch).where(Batch.uid == uid)
    batch = session.scalar(query.with_for_update() if lock else query)
    if batch is None or not _may(actor, batch):
        raise NotFoundError(_NOT_YOURS)
    if batch.undone_at is not None:
        raise ConflictError("This step was taken back already.")
    if now - batch.at > LONGEST:
        raise ConflictError("A step can be taken back within {hours} hours.", hours=24)
    return batch


def _problems_of(session: Session, batch: Batch) -> NDArray[np.int64]:
    """Case numbers that a step was taken on."""
    query = select(Event.problem_id).where(Event.batch_id == batch.id)
    return np.array(session.scalars(query).all(), dtype=np.int64)


def _unmoved(session: Session, batch: Batch) -> Sequence[Row[int, dict[str, Any]]]:
    """Case numbers that have not moved on since a step, with what its line of history keeps."""
    later = aliased(Event)
    last = ~exists().where(
        later.problem_id == Event.problem_id, later.id > Event.id, later.kind.in_(ALTERING)
    )
    return session.execute(
        select(Event.problem_id, Event.details).where(Event.batch_id == batch.id, last)
    ).all()


def _may(actor: Actor, batch: Batch) -> bool:
    permission = TRANSITIONS[Action(batch.action)].permission
    if actor.login_id is not None and batch.login_id == actor.login_id:
        return actor.may(permission)
    return actor.may_everywhere(permission)


def _still_may(
    session: Session, actor: Actor, batch: Batch, rows: Sequence[Row[int, dict[str, Any]] | tuple[int, Any]]
) -> bool:
    """Whether the actor could take the step today on every problem as it stood before."""
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    columns, lives = before_of([details for _, details in rows]), read_lives(session, numbers)
    where = []
    for name in ("area_id", "organisation_id"):
        now = lives[name][np.searchsorted(lives["id"], numbers)]
        where.append(np.ma.filled(columns[name], -1) if name in columns else now)
    scope = actor.scope(TRANSITIONS[Action(batch.action)].permission)
    return bool(scope.covers_each(where[0], where[1]).all())
