"""Uploads that come in pieces and may be interrupted: how far each has come, on disk.

One folder per upload holds what has arrived and what was said of it. Every piece is on the disk before it is
acknowledged. No lock is held while a sender is waited for: a piece is written only where the one before it
ended, so that a request that was believed dead and wakes up later does no harm.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from gridmap.errors import ConflictError, InvalidValueError, LimitReachedError, NotFoundError
from gridmap.evidence.files import Vault, sync_folder

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Partial", "Uploads"]

_PIECE = 1 << 18
_LASTS_SECONDS = 24 * 3600
"""An upload of which nothing came for so long is given up."""
_MOST_OPEN = 40
"""Unfinished uploads of one login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """An unfinished upload."""

    login_id: int | None
    length: int
    """Bytes that it will have."""
    said: str
    """What the sender said of it, as it was sent."""


class Uploads:
    """The unfinished uploads of an installation.

    Parameters
    ----------
    vault
        Where they lie until they are whole.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def file(self, uid: uuid.UUID) -> Path:
        """What has arrived of an upload."""
        return self._folder(uid) / "part"

    def create(self, uid: uuid.UUID, partial: Partial) -> None:
        """Begin an upload; beginning the same one again changes nothing.

        Raises
        ------
        ConflictError
            If another upload has this identity.
        LimitReachedError
            If the login has too many unfinished ones.
        """
        mine = 0
        for folder in self._expire():
            known = _read(folder)
            mine += known is not None and known.login_id == partial.login_id
            if folder == self._folder(uid):
                if known != partial:
                    raise ConflictError("Another attachment has the identity {uid}.", uid=str(uid))
                return
        if mine >= _MOST_OPEN:
            raise LimitReachedError(
                "Expected at most {most} unfinished uploads; finish or end the others first.", most=_MOST_OPEN
            )
        with self._vault.workplace() as draft:
            (draft / "part").touch(mode=0o600)
            with (draft / "about.json").open("w") as file:
                json.dump(asdict(partial), file)
                file.flush()
                os.fsync(file.fileno())
            try:
                draft.rename(self._folder(uid))
            except OSError:
                # Begun twice at the same time: the other one was first.
                self.find(uid, login_id=partial.login_id)
        sync_folder(self._vault.incoming)

    def find(self, uid: uuid.UUID, *, login_id: int | None) -> tuple[Partial, int]:
        """Return an upload of this login and how many bytes of it have arrived.

        Raises
        ------
        NotFoundError
            If there is none, or it was given up.
        """
        folder = self._folder(uid)
        partial = _read(folder)
        if partial is None or partial.login_id != login_id or _expired(folder):
            raise NotFoundError("There is no such upload, or it was given up; begin it again.")
        return partial, self.file(uid).stat().st_size

    def append(self, uid: uuid.UUID, source: IO[bytes], *, at: int, login_id: int | None) -> int:
        """Add what arrives to an upload until it is whole or the source ends; return how far it has come.

        What came before an interruption is kept.

        Parameters
        ----------
        source
            Raises OSError or ends where the connection was lost.
        at
            How far the sender believes it to be.

        Raises
        ------
        NotFoundError
            If there is no such upload.
        ConflictError
            If it is not that far, or another request is adding to it.
        InvalidValueError
            If more comes than was announced.
        """
        partial, offset = self.find(uid, login_id=login_id)
        if offset != at:
            raise ConflictError(
                "Expected to go on at byte {expected}; found {found}.", expected=offset, found=at
            )
        os.utime(self._folder(uid))
        with self.file(uid).open("r+b") as file:
            try:
                while piece := source.read(min(_PIECE, partial.length - at + 1)):
                    if at + len(piece) > partial.length:
                        raise InvalidValueError(
                            "Expected {length} bytes in all; found more.",
                            parameter="Upload-Length",
                            length=partial.length,
                        )
                    _write(file, piece, at)
                    at += len(piece)
            finally:
                file.flush()
                os.fsync(file.fileno())
        return at

    def remove(self, uid: uuid.UUID) -> None:
        """Forget an upload, finished or not."""
        shutil.rmtree(self._folder(uid), ignore_errors=True)

    def expires(self, uid: uuid.UUID) -> datetime:
        """When an upload is given up unless more of it comes."""
        return datetime.fromtimestamp(self._folder(uid).stat().st_mtime + _LASTS_SECONDS, UTC)

    def _folder(self, uid: uuid.UUID) -> Path:
        return self._vault.incoming / f"upload-{uid.hex}"

    def _expire(self) -> Iterator[Path]:
        """Remove what was given up; yield the others."""
        if not self._vault.incoming.is_dir():
            return
        for folder in self._vault.incoming.glob("upload-*"):
            if _expired(folder):
                shutil.rmtree(folder, ignore_errors=True)
            else:
                yield folder


def _expired(folder: Path) -> bool:
    try:
        return folder.stat().st_mtime + _LASTS_SECONDS < time.time()
    except FileNotFoundError:
        return True


def _read(folder: Path) -> Partial | None:
    try:
        return Partial(**json.loads((folder / "about.json").read_text()))
    except FileNotFoundError:
        return None


def _write(file: IO[bytes], piece: bytes, at: int) -> None:
    """Write one piece where the one before it ended, or not at all."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        if file.seek(0, os.SEEK_END) != at:
            raise ConflictError(
                "Another request is adding to this upload; ask how far it is, and go on there."
            )
        file.write(piece)
        file.flush()
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
