"""Photos, videos and scans that came with a form of a shop."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from flask import request

from gridmap.evidence.examination import Upload, examine
from gridmap.evidence.models import Stage
from gridmap.evidence.service import admit
from web.api.answering import now
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from gridmap.evidence.examination import Examined

__all__ = ["photos_sent", "scan_sent"]


def photos_sent(form: uuid.UUID) -> list[Examined]:
    """Take in the photos and videos that came with a form; sent twice, each has the same identity.

    Parameters
    ----------
    form
        Made for the form when it was shown.
    """
    files = [file for file in request.files.getlist("photo") if file.filename]
    if not files:
        return []
    settings = installation().settings
    admit(db(), actor(), settings=settings, now=now())
    return [
        examine(
            Upload(
                uid=uuid.uuid5(form, f"photo {number}"),
                content=file.stream,
                stage=Stage.OFFENCE,
                file_name=file.filename or "",
            ),
            settings=settings,
        )
        for number, file in enumerate(files)
    ]


def scan_sent(pledge: uuid.UUID) -> Examined | None:
    """Take in the picture of a signed paper, if one came."""
    file = request.files.get("scan")
    if file is None or not file.filename:
        return None
    upload = Upload(
        uid=uuid.uuid5(pledge, "scan"),
        content=file.stream,
        stage=Stage.PLEDGE,
        file_name=file.filename,
        scan=True,
    )
    return examine(upload, settings=installation().settings)
