"""What every change of a joint operation needs: holding it, its fields, its history and its problems'."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.joint.models import JointChange, JointOperation, JointParticipant
from gridmap.people.permissions import Permission
from gridmap.problems.models import Event, EventKind, Problem
from gridmap.store.bulk import insert_rows
from gridmap.store.bulk_update import update_rows
from gridmap.store.clock import next_change

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["bodies_of", "checked", "hold", "ids_of", "keep_change", "tell"]

_LONGEST = {"name": 200, "place": 300, "remark": 5000, "what": 100, "unit": 20}


def keep_change(
    session: Session,
    actor: Actor,
    operation: JointOperation,
    what: str,
    changes: dict[str, Any] | None = None,
    *,
    now: datetime,
) -> None:
    """Add a line to the operation's own history; `changes` has before and after of each field."""
    session.add(
        JointChange(operation_id=operation.id, what=what, changes=changes or {}, actor=actor.name, at=now)
    )
    session.flush()


def checked(name: str, text: str, *, needed: bool) -> str:
    """Return a text without blanks around it.

    Raises
    ------
    InvalidValueError
        If it is too long, or blank though it is needed.
    """
    text = text.strip()
    if len(text) > _LONGEST[name] or (needed and not text):
        raise InvalidValueError(
            "Expected 1 to {longest} characters; found {found}.",
            parameter=name,
            longest=_LONGEST[name],
            found=len(text),
        )
    return text


def ids_of(session: Session, model: Any, uids: tuple[str, ...], parameter: str) -> list[int]:
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


def hold(session: Session, actor: Actor, uid: uuid.UUID, *, going_on: bool = False) -> JointOperation:
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
    bodies = () if operation is None else bodies_of(session, operation)
    if operation is None or not any(scope.covers(operation.area_id, body) for body in bodies):
        raise NotFoundError("There is no such joint operation, or it lies outside what you may see.")
    if going_on and operation.ended_at is not None:
        raise ConflictError("This joint operation has ended.")
    return operation


def bodies_of(session: Session, operation: JointOperation) -> list[int]:
    """Organisations that take part."""
    query = select(JointParticipant.organisation_id).where(JointParticipant.operation_id == operation.id)
    return list(session.scalars(query))


def tell(
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
