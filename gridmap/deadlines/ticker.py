"""Escalation while the server runs: one process at a time."""

from __future__ import annotations

import fcntl
import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gridmap.deadlines.escalation import Escalated, escalate, something_to_do
from gridmap.people.permissions import Actor
from gridmap.store.engine import reading, writing
from gridmap.trail.origin import Origin, acting
from gridmap.workflow.resuming import any_run_out, resume_due

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gridmap.config import Settings

__all__ = ["start_ticker", "tick"]

_log = logging.getLogger(__name__)


def tick(engine: Engine, settings: Settings, *, now: datetime) -> Escalated | None:
    """Resume what was suspended until now, and escalate; None if another process is at it.

    The store is only read until there is something to do.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / "escalation.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        with reading(engine) as session:
            run_out = any_run_out(session, now=now)
            if not run_out and not something_to_do(session, settings=settings, now=now):
                return Escalated()
        with acting(Origin(Actor.owner().name, "server")), writing(engine) as session:
            # What goes on again may be overdue at once.
            resume_due(session, settings=settings, now=now)
            return escalate(session, settings=settings, now=now)


def start_ticker(engine: Engine, settings: Settings) -> threading.Event | None:
    """Escalate every few minutes in a thread of its own; setting the event ends it. None: not wanted."""
    if settings.escalation_minutes <= 0:
        return None
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(settings.escalation_minutes * 60):
            try:
                tick(engine, settings, now=datetime.now(UTC))
            except Exception:  # noqa: BLE001 - the thread must live on until the store is back
                _log.exception("Escalation failed; it is tried again.")

    threading.Thread(target=run, name="escalation", daemon=True).start()
    return stop
