"""The first entry of a store that held rows before it had a trail, or before the trail had their table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.store.engine import writing
from gridmap.trail.decisions import audited_tables
from gridmap.trail.images import slices
from gridmap.trail.models import TrailHead, TrailLine
from gridmap.trail.recorder import Loaded, recorder_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

__all__ = ["begin_trail"]

_LATER = frozenset({"problem_cell"})
"""Tables that held rows in stores with a trail before they were in it."""


def begin_trail(engine: Engine) -> int:
    """Take every row that is there into the trail, where it has none of their table yet; return how many.

    That is every table where the trail has no entry, and else those that it came to include later. What was
    done to a row before cannot be known; from here on nothing goes unseen.
    """
    with writing(engine) as session:
        recorder = recorder_of(session)
        if recorder is None:
            return 0
        begun = session.scalar(select(TrailHead.seq)) != 0
        connection = session.connection()
        for table in audited_tables():
            if begun and (table.name not in _LATER or _is_known(session, table.name)):
                continue
            recorder.loaded_rows += [
                Loaded(table, ids, digests, None) for ids, digests in slices(connection, table)
            ]
        return sum(len(one.ids) for one in recorder.loaded_rows)


def _is_known(session: Session, table: str) -> bool:
    return session.scalar(select(TrailLine.seq).where(TrailLine.table_name == table).limit(1)) is not None
