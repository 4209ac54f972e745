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

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from gridmap.config import Settings

__all__ = ["any_run_out", "resume_due"]


def _run_out(now: datetime) -> Select[int]:
    return select(Problem.id).where(Problem.state == State.SUSPENDED, Problem.due_at <= now)


def any_run_out(session: Session, *, now: datetime) -> bool:
    """Whether anything was suspended until now or earlier."""
    return session.scalar(_run_out(now).limit(1)) is not None


def resume_due(session: Session, *, settings: Settings, now: datetime) -> int:
    """Resume what was suspended until now or earlier, so that its clock goes on; return how many.

    Parameters
    ----------
    session
        Of a writing transaction.
    """
    numbers = np.array(session.scalars(_run_out(now)).all(), dtype=np.int64)
    if not len(numbers):
        return 0
    return len(
        take(session, Actor.owner(), numbers, Step(action=Action.RESUME), settings=settings, now=now).taken
    )
