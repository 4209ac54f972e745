"""Joint operations as the pages show them, limited to what their reader may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true

from gridmap.joint.models import JointChange, JointOperation, JointParticipant, JointProblem, JointResult
from gridmap.problems.limits import inside
from gridmap.problems.models import Problem
from gridmap.store.selection import among

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Scope

__all__ = ["Line", "Operation", "history_of", "read_operation", "read_operations", "tally", "visible"]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with what belongs to it; of its problems only those in the reader's scope."""

    row: JointOperation
    participants: list[JointParticipant]
    results: list[JointResult]
    problems: list[int]

    @property
    def people(self) -> int:
        """How many people came, of all organisations."""
        return sum(one.people for one in self.participants)


def visible(scope: Scope) -> ColumnElement[bool]:
    """SQL condition: the operation is in an area of the scope, led or joined by an organisation of it."""
    holdings = []
    for holding in scope.holdings:
        limits: list[ColumnElement[bool]] = [true()]
        if holding.areas is not None:
            limits.append(JointOperation.area_id.in_(holding.areas))
        if holding.organisations is not None:
            joined = select(JointParticipant.operation_id).where(
                JointParticipant.organisation_id.in_(holding.organisations)
            )
            limits.append(JointOperation.id.in_(joined))
        holdings.append(and_(*limits))
    return or_(*holdings)


def read_operations(session: Session, scope: Scope, *, limit: int = 100) -> list[Operation]:
    """Return operations that the reader may see, the latest first."""
    rows = session.scalars(
        select(JointOperation)
        .where(visible(scope))
        .order_by(JointOperation.starts_at.desc(), JointOperation.id.desc())
        .limit(limit)
    ).all()
    ids = [row.id for row in rows]

    def grouped(model: Any) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {number: [] for number in ids}
        for one in session.scalars(select(model).where(model.operation_id.in_(ids)).order_by(model.id)):
            found[one.operation_id].append(one)
        return found

    participants, results = grouped(JointParticipant), grouped(JointResult)
    problems: dict[int, list[int]] = {number: [] for number in ids}
    query = (
        select(JointProblem.operation_id, JointProblem.problem_id)
        .join(Problem, Problem.id == JointProblem.problem_id)
        .where(JointProblem.operation_id.in_(ids), inside(scope))
        .order_by(JointProblem.problem_id)
    )
    for operation_id, problem_id in session.execute(query):
        problems[operation_id].append(problem_id)
    return [Operation(row, participants[row.id], results[row.id], problems[row.id]) for row in rows]


def read_operation(session: Session, scope: Scope, uid: uuid.UUID) -> Operation | None:
    """Return one operation; None if there is none that the reader may see."""
    row = session.scalar(select(JointOperation.id).where(JointOperation.uid == uid, visible(scope)))
    if row is None:
        return None
    return next((one for one in read_operations(session, scope, limit=10_000) if one.row.id == row), None)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an operation's history as its reader may know it."""

    what: str
    changes: dict[str, list[Any]]
    """Before and after by field; of problems only those in the reader's scope."""
    actor: str
    at: datetime


def history_of(session: Session, scope: Scope, operation: JointOperation) -> tuple[list[Line], int]:
    """Return the lines of the history that the reader may see, the first first, and how many there are."""
    query = select(JointChange).where(JointChange.operation_id == operation.id).order_by(JointChange.id)
    rows = session.scalars(query).all()
    numbers = {number for row in rows for side in row.changes.get("problems", ()) for number in side}
    seen = set(
        session.scalars(select(Problem.id).where(among(session, Problem.id, sorted(numbers)), inside(scope)))
    )
    lines = []
    for row in rows:
        changes = dict(row.changes)
        if "problems" in changes:
            changes["problems"] = [[one for one in side if one in seen] for side in changes["problems"]]
            if not any(changes["problems"]):
                continue
        lines.append(Line(row.what, changes, row.actor, row.at))
    return lines, len(rows)


def tally(session: Session, scope: Scope) -> list[tuple[str, str, int]]:
    """Sum up what all operations that the reader may see have counted: what, unit, how many."""
    query = (
        select(JointResult.what, JointResult.unit, func.sum(JointResult.count))
        .join(JointOperation, JointOperation.id == JointResult.operation_id)
        .where(visible(scope))
        .group_by(JointResult.what, JointResult.unit)
        .order_by(func.sum(JointResult.count).desc(), JointResult.what)
    )
    return [(what, unit, int(total)) for what, unit, total in session.execute(query)]
