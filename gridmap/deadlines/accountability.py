"""The accountability list (问责): who is on it, and what becomes of an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.deadlines.models import Accountability, AccountabilityState
from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.people.permissions import Permission
from gridmap.people.within import within
from gridmap.problems.models import Event, EventKind, Problem
from gridmap.store.clock import next_change

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["decide"]

_LONGEST = 2000


def decide(
    session: Session,
    actor: Actor,
    uid: uuid.UUID,
    state: AccountabilityState,
    *,
    note: str,
    now: datetime,
) -> Accountability:
    """Say what becomes of an entry, with the reason; a later decision replaces it, the history keeps both.

    Raises
    ------
    PermissionDeniedError
        If the actor may decide nowhere.
    NotFoundError
        If there is no such entry within the actor's limits.
    InvalidValueError
        If the reason is blank or too long.
    """
    scope = actor.scope(Permission.ACCOUNTABILITY_DECIDE)
    found = session.execute(
        select(Accountability, Problem)
        .join(Problem, Problem.id == Accountability.problem_id)
        .where(Accountability.uid == uid, within(scope, Problem.area_id, Accountability.organisation_id))
        .with_for_update(of=[Accountability, Problem])
    ).one_or_none()
    if found is None:
        raise NotFoundError("There is no such entry, or it lies outside your limits.")
    if not 0 < len(note.strip()) <= _LONGEST:
        raise InvalidValueError(
            "Expected a reason of 1 to {longest} characters; found {found}.",
            parameter="note",
            longest=_LONGEST,
            found=len(note.strip()),
        )
    entry, problem = found
    before = entry.state
    entry.state, entry.note, entry.decided_at, entry.decided_by = state, note.strip(), now, actor.name
    session.add(
        Event(
            problem_id=problem.id,
            kind=EventKind.ESCALATED,
            at=now,
            recorded_at=now,
            actor=actor.name,
            person_id=actor.person_id,
            state=problem.state,
            note=entry.note,
            details={"step": "accountability", "before": before.value, "after": state.value},
        )
    )
    session.flush()
    problem.change = next_change(session)
    session.flush()
    return entry
