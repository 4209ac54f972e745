"""Taking an edited ledger over, all of it or nothing, and taking it back."""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from gridmap.errors import ConflictError, NotFoundError
from gridmap.ledger.models import LedgerNote, LedgerRevision
from gridmap.ledger.revision import plan_revision
from gridmap.people.permissions import Permission
from gridmap.problems.editing import Correction, edit_problem
from gridmap.problems.models import ALTERING, Event, EventKind, Problem
from gridmap.store.clock import next_change
from gridmap.workflow.lives import hold_lives
from gridmap.workflow.service import take
from gridmap.workflow.undo import undo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.ledger.reading import LedgerFile
    from gridmap.ledger.revision import Change, Revision
    from gridmap.people.permissions import Actor
    from gridmap.places.cards import Faces
    from gridmap.workflow.step import Step

__all__ = ["revisions_of", "take_over", "undo_revision"]

_TEXTS = ("description", "address")
_NOTES = ("remark", "funding")


def take_over(
    session: Session,
    actor: Actor,
    file: LedgerFile,
    *,
    title: str,
    digest: str,
    faces: Faces,
    settings: Settings,
    now: datetime,
) -> tuple[LedgerRevision, Revision]:
    """Take an edited ledger over.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor
        Who brings it back.
    file
        The lines.
    title, digest
        Name and SHA-256 of the file, to be remembered.
    faces, settings, now
        How people appear to the actor, the installation's settings, and the time of the change.

    Raises
    ------
    ConflictError
        If any line is refused, or nothing is edited; nothing is written then.
    """
    ids = session.scalars(select(Problem.id).where(Problem.uid.in_(_uids(file)))).all()
    hold_lives(session, list(ids))
    plan = plan_revision(session, actor, file, faces=faces, settings=settings, now=now)
    if plan.refusals:
        raise ConflictError(
            "{refused} of {read} lines cannot be taken over, so nothing was changed.",
            refused=len(plan.refusals),
            read=plan.read,
        )
    if not plan.changes:
        raise ConflictError("Nothing in the ledger was edited.")
    record = LedgerRevision(
        file_name=title[:200],
        sha256=digest,
        actor=actor.name,
        login_id=actor.login_id,
        at=now,
        changes=[],
        batches=[],
    )
    kept = []
    for change in plan.changes:
        problem = session.get_one(Problem, change.problem)
        _edit(session, actor, problem, change, settings=settings, now=now)
        # Read before any step is taken: taking steps back adds lines of their own.
        line = session.scalar(select(func.max(Event.id)).where(Event.problem_id == problem.id))
        before = {name: was for name, (was, _) in change.fields.items() if name in (*_TEXTS, *_NOTES)}
        kept.append({"problem": problem.id, "line": line, "before": before, "step": change.step is not None})
    record.changes = kept
    record.batches = _take_steps(session, actor, plan.changes, settings=settings, now=now)
    session.add(record)
    session.flush()
    return record, plan


def _uids(file: LedgerFile) -> list[uuid.UUID]:
    found = []
    for row in file.rows:
        try:
            found.append(uuid.UUID(row.uid))
        except ValueError:
            continue
    return found


def _edit(
    session: Session, actor: Actor, problem: Problem, change: Change, *, settings: Settings, now: datetime
) -> None:
    new = {name: after for name, (_, after) in change.fields.items()}
    texts = {name: new[name] for name in _TEXTS if name in new}
    if texts:
        edit_problem(session, actor, problem, Correction(**texts), settings=settings, now=now)
    notes = {name: new[name] for name in _NOTES if name in new}
    if notes:
        _note(session, actor, problem, notes, now=now)


def _note(session: Session, actor: Actor, problem: Problem, new: Mapping[str, Any], *, now: datetime) -> None:
    """Write a note, and a line of history that says what it was."""
    note = session.scalar(select(LedgerNote).where(LedgerNote.problem_id == problem.id))
    if note is None:
        note = LedgerNote(problem_id=problem.id, remark="", funding=None, actor=actor.name, changed_at=now)
        session.add(note)
    before = {name: getattr(note, name) for name in new}
    for name, value in new.items():
        setattr(note, name, value)
    note.actor, note.changed_at = actor.name, now
    _tell(
        session,
        actor,
        problem,
        EventKind.EDITED,
        {"changed": sorted(new), "before": before},
        now=now,
    )


