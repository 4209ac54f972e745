"""Bringing a store up so that what migrations change in its rows is in the trail."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import inspect, select

from gridmap.store.base import Base
from gridmap.store.schema import migrate
from gridmap.trail.chain import LineFacts
from gridmap.trail.images import slices
from gridmap.trail.keeper import append, many
from gridmap.trail.last_known import LastKnown
from gridmap.trail.models import Deed, TrailHead, TrailLine
from gridmap.trail.packing import DIGEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray
    from sqlalchemy import Connection
    from sqlalchemy.engine import Engine

    from gridmap.trail.keeper import TrailKeeper

__all__ = ["bring_up"]

_Rows = tuple["NDArray[np.int64]", "NDArray[np.void]"]
"""Ids in ascending order and digests."""


def bring_up(engine: Engine, keeper: TrailKeeper, target: str = "head") -> str | None:
    """Create the tables, or bring them up to `target`; return where they stood.

    What migrations change in rows is in the trail, in the same transaction. A row that is not as the trail
    says before stays so: verification names it afterwards as well.

    Raises
    ------
    StoreError
        If the database was made by a newer version.
    """
    end: list[tuple[int, str]] = []

    @contextmanager
    def watched(connection: Connection, tables: Collection[str]) -> Iterator[None]:
        kept = _kept(connection, tables)
        yield
        lines = [
            many(name, Deed.CHANGED, ids, digests)
            for name, before in kept.items()
            for ids, digests in [_changed(before, _rows(connection, name))]
            if len(ids)
        ]
        if lines:
            end.append(append(connection, keeper.key, lines))

    stood_at = migrate(engine, target, around=watched)
    for one in end:
        keeper.anchors.drop(*one)
    return stood_at


def _kept(connection: Connection, tables: Collection[str]) -> dict[str, _Rows]:
    """Rows of tables that are as the trail says; nothing where there is no trail yet."""
    there = set(inspect(connection).get_table_names())
    names = [name for name in tables if name in there]
    if not names or TrailHead.__tablename__ not in there:
        return {}
    known = LastKnown()
    lines = (
        select(TrailLine.table_name, TrailLine.row_id, TrailLine.digest, TrailLine.rows)
        .where(TrailLine.table_name.in_(names))
        .order_by(TrailLine.seq, TrailLine.number)
    )
    for name, row_id, digest, rows in connection.execute(lines):
        known.note(LineFacts(name, "", row_id, None, 1, digest=digest, rows=rows))
    return {name: _same(_rows(connection, name), known.of(name)) for name in names}


def _rows(connection: Connection, name: str) -> _Rows:
    """Every row of a table, by the columns that it has now."""
    only = frozenset(column["name"] for column in inspect(connection).get_columns(name))
    parts = list(slices(connection, Base.metadata.tables[name], only=only))
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=DIGEST)
    ids, digests = zip(*parts, strict=True)
    return np.concatenate(ids), np.concatenate(digests)


def _same(rows: _Rows, others: _Rows) -> _Rows:
    """Rows that are in both with the same digest."""
    ids, at, there = np.intersect1d(rows[0], others[0], assume_unique=True, return_indices=True)
    same = rows[1][at] == others[1][there]
    return ids[same], rows[1][at][same]


def _changed(before: _Rows, after: _Rows) -> _Rows:
    """Rows that are in both with another digest, as they are after."""
    ids, at, there = np.intersect1d(before[0], after[0], assume_unique=True, return_indices=True)
    differs = before[1][at] != after[1][there]
    return ids[differs], after[1][there][differs]
