"""Organisations ask for a problem to be suspended or for more time; somebody else decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from gridmap.problems.models import Request, RequestState
from gridmap.store.bulk import insert_rows
from gridmap.store.selection import among
from gridmap.workflow.transitions import ASKING, Action

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor
    from gridmap.problems.models import Batch
    from gridmap.workflow.lives import Lives
    from gridmap.workflow.step import Step

__all__ = ["ask", "decide", "forget"]


def ask(session: Session, actor: Actor, lives: Lives, step: Step, batch: Batch, *, now: datetime) -> None:
    """Keep what an organisation asks for."""
    insert_rows(
        session,
        Request,
        {
            "problem_id": lives["id"],
            "action": ASKING[step.action].value,
            "reason": step.note.strip(),
            "until": step.until,
            "more": step.more,
            "asked_by": actor.name,
            "person_id": actor.person_id,
            "asked_at": now,
            "state": RequestState.OPEN,
            "asked_in_id": batch.id,
        },
    )


def decide(session: Session, actor: Actor, lives: Lives, step: Step, batch: Batch, *, now: datetime) -> None:
    """Settle the open requests: granted by the step that gives it, declined, or else without an object."""
    open_ones = update(Request).where(
        Request.state == RequestState.OPEN, among(session, Request.problem_id, lives["id"])
    )
    decided = {"decided_by": actor.name, "decided_at": now, "decided_in_id": batch.id}
    options = {"synchronize_session": False}
    session.execute(
        open_ones.where(Request.action == step.action.value).values(state=RequestState.GRANTED, **decided),
        execution_options=options,
    )
    rest = RequestState.DECLINED if step.action is Action.DECLINE else RequestState.WITHDRAWN
    session.execute(open_ones.values(state=rest, **decided), execution_options=options)


def forget(session: Session, batch: Batch, numbers: NDArray[np.int64]) -> None:
    """Take back what a step asked for or decided on some of its problems."""
    theirs = among(session, Request.problem_id, numbers)
    options = {"synchronize_session": False}
    session.execute(
        update(Request).where(Request.asked_in_id == batch.id, theirs).values(state=RequestState.WITHDRAWN),
        execution_options=options,
    )
    session.execute(
        update(Request)
        .where(Request.decided_in_id == batch.id, theirs)
        .values(state=RequestState.OPEN, decided_by=None, decided_at=None, decided_in_id=None),
        execution_options=options,
    )
