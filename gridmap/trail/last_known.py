"""The last digest that the trail has of each row."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from gridmap.trail.packing import DIGEST, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.trail.chain import LineFacts

__all__ = ["GONE", "LastKnown"]

GONE = np.zeros(1, dtype=DIGEST)[0]
"""Digest of a row that was deleted."""


class LastKnown:
    """Takes lines in the order of the chain; the last one of a row counts."""

    def __init__(self) -> None:
        self._ids: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
        self._digests: dict[str, list[NDArray[np.void]]] = defaultdict(list)
        self._single: dict[str, tuple[list[int], list[bytes]]] = defaultdict(lambda: ([], []))

    def note(self, line: LineFacts) -> None:
        """Take note of a line.

        Raises
        ------
        InvalidValueError, ValueError
            If its rows cannot be read.
        """
        table = line.table_name
        if line.row_id is not None:
            ids, digests = self._single[table]
            digests.append(bytes(16) if line.digest is None else bytes.fromhex(line.digest))
            ids.append(line.row_id)
            return
        self._gather(table)
        many, theirs = unpack(line.rows or b"")
        self._ids[table].append(many)
        self._digests[table].append(np.repeat(GONE, len(many)) if theirs is None else theirs)

    def _gather(self, table: str) -> None:
        ids, digests = self._single.pop(table, ([], []))
        if ids:
            self._ids[table].append(np.array(ids, dtype=np.int64))
            self._digests[table].append(np.frombuffer(b"".join(digests), dtype=DIGEST))

    @property
    def tables(self) -> set[str]:
        """Tables that the trail knows."""
        return set(self._ids) | set(self._single)

    def of(self, table: str) -> tuple[NDArray[np.int64], NDArray[np.void]]:
        """Ids in ascending order, each once, and their last digests; what is gone has `GONE`."""
        self._gather(table)
        if not self._ids[table]:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=DIGEST)
        ids, digests = np.concatenate(self._ids.pop(table)), np.concatenate(self._digests.pop(table))
        order = np.argsort(ids, kind="stable")
        ids, digests = ids[order], digests[order]
        final = np.append(ids[1:] != ids[:-1], [True])
        return ids[final], digests[final]
