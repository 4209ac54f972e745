"""The map: its page, and what the page's scripts need to begin."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template
from flask_wtf.csrf import generate_csrf

from gridmap.language import current_language, gettext
from gridmap.people.permissions import Permission
from gridmap.places.extent import extent_of, from_openstreetmap
from gridmap.store.remembered import Remembered
from web import appearance
from web.access import needs
from web.api.answering import today
from web.assets import asset, modules, modules_of
from web.installation import actor, clocks, db, installation
from web.language_messages import script_messages

if TYPE_CHECKING:
    from gridmap.store.spatial import Box
    from web.folium_host import HostedMap

__all__ = ["begin", "pages"]

pages = Blueprint("map", __name__)
_EXTENTS: Remembered[tuple[Box | None, bool]] = Remembered(64)


def begin(**more: Any) -> dict[str, Any]:
    """Return what the scripts of a map need to begin."""
    settings = installation().settings
    return {
        "language": current_language(),
        "timezone": settings.timezone,
        "messages": script_messages(),
        "may": {
            name: actor().may(permission)
            for name, permission in (
                ("read", Permission.PROBLEM_READ),
                ("record", Permission.PROBLEM_CREATE),
                ("attach", Permission.EVIDENCE_ADD),
                ("export", Permission.PROBLEM_EXPORT),
                ("shops", Permission.SHOP_READ),
                ("plan", Permission.PATROL_PLAN),
                ("supervise", Permission.NOTICE_ISSUE),
            )
        }
        | {"trail": actor().may_everywhere(Permission.TRAIL_READ)},
        "look": {
            "ramps": appearance.RAMPS,
            "breaks": appearance.BREAKS,
            "missing": appearance.MISSING,
            "roads": appearance.ROADS,
            "categories": appearance.CATEGORY_COLOURS,
            "sites": {kind: colour for kind, (colour, _) in appearance.SITES.items()},
            "icons": appearance.icon_paths(),
        },
        "tianditu": settings.tianditu_key,
        "gcj02": settings.gcj02_tiles_url,
        **more,
    }


def _start() -> dict[str, Any]:
    """Where the map begins and whom it names, so that it need not wait for the filters' options."""
    scope, day = actor().scope(Permission.PLACE_READ), today()
    bounds, osm = _EXTENTS.get(
        db(),
        (scope.areas, day, clocks().base),
        lambda: (extent_of(db(), scope=scope, day=day), from_openstreetmap(db())),
    )
    return {"bounds": bounds, "attribution": "osm" if osm else ""}


@cache
def _hosted(label: str) -> HostedMap:
    # Much to read, which no start should wait for: the workers do so while somebody signs in.
    from web.folium_host import hosted_map

    return hosted_map(location=(31.23, 121.47), zoom=12, label=label)


@pages.get("/")
@needs(Permission.PLACE_READ)
def show() -> str:
    """Show the map; the address bar says which view of it, and the scripts read it there."""
    hosted = _hosted(gettext("Map of the grid"))
    return render_template(
        "map.html",
        hosted=hosted,
        scripts=[asset(path) for path in (*hosted.scripts, "vendor/protomaps-leaflet/protomaps-leaflet.js")],
        styles=[asset(path) for path in (*hosted.styles, "css/map.css", "css/evidence.css")],
        imports={name: asset(path) for name, path in modules().items()},
        preloads=[asset(path) for path in modules_of("gridmap/main.js")],
        begin=begin(csrf=generate_csrf(), start=_start()),
    )
