"""Lines of the histories of all problems that a reader may see, in the order in which they were written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, func, literal_column, select, true

from gridmap.problems.limits import inside
from gridmap.problems.models import Batch, Event, EventKind, Problem
from gridmap.problems.records import tell

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Scope
    from gridmap.places.cards import Faces

__all__ = ["EventPage", "read_events"]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Lines with the problem of each, and the id of the last one.

    Attributes
    ----------
    rows
        As `gridmap.problems.records.tell` says them, with uid and case number of the problem.
    last
        Id after which the next page begins.
    more
        Whether others follow now.
    """

    rows: list[dict[str, Any]]
    last: int
    more: bool


def read_events(
    session: Session,
    *,
    faces: Faces,
    scope: Scope,
    since: datetime | None,
    kinds: Collection[EventKind] | None,
    after: int,
    limit: int,
) -> EventPage:
    """Read lines of the histories of the problems that the reader may see, oldest first.

    Whoever goes on from `last` misses nothing and reads nothing twice, while others write.

    Parameters
    ----------
    faces
        How people appear to the reader.
    scope
        Where the reader may read problems.
    since
        Only what the store learnt at this time or later.
    kinds
        Only these; None: all.
    after
        Only what was written after the line with this id.
    limit
        At most so many.
    """
    conditions = [inside(scope), *_settled(session)]
    if since is not None:
        if not after:
            # From there the lines are read in their own order, without looking at all before.
            first = session.scalar(select(func.min(Event.id)).where(Event.recorded_at >= since))
            if first is None:
                return EventPage([], 0, more=False)
            after = first - 1
        conditions.append(Event.recorded_at >= since)
    if kinds is not None:
        conditions.append(Event.kind.in_(kinds))
    lines = session.execute(
        select(Event, Batch.uid, Batch.undone_at, Problem.uid)
        .join(Problem, Problem.id == Event.problem_id)
        .outerjoin(Batch, Batch.id == Event.batch_id)
        .where(Event.id > after, *conditions)
        .order_by(Event.id)
        .limit(limit + 1)
    ).all()
    shown = lines[:limit]
    taken_back = _taken_back(session, {event.problem_id for event, _, at, _ in shown if at is not None})
    rows = [
        tell(event, batch, faces, undone=(event.problem_id, undone_at) in taken_back)
        | {"problem": {"uid": str(problem), "number": event.problem_id}}
        for event, batch, undone_at, problem in shown
    ]
    return EventPage(rows, shown[-1][0].id if shown else after, len(lines) > limit)


def _settled(session: Session) -> list[ColumnElement[bool]]:
    """Leave out what was written after something that another writer has still to finish.

    It would be seen before lines with lower ids, which whoever reads on would then miss. SQLite has one
    writer at a time.
    """
    if session.get_bind().dialect.name != "postgresql":
        return []
    return [literal_column("age(event.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)").is_(true())]


def _taken_back(session: Session, numbers: set[int]) -> set[tuple[int, datetime]]:
    """When steps were taken back on which problems."""
    if not numbers:
        return set()
    query = select(Event.problem_id, Event.recorded_at).where(
        Event.problem_id.in_(numbers), Event.kind == EventKind.UNDONE
    )
    return {(number, at) for number, at in session.execute(query)}
