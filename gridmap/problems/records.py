"""Problems as records for lists and cards, with the names of everything they point to."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import func, select

from gridmap.labels import flag_labels, label
from gridmap.language import gettext
from gridmap.people.permissions import OWNER
from gridmap.places.cards import named
from gridmap.problems.models import Batch, Event, EventKind, Flag, Problem
from gridmap.workflow.transitions import Action

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Scope
    from gridmap.places.cards import Faces
    from gridmap.places.directory import Directory

__all__ = ["Records", "find_number", "history_of", "read_records", "tell"]

_COLUMNS = (
    Problem.id,
    Problem.uid,
    Problem.category_id,
    Problem.state,
    Problem.source,
    Problem.severity,
    Problem.flags,
    Problem.found_at,
    Problem.due_at,
    Problem.closed_at,
    Problem.description,
    Problem.address,
    Problem.area_id,
    Problem.cell_id,
    Problem.road_id,
    Problem.person_id,
    Problem.organisation_id,
)


@dataclass(frozen=True, slots=True)
class Records:
    """Problems in a given order: what is said of each, and shapely geometries, EPSG:4326, shape (n,)."""

    rows: list[dict[str, Any]]
    geometry: NDArray[np.object_]


def read_records(
    session: Session,
    numbers: list[int],
    *,
    faces: Faces,
    scope: Scope | None,
    moment: datetime,
    as_of: bool = False,
) -> Records:
    """Read problems by case number, in that order; what has gone, or left the scope meanwhile, is left out.

    Parameters
    ----------
    numbers
        Case numbers.
    faces
        How people appear to the reader.
    scope
        Where the reader may read problems; None: they reported these themselves.
    moment
        At which overdue is judged.
    as_of
        Whether the moment is another than now: what was closed after it was open then.
    """
    query = select(*_COLUMNS, func.ST_AsBinary(Problem.geometry).label("wkb")).where(Problem.id.in_(numbers))
    found = {row["id"]: row for row in session.execute(query).mappings()}
    rows = [
        found[number]
        for number in numbers
        if number in found
        and (scope is None or scope.covers(found[number]["area_id"], found[number]["organisation_id"]))
    ]
    wkb = np.array([bytes(row["wkb"]) for row in rows], dtype=object)
    geometry = np.asarray(shapely.from_wkb(wkb), dtype=object).reshape(-1)
    return Records([_record(row, faces, moment, as_of=as_of) for row in rows], geometry)


def _record(row: Any, faces: Faces, moment: datetime, *, as_of: bool) -> dict[str, Any]:
    directory: Directory = faces.directory
    category = directory.categories.get(row["category_id"])
    state = row["state"]
    return {
        "uid": str(row["uid"]),
        "number": row["id"],
        "category": {"code": category.code, "name": category.label} if category else None,
        "state": state.value,
        "state_name": label(state),
        "source": row["source"].value,
        "source_name": label(row["source"]),
        "found_at": row["found_at"].isoformat(),
        "due_at": row["due_at"] and row["due_at"].isoformat(),
        "closed_at": row["closed_at"] and row["closed_at"].isoformat(),
        "overdue": _open(row, moment, as_of=as_of) and row["due_at"] is not None and row["due_at"] < moment,
        "severity": row["severity"],
        "address": row["address"],
        "description": row["description"],
        "area": named(directory.areas.get(row["area_id"])),
        "cell": named(directory.cells.get(row["cell_id"])),
        "road": named(directory.roads.get(row["road_id"])),
        "person": faces.person(row["person_id"]),
        "phone": faces.phone(row["person_id"]),
        "organisation": named(directory.organisations.get(row["organisation_id"])),
        "flags": [flag.name.lower() for flag in Flag if flag.name and row["flags"] & flag],
        "flag_names": flag_labels(row["flags"]),
    }


def _open(row: Any, moment: datetime, *, as_of: bool) -> bool:
    if not row["state"].resolved:
        return True
    return as_of and row["closed_at"] is not None and row["closed_at"] > moment


def find_number(session: Session, uid: str) -> int | None:
    """Return the case number of a uid."""
    return session.scalar(select(Problem.id).where(Problem.uid == uuid.UUID(uid)))


def history_of(
    session: Session, number: int, *, faces: Faces, after: int = 0, newest: bool = False
) -> list[dict[str, Any]]:
    """Return a problem's events, oldest first.

    Parameters
    ----------
    number
        Case number.
    faces
        How people appear to the reader.
    after
        Only what was added after the event with this id.
    newest
        Newest first.
    """
    lines = session.execute(
        select(Event, Batch.uid, Batch.undone_at)
        .outerjoin(Batch, Batch.id == Event.batch_id)
        .where(Event.problem_id == number, Event.id > after)
        .order_by(Event.at, Event.id)
    ).all()
    # Of a step on many, it was taken back only where that is a line of its own.
    taken_back = {event.recorded_at for event, _, _ in lines if event.kind is EventKind.UNDONE}
    told = [
        tell(event, batch, faces, undone=undone_at is not None and undone_at in taken_back)
        for event, batch, undone_at in lines
    ]
    return told[::-1] if newest else told


def tell(event: Event, batch: uuid.UUID | None, faces: Faces, *, undone: bool) -> dict[str, Any]:
    """Say of one line of a history what a reader of its problem may know.

    Parameters
    ----------
    event
        The line.
    batch
        Uid of the action on many that it belongs to.
    faces
        How people appear to the reader.
    undone
        Whether the step was taken back.
    """
    action = Action(event.action) if event.action else None
    return {
        "uid": str(event.uid),
        "kind": event.kind.value,
        "kind_name": _kind_name(event),
        "at": event.at.isoformat(),
        "recorded_at": event.recorded_at.isoformat(),
        "by": gettext("the system") if event.actor == OWNER else event.actor,
        "state": event.state and event.state.value,
        "state_name": event.state and label(event.state),
        "action": action and action.value,
        "action_name": action and label(action),
        "note": event.note or "",
        "batch": batch and str(batch),
        "undone": undone,
        "details": _details(event.details, faces),
    }


def _kind_name(event: Event) -> str:
    if event.import_id is not None and event.kind is EventKind.UNDONE:
        return gettext("import undone")
    return label(event.kind)


_INWARD = ("before", "shares", "came_back_after")
"""What the history keeps for taking a step back: columns and ids of the database, which never leave."""


def _details(details: dict[str, Any], faces: Faces) -> dict[str, Any]:
    """What a line says beyond its note, with names; how the problem stood before is for undoing only."""
    said = {name: value for name, value in details.items() if name not in _INWARD and value is not None}
    directory = faces.directory
    if "organisation" in said:
        said["organisation"] = named(directory.organisations.find(said["organisation"]))
    if "person" in said:
        entry = directory.persons.find(said["person"])
        said["person"] = faces.person(entry.id) if entry else None
    return said
