"""The first entry of a store that held rows before it had a trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.store.engine import writing
from gridmap.trail.decisions import audited_tables
from gridmap.trail.images import slices
from gridmap.trail.models import TrailHead
from gridmap.trail.recorder import Loaded, recorder_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

__all__ = ["begin_trail"]


def begin_trail(engine: Engine) -> int:
    """Take every row that is there into the trail, if it has no entry yet, and return how many.

    What was done to a row before cannot be known; from here on nothing goes unseen.
    """
    with writing(engine) as session:
        recorder = recorder_of(session)
        if recorder is None or session.scalar(select(TrailHead.seq)) != 0:
            return 0
        connection = session.connection()
        for table in audited_tables():
            recorder.loaded_rows += [
                Loaded(table, ids, digests, None) for ids, digests in slices(connection, table)
            ]
        return sum(len(one.ids) for one in recorder.loaded_rows)
