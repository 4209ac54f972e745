"""The photos that stand in a ledger: of each problem the first before and the last after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.evidence.files import Vault
from gridmap.evidence.models import AttachmentState, MediaKind, Stage
from gridmap.evidence.queries import attachments_of

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from gridmap.evidence.models import Attachment

__all__ = ["photos_of"]

_BEFORE = (Stage.FOUND, Stage.BEFORE)


def photos_of(
    session: Session, numbers: list[int], data_dir: Path
) -> dict[int, tuple[Path | None, Path | None]]:
    """Files of the thumbnails before and after, by case number; problems without photos are left out.

    Parameters
    ----------
    numbers
        Of problems that the reader may see.
    data_dir
        Of the installation.
    """
    vault = Vault(data_dir)

    def file_of(found: list[Attachment]) -> Path | None:
        shown = [
            one
            for one in found
            if one.thumbnail_sha256 and one.state is AttachmentState.READY and one.kind is not MediaKind.SCAN
        ]
        return vault.path(shown[-1].thumbnail_sha256 or "") if shown else None

    return {
        number: (
            file_of([one for one in found if one.stage in _BEFORE][:1]),
            file_of([one for one in found if one.stage is Stage.AFTER]),
        )
        for number, found in attachments_of(session, numbers, stages=(*_BEFORE, Stage.AFTER)).items()
    }
