"""What tables, columns and values are called on the page of the trail."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gridmap.labels import LABELS, label
from gridmap.language import N_, gettext
from gridmap.store.base import Base
from gridmap.trail.models import Deed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum

__all__ = ["TABLES", "column_name", "deed_name", "enum_name", "table_name"]

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "problem": N_("problem"),
        "event": N_("line of history"),
        "attachment": N_("photo or video"),
        "request": N_("request"),
        "problem_link": N_("link between problems"),
        "batch": N_("action on many problems"),
        "problem_cell": N_("share of a problem in a cell"),
        "category": N_("category"),
        "dispatch_rule": N_("rule of dispatch"),
        "area": N_("area"),
        "grid_cell": N_("grid cell"),
        "inspection_point": N_("inspection point"),
        "priority_road": N_("priority road"),
        "shopfront": N_("shop"),
        "pledge": N_("pledge"),
        "offence": N_("offence"),
        "offence_photo": N_("photo or video of an offence"),
        "responsibility": N_("responsibility"),
        "organisation": N_("organisation"),
        "person": N_("person"),
        "login": N_("login"),
        "grant": N_("role of a login"),
        "time_limit": N_("limit of time"),
        "escalation_step": N_("step after a limit"),
        "notice": N_("notice"),
        "joint_operation": N_("joint operation"),
        "import": N_("import"),
        "import_change": N_("row changed by an import"),
        "street": N_("street"),
        "building": N_("building"),
        "surface": N_("water or green"),
    }
)
"""Names of tables; one that is not here stands under its own."""

_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "state": N_("state"),
        "source": N_("source"),
        "severity": N_("severity"),
        "flags": N_("remarks"),
        "found_at": N_("found at"),
        "due_at": N_("due at"),
        "closed_at": N_("closed at"),
        "checked_at": N_("checked at"),
        "dispatched_at": N_("dispatched at"),
        "fixed_at": N_("fixed at"),
        "fix_due_at": N_("to be fixed by"),
        "on_time": N_("on time"),
        "time_allowed": N_("time allowed"),
        "time_unit": N_("unit of time"),
        "rework": N_("times sent back"),
        "returns": N_("times returned"),
        "suspensions": N_("times suspended"),
        "extensions": N_("times extended"),
        "reopened": N_("times reopened"),
        "look_backs": N_("look-backs"),
        "recurrence": N_("recurrence"),
        "description": N_("description"),
        "address": N_("address"),
        "geometry": N_("shape"),
        "lon": N_("longitude"),
        "lat": N_("latitude"),
        "area_id": N_("area"),
        "cell_id": N_("grid cell"),
        "road_id": N_("priority road"),
        "point_id": N_("inspection point"),
        "person_id": N_("person"),
        "organisation_id": N_("organisation"),
        "category_id": N_("category"),
        "share": N_("share"),
        "leads": N_("leads"),
        "problem_id": N_("problem"),
        "login_id": N_("login"),
        "fixed_by_id": N_("fixed by"),
        "parent_id": N_("belongs to"),
        "code": N_("code"),
        "name": N_("name"),
        "name_en": N_("English name"),
        "level": N_("level"),
        "kind": N_("kind"),
        "hours": N_("hours that matter"),
        "role": N_("role"),
        "duty": N_("duty"),
        "phone": N_("phone"),
        "username": N_("user name"),
        "password_hash": N_("password"),
        "disabled": N_("disabled"),
        "session_epoch": N_("sessions ended"),
        "language": N_("language"),
        "valid_from": N_("valid from"),
        "valid_to": N_("valid until"),
        "pledge_signed_on": N_("pledge signed on"),
        "site_type": N_("type of site"),
        "priority": N_("priority"),
        "visit_hours": N_("hours of visits"),
        "visit_rhythm": N_("frequency of visits"),
        "visit_minutes": N_("minutes of a visit"),
        "position": N_("position"),
        "remark": N_("remark"),
        "after_photo": N_("after-photo needed"),
        "at": N_("at"),
        "recorded_at": N_("recorded at"),
        "actor": N_("by whom"),
        "action": N_("step"),
        "note": N_("note"),
        "details": N_("details"),
        "stage": N_("stage"),
        "file_name": N_("file name"),
        "sha256": N_("SHA-256"),
        "uid": N_("identity"),
        "import_id": N_("import"),
        "batch_id": N_("action on many problems"),
    }
)

_DEEDS = {Deed.CREATED: N_("created"), Deed.CHANGED: N_("changed"), Deed.DELETED: N_("deleted")}


def table_name(table: str) -> str:
    """Name of a table in the reader's language."""
    return gettext(TABLES[table]) if table in TABLES else table


def column_name(column: str) -> str:
    """Name of a column in the reader's language."""
    return gettext(_COLUMNS[column]) if column in _COLUMNS else column


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
