"""What people changed since on rows that an import brought or changed, as the trail tells it."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import aliased

from gridmap.errors import ConflictError
from gridmap.imports.models import Import, ImportChange
from gridmap.store.base import Base
from gridmap.trail.models import Deed, TrailLine
from gridmap.trail.words import column_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Select, Table
    from sqlalchemy.orm import Session

__all__ = ["refuse_if_changed_by_hand"]

_TOLD = 10
_NAMED_BY = ("name", "code", "number")


def refuse_if_changed_by_hand(
    session: Session, record: Import, tables: Collection[str], *, derived: Collection[str]
) -> None:
    """Refuse to undo an import whose rows somebody changed since, and say which and what of them.

    Of a row that was there before the import, only columns that undoing would set back count.

    Parameters
    ----------
    session
        Of a writing transaction.
    record
        The import.
    tables
        Names of tables to look at.
    derived
        Columns that the store fills by itself.

    Raises
    ------
    ConflictError
        If undoing would lose such a change. Changes by other imports do not count, nor what was set back.
    """
    own = select(func.min(TrailLine.seq)).where(
        TrailLine.table_name == Import.__tablename__, TrailLine.row_id == record.id
    )
    begun = session.scalar(own)
    if begun is None:
        return
    touched = [
        (row, [column_name(name, column) for column in columns])
        for name in tables
        for row, columns in _touched(session, Base.metadata.tables[name], record.id, begun, derived)
    ]
    if touched:
        told = [f"{row} ({', '.join(columns)})" for row, columns in touched[:_TOLD]]
        raise ConflictError(
            "{count} rows of this import were changed by hand since: {rows}. Undoing it would lose that "
            "work, so nothing was undone.",
            count=len(touched),
            rows=", ".join(told) + (" …" if len(touched) > _TOLD else ""),
        )


def _touched(
    session: Session, table: Table, import_id: int, begun: int, derived: Collection[str]
) -> list[tuple[str, list[str]]]:
    """Names of the rows of a table that are not as the import left them, with the columns."""
    changed = select(ImportChange.row_uid).where(
        ImportChange.import_id == import_id, ImportChange.table_name == table.name
    )
    mine = select(table.c.id).where(or_(table.c.import_id == import_id, table.c.uid.in_(changed)))
    was: dict[int, dict[str, Any]] = defaultdict(dict)
    is_now: dict[int, dict[str, Any]] = defaultdict(dict)
    later: Any = _later(table, begun).where(TrailLine.row_id.in_(mine))
    for row_id, before, after in session.execute(later):
        former, latter = json.loads(before or "{}"), json.loads(after or "{}")
        for column in {*former, *latter} - {*derived}:
            was[row_id].setdefault(column, former.get(column))
            is_now[row_id][column] = latter.get(column)
    if not was:
        return []
    shown = next((table.c[one] for one in _NAMED_BY if one in table.c), table.c.id)
    rows = session.execute(
        select(table.c.id, shown, table.c.import_id, ImportChange.before)
        .outerjoin(
            ImportChange,
            (ImportChange.row_uid == table.c.uid)
            & (ImportChange.table_name == table.name)
            & (ImportChange.import_id == import_id),
        )
        .where(table.c.id.in_(was))
        .order_by(table.c.id)
    )
    lost = [
        (
            str(name),
            sorted(
                column
                for column, value in is_now[row_id].items()
                if value != was[row_id][column] and (owner == import_id or column in (before or {}))
            ),
        )
        for row_id, name, owner, before in rows
    ]
    return [(name, columns) for name, columns in lost if columns]


def _later(table: Table, begun: int) -> Select[Any, Any, Any]:
    """Lines after an entry on changed rows of a table, but for those of imports and their undoing."""
    of_import = aliased(TrailLine)
    by_import = exists().where(of_import.seq == TrailLine.seq, of_import.table_name == Import.__tablename__)
    return (
        select(TrailLine.row_id, TrailLine.before, TrailLine.after)
        .where(
            TrailLine.seq > begun,
            TrailLine.table_name == table.name,
            TrailLine.deed == Deed.CHANGED,
            ~by_import,
        )
        .order_by(TrailLine.seq, TrailLine.number)
    )
