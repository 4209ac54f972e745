"""Changing a joint operation that goes on: its plan, who takes part, its problems, its counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import delete, func, select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.joint.holding import checked, hold, ids_of, keep_change, tell
from gridmap.joint.models import JointChange, JointParticipant, JointProblem, JointResult
from gridmap.people.models import Organisation
from gridmap.people.permissions import Permission
from gridmap.problems.limits import inside
from gridmap.problems.models import Problem
from gridmap.store.selection import among

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy.orm import Session

    from gridmap.joint.models import JointOperation
    from gridmap.people.permissions import Actor

__all__ = ["Revision", "drop_problems", "drop_result", "revise_operation"]

_MOST_PEOPLE = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """An operation as it is to be; organisations by uid."""

    name: str
    leader: str
    people: Mapping[str, int]
    """How many each organisation that takes part sends; the leader takes part in any case."""
    starts_at: datetime
    place: str = ""
    remark: str = ""
    seen: int
    """How many lines the history had when it was shown to whoever changes it."""


def revise_operation(
    session: Session, actor: Actor, uid: uuid.UUID, wish: Revision, *, now: datetime
) -> JointOperation:
    """Change an operation that goes on; its history tells each field before and after.

    Raises
    ------
    NotFoundError, ConflictError
        If there is no such operation in the actor's scope, it has ended, or somebody changed it meanwhile.
    InvalidValueError
        Naming the field, what was expected and what was found.
    """
    operation = hold(session, actor, uid, going_on=True)
    lines = session.scalar(select(func.count()).where(JointChange.operation_id == operation.id))
    if lines != wish.seen:
        raise ConflictError("Somebody else has changed this operation meanwhile. Look at it again.")
    texts = {
        name: checked(name, getattr(wish, name), needed=name == "name")
        for name in ("name", "place", "remark")
    }
    uids = tuple(dict.fromkeys((wish.leader, *wish.people)))
    bodies = ids_of(session, Organisation, uids, "leader")
    if len(bodies) < 2:
        raise InvalidValueError(
            "Expected at least two organisations; found {found}.", parameter="participants", found=len(bodies)
        )
    people = {body: wish.people.get(text, 0) for body, text in zip(bodies, uids, strict=True)}
    for count in people.values():
        if not 0 <= count <= _MOST_PEOPLE:
            raise InvalidValueError(
                "Expected a number from 0 to {most}; found {found}.",
                parameter="people",
                most=_MOST_PEOPLE,
                found=count,
            )
    before = _as_read(session, operation)
    for name, text in texts.items():
        setattr(operation, name, text)
    operation.organisation_id, operation.starts_at = bodies[0], wish.starts_at
    _take_part(session, operation, people)
    session.flush()
    after = _as_read(session, operation)
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if changes:
        keep_change(session, actor, operation, "edited", changes, now=now)
    return operation


def _take_part(session: Session, operation: JointOperation, people: Mapping[int, int]) -> None:
    mine = JointParticipant.operation_id == operation.id
    known = {one.organisation_id: one for one in session.scalars(select(JointParticipant).where(mine))}
    for body, one in known.items():
        if body not in people:
            session.delete(one)
    for body, count in people.items():
        if body in known:
            known[body].people = count
        else:
            session.add(JointParticipant(operation_id=operation.id, organisation_id=body, people=count))


def _as_read(session: Session, operation: JointOperation) -> dict[str, Any]:
    rows = session.execute(
        select(Organisation.id, Organisation.name, JointParticipant.people)
        .join(JointParticipant, JointParticipant.organisation_id == Organisation.id)
        .where(JointParticipant.operation_id == operation.id)
        .order_by(JointParticipant.id)
    ).all()
    return {
        "name": operation.name,
        "leader": next((name for body, name, _ in rows if body == operation.organisation_id), ""),
        "participants": [f"{name} {count}" for _, name, count in rows],
        "starts_at": operation.starts_at.isoformat(),
        "place": operation.place,
        "remark": operation.remark,
    }


def drop_problems(
    session: Session, actor: Actor, uid: uuid.UUID, numbers: ArrayLike, *, now: datetime
) -> NDArray[np.int64]:
    """Take problems out of an operation; return those that were in it. Each gets a line of history.

    Raises
    ------
    NotFoundError, ConflictError
        As for `revise_operation`.
    """
    operation = hold(session, actor, uid, going_on=True)
    seen = actor.scope(Permission.PROBLEM_READ)
    mine = JointProblem.operation_id == operation.id
    query = (
        select(JointProblem.problem_id)
        .join(Problem, Problem.id == JointProblem.problem_id)
        .where(mine, among(session, JointProblem.problem_id, numbers), inside(seen))
    )
    there = np.array(session.scalars(query).all(), dtype=np.int64)
    if len(there):
        session.execute(delete(JointProblem).where(mine, among(session, JointProblem.problem_id, there)))
        tell(session, actor, operation, there, {"step": "left"}, now=now)
        keep_change(session, actor, operation, "problems_out", {"problems": [there.tolist(), []]}, now=now)
    return there


def drop_result(session: Session, actor: Actor, uid: uuid.UUID, result: uuid.UUID, *, now: datetime) -> None:
    """Take back something that was counted wrongly; the history keeps it.

    Raises
    ------
    NotFoundError, ConflictError
        As for `revise_operation`; also if it did not count that.
    """
    operation = hold(session, actor, uid, going_on=True)
    row = session.scalar(
        select(JointResult).where(JointResult.uid == result, JointResult.operation_id == operation.id)
    )
    if row is None:
        raise NotFoundError("The operation has not counted that.")
    keep_change(
        session, actor, operation, "uncounted", {"result": [f"{row.what} {row.count}{row.unit}", ""]}, now=now
    )
    session.delete(row)
    session.flush()
