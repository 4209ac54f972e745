"""Sending while the server runs: one process at a time."""

from __future__ import annotations

import fcntl
import logging
import threading
from typing import TYPE_CHECKING

from gridmap.webhooks.sending import send_due

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gridmap.config import Settings
    from gridmap.webhooks.sending import Sent

__all__ = ["send_once", "start_sender"]

_log = logging.getLogger(__name__)


def send_once(engine: Engine, settings: Settings) -> Sent | None:
    """Send what is due, unless another process of this installation is at it: then None."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / "webhooks.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        return send_due(engine, settings=settings)


def start_sender(engine: Engine, settings: Settings) -> threading.Event | None:
    """Send every few seconds in a thread of its own; setting the event ends it. None: not wanted."""
    if settings.webhook_seconds <= 0:
        return None
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(settings.webhook_seconds):
            try:
                send_once(engine, settings)
            except Exception:  # noqa: BLE001 - the thread must live on until the store is back
                _log.exception("Sending failed; it is tried again.")

    threading.Thread(target=run, name="webhooks", daemon=True).start()
    return stop
