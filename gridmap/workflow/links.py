"""Problems that double another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select, update

from gridmap.errors import ConflictError, InvalidValueError
from gridmap.problems.models import LinkKind, Problem, ProblemLink, State
from gridmap.store.bulk import insert_rows
from gridmap.store.selection import among
from gridmap.workflow.lives import hold_lives

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Scope
    from gridmap.problems.models import Batch
    from gridmap.workflow.lives import Lives
    from gridmap.workflow.step import Step

__all__ = ["end_links", "find_other", "hold_with_other", "merge", "part"]


def hold_with_other(session: Session, numbers: NDArray[np.int64], step: Step) -> Lives:
    """Read how problems stand; they and the one that the step names stay so until the transaction ends.

    All are held in the order of their numbers: of two that are merged into each other at once, the second
    finds the first merged.
    """
    other = None
    if step.other is not None:
        other = session.scalar(select(Problem.id).where(Problem.uid == step.other))
    if other is None:
        return hold_lives(session, numbers)
    held = hold_lives(session, np.union1d(numbers, [other]))
    return held.where(np.isin(held["id"], numbers))


def find_other(session: Session, step: Step, *, scope: Scope) -> int:
    """Return the case number of the problem that the step names as the one to keep.

    Raises
    ------
    InvalidValueError
        If there is none, or it lies outside what the actor may see.
    ConflictError
        If it was itself merged or rejected.
    """
    found = session.execute(
        select(Problem.id, Problem.area_id, Problem.organisation_id, Problem.state).where(
            Problem.uid == step.other
        )
    ).first()
    if found is None or not scope.covers(found.area_id, found.organisation_id):
        raise InvalidValueError("There is no problem {found}.", parameter="other", found=str(step.other))
    if found.state in {State.MERGED, State.REJECTED}:
        raise ConflictError("The problem to keep was itself merged or rejected; choose the one that is kept.")
    number: int = found.id
    return number


def merge(session: Session, lives: Lives, step: Step, batch: Batch, *, now: datetime) -> str:
    """Link problems to the one that is kept; return its uid. Both histories stay as they are."""
    kept = session.scalars(select(Problem.id).where(Problem.uid == step.other)).one()
    known = session.scalars(
        select(ProblemLink.problem_id).where(
            ProblemLink.other_id == kept,
            ProblemLink.kind == LinkKind.MERGED,
            among(session, ProblemLink.problem_id, lives["id"]),
        )
    ).all()
    session.execute(
        update(ProblemLink)
        .where(
            ProblemLink.other_id == kept,
            ProblemLink.kind == LinkKind.MERGED,
            among(session, ProblemLink.problem_id, lives["id"]),
        )
        .values(ended_at=None, made_at=now, batch_id=batch.id),
        execution_options={"synchronize_session": False},
    )
    fresh = lives["id"][~np.isin(lives["id"], known)]
    if len(fresh):
        insert_rows(
            session,
            ProblemLink,
            {
                "problem_id": fresh,
                "other_id": np.full(len(fresh), kept),
                "kind": LinkKind.MERGED,
                "made_at": now,
                "batch_id": batch.id,
            },
        )
    return str(step.other)


def part(session: Session, numbers: NDArray[np.int64], *, now: datetime) -> None:
    """Say of problems that were merged that they do not double another one after all."""
    _end(session, among(session, ProblemLink.problem_id, numbers), now)


def end_links(session: Session, batch: Batch, numbers: NDArray[np.int64], *, now: datetime) -> None:
    """Take back the links that a step made of some of its problems."""
    theirs = among(session, ProblemLink.problem_id, numbers)
    _end(session, (ProblemLink.batch_id == batch.id) & theirs, now)


def _end(session: Session, which: ColumnElement[bool], now: datetime) -> None:
    session.execute(
        update(ProblemLink)
        .where(which, ProblemLink.kind == LinkKind.MERGED, ProblemLink.ended_at.is_(None))
        .values(ended_at=now),
        execution_options={"synchronize_session": False},
    )
