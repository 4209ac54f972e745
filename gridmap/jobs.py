"""Long work with progress that pages and commands show, and that can be stopped.

A job's record is a small JSON file in the data folder, replaced in one step: its progress can be read while
the job itself holds the database's write lock, and by every server process.
"""

from __future__ import annotations

import contextvars
import json
import os
import threading
import time
import traceback
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from gridmap.errors import GridmapError, NotFoundError
from gridmap.language import current_language, gettext, speak

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

__all__ = ["Job", "JobState", "JobStoppedError", "Jobs", "Progress", "silent"]


_LONGEST_SECONDS = 86_400
"""A job that has reported nothing for longer is not looked for any more."""
_KEPT_SECONDS = 7 * 86_400
"""A record that ended longer ago is removed; files that jobs made for their pages go sooner."""


class Progress(Protocol):
    """Called by long work with what is done, of how much, and what it is doing; may raise JobStoppedError."""

    def __call__(self, done: float, total: float, what: str = "") -> None:
        """Report."""


def silent(done: float, total: float, what: str = "") -> None:
    """Progress that nobody watches."""


class JobStoppedError(GridmapError):
    """Somebody asked the job to stop."""


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of long work.

    Parameters
    ----------
    owner
        The login that may see it; None: the server's owner.
    title
        What it is about, in the words of whoever began it.
    page
        Address on which it is shown; empty: none.
    """

    uid: str
    kind: str
    owner: int | None
    pid: int
    title: str = ""
    page: str = ""
    state: JobState = JobState.RUNNING
    done: float = 0.0
    total: float = 0.0
    what: str = ""
    message: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    started_at: str = ""
    ended_at: str = ""


class Jobs:
    """The jobs of one installation.

    Parameters
    ----------
    folder
        Where the records lie; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def start(
        self,
        kind: str,
        work: Callable[[Progress], dict[str, Any]],
        *,
        owner: int | None,
        title: str = "",
        page: Callable[[str], str] | None = None,
    ) -> Job:
        """Run `work` in a thread and return its record at once; what it returns becomes the result.

        `page` makes, of the job's uid, the address on which it is shown.
        """
        uid = uuid.uuid4().hex
        job = Job(
            uid=uid,
            kind=kind,
            owner=owner,
            pid=os.getpid(),
            title=title,
            page=page(uid) if page else "",
            started_at=_now(),
        )
        self._write(job)
        self.sweep()
        language = current_language()
        # The context says who acts; what the job changes is theirs.
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(self._run, job, work, language), name=f"job-{kind}", daemon=True
        )
        thread.start()
        return job

    def find(self, uid: str, *, owner: int | None) -> Job:
        """Return a job's record.

        Raises
        ------
        NotFoundError
            If there is none of this name for this owner.
        """
        try:
            job = self._read(self._file(uuid.UUID(uid).hex))
        except (OSError, ValueError) as error:
            raise NotFoundError("There is no job {uid}.", uid=uid) from error
        if owner is not None and job.owner != owner:
            raise NotFoundError("There is no job {uid}.", uid=uid)
        return job

    def own(self, owner: int, kinds: Collection[str], *, since: datetime) -> list[Job]:
        """Return the jobs of a login that run or have ended since a moment, the newest first."""
        found = []
        for file in self._folder.glob("*.json"):
            # Removed meanwhile, or what an earlier version wrote: it is nobody's.
            with suppress(OSError, ValueError, TypeError):
                # A record is written at the end at the latest, so that the older ones need not be read.
                if file.stat().st_mtime < since.timestamp() - _LONGEST_SECONDS:
                    continue
                job = self._read(file)
                ended = datetime.fromisoformat(job.ended_at) if job.ended_at else None
                if job.owner == owner and job.kind in kinds and (ended is None or ended >= since):
                    found.append(job)
        return sorted(found, key=lambda job: (job.started_at, job.uid), reverse=True)

    def forget(self, uid: str, *, owner: int | None) -> None:
        """Remove the record of a job that has ended, as its outcome is told already."""
        if self.find(uid, owner=owner).state is not JobState.RUNNING:
            self._file(uuid.UUID(uid).hex).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the records of jobs that ended more than a week ago, and what else is left of them."""
        limit = time.time() - _KEPT_SECONDS
        for file in self._folder.iterdir():
            # Removed meanwhile by another process; what cannot be read is of nobody who still runs.
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < limit and not self._runs(self._file(file.name.partition(".")[0])):
                    file.unlink()

    def _runs(self, file: Path) -> bool:
        try:
            return self._read(file).state is JobState.RUNNING
        except (OSError, ValueError, TypeError):
            return False

    def _read(self, file: Path) -> Job:
        fields = json.loads(file.read_text())
        job = Job(**(fields | {"state": JobState(fields["state"])}))
        if job.state is JobState.RUNNING and not _alive(job.pid):
            told = gettext("The server was restarted; nothing was changed.")
            job = replace(job, state=JobState.FAILED, message=told, ended_at=_now())
            self._write(job)
        return job

    def stop(self, uid: str, *, owner: int | None) -> None:
        """Ask a job to stop; it does so at its next report of progress."""
        job = self.find(uid, owner=owner)
        self._file(job.uid).with_suffix(".stop").touch()

    def _run(self, job: Job, work: Callable[[Progress], dict[str, Any]], language: str) -> None:
        latest = job

        def progress(done: float, total: float, what: str = "") -> None:
            nonlocal latest
            if self._file(job.uid).with_suffix(".stop").exists():
                raise JobStoppedError("Stopped on request; nothing was changed.")
            latest = replace(latest, done=float(done), total=float(total), what=what or latest.what)
            self._write(latest)

        with speak(language):
            try:
                result = work(progress)
                latest = replace(latest, state=JobState.DONE, result=result)
            except JobStoppedError as error:
                latest = replace(latest, state=JobState.STOPPED, message=gettext(error.message))
            except Exception as error:  # noqa: BLE001 - whatever happened is the job's outcome
                latest = replace(latest, state=JobState.FAILED, message=_say(error))
        self._write(replace(latest, ended_at=_now()))

    def _file(self, uid: str) -> Path:
        return self._folder / f"{uid}.json"

    def _write(self, job: Job) -> None:
        draft = self._file(job.uid).with_suffix(f".{threading.get_ident()}.new")
        draft.write_text(json.dumps(asdict(job), ensure_ascii=False))
        draft.replace(self._file(job.uid))


def _say(error: Exception) -> str:
    if hasattr(error, "message") and hasattr(error, "params"):
        return gettext(error.message, **error.params)
    traceback.print_exception(error)
    return gettext("An internal error; the server's log has the details.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
