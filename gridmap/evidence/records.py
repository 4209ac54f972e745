"""Attachments as records for lists and cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.evidence.models import Attachment, Doubt
from gridmap.labels import label
from gridmap.problems.models import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

__all__ = ["describe"]


def describe(session: Session, rows: Iterable[Attachment]) -> list[dict[str, Any]]:
    """Say of each attachment what a reader may know; where exactly a camera was is not said."""
    given = list(rows)
    events = {row.event_id for row in given if row.event_id is not None}
    uids = {
        row.id: row.uid for row in session.execute(select(Event.id, Event.uid).where(Event.id.in_(events)))
    }
    return [_record(row, None if row.event_id is None else str(uids[row.event_id])) for row in given]


def _record(row: Attachment, event: str | None) -> dict[str, Any]:
    return {
        "uid": str(row.uid),
        "event": event,
        "stage": row.stage.value,
        "stage_name": label(row.stage),
        "kind": row.kind.value,
        "kind_name": label(row.kind),
        "state": row.state.value,
        "media_type": row.shown_type or row.media_type,
        "size": row.size,
        "sha256": row.sha256,
        "width": row.width,
        "height": row.height,
        "duration": row.duration,
        "taken_at": row.taken_at and row.taken_at.isoformat(),
        "sent_at": row.created_at.isoformat(),
        "by": row.uploaded_by,
        "metres_off": None if row.metres_off is None else round(row.metres_off),
        "minutes_off": None if row.minutes_off is None else round(row.minutes_off),
        "doubts": [doubt.name.lower() for doubt in Doubt if doubt.name and row.doubts & doubt],
        "doubt_names": [label(doubt) for doubt in Doubt if doubt and row.doubts & doubt],
    }
