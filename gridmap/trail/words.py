"""What tables, columns and values are called on the page of the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridmap.labels import LABELS, label
from gridmap.language import N_, gettext
from gridmap.store.base import Base
from gridmap.trail.models import Deed
from gridmap.trail.names import COLUMNS, SPECIAL, TABLES

if TYPE_CHECKING:
    from enum import Enum

__all__ = ["column_name", "deed_name", "enum_name", "table_name"]

_DEEDS = {Deed.CREATED: N_("created"), Deed.CHANGED: N_("changed"), Deed.DELETED: N_("deleted")}


def table_name(table: str) -> str:
    """Name of a table in the reader's language; of one that is no more, as it was called."""
    return gettext(TABLES.get(table, table))


def column_name(table: str, column: str) -> str:
    """Name of a table's column in the reader's language."""
    return gettext(SPECIAL.get((table, column)) or COLUMNS.get(column, column))


def deed_name(deed: Deed) -> str:
    """What became of a row, in the reader's language."""
    return gettext(_DEEDS[deed])


def enum_name(table: str, column: str, value: Any) -> str | None:
    """Name of an enumeration's value in the reader's language; none where it is no such value."""
    known = Base.metadata.tables.get(table)
    if known is None or column not in known.c:
        return None
    kind: type[Enum] | None = getattr(known.c[column].type, "enum_class", None)
    if kind is None or kind not in LABELS or value not in {member.value for member in kind}:
        return None
    member = kind(value)
    return label(member) if member in LABELS[kind] else None
