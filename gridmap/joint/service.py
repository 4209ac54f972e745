"""Joint operations: planned, joined by problems, counted, and ended."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.joint.models import JointOperation, JointParticipant, JointProblem, JointResult
from gridmap.people.models import Organisation
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.problems.limits import inside
from gridmap.problems.models import Event, EventKind, Problem
from gridmap.store.bulk import insert_rows
from gridmap.store.bulk_update import update_rows
from gridmap.store.claim import claim
from gridmap.store.clock import next_change
from gridmap.store.selection import among

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["Draft", "add_problems", "add_result", "end_operation", "plan_operation"]

_LONGEST = {"name": 200, "place": 300, "remark": 5000, "what": 100, "unit": 20}
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
        _hold(session, actor, draft.uid)
        return known
    for name in ("name", "place", "remark"):
        _checked(name, getattr(draft, name), needed=name == "name")
    area = _ids(session, Area, (draft.area,), "area")[0]
    bodies = _ids(session, Organisation, tuple(dict.fromkeys((draft.leader, *draft.participants))), "leader")
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
    return operation


def _checked(name: str, text: str, *, needed: bool) -> str:
    text = text.strip()
    if len(text) > _LONGEST[name] or (needed and not text):
        raise InvalidValueError(
            "Expected 1 to {longest} characters; found {found}.",
            parameter=name,
            longest=_LONGEST[name],
            found=len(text),
        )
    return text


def _ids(session: Session, model: Any, uids: tuple[str, ...], parameter: str) -> list[int]:
    """Ids in the order of the uids."""
    found = []
    for text in uids:
        try:
            row = session.scalar(select(model.id).where(model.uid == uuid.UUID(text)))
        except ValueError:
            row = None
        if row is None:
            raise InvalidValueError("There is nothing with the uid {found}.", parameter=parameter, found=text)
        found.append(int(row))
    return found


def _hold(session: Session, actor: Actor, uid: uuid.UUID, *, going_on: bool = False) -> JointOperation:
    """Return an operation that the actor may manage.

    Raises
    ------
    NotFoundError
        If there is none, or it lies outside their scope.
    ConflictError
        If it has ended and must be going on.
    """
    scope = actor.scope(Permission.JOINT_MANAGE)
    operation = session.scalar(select(JointOperation).where(JointOperation.uid == uid).with_for_update())
    bodies = () if operation is None else _bodies(session, operation)
    if operation is None or not any(scope.covers(operation.area_id, body) for body in bodies):
        raise NotFoundError("There is no such joint operation, or it lies outside what you may see.")
    if going_on and operation.ended_at is not None:
        raise ConflictError("This joint operation has ended.")
    return operation


def _bodies(session: Session, operation: JointOperation) -> list[int]:
    query = select(JointParticipant.organisation_id).where(JointParticipant.operation_id == operation.id)
    return list(session.scalars(query))


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
    operation = _hold(session, actor, uid, going_on=True)
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
    _tell(session, actor, operation, fresh, {"step": "joined"}, now=now)
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
    operation = _hold(session, actor, uid, going_on=True)
    what, unit = _checked("what", what, needed=True), _checked("unit", unit, needed=False)
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
    return result


def end_operation(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> JointOperation:
    """End an operation; its results stand in the history of each of its problems.

    Problems go on in their own course: each is fixed, verified and closed as any other.

    Raises
    ------
    NotFoundError, ConflictError
        As for `add_problems`; also before it has begun.
    """
    operation = _hold(session, actor, uid, going_on=True)
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
    _tell(session, actor, operation, numbers, {"step": "ended", "results": counted}, now=now)
    return operation


def _tell(
    session: Session,
    actor: Actor,
    operation: JointOperation,
    numbers: NDArray[np.int64],
    said: dict[str, Any],
    *,
    now: datetime,
) -> None:
    """Add a line to the history of each problem."""
    if not len(numbers):
        return
    insert_rows(
        session,
        Event,
        {
            "problem_id": numbers,
            "kind": EventKind.JOINT,
            "at": now,
            "recorded_at": now,
            "actor": actor.name,
            "person_id": actor.person_id,
            "note": operation.name,
            "details": {"operation": str(operation.uid), **said},
        },
    )
    update_rows(session, Problem, numbers, {"change": next_change(session)})
