"""Whether everything in the store is as the trail says."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select

from gridmap.errors import InvalidValueError
from gridmap.jobs import silent
from gridmap.trail.anchors import Anchors
from gridmap.trail.chain import EntryFacts, LineFacts
from gridmap.trail.decisions import audited_tables
from gridmap.trail.evidence import check_files
from gridmap.trail.findings import FindingKind, Verdict
from gridmap.trail.images import slices
from gridmap.trail.last_known import GONE, LastKnown
from gridmap.trail.models import TrailEntry, TrailHead, TrailLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row, Table
    from sqlalchemy.orm import Session

    from gridmap.evidence.files import Vault
    from gridmap.jobs import Progress
    from gridmap.trail.chain import ChainKey

__all__ = ["verify"]

_ENTRIES = 2_000
_DISPLACED = LineFacts("", "", None, None, 0)
"""Stands for a line that is not in its place: with it, no entry keeps its hash."""


def verify(
    session: Session,
    keys: Sequence[ChainKey],
    anchors: Anchors,
    *,
    vault: Vault | None = None,
    since: int = 1,
    progress: Progress = silent,
) -> Verdict:
    """Check the chain, its anchors, every audited row and the files of evidence, all as of one moment.

    Parameters
    ----------
    session
        Of a reading transaction that has read nothing yet.
    keys
        The installation's key, and former ones.
    anchors
        Ends of the chain noted outside the database.
    vault
        Where the files of evidence lie; None: they are not read.
    since
        Number of the first entry to check; above 1, only rows that were touched since then are compared.
    progress
        Told what is being done.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    # Read first: an anchor that is dropped later belongs to an entry that this transaction does not see.
    dropped = list(anchors.read())
    verdict = _Verification(connection, keys, max(since, 1), progress).run(dropped)
    if vault is not None:
        check_files(connection, vault, verdict, progress)
    return verdict


