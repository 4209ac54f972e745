"""Suspensions that have run out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from gridmap.people.permissions import Actor
from gridmap.problems.models import Problem, State
from gridmap.workflow.service import take
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import Action

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings

__all__ = ["resume_due"]


def resume_due(session: Session, *, settings: Settings, now: datetime) -> int:
    """Resume what was suspended until now or earlier, so that its clock goes on; return how many.

    Parameters
    ----------
    session
        Of a writing transaction.
    """
    due = session.scalars(select(Problem.id).where(Problem.state == State.SUSPENDED, Problem.due_at <= now))
    numbers = np.array(due.all(), dtype=np.int64)
    if not len(numbers):
        return 0
    return len(
        take(session, Actor.owner(), numbers, Step(action=Action.RESUME), settings=settings, now=now).taken
    )
