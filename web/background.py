"""What reads like a request but takes longer: a job that acts as the same person at the same moment."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flask import current_app, g

from web.installation import actor, installation, now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gridmap.jobs import Job, Progress

__all__ = ["in_background", "swept"]

_KEPT_SECONDS = 86_400


def in_background(kind: str, work: Callable[[Progress], dict[str, Any]]) -> Job:
    """Start a job in which `db()`, `actor()` and `now()` are what they are in this request.

    Its session is one of its own, as that of the request ends with it.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - so Flask calls it
    who, moment = actor(), now()

    def run(progress: Progress) -> dict[str, Any]:
        with app.app_context():
            g.actor, g.now = who, moment
            return work(progress)

    return installation().jobs.start(kind, run, owner=who.login_id)


def swept(folder: Path) -> Path:
    """Remove yesterday's files: they hold what their owner may no longer see tomorrow."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            if file.is_file() and file.stat().st_mtime < time.time() - _KEPT_SECONDS:
                file.unlink()
    return folder
