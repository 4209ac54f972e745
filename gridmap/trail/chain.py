"""What an entry's hash is made of."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["ChainKey", "EntryFacts", "LineFacts"]


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line, as it is stored; see `gridmap.trail.models.TrailLine`."""

    table_name: str
    deed: str
    row_id: int | None
    row_uid: str | None
    count: int
    before: str | None = None
    after: str | None = None
    digest: str | None = None
    rows: bytes | None = None

    def content(self) -> list[Any]:
        """What is hashed of it; many rows by a digest of their own."""
        rows = None if self.rows is None else hashlib.blake2b(self.rows, digest_size=32).hexdigest()
        return [
            self.table_name,
            self.deed,
            self.row_id,
            self.row_uid,
            self.count,
            self.before,
            self.after,
            self.digest,
            rows,
        ]


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry, as it is stored; see `gridmap.trail.models.TrailEntry`."""

    seq: int
    at: datetime
    actor: str
    login_id: int | None
    origin: str

    def content(self) -> list[Any]:
        """What is hashed of it."""
        return [self.seq, self.at.isoformat(timespec="microseconds"), self.actor, self.login_id, self.origin]


class ChainKey:
    """Key of the chain, derived from an installation's signing key.

    Parameters
    ----------
    signing_key
        The installation's; see `gridmap.config.Settings.signing_key`.
    """

    def __init__(self, signing_key: str) -> None:
        self._key = hmac.digest(signing_key.encode(), b"gridmap trail", "sha256")
        self._secrets = hmac.digest(signing_key.encode(), b"gridmap trail secrets", "sha256")
        self.name = hashlib.sha256(self._key).hexdigest()[:16]
        """Tells one key from another, and nothing about it."""

    def sign(self, previous: str, entry: EntryFacts, lines: Sequence[LineFacts]) -> str:
        """Hash of an entry with its lines, upon the hash before it: HMAC-SHA-256, 64 hexadecimal digits."""
        content = [previous, entry.content(), [line.content() for line in lines]]
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()

    def veil(self, content: bytes) -> str:
        """Return what a line says instead of a secret: the same for the same secret, and nothing about it."""
        return "#" + hmac.new(self._secrets, content, "sha256").hexdigest()[:16]
