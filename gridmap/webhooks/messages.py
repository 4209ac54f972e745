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

__all__ = ["LONGEST_TEXT", "MOST_BYTES", "Happening", "body_of", "trial_body"]

LONGEST_TEXT = 12
"""Problems that a text names one by one."""
MOST_BYTES = 2048
"""UTF-8 bytes of a text: what WeCom takes of one, and DingTalk takes more."""
_MOST_PART = 60
"""Characters of an address, a note or a name in a text."""


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
    """One line for each of the first that fit, and how many more there are."""
    lines: list[str] = []
    room = MOST_BYTES
    for one in happenings[:LONGEST_TEXT]:
        line = _line(one, zone)
        left = len(happenings) - len(lines) - 1
        end = _size(_more(left)) if left else 0
        if _size(line) + end > room:
            break
        lines.append(line)
        room -= _size(line)
    if len(lines) < len(happenings):
        lines.append(_more(len(happenings) - len(lines)))
    return lines


def _size(line: str) -> int:
    return len(line.encode()) + 1


def _more(n: int) -> str:
    return gettext("… and {n} more", n=n)


def _line(one: Happening, zone: ZoneInfo) -> str:
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
    return " · ".join(_cut(part) for part in parts if part.strip())


def _cut(part: str) -> str:
    """A part on one line, and not longer than leaves room for the others."""
    said = " ".join(part.split())
    return said if len(said) <= _MOST_PART else said[: _MOST_PART - 1] + "…"


def _name(action: str) -> str:
    return label(Action(action)) if action in set(Action) else gettext("recorded")


def _as_text(lines: list[str]) -> str:
    # Both robots take the same form of text.
    return json.dumps({"msgtype": "text", "text": {"content": "\n".join(lines)}}, ensure_ascii=False)
