"""Files of evidence on disk, named by the SHA-256 of their content.

A file is written under another name, brought to the disk and renamed before any row speaks of it: a row never
points to a file that is missing or half there, whenever the power goes. What a rolled back transaction or a
killed process leaves behind is found by `Vault.sweep`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Kept", "Swept", "Vault", "copy_in", "sync_folder"]

_CHUNK = 1 << 20
_GRACE_SECONDS = 24 * 3600
"""A younger file may belong to a transaction that is not over."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is on the disk."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    files: int
    size: int
    """Bytes."""


class Vault:
    """The folder of the evidence.

    Parameters
    ----------
    data_dir
        The installation's data folder; the files lie in ``evidence`` below it, readable by its owner only.
    """

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "evidence"
        self.incoming = self.folder / "incoming"

    def path(self, sha256: str) -> Path:
        """Where the file of this content lies."""
        return self.folder / sha256[:2] / sha256

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """Give a folder of its own on the same disk, gone afterwards."""
        self._make()
        folder = Path(tempfile.mkdtemp(dir=self.incoming))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, file: Path) -> Kept:
        """Take a file in for good: on the disk when this returns. It must lie on the same disk.

        The file itself is moved; whoever wants it further reads it at its new `path`.
        """
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
            size = content.seek(0, os.SEEK_END)
            os.fsync(content.fileno())
        file.chmod(0o600)
        place = self.path(digest)
        with self._lock(fcntl.LOCK_SH):
            if not place.parent.is_dir():
                place.parent.mkdir(exist_ok=True, mode=0o700)
                sync_folder(self.folder)
                sync_folder(self.folder.parent)
            # It gets the age of now even where the content is known: see `sweep`.
            os.utime(file)
            file.replace(place)
            sync_folder(place.parent)
        return Kept(digest, size)

    def intact(self, sha256: str) -> bool:
        """Whether the file of this content is there and still has it."""
        try:
            with self.path(sha256).open("rb") as content:
                return hashlib.file_digest(content, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False

    def sweep(self, known: set[str], *, older_than_seconds: float = _GRACE_SECONDS) -> Swept:
        """Remove what no row speaks of and what uploads left behind.

        Parameters
        ----------
        known
            SHA-256 of every file that a row speaks of, read before.
        older_than_seconds
            Younger files are left alone: their row may be on its way.
        """
        limit = time.time() - older_than_seconds
        count = size = 0
        for file in self._orphans(known):
            with self._lock(fcntl.LOCK_EX):
                found = file.stat() if file.exists() else None
                if found is None or found.st_mtime >= limit:
                    continue
                if file.is_dir():
                    shutil.rmtree(file)
                else:
                    file.unlink()
                count, size = count + 1, size + found.st_size
        return Swept(count, size)

    def _orphans(self, known: set[str]) -> Iterator[Path]:
        if not self.folder.is_dir():
            return
        for shelf in self.folder.iterdir():
            if not shelf.is_dir():
                continue
            for file in shelf.iterdir():
                if shelf == self.incoming or file.name not in known:
                    yield file

    def _make(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.folder, self.incoming):
            folder.mkdir(exist_ok=True, mode=0o700)

    @contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        """Keep a sweep from removing what is being taken in at that moment."""
        self._make()
        with (self.folder / ".lock").open("ab") as lock:
            fcntl.flock(lock, how)
            yield


def copy_in(source: IO[bytes], target: Path, most: int) -> int | None:
    """Write a stream to a file and return its length; None as soon as it is longer than `most` bytes."""
    size = 0
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > most:
                return None
            file.write(chunk)
    return size


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
