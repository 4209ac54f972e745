"""What a message says: JSON for systems, a few lines of text for group chats."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gridmap.labels import label
from gridmap.language import gettext
from gridmap.problems.models import State
from gridmap.webhooks.models import Target
from gridmap.workflow.transitions import Action

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

__all__ = ["LONGEST_TEXT", "Happening", "body_of", "trial_body"]

LONGEST_TEXT = 12
"""Problems that a text names one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of a problem's history, as others may know it: no person is named."""

    event: str
    action: str
    at: datetime
    note: str
    problem: str
    number: int
    category: str
    category_name: str
    state: str
    lon: float
    lat: float
    address: str
    area: str | None
    area_name: str
    organisation: str | None
    organisation_name: str
    due_at: datetime | None


def body_of(target: Target, happenings: list[Happening], *, zone: ZoneInfo) -> str:
    """Write a message about what happened in one transaction."""
    if target is Target.STANDARD:
        return json.dumps({"events": [_told(one) for one in happenings]}, ensure_ascii=False)
    return _as_text(_lines(happenings, zone))


def trial_body(target: Target) -> str:
    """Write a message that only tries whether it arrives."""
    if target is Target.STANDARD:
        return json.dumps({"events": [], "trial": True})
    return _as_text([gettext("gridmap: this is a trial message.")])


def _told(one: Happening) -> dict[str, Any]:
    return {
        "type": f"problem.{one.action}",
        "uid": one.event,
        "at": one.at.isoformat(),
        "note": one.note,
        "problem": {
            "uid": one.problem,
            "number": one.number,
            "category": {"code": one.category, "name": one.category_name},
            "state": one.state,
            "lon": one.lon,
            "lat": one.lat,
            "address": one.address,
            "area": one.area and {"uid": one.area, "name": one.area_name},
            "organisation": one.organisation and {"uid": one.organisation, "name": one.organisation_name},
            "due_at": one.due_at and one.due_at.isoformat(),
        },
    }


def _lines(happenings: list[Happening], zone: ZoneInfo) -> list[str]:
    lines = []
    for one in happenings[:LONGEST_TEXT]:
        due = one.due_at.astimezone(zone) if one.due_at and not State(one.state).resolved else None
        parts = [
            gettext("No. {number}", number=one.number),
            one.category_name,
            one.address or one.area_name,
            _name(one.action),
            one.organisation_name,
            gettext("due {time}", time=f"{due:%m-%d %H:%M}") if due else "",
            one.note,
        ]
        lines.append(" · ".join(part for part in parts if part))
    if len(happenings) > LONGEST_TEXT:
        lines.append(gettext("… and {n} more", n=len(happenings) - LONGEST_TEXT))
    return lines


def _name(action: str) -> str:
    return label(Action(action)) if action in set(Action) else gettext("recorded")


def _as_text(lines: list[str]) -> str:
    # Both robots take the same form of text.
    return json.dumps({"msgtype": "text", "text": {"content": "\n".join(lines)}}, ensure_ascii=False)
