"""Joint operations: planned, joined by problems, counted, and ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, PermissionDeniedError
from gridmap.joint.holding import checked, hold, ids_of, keep_change, tell
from gridmap.joint.models import JointOperation, JointParticipant, JointProblem, JointResult
from gridmap.people.models import Organisation
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.problems.limits import inside
from gridmap.problems.models import Problem
from gridmap.store.bulk import insert_rows
from gridmap.store.claim import claim
from gridmap.store.selection import among

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["Draft", "add_problems", "add_result", "end_operation", "plan_operation"]

MOST_COUNTED = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An operation as somebody plans it; area and organisations by uid. The leader takes part in any case."""

    uid: uuid.UUID
    name: str
    area: str
    leader: str
    participants: tuple[str, ...] = ()
    starts_at: datetime
    place: str = ""
    remark: str = ""


def plan_operation(session: Session, actor: Actor, draft: Draft, *, now: datetime) -> JointOperation:
    """Plan an operation; the same uid sent twice plans it once.

    Raises
    ------
    PermissionDeniedError
        If the actor may not plan operations in this area.
    InvalidValueError
        If it has no name, fewer than two organisations, or names what there is not.
    """
    scope = actor.scope(Permission.JOINT_MANAGE)
    claim(session, draft.uid)
    known = session.scalar(select(JointOperation).where(JointOperation.uid == draft.uid))
    if known is not None:
        hold(session, actor, draft.uid)
        return known
    for name in ("name", "place", "remark"):
        checked(name, getattr(draft, name), needed=name == "name")
    area = ids_of(session, Area, (draft.area,), "area")[0]
    bodies = ids_of(
        session, Organisation, tuple(dict.fromkeys((draft.leader, *draft.participants))), "leader"
    )
    if len(bodies) < 2:
        raise InvalidValueError(
            "Expected at least two organisations; found {found}.", parameter="participants", found=len(bodies)
        )
    if not any(scope.covers(area, body) for body in bodies):
        raise PermissionDeniedError("This area lies outside those in which you may plan joint operations.")
    operation = JointOperation(
        uid=draft.uid,
        name=draft.name.strip(),
        place=draft.place.strip(),
        area_id=area,
        organisation_id=bodies[0],
        starts_at=draft.starts_at,
        remark=draft.remark.strip(),
        actor=actor.name,
        at=now,
    )
    session.add(operation)
    session.flush()
    session.add_all(JointParticipant(operation_id=operation.id, organisation_id=body) for body in bodies)
    session.flush()
    keep_change(session, actor, operation, "planned", now=now)
    return operation


def add_problems(
    session: Session, actor: Actor, uid: uuid.UUID, numbers: ArrayLike, *, now: datetime
) -> NDArray[np.int64]:
    """Take problems into an operation; return those that are new to it. Each gets a line of history.

    Raises
    ------
    NotFoundError, ConflictError
        If there is no such operation in the actor's scope, or it has ended.
    InvalidValueError
        If a problem is not there or lies outside what the actor may see.
    """
    operation = hold(session, actor, uid, going_on=True)
    wanted = np.unique(np.asarray(numbers, dtype=np.int64))
    seen = actor.scope(Permission.PROBLEM_READ)
    query = select(Problem.id).where(among(session, Problem.id, wanted), inside(seen))
    there = np.array(session.scalars(query).all(), dtype=np.int64)
    missing = np.setdiff1d(wanted, there)
    if len(missing):
        raise InvalidValueError(
            "There is no problem with the number {found}.", parameter="numbers", found=int(missing[0])
        )
    known = session.scalars(
        select(JointProblem.problem_id).where(JointProblem.operation_id == operation.id)
    ).all()
    fresh = np.setdiff1d(there, np.array(known, dtype=np.int64))
    insert_rows(
        session,
        JointProblem,
        {"operation_id": np.full(len(fresh), operation.id), "problem_id": fresh},
    )
    tell(session, actor, operation, fresh, {"step": "joined"}, now=now)
    if len(fresh):
        keep_change(session, actor, operation, "problems_in", {"problems": [[], fresh.tolist()]}, now=now)
    return fresh


def add_result(
    session: Session, actor: Actor, uid: uuid.UUID, *, what: str, count: int, unit: str, now: datetime
) -> JointResult:
    """Count something that the operation did.

    Raises
    ------
    NotFoundError, ConflictError
        As for `add_problems`.
    InvalidValueError
        If it is not said what was counted, or the number cannot be one.
    """
    operation = hold(session, actor, uid, going_on=True)
    what, unit = checked("what", what, needed=True), checked("unit", unit, needed=False)
    if not 1 <= count <= MOST_COUNTED:
        raise InvalidValueError(
            "Expected a whole number from 1 to {most}; found {found}.",
            parameter="count",
            most=MOST_COUNTED,
            found=count,
        )
    result = JointResult(
        operation_id=operation.id, what=what, count=count, unit=unit, actor=actor.name, at=now
    )
    session.add(result)
    session.flush()
    keep_change(session, actor, operation, "counted", {"result": ["", f"{what} {count}{unit}"]}, now=now)
    return result


def end_operation(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> JointOperation:
    """End an operation; its results stand in the history of each of its problems.

    Problems go on in their own course: each is fixed, verified and closed as any other.

    Raises
    ------
    NotFoundError, ConflictError
        As for `add_problems`; also before it has begun.
    """
    operation = hold(session, actor, uid, going_on=True)
    if operation.starts_at > now:
        raise ConflictError("This joint operation has not begun yet.")
    operation.ended_at = now
    session.flush()
    results = session.scalars(
        select(JointResult).where(JointResult.operation_id == operation.id).order_by(JointResult.id)
    )
    counted = [{"what": one.what, "count": one.count, "unit": one.unit} for one in results]
    query = select(JointProblem.problem_id).where(JointProblem.operation_id == operation.id)
    numbers = np.array(session.scalars(query).all(), dtype=np.int64)
    tell(session, actor, operation, numbers, {"step": "ended", "results": counted}, now=now)
    keep_change(session, actor, operation, "ended", now=now)
    return operation
