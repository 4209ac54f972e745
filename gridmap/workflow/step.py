"""A step that somebody asks for, and whether what it needs is said with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridmap.errors import InvalidValueError
from gridmap.workflow.transitions import TRANSITIONS, Need

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from gridmap.workflow.transitions import Action

__all__ = ["LONGEST_NOTE", "MOST_TIME", "Step", "check_step"]

LONGEST_NOTE = 2000
MOST_TIME = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is to be done, and what was said with it.

    Parameters
    ----------
    action
        The step.
    note
        The reason, or a remark.
    until
        Until when it is suspended.
    more
        By how much the limit is put off, in the unit of the problem's own limit.
    other
        Uid of the problem that this one doubles.
    organisation, person
        Uids of who gets it; None: rules and responsibilities decide.
    attachments
        Uids of uploads that prove the step.
    """

    action: Action
    note: str = ""
    until: datetime | None = None
    more: int | None = None
    other: uuid.UUID | None = None
    organisation: uuid.UUID | None = None
    person: uuid.UUID | None = None
    attachments: tuple[uuid.UUID, ...] = ()


def check_step(step: Step, *, now: datetime) -> None:
    """Raise InvalidValueError, naming the parameter, unless everything the step needs is said."""
    needs = TRANSITIONS[step.action].needs
    if Need.REASON in needs and not step.note.strip():
        raise InvalidValueError("Expected a reason; found none.", parameter="note")
    if len(step.note) > LONGEST_NOTE:
        raise InvalidValueError(
            "Expected at most {longest} characters; found {found}.",
            parameter="note",
            longest=LONGEST_NOTE,
            found=len(step.note),
        )
    if Need.UNTIL in needs and (step.until is None or step.until <= now):
        raise InvalidValueError(
            "Expected a time in the future; found {found}.",
            parameter="until",
            found=step.until.isoformat() if step.until else "–",
        )
    if Need.TIME in needs and not (step.more is not None and 1 <= step.more <= MOST_TIME):
        raise InvalidValueError(
            "Expected a whole number from 1 to {most}; found {found}.",
            parameter="more",
            most=MOST_TIME,
            found=step.more if step.more is not None else "–",
        )
    if Need.OTHER in needs and step.other is None:
        raise InvalidValueError("Expected the problem that this one doubles.", parameter="other")