def _tell(
    session: Session,
    actor: Actor,
    problem: Problem,
    kind: EventKind,
    details: dict[str, Any],
    *,
    now: datetime,
) -> None:
    session.add(
        Event(
            problem_id=problem.id,
            kind=kind,
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
    session.flush()


def _take_steps(
    session: Session, actor: Actor, changes: list[Change], *, settings: Settings, now: datetime
) -> list[str]:
    """Take every step, equal ones together; return the uids of their records."""
    wanted: dict[Step, list[int]] = defaultdict(list)
    for change in changes:
        if change.step is not None:
            wanted[change.step].append(change.problem)
    taken = []
    for step, numbers in wanted.items():
        outcome = take(session, actor, numbers, step, settings=settings, now=now)
        if outcome.batch is None or len(outcome.taken) != len(numbers):
            raise ConflictError("A problem has changed in the meantime; nothing was changed.")
        taken.append(str(outcome.batch.uid))
    return taken


def revisions_of(session: Session, actor: Actor, limit: int = 20) -> list[LedgerRevision]:
    """The newest ledgers that were taken over by the actor; by anybody, for whoever exports everywhere."""
    query = select(LedgerRevision).order_by(LedgerRevision.id.desc()).limit(limit)
    if not actor.may_everywhere(Permission.PROBLEM_EXPORT):
        query = query.where(LedgerRevision.login_id == actor.login_id)
    return list(session.scalars(query))


def undo_revision(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> LedgerRevision:
    """Take an edited ledger back: every field and every state is as it was, or nothing is changed.

    Raises
    ------
    NotFoundError
        If there is no such record, or it is somebody else's.
    ConflictError
        If it was taken back already, or a problem has moved on since.
    """
    record = session.scalar(select(LedgerRevision).where(LedgerRevision.uid == uid).with_for_update())
    mine = record is not None and record.login_id is not None and record.login_id == actor.login_id
    if record is None or not (mine or actor.may_everywhere(Permission.PROBLEM_EXPORT)):
        raise NotFoundError("There is no such ledger, or it is not yours to take back.")
    if record.undone_at is not None:
        raise ConflictError("This ledger was taken back already.")
    numbers = [change["problem"] for change in record.changes]
    hold_lives(session, numbers)
    for batch in reversed(record.batches):
        if len(undo(session, actor, uuid.UUID(batch), now=now).moved_on):
            raise ConflictError("A problem has moved on since; nothing was taken back.")
    for change in record.changes:
        if not change["before"]:
            continue
        later = session.scalars(
            select(Event.kind).where(
                Event.problem_id == change["problem"],
                Event.id > change["line"],
                Event.kind.in_(ALTERING),
            )
        ).all()
        # Our step and our taking it back, or nothing.
        if set(later) - {EventKind.UNDONE, EventKind.STATE} or len(later) != 2 * change["step"]:
            raise ConflictError("A problem has moved on since; nothing was taken back.")
        _restore(session, actor, session.get_one(Problem, change["problem"]), change["before"], now=now)
    record.undone_at = now
    session.flush()
    return record


def _restore(
    session: Session, actor: Actor, problem: Problem, before: Mapping[str, Any], *, now: datetime
) -> None:
    texts = {name: before[name] for name in _TEXTS if name in before}
    for name, value in texts.items():
        setattr(problem, name, value)
    notes = {name: before[name] for name in _NOTES if name in before}
    if notes:
        note = session.scalars(select(LedgerNote).where(LedgerNote.problem_id == problem.id)).one()
        for name, value in notes.items():
            setattr(note, name, value)
        note.actor, note.changed_at = actor.name, now
    _tell(session, actor, problem, EventKind.UNDONE, {"changed": sorted(before)}, now=now)
