"""What the bar at the top offers, in order; a reader sees what their roles allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import g, request

from gridmap.language import N_, gettext
from gridmap.people.permissions import Permission

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["ENTRIES", "Entry", "Group", "install", "offered"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A page. `everywhere`: only for whoever holds the permission without limits."""

    title: str
    path: str
    permission: Permission
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Pages under one heading, which unfolds."""

    title: str
    entries: tuple[Entry, ...]


ENTRIES: tuple[Entry | Group, ...] = (
    Entry(N_("Map"), "/", Permission.PLACE_READ),
    Entry(N_("Problem list"), "/problems", Permission.PROBLEM_READ),
    Entry(N_("Figures"), "/figures", Permission.PROBLEM_READ),
    Group(
        N_("Ledger"),
        (
            Entry(N_("Ledger to Excel and back"), "/ledger", Permission.PROBLEM_EXPORT),
            Entry(N_("Negative list"), "/ledger/negative", Permission.PROBLEM_EXPORT),
            Entry(N_("Handover"), "/ledger/handover", Permission.PROBLEM_EXPORT),
        ),
    ),
    Group(
        N_("Dispatch"),
        (
            Entry(N_("Headquarters' tray"), "/tray", Permission.PROBLEM_DISPATCH),
            Entry(N_("Rules of dispatch"), "/dispatch/rules", Permission.DISPATCH_RULES, everywhere=True),
            Entry(N_("Joint operations"), "/joint", Permission.PROBLEM_READ),
            Entry(N_("Looking back"), "/look-back", Permission.PROBLEM_VERIFY),
            Entry(N_("Moves"), "/dispatch/moves", Permission.DISPATCH_RULES, everywhere=True),
            Entry(N_("Webhooks"), "/webhooks", Permission.WEBHOOK_MANAGE, everywhere=True),
        ),
    ),
    Group(
        N_("Supervision"),
        (
            Entry(N_("Notices"), "/notices", Permission.NOTICE_READ),
            Entry(N_("Accountability list"), "/accountability", Permission.NOTICE_READ),
            Entry(N_("Limits of time"), "/deadlines", Permission.DEADLINE_RULES, everywhere=True),
        ),
    ),
    Group(
        N_("Patrols"),
        (
            Entry(N_("Patrol plans"), "/patrols", Permission.PATROL_READ),
            Entry(N_("Tracks and coverage"), "/tracks", Permission.TRACK_RECORD),
            Entry(N_("Forecast"), "/forecast", Permission.FORECAST_READ),
            Entry(N_("Assessors' routes"), "/inspections", Permission.INSPECTION_PLAN, everywhere=True),
            Entry(N_("My posts"), "/inspections/posts", Permission.PATROL_READ),
        ),
    ),
    Group(
        N_("Places"),
        (
            Entry(N_("Shops"), "/shops", Permission.SHOP_READ),
            Entry(N_("From residents"), "/residents", Permission.RESIDENT_MODERATE),
            Entry(N_("Coverage audit"), "/coverage", Permission.PLACE_AUDIT),
            Entry(N_("Draw cells"), "/coverage/draw", Permission.PLACE_DRAW, everywhere=True),
            Entry(N_("Import"), "/imports", Permission.PROBLEM_IMPORT),
            Entry(N_("Trail of changes"), "/trail", Permission.TRAIL_READ, everywhere=True),
        ),
    ),
    Entry(N_("People"), "/people", Permission.PERSON_MANAGE),
)


def offered() -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Headings with their pages, each a title, a path and whether it is the one being shown.

    A page that stands alone comes under its own title.
    """
    actor = g.get("actor")
    if actor is None:
        return []
    found = []
    for item in ENTRIES:
        entries = item.entries if isinstance(item, Group) else (item,)
        shown = [
            (gettext(entry.title), entry.path, request.path == entry.path)
            for entry in entries
            if (actor.may_everywhere if entry.everywhere else actor.may)(entry.permission)
        ]
        if shown:
            found.append((gettext(item.title), shown))
    return found


def install(app: Flask) -> None:
    """Let templates ask for it."""
    app.jinja_env.globals["navigation"] = offered
