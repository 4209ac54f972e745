"""Anchors: the ends of the chain, noted outside the database.

A chain alone cannot tell that its last entries were cut off, or that the whole database was set back to an
earlier day. So every end is also appended to a file in the data folder, one line each: number and hash.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Anchors"]

_KEPT_DIGITS = 32
_SYNC_SECONDS = 1.0


class Anchors:
    """The file of one installation.

    Parameters
    ----------
    path
        Where it lies; made at the first anchor.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._synced = 0.0

    def drop(self, seq: int, digest: str) -> None:
        """Note an end of the chain, once the transaction is durable.

        The line is with the system at once and on the disk within the second: what a power cut takes away are
        anchors, never entries, and a missing anchor is no error.
        """
        line = f"{seq} {digest[:_KEPT_DIGITS]}\n".encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
                if time.monotonic() - self._synced > _SYNC_SECONDS:
                    os.fdatasync(handle)
                    self._synced = time.monotonic()
            finally:
                os.close(handle)

    def read(self) -> Iterator[tuple[int, str]]:
        """Every anchor: a number, and the beginning of the hash that belongs to it."""
        if not self.path.exists():
            return
        with self.path.open(encoding="ascii", errors="replace") as lines:
            for line in lines:
                seq, _, digest = line.strip().partition(" ")
                if seq.isdigit() and len(digest) == _KEPT_DIGITS:
                    yield int(seq), digest

    @staticmethod
    def fits(anchor: str, digest: str) -> bool:
        """Whether an anchor is of this hash."""
        return digest[:_KEPT_DIGITS] == anchor
