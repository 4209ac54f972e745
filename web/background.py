"""What reads like a request but takes longer: a job that acts as the same person at the same moment.

Whoever began jobs sees them on the pages where they begin: what runs, and what has just ended.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import current_app, g

from gridmap.jobs import JobState
from gridmap.language import N_
from web.installation import actor, installation, now

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from gridmap.jobs import Job, Progress

__all__ = ["KINDS", "STOPS", "begin_job", "in_background", "own_jobs", "swept"]

_KEPT_SECONDS = 86_400
_JUST_ENDED = timedelta(hours=2)
_ENDED_LISTED = 5

KINDS = {
    "patrols": N_("Patrol plan"),
    "inspection": N_("Assessors' route"),
    "route-book": N_("Route book"),
    "forecast": N_("Forecast"),
    "ledger": N_("Ledger"),
    "propose": N_("Proposal of cells"),
    "draw": N_("Putting cells in force"),
}
"""What jobs are called that pages list."""

STOPS = {
    "patrols": N_("Stop with the best so far"),
    "route-book": N_("Stop"),
    "ledger": N_("Stop"),
    "propose": N_("Stop"),
    "draw": N_("Stop"),
}
"""What the button says that stops one; others have none."""


def begin_job(
    kind: str, work: Callable[[Progress], dict[str, Any]], *, title: str, page: Callable[[str], str]
) -> Job:
    """Start a job of the person whose request it is; `page` makes of its uid the address that shows it."""
    return installation().jobs.start(kind, work, owner=actor().login_id, title=title, page=page)


def in_background(
    kind: str, work: Callable[[Progress], dict[str, Any]], *, title: str, page: Callable[[str], str]
) -> Job:
    """Start a job in which `db()`, `actor()` and `now()` are what they are in this request.

    Its session is one of its own, as that of the request ends with it.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - so Flask calls it
    who, moment = actor(), now()

    def run(progress: Progress) -> dict[str, Any]:
        with app.app_context():
            g.actor, g.now = who, moment
            return work(progress)

    return begin_job(kind, run, title=title, page=page)


def own_jobs(kinds: Collection[str], but: Job | None = None) -> list[Job]:
    """Jobs of the reader's own that run or have just ended, without the one that the page shows already."""
    owner = actor().login_id
    if owner is None:
        return []
    found = installation().jobs.own(owner, kinds, since=now() - _JUST_ENDED)
    others = [job for job in found if job.page and (but is None or job.uid != but.uid)]
    ended = [job for job in others if job.state is not JobState.RUNNING]
    return [job for job in others if job.state is JobState.RUNNING] + ended[:_ENDED_LISTED]


def swept(folder: Path) -> Path:
    """Remove yesterday's files: they hold what their owner may no longer see tomorrow."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            if file.is_file() and file.stat().st_mtime < time.time() - _KEPT_SECONDS:
                file.unlink()
    return folder
