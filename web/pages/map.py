"""The map: its page, and what the page's scripts need to begin."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, render_template, url_for
from flask_wtf.csrf import generate_csrf

from gridmap.language import current_language, gettext
from gridmap.people.permissions import Permission
from web import appearance
from web.access import needs
from web.folium_host import hosted_map
from web.installation import actor, installation
from web.language_messages import script_messages

__all__ = ["begin", "modules", "pages"]

pages = Blueprint("map", __name__)
STATIC = Path(__file__).parents[1] / "static"


@cache
def version_of(path: str) -> str:
    """Return a short digest of a file under ``static/``: an address with it may be kept for ever."""
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]


def asset(path: str) -> str:
    """Return the address of a file under ``static/``."""
    return url_for("static", filename=path, v=version_of(path))


def modules() -> dict[str, str]:
    """Return the page's modules: bare name -> path under ``static/``."""
    return {f"gridmap/{file.name}": f"js/{file.name}" for file in sorted((STATIC / "js").glob("*.js"))}


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
            )
        },
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


@pages.get("/")
@needs(Permission.PLACE_READ)
def show() -> str:
    """Show the map; the address bar says which view of it, and the scripts read it there."""
    hosted = hosted_map(location=(31.23, 121.47), zoom=12, label=gettext("Map of the grid"))
    return render_template(
        "map.html",
        hosted=hosted,
        scripts=[asset(path) for path in (*hosted.scripts, "vendor/protomaps-leaflet/protomaps-leaflet.js")],
        styles=[asset(path) for path in (*hosted.styles, "css/map.css", "css/evidence.css")],
        imports={name: asset(path) for name, path in modules().items()},
        begin=begin(csrf=generate_csrf()),
    )