class _Verification:
    def __init__(
        self, connection: Connection, keys: Sequence[ChainKey], since: int, progress: Progress
    ) -> None:
        self._connection = connection
        self._keys = {key.name: key for key in keys}
        self._since = since
        self._progress = progress
        self._verdict = Verdict()
        self._last = LastKnown()
        self._hashes: dict[int, str] = {}

    def run(self, anchors: list[tuple[int, str]]) -> Verdict:
        self._check_chain()
        self._check_anchors(anchors)
        whole = self._since == 1
        tables = [table for table in audited_tables() if whole or table.name in self._last.tables]
        for done, table in enumerate(tables):
            self._progress(done, len(tables), "Comparing the rows")
            self._check_rows(table, whole=whole)
        return self._verdict

    def _check_chain(self) -> None:
        entries: Any = TrailEntry.__table__
        ask = self._connection.execute
        head = ask(select(TrailHead.seq, TrailHead.hash)).one_or_none() or (0, "")
        total = ask(select(func.count()).where(entries.c.seq >= self._since)).scalar_one()
        before = select(entries.c.hash).where(entries.c.seq == self._since - 1)
        previous = ask(before).scalar_one_or_none() or ""
        awaited, verdict = self._since, self._verdict
        for entry, lines in self._entries():
            if entry.seq != awaited:
                verdict.find(FindingKind.ENTRY_MISSING, f"entry {awaited}", str(awaited), str(entry.seq))
            self._check_entry(entry, lines, previous)
            self._hashes[entry.seq] = previous = entry.hash
            awaited = entry.seq + 1
            verdict.entries += 1
            if verdict.entries % _ENTRIES == 0:
                self._progress(verdict.entries, total, "Checking the chain")
        verdict.seq, verdict.hash = awaited - 1, previous
        if tuple(head) != (verdict.seq, verdict.hash):
            found = f"{verdict.seq} {verdict.hash}"
            verdict.find(FindingKind.HEAD_DIFFERS, "head", f"{head[0]} {head[1]}", found)

    def _entries(self) -> Iterator[tuple[Row[Any], list[LineFacts]]]:
        """Entries with their lines, in order, some thousand at a time."""
        entries: Any = TrailEntry.__table__
        lines: Any = TrailLine.__table__
        reached = self._since - 1
        while True:
            query = select(entries).where(entries.c.seq > reached).order_by(entries.c.seq).limit(_ENTRIES)
            part = self._connection.execute(query).all()
            if not part:
                return
            of: dict[int, list[LineFacts]] = defaultdict(list)
            query = (
                select(lines)
                .where(lines.c.seq > reached, lines.c.seq <= part[-1].seq)
                .order_by(lines.c.seq, lines.c.number)
            )
            for seq, number, *facts in self._connection.execute(query):
                of[seq].append(LineFacts(*facts) if number == len(of[seq]) else _DISPLACED)
            for entry in part:
                yield entry, of[entry.seq]
            reached = part[-1].seq

    def _check_entry(self, entry: Row[Any], lines: list[LineFacts], previous: str) -> None:
        where, verdict = f"entry {entry.seq}", self._verdict
        key = self._keys.get(entry.key)
        if key is None:
            verdict.find(FindingKind.OTHER_KEY, where, ", ".join(self._keys), entry.key)
        else:
            facts = EntryFacts(entry.seq, entry.at, entry.actor, entry.login_id, entry.origin)
            signed = key.sign(previous, facts, lines)
            if signed != entry.hash or len(lines) != entry.lines:
                verdict.find(FindingKind.ENTRY_CHANGED, where, signed, entry.hash)
        for line in lines:
            if line is not _DISPLACED:
                try:
                    self._last.note(line)
                except (InvalidValueError, ValueError) as error:
                    verdict.find(FindingKind.ENTRY_UNREADABLE, where, f"{line.count} rows", str(error))

    def _check_anchors(self, anchors: list[tuple[int, str]]) -> None:
        beyond, verdict = 0, self._verdict
        for seq, digest in anchors:
            if seq > verdict.seq:
                beyond = max(beyond, seq)
            elif seq in self._hashes and not Anchors.fits(digest, self._hashes[seq]):
                found = self._hashes[seq][: len(digest)]
                verdict.find(FindingKind.ANCHOR_DIFFERS, f"entry {seq}", digest, found)
        if beyond:
            verdict.find(FindingKind.TAIL_MISSING, f"anchor {beyond}", str(beyond), str(verdict.seq))

    def _check_rows(self, table: Table, *, whole: bool) -> None:
        known, digests = self._last.of(table.name)
        seen = np.zeros(len(known), dtype=bool)
        for ids, found in slices(self._connection, table):
            self._verdict.rows += len(ids)
            at = np.searchsorted(known, ids)
            in_trail = at < len(known)
            in_trail[in_trail] = known[at[in_trail]] == ids[in_trail]
            at = at[in_trail]
            seen[at] = True
            expected = digests[at]
            differs = np.flatnonzero(in_trail)[expected != found[in_trail]]
            for place, want in zip(differs, expected[expected != found[in_trail]], strict=True):
                self._row(table, ids[place], want, found[place])
            if whole:
                for place in np.flatnonzero(~in_trail):
                    self._row(table, ids[place], GONE, found[place])
        for place in np.flatnonzero(~seen & (digests != GONE)):
            self._row(table, known[place], digests[place], GONE)

    def _row(self, table: Table, identity: np.int64, expected: np.void, found: np.void) -> None:
        where = f"{table.name} {identity}"
        if expected == GONE:
            self._verdict.find(FindingKind.ROW_UNKNOWN, where, found=_hex(found))
        elif found == GONE:
            self._verdict.find(FindingKind.ROW_MISSING, where, _hex(expected))
        else:
            self._verdict.find(FindingKind.ROW_CHANGED, where, _hex(expected), _hex(found))


def _hex(digest: np.void) -> str:
    return digest.tobytes().hex()
