"""The table of steps that follow a limit: its beginning, reading it, and locking it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from gridmap.deadlines.models import EscalationStep, StepKind
from gridmap.problems.models import TimeUnit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ["lock_steps", "read_steps"]

_NAMES = uuid.UUID("5f0c3c52-6a0b-4c0e-9d6c-0d1c8f6d7a10")
_BEGINNING = (
    (StepKind.REMIND, 4, TimeUnit.WORKING_HOUR),
    (StepKind.NOTICE, 0, TimeUnit.WORKING_HOUR),
    (StepKind.LEADER, 1, TimeUnit.WORKING_DAY),
    (StepKind.ACCOUNTABILITY, 2, TimeUnit.WORKING_DAY),
)
"""What an installation begins with; it is written when the table is first needed."""
_ORDERED = select(EscalationStep).order_by(EscalationStep.position, EscalationStep.id)


def read_steps(session: Session) -> list[EscalationStep]:
    """Return the table in order; what it begins with, unsaved, where it was never needed."""
    found = list(session.scalars(_ORDERED))
    return found or [EscalationStep(**row) for row in _rows()]


def lock_steps(session: Session) -> list[EscalationStep]:
    """Return the table in order, and keep others who lock it out until the transaction ends.

    Whoever escalates or numbers notices locks it: each does so after the other.
    """
    if session.scalar(select(EscalationStep.id).limit(1)) is None:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        # Of two that find it blank the second waits here, and then finds the rows of the first.
        session.execute(insert(EscalationStep).values(_rows()).on_conflict_do_nothing())
    return list(session.scalars(_ORDERED.with_for_update()))


def _rows() -> list[dict[str, object]]:
    return [
        {
            "uid": uuid.uuid5(_NAMES, kind.value),
            "position": position,
            "kind": kind,
            "wait": wait,
            "unit": unit,
            "enabled": True,
        }
        for position, (kind, wait, unit) in enumerate(_BEGINNING, start=1)
    ]
