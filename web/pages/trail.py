"""The trail: who changed what, when and from where, before and after."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request

from gridmap.errors import InvalidValueError
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.trail.names import TABLES
from gridmap.trail.queries import Wish, actors_named, entry_of, names_of, read_entries, row_wish, target_of
from gridmap.trail.words import column_name, deed_name, enum_name, table_name
from web.access import VISITOR, needs
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from gridmap.trail.queries import Change, Entry

pages = Blueprint("trail", __name__, url_prefix="/trail")

_PAGE = 50
_LINES = 500
_LONGEST = 120


@pages.get("")
@needs(Permission.TRAIL_READ, everywhere=True)
def index() -> str:
    """Show the newest entries that fit the filter."""
    wish = _wish()
    entries = read_entries(db(), actor(), wish, limit=_PAGE + 1)
    older = entries[_PAGE - 1].seq if len(entries) > _PAGE else None
    shown = entries[:_PAGE]
    return render_template(
        "trail.html",
        entries=shown,
        older=older,
        given=request.args,
        actors=actors_named(db()),
        tables=sorted(((name, table_name(name)) for name in TABLES), key=lambda pair: pair[1]),
        row=_row_title(wish),
        **_words(shown),
    )


@pages.get("/<int:seq>")
@needs(Permission.TRAIL_READ, everywhere=True)
def entry(seq: int) -> str:
    """Show one entry with its lines."""
    found = entry_of(db(), actor(), seq, limit=_LINES)
    return render_template("trail_entry.html", entry=found, **_words([found]))


def _wish() -> Wish:
    args = request.args
    table, row = args.get("table", ""), args.get("row", "")
    if row:
        try:
            wish = row_wish(db(), table, uuid.UUID(row))
        except ValueError as error:
            raise InvalidValueError(
                "Expected a UUID; found “{found}”.", parameter="row", found=row
            ) from error
    else:
        wish = Wish(table=table)
    end = _day("until")
    return replace(
        wish,
        actor=args.get("actor", ""),
        begin=_day("from"),
        end=None if end is None else end + timedelta(days=1),
        before=args.get("before", type=int),
    )


def _day(name: str) -> datetime | None:
    """Midnight, here, of the day that a field names."""
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidValueError(
            "Expected a day as in 2026-05-09; found “{found}”.", parameter=name, found=text
        ) from error
    return datetime.combine(day, time(), tzinfo=installation().settings.zone)


def _row_title(wish: Wish) -> str:
    return "" if wish.row_id is None else f"{table_name(wish.table)} {wish.row_id}"


def _words(entries: list[Entry]) -> dict[str, Any]:
    """What the templates call rows, columns and values."""
    names = names_of(db(), entries)

    def row_name(change: Change) -> str:
        if change.row_id is None:
            return gettext("{count} rows", count=change.count)
        given = change.after.get("name") or change.before.get("name")
        return str(names.get((change.table, change.row_id)) or given or f"#{change.row_id}")

    def shown(change: Change, column: str, values: dict[str, Any]) -> str:
        return _shown(names, change.table, column, values.get(column))

    return {
        "zone": installation().settings.zone,
        "table_name": table_name,
        "column_name": column_name,
        "column_names": lambda change: gettext(", ").join(
            column_name(change.table, column) for column in change.columns
        ),
        "deed_name": deed_name,
        "row_name": row_name,
        "shown": shown,
        "actor_name": lambda name: gettext("visitor without a login") if name == VISITOR else name,
    }


def _shown(names: dict[tuple[str, int], str], table: str, column: str, value: Any) -> str:
    """One value as people read it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, int) and (target := target_of(table, column)):
        return names.get((target, value), f"#{value}")
    if isinstance(value, str) and value.startswith("#") and len(value) == len("#") + 16:
        return gettext("not shown")
    if isinstance(value, str):
        value = enum_name(table, column, value) or _moment(value) or value
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _moment(text: str) -> str | None:
    """A time in the installation's zone; none if the text is none."""
    if len(text) < len("2026-01-01T00:00:00+00:00") or text[10:11] != "T":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(installation().settings.zone).strftime("%Y-%m-%d %H:%M:%S")
