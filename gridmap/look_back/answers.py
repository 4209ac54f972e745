"""What steps say about checks: a step on a problem answers the checks that wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from gridmap.look_back.models import CheckResult, CheckTask
from gridmap.store.selection import among
from gridmap.workflow.transitions import Action

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor
    from gridmap.problems.models import Batch

__all__ = ["answer_checks", "forget_answers"]

_RESULTS = {Action.LOOK_BACK: CheckResult.GOOD, Action.REOPEN: CheckResult.FAILED}


def answer_checks(
    session: Session,
    actor: Actor,
    numbers: NDArray[np.int64],
    action: Action,
    *,
    batch: Batch,
    now: datetime,
) -> None:
    """Close the checks of problems that a step has looked at: good, or bad again."""
    if action not in _RESULTS:
        return
    session.execute(
        update(CheckTask)
        .where(among(session, CheckTask.problem_id, numbers), CheckTask.done_at.is_(None))
        .values(done_at=now, result=_RESULTS[action], done_by=actor.name, batch_id=batch.id),
        execution_options={"synchronize_session": False},
    )


def forget_answers(session: Session, batch: Batch, numbers: NDArray[np.int64]) -> None:
    """Open the checks again that a step had answered, as it is taken back on some of its problems."""
    session.execute(
        update(CheckTask)
        .where(CheckTask.batch_id == batch.id, among(session, CheckTask.problem_id, numbers))
        .values(done_at=None, result=None, done_by=None, batch_id=None),
        execution_options={"synchronize_session": False},
    )
