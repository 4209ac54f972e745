"""Opening what an installation's settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gridmap.store.engine import open_engine
from gridmap.store.schema import check_schema
from gridmap.trail.keeper import TrailKeeper

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gridmap.config import Settings

__all__ = ["open_store"]


def open_store(settings: Settings) -> Engine:
    """Open the store, which must be prepared, with the trail of what is changed in it.

    What a command opens is closed with the command, and not whenever it is found to be garbage.

    Raises
    ------
    StoreError
        If the database is not prepared for this version.
    """
    engine = open_engine(settings.store_url, keeper=TrailKeeper.of(settings))
    command = click.get_current_context(silent=True)
    if command is not None:
        command.call_on_close(engine.dispose)
    check_schema(engine)
    return engine
