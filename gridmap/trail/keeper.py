"""Keeping the trail: at the end of every transaction, one entry with what it changed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import insert, select, update

from gridmap.store.base import Base
from gridmap.store.witness import set_witness
from gridmap.trail.anchors import Anchors
from gridmap.trail.canon import form_of
from gridmap.trail.chain import ChainKey, EntryFacts, LineFacts
from gridmap.trail.decisions import is_audited
from gridmap.trail.images import images
from gridmap.trail.models import Deed, TrailEntry, TrailHead, TrailLine
from gridmap.trail.origin import current_origin
from gridmap.trail.packing import DIGEST, pack
from gridmap.trail.recorder import Recorder, refuse_unseen
from gridmap.trail.values import told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Table

    from gridmap.config import Settings
    from gridmap.store.witness import WritingSession
from gridmap.trail.images import Image

__all__ = ["TrailKeeper"]

_MANY = 50_000
_READ_HEAD = select(TrailHead.seq, TrailHead.hash).with_for_update()
_MOVE_HEAD = update(TrailHead)
_ADD_ENTRY, _ADD_LINES = insert(TrailEntry), insert(TrailLine)


class TrailKeeper:
    """Keeps the trail of one installation.

    Parameters
    ----------
    signing_key
        The installation's; the chain's key is derived from it.
    folder
        The data folder, where the anchors lie.
    """

    def __init__(self, signing_key: str, folder: Path) -> None:
        self.key = ChainKey(signing_key)
        self.anchors = Anchors(folder / "trail_anchors")

    @classmethod
    def of(cls, settings: Settings) -> TrailKeeper:
        """Return the one of an installation."""
        return cls(settings.signing_key(), settings.data_dir)

    @contextmanager
    def watch(self, session: WritingSession) -> Iterator[Watch]:
        """See what a session changes from now on."""
        watch = Watch(self, session)
        set_witness(session, watch)
        try:
            yield watch
        finally:
            watch.recorder.leave()

    # The store's listener; nothing of it depends on the installation.
    refuse_unseen = staticmethod(refuse_unseen)


class Watch:
    """Sees one transaction, and writes its entry."""

    def __init__(self, keeper: TrailKeeper, session: WritingSession) -> None:
        self.recorder = Recorder(session)
        self._keeper = keeper
        self._session = session
        self._end: tuple[int, str] | None = None

    def loaded(self, table: Table, batch: pa.RecordBatch) -> None:
        """Take note of rows that are inserted past the mapper."""
        self.recorder.loaded(table, batch)

    def touching(self, connection: Connection, table: Table, ids: Collection[int]) -> None:
        """Take note of rows that are about to be changed past the mapper."""
        if is_audited(table):
            self.recorder.touching(connection, table, ids)

    def close(self) -> None:
        """Write the entry; the chain's head is locked last, so that nobody else waits for long."""
        self._session.flush()
        self.recorder.closed = True
        if not self.recorder.has_seen:
            return
        connection = self._session.connection()
        lines = [*self._loaded(), *self._touched(connection), *self._mass(connection)]
        if lines:
            self._end = append(connection, self._keeper.key, lines)

    def committed(self) -> None:
        """Drop an anchor at the entry, now that it is durable."""
        if self._end is not None:
            self._keeper.anchors.drop(*self._end)

    def _loaded(self) -> Iterator[LineFacts]:
        for one in self.recorder.loaded_rows:
            yield many(one.table.name, Deed.CREATED, one.ids, one.digests)

    def _touched(self, connection: Connection) -> Iterator[LineFacts]:
        for name, befores in self.recorder.before.items():
            afters = images(connection, Base.metadata.tables[name], befores)
            for identity, before in befores.items():
                line = self._line(name, identity, before, afters.get(identity))
                if line is not None:
                    yield line

    def _line(self, name: str, identity: int, before: Image | None, after: Image | None) -> LineFacts | None:
        form = form_of(name)
        if before is None and after is None:
            return None
        was = None if before is None else form.canonical(before)
        digest = None if after is None else form.digest(after)
        if before is not None and after is not None and was == form.canonical(after):
            return None
        shown = told(form, before, after, self._keeper.key)
        uid = next((n for n, field in enumerate(form.fields) if field.name == "uid"), None)
        present = after if after is not None else before
        return LineFacts(
            table_name=name,
            deed=Deed.CREATED if before is None else Deed.DELETED if after is None else Deed.CHANGED,
            row_id=identity,
            row_uid=None if uid is None or present is None else str(present[uid]),
            count=1,
            before=_json(shown[0]),
            after=_json(shown[1]),
            digest=None if digest is None else digest.hex(),
        )

    def _mass(self, connection: Connection) -> Iterator[LineFacts]:
        for name, parts in self.recorder.mass.items():
            form, table = form_of(name), Base.metadata.tables[name]
            for ids in parts:
                for start in range(0, len(ids), _MANY):
                    part = ids[start : start + _MANY]
                    present = images(connection, table, part.tolist())
                    here = np.array([identity in present for identity in part.tolist()], dtype=bool)
                    if here.any():
                        digests = b"".join(form.digest(present[i]) for i in part[here].tolist())
                        yield many(name, Deed.CHANGED, part[here], np.frombuffer(digests, dtype=DIGEST))
                    if not here.all():
                        yield many(name, Deed.DELETED, part[~here], None)


def _json(values: dict[str, Any] | None) -> str | None:
    return None if values is None else json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def many(name: str, deed: Deed, ids: NDArray[np.int64], digests: NDArray[np.void] | None) -> LineFacts:
    """Return the line of many rows."""
    return LineFacts(name, deed, None, None, len(ids), rows=pack(ids, digests))


def append(connection: Connection, key: ChainKey, lines: list[LineFacts]) -> tuple[int, str]:
    """Append an entry to the chain, and return its number and hash."""
    origin = current_origin()
    seq, previous = connection.execute(_READ_HEAD).one()
    entry = EntryFacts(seq + 1, datetime.now(UTC), origin.actor, origin.login_id, origin.where)
    signed = key.sign(previous, entry, lines)
    facts = {name: getattr(entry, name) for name in EntryFacts.__slots__}
    connection.execute(_ADD_ENTRY, {**facts, "lines": len(lines), "key": key.name, "hash": signed})
    connection.execute(
        _ADD_LINES,
        [
            {"seq": entry.seq, "number": number} | {name: getattr(line, name) for name in LineFacts.__slots__}
            for number, line in enumerate(lines)
        ],
    )
    connection.execute(_MOVE_HEAD, {"seq": entry.seq, "hash": signed})
    return entry.seq, signed
