"""Taking a step with one problem, where it still is as whoever asks has seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.errors import ConflictError, NotFoundError, PermissionDeniedError, StaleVersionError
from gridmap.people.permissions import Permission
from gridmap.problems.models import Problem
from gridmap.problems.records import history_of
from gridmap.workflow.lives import hold_lives
from gridmap.workflow.queries import last_line, version_of
from gridmap.workflow.rules import REFUSALS, Verdict
from gridmap.workflow.service import take

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor
    from gridmap.places.cards import Faces
    from gridmap.problems.models import Batch
    from gridmap.workflow.step import Step

__all__ = ["hold_one", "take_one"]

_ERRORS = {Verdict.NOT_THERE: NotFoundError, Verdict.OUT_OF_SCOPE: PermissionDeniedError}


def hold_one(
    session: Session,
    actor: Actor,
    uid: uuid.UUID,
    *,
    faces: Faces,
    expected: Collection[str] | None = None,
    other: uuid.UUID | None = None,
) -> int:
    """Hold one problem until the transaction ends; return its case number.

    Parameters
    ----------
    expected
        Versions that the change is meant for; None: whichever it is.
    other
        Uid of another one that is held with it.

    Raises
    ------
    NotFoundError
        If there is no such problem, or it lies outside what the actor may see.
    StaleVersionError
        If it has changed since the version expected; it tells what has happened.
    """
    row = session.execute(
        select(Problem.id, Problem.area_id, Problem.organisation_id).where(Problem.uid == uid)
    ).first()
    if row is None:
        raise NotFoundError(REFUSALS[Verdict.NOT_THERE])
    also = [] if other is None else session.scalars(select(Problem.id).where(Problem.uid == other)).all()
    hold_lives(session, [row.id, *also])
    area, organisation = session.execute(
        select(Problem.area_id, Problem.organisation_id).where(Problem.id == row.id)
    ).one()
    if not actor.scope(Permission.PROBLEM_READ).covers(area, organisation):
        raise NotFoundError(REFUSALS[Verdict.NOT_THERE])
    number: int = row.id
    if expected is not None and (version := version_of(session, number)) not in expected:
        # What was named by no version that could be this one's, nothing can be told of.
        after = max((last_line(one) for one in expected), default=last_line(version))
        raise StaleVersionError(
            "The problem has changed since you last saw it; nothing was done.",
            changes=history_of(session, number, faces=faces, after=after),
        )
    return number


def take_one(
    session: Session,
    actor: Actor,
    uid: uuid.UUID,
    step: Step,
    *,
    faces: Faces,
    settings: Settings,
    now: datetime,
    expected: Collection[str] | None = None,
) -> tuple[int, Batch]:
    """Take a step with one problem; return its case number and the record by which it can be taken back.

    Raises
    ------
    NotFoundError, PermissionDeniedError, ConflictError
        If the step may not be taken, and why.
    InvalidValueError
        If the step lacks something it needs.
    StaleVersionError
        As for `hold_one`.
    """
    number = hold_one(session, actor, uid, faces=faces, expected=expected, other=step.other)
    outcome = take(session, actor, [number], step, settings=settings, now=now)
    if outcome.batch is None:
        verdict = Verdict(outcome.verdicts[0])
        raise _ERRORS.get(verdict, ConflictError)(REFUSALS[verdict])
    return number, outcome.batch
