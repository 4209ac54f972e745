"""What is audited: everything, except what is named here with its reason."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from gridmap.store.base import Base

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Table

__all__ = [
    "LEFT_OUT_COLUMNS",
    "LEFT_OUT_TABLES",
    "NO_SECRETS",
    "SECRETS",
    "audited_tables",
    "is_audited",
    "is_secret",
]

LEFT_OUT_TABLES: Mapping[str, str] = MappingProxyType(
    {
        "attempts": "guesses at passwords; they pass within a day, and whoever guesses is nobody",
        "credential_use": "when a session was last used, written every few minutes",
        "change_clock": "a counter that the snapshot follows; it can start anywhere",
        "ground_clock": "a counter moved by triggers; it can start anywhere",
        "track_visit": "worked out from the track's points and the streets",
        "delivery": "copies of what was sent out; what they tell of is in the trail",
        "trail_head": "the trail itself",
        "trail_entry": "the trail itself",
        "trail_line": "the trail itself",
    }
)

LEFT_OUT_COLUMNS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("one_time_code", "last_step"): "the last code that was used, written at every sign-in",
        ("problem", "change"): "where the snapshot's counter stood; it can start anywhere",
        ("track", "points"): "as long as a day's walk; points_sha256 vouches for them",
        ("webhook", "told_until"): "where the sender stands; it moves all the time",
        ("grid_cell", "last_patrol_at"): "derived from the tracks",
        ("priority_road", "last_patrol_at"): "derived from the tracks",
    }
)

SECRETS = frozenset({("login", "password_hash"), ("person", "phone"), ("reporter", "name")})
"""Columns whose values appear in no line: only a keyed digest, which tells whether they changed."""

NO_SECRETS: frozenset[tuple[str, str]] = frozenset()
"""Columns that only sound like secrets."""

_SOUNDS_SECRET = re.compile(r"hash|secret|token|password|api_key|phone|email|reporter|pin$")


def is_audited(table: Table) -> bool:
    """Whether changes of a table are in the trail."""
    return table.name not in LEFT_OUT_TABLES


def audited_tables() -> list[Table]:
    """Return every audited table; what is referred to comes first."""
    return [table for table in Base.metadata.sorted_tables if is_audited(table)]


def is_secret(table: str, column: str) -> bool:
    """Whether a column's values must not be shown: as decided here, or else as its name sounds."""
    if (table, column) in SECRETS:
        return True
    return (table, column) not in NO_SECRETS and _SOUNDS_SECRET.search(column) is not None
