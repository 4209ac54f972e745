"""The list of problems, and the page of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request
from flask_wtf.csrf import generate_csrf

from gridmap.errors import NotFoundError
from gridmap.labels import label
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.records import find_number
from gridmap.workflow.transitions import TRANSITIONS
from web.access import needs
from web.api.answering import directory
from web.api.problems import told
from web.assets import asset, modules
from web.installation import actor, db
from web.pages.map import begin

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence

_STYLES = ("vendor/leaflet/leaflet.css", "css/map.css", "css/evidence.css", "css/problems.css")

__all__ = ["app_page", "pages"]

pages = Blueprint("problems", __name__, url_prefix="/problems")


def app_page(
    template: str, module: str, *, scripts: Sequence[str] = (), styles: Sequence[str] = (), **more: Any
) -> str:
    """Show a page whose module takes steps on problems, with what it needs to begin."""
    given = more.pop("given", {})
    return render_template(
        template,
        module=module,
        scripts=[asset(path) for path in scripts],
        styles=[asset(path) for path in (*_STYLES, *styles)],
        imports={name: asset(path) for name, path in modules().items()},
        begin=begin(csrf=generate_csrf(), actions=_actions(), **given),
        **more,
    )


def _actions() -> list[dict[str, Any]]:
    """Steps that this reader's roles know, with what they need."""
    return [
        {
            "action": action.value,
            "name": label(action),
            "needs": sorted(need.value for need in line.needs),
            "from": sorted(state.value for state in line.sources),
        }
        for action, line in TRANSITIONS.items()
        if actor().may(line.permission)
    ]


@pages.get("")
@needs(Permission.PROBLEM_READ)
def show() -> str:
    """Show the list; the address says which part of it, and the scripts read it there."""
    return app_page("problems.html", "problem_list.js", given={"narrower": _narrower()})


def _narrower() -> dict[str, str]:
    """Names of the place or person that the address narrows the list to, where the reader may know them."""
    names, faces = directory(), Faces(directory(), actor())
    tables: dict[str, Any] = {
        "cell": names.cells,
        "road": names.roads,
        "point": names.points,
        "person": names.persons,
    }
    found = {}
    for name, table in tables.items():
        entry = table.find(request.args.get(name, ""))
        if entry is not None and faces.knows(entry):
            found[name] = entry.name or entry.code
    return found


@pages.get("/<uuid:uid>")
@needs(Permission.PROBLEM_READ)
def show_one(uid: uuid.UUID) -> str:
    """Show one problem: what it is, how it stands, whose step is next, and its history."""
    number = find_number(db(), str(uid))
    problem = None if number is None else told(db(), number)
    if problem is None:
        raise NotFoundError("There is no such problem, or it lies outside what you may see.")
    return app_page(
        "problem.html",
        "problem_page.js",
        scripts=("vendor/leaflet/leaflet.js", "vendor/protomaps-leaflet/protomaps-leaflet.js"),
        uid=str(uid),
        number=number,
    )
