"""Reading the trail: who changed what, when."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, exists, func, select

from gridmap.errors import NotFoundError
from gridmap.people.permissions import Permission
from gridmap.store.base import Base
from gridmap.trail.decisions import is_audited
from gridmap.trail.models import TrailEntry, TrailLine
from gridmap.trail.packing import unpack

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor
    from gridmap.trail.models import Deed

__all__ = [
    "Change",
    "Entry",
    "Wish",
    "actors_named",
    "entry_of",
    "names_of",
    "read_entries",
    "row_wish",
    "target_of",
]

_SHOWN_LINES = 8
_NAMED_BY = ("name", "number", "username", "code", "file_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which entries: by whom, of which table or row, in which time; before which number."""

    actor: str = ""
    table: str = ""
    row_id: int | None = None
    among: tuple[int, ...] = ()
    """Entries that tell of the row among many; see `row_wish`."""
    begin: datetime | None = None
    end: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One line: what became of one row, or of many."""

    table: str
    deed: Deed
    row_id: int | None
    row_uid: str | None
    count: int
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def columns(self) -> list[str]:
        """Columns that changed."""
        return list(dict.fromkeys([*self.before, *self.after]))


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction with its first lines; `count` is how many there are."""

    seq: int
    at: datetime
    actor: str
    origin: str
    hash: str
    count: int
    changes: list[Change]


def read_entries(session: Session, actor: Actor, wish: Wish, *, limit: int) -> list[Entry]:
    """Entries that fit a wish, the newest first, each with its first lines.

    Raises
    ------
    PermissionDeniedError
        If the actor may not read the trail of the whole city: it knows no areas.
    """
    actor.scope_everywhere(Permission.TRAIL_READ)
    found = session.scalars(_wanted(wish).order_by(TrailEntry.seq.desc()).limit(limit)).all()
    return _with_lines(session, found, wish, _SHOWN_LINES)


def entry_of(session: Session, actor: Actor, seq: int, *, limit: int) -> Entry:
    """Return one entry.

    Raises
    ------
    NotFoundError
        If there is none of this number.
    PermissionDeniedError
        If the actor may not read the trail of the whole city.
    """
    actor.scope_everywhere(Permission.TRAIL_READ)
    found = session.get(TrailEntry, seq)
    if found is None:
        raise NotFoundError("There is no entry {seq} in the trail.", seq=seq)
    return _with_lines(session, [found], Wish(), limit)[0]


def _wanted(wish: Wish) -> Select[TrailEntry]:
    query = select(TrailEntry)
    if wish.before is not None:
        query = query.where(TrailEntry.seq < wish.before)
    if wish.actor:
        query = query.where(TrailEntry.actor == wish.actor)
    if wish.begin is not None:
        query = query.where(TrailEntry.at >= wish.begin)
    if wish.end is not None:
        query = query.where(TrailEntry.at < wish.end)
    if wish.table:
        line = exists().where(TrailLine.seq == TrailEntry.seq, TrailLine.table_name == wish.table)
        if wish.row_id is None:
            query = query.where(line)
        else:
            query = query.where(line.where(TrailLine.row_id == wish.row_id) | TrailEntry.seq.in_(wish.among))
    return query


def _with_lines(session: Session, entries: Any, wish: Wish, limit: int) -> list[Entry]:
    place = func.row_number().over(partition_by=TrailLine.seq, order_by=TrailLine.number).label("place")
    lines = select(TrailLine, place).where(TrailLine.seq.in_([entry.seq for entry in entries]))
    if wish.table:
        lines = lines.where(TrailLine.table_name == wish.table)
    if wish.row_id is not None:
        lines = lines.where((TrailLine.row_id == wish.row_id) | TrailLine.row_id.is_(None))
    numbered = lines.subquery()
    column = numbered.c
    query = (
        select(column.seq, column.table_name, column.deed, column.row_id, column.row_uid, column["count"])
        .add_columns(column.before, column.after)
        .where(column.place <= limit)
        .order_by(column.seq, column.number)
    )
    of: dict[int, list[Change]] = defaultdict(list)
    for seq, table, deed, row_id, row_uid, count, before, after in session.execute(query):
        of[seq].append(
            Change(table, deed, row_id, row_uid, count, json.loads(before or "{}"), json.loads(after or "{}"))
        )
    return [
        Entry(one.seq, one.at, one.actor, one.origin, one.hash, one.lines, of[one.seq]) for one in entries
    ]


def actors_named(session: Session) -> list[str]:
    """Everybody in the trail, by name."""
    return list(session.scalars(select(TrailEntry.actor).distinct().order_by(TrailEntry.actor)))


def names_of(session: Session, entries: list[Entry]) -> dict[tuple[str, int], str]:
    """Names of the rows that lines tell of or refer to, by table and id; of those that are still there."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        for change in entry.changes:
            if change.row_id is not None:
                wanted[change.table].add(change.row_id)
            for values in (change.before, change.after):
                for name, value in values.items():
                    if isinstance(value, int) and (target := target_of(change.table, name)):
                        wanted[target].add(value)
    found: dict[tuple[str, int], str] = {}
    for table, ids in wanted.items():
        known = Base.metadata.tables.get(table)
        named = next((name for name in _NAMED_BY if known is not None and name in known.c), None)
        if known is not None and named is not None:
            query = select(known.c.id, known.c[named]).where(known.c.id.in_(ids))
            found |= {(table, one): str(name) for one, name in session.execute(query) if name}
    return found


def target_of(table: str, column: str) -> str | None:
    """Return the table that a column refers to."""
    known = Base.metadata.tables.get(table)
    if known is None or column not in known.c:
        return None
    return next((key.column.table.name for key in known.c[column].foreign_keys), None)


def row_wish(session: Session, table: str, uid: uuid.UUID) -> Wish:
    """Return the wish for everything that happened to one row, of one that is gone too.

    Raises
    ------
    NotFoundError
        If neither the store nor the trail knows it.
    """
    known = Base.metadata.tables.get(table)
    row_id = None
    if known is not None and is_audited(known) and "uid" in known.c:
        row_id = session.scalar(select(known.c.id).where(known.c.uid == uid))
    if row_id is None:
        gone = select(TrailLine.row_id).where(TrailLine.table_name == table, TrailLine.row_uid == uid.hex)
        row_id = session.scalar(gone.limit(1))
    if row_id is None:
        raise NotFoundError("There is no row {uid} of “{table}”.", uid=str(uid), table=table)
    of_many = select(TrailLine.seq, TrailLine.rows).where(
        TrailLine.table_name == table, TrailLine.row_id.is_(None)
    )
    among = {seq for seq, rows in session.execute(of_many) if rows and row_id in unpack(rows)[0]}
    return Wish(table=table, row_id=row_id, among=tuple(sorted(among)))
