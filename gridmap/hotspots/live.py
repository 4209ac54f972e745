"""The snapshot that is kept up to date with the store, and its copies on disk that server processes share."""

from __future__ import annotations

import fcntl
import json
import shutil
import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select

from gridmap.hotspots.loading import read_problems
from gridmap.hotspots.snapshot import Snapshot
from gridmap.problems.models import Problem
from gridmap.store.clock import read_clock
from gridmap.store.engine import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

    from gridmap.store.clock import Reading

__all__ = ["LiveSnapshot", "identify"]

_FORMAT = 3
_WITNESSES = 16
_WORTH_SAVING = 20_000
"""Rows changed since the copy on disk, above which a new one is written."""


def identify(session: Session, snapshot: Snapshot) -> dict[str, Any]:
    """Describe a snapshot so that its database can be known again: some rows, and what last touched them.

    A restored backup or a database made anew may reach the same change number with other rows.
    """
    row = select(Problem.id, Problem.uid, Problem.change).where(Problem.change <= snapshot.change)
    latest = session.execute(row.order_by(Problem.change.desc()).limit(_WITNESSES)).all()
    spread: Any = np.linspace(0, len(snapshot) - 1, _WITNESSES).astype(int) if len(snapshot) else []
    others = session.execute(row.where(Problem.id.in_(snapshot.number[spread].tolist()))).all()
    return {
        "format": _FORMAT,
        "change": snapshot.change,
        "rebuild": snapshot.rebuild,
        "witnesses": [[number, str(uid), change] for number, uid, change in (*latest, *others)],
    }


def _vouched(session: Session, witnesses: dict[tuple[int, str], int], change: int) -> bool:
    """Whether every witness is there as it was at `change`, or has been touched since."""
    numbers = {number for number, _ in witnesses}
    rows = select(Problem.id, Problem.uid, Problem.change).where(Problem.id.in_(numbers))
    found = {(number, str(uid)): moved for number, uid, moved in session.execute(rows)}
    return all(
        witness in found and (found[witness] == moved or found[witness] > change)
        for witness, moved in witnesses.items()
    )


def _count_until(session: Session, change: int) -> int:
    counted = select(func.count()).select_from(Problem).where(Problem.change <= change)
    return session.scalars(counted).one()


class LiveSnapshot:
    """The latest snapshot of one store; safe to ask from many threads and processes.

    Parameters
    ----------
    engine
        The store.
    folder
        Where copies are kept for the next start and the other processes; made when missing.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._lock = threading.Lock()
        self._latest: Snapshot | None = None
        self._unsaved = 0

    def at(self, change: int) -> Snapshot:
        """Return a snapshot true at least up to a change, as the caller's transaction read the clock."""
        latest = self._latest
        if latest is not None and latest.change == change:
            return latest
        with self._lock:
            latest = self._latest
            if latest is None or latest.change != change:
                latest = self._latest = self._refreshed(latest)
            return latest

    def warm(self) -> None:
        """Load ahead of the first request."""
        with reading(self._engine) as session:
            change = read_clock(session).change
        self.at(change)

    def _refreshed(self, latest: Snapshot | None) -> Snapshot:
        with reading(self._engine) as session:
            # The clock is read first: rows committed in between are read again next time, never missed.
            clock = read_clock(session)
            if latest is not None and latest.change == clock.change:
                return latest
            if latest is None or not latest.rebuild <= clock.rebuild <= latest.change <= clock.change:
                with self._exclusive():
                    return self._stored(session, clock) or self._built(session, clock)
            fresh = self._advanced(latest, session, clock)
            if self._unsaved >= _WORTH_SAVING:
                with self._exclusive():
                    return self._save(fresh, session)
            return fresh

    def _advanced(self, snapshot: Snapshot, session: Session, clock: Reading) -> Snapshot:
        rows = read_problems(session, after=snapshot.change)
        self._unsaved += len(rows["number"])
        return snapshot.advanced(rows, change=clock.change, rebuild=clock.rebuild)

    def _built(self, session: Session, clock: Reading) -> Snapshot:
        fresh = Snapshot.build(read_problems(session), change=clock.change, rebuild=clock.rebuild)
        return self._save(fresh, session)

    def _stored(self, session: Session, clock: Reading) -> Snapshot | None:
        """The copy on disk brought up to date; None if there is none that this database can have made."""
        for place in self._folder.glob("*[0-9]"):
            try:
                identity = json.loads((place / "identity.json").read_text())
                change = int(identity["change"])
                if identity["format"] != _FORMAT or not clock.rebuild <= change <= clock.change:
                    continue
                copy = Snapshot.load(place, change=change, rebuild=identity["rebuild"])
                witnesses = {(number, uid): moved for number, uid, moved in identity["witnesses"]}
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if not _vouched(session, witnesses, change):
                continue
            self._unsaved = 0
            fresh = self._advanced(copy, session, clock)
            if len(fresh) == self._unsaved + _count_until(session, change):
                return fresh
        return None

    def _save(self, snapshot: Snapshot, session: Session) -> Snapshot:
        """Write a copy in one step, remove the others, and return it mapped from disk.

        Whoever still has an old copy mapped keeps it: the file system frees it when the last one lets go.
        """
        self._unsaved = 0
        place = self._folder / str(snapshot.change)
        draft = self._folder / f"{uuid.uuid4().hex}.new"
        draft.mkdir()
        snapshot.save(draft)
        (draft / "identity.json").write_text(json.dumps(identify(session, snapshot)))
        for other in self._folder.iterdir():
            if other.is_dir() and other != draft:
                shutil.rmtree(other, ignore_errors=True)
        draft.rename(place)
        return Snapshot.load(place, change=snapshot.change, rebuild=snapshot.rebuild)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One process at a time reads, writes or removes copies."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
