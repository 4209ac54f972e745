"""Whether the files of evidence are what the store says they are."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.evidence.models import Attachment
from gridmap.trail.findings import FindingKind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gridmap.evidence.files import Vault
    from gridmap.jobs import Progress
    from gridmap.trail.findings import Verdict

__all__ = ["check_files"]


def check_files(connection: Connection, vault: Vault, verdict: Verdict, progress: Progress) -> None:
    """Compare every original, copy and thumbnail with the SHA-256 that its row holds.

    The rows themselves are compared with the trail, so that nobody can put another digest there unseen.
    """
    query = select(Attachment.id, Attachment.sha256, Attachment.shown_sha256, Attachment.thumbnail_sha256)
    rows = connection.execute(query.order_by(Attachment.id)).all()
    found: dict[str, str | None] = {}
    for done, (identity, *digests) in enumerate(rows):
        progress(done, len(rows), "Reading the files of evidence")
        for part, expected in zip(("original", "copy", "thumbnail"), digests, strict=True):
            if expected is None:
                continue
            if expected not in found:
                verdict.files += 1
                found[expected] = _digest_at(vault, expected)
            if found[expected] != expected:
                kind = FindingKind.FILE_MISSING if found[expected] is None else FindingKind.FILE_CHANGED
                verdict.find(kind, f"attachment {identity} {part}", expected, found[expected] or "")


def _digest_at(vault: Vault, sha256: str) -> str | None:
    try:
        with vault.path(sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
