"""What can be chosen in filters, and search."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gridmap.hotspots.heat import Per, Weight
from gridmap.hotspots.view import View, ViewFilter, organisations_in_sight
from gridmap.labels import label
from gridmap.people.permissions import Permission
from gridmap.places.base_tiles import DEEPEST
from gridmap.places.cards import Faces, named
from gridmap.places.directory import CategoryEntry, Directory
from gridmap.places.extent import extent_of, from_openstreetmap
from gridmap.places.search import search as find
from gridmap.problems.models import Source, State
from web.access import needs
from web.api.answering import Body, answers, as_json, directory, now, today
from web.api.blueprint import PLACES, api
from web.api.option_models import FilterOptions, PersonsAnswer, SearchAnswer
from web.api.parameters import NoQuery, PersonsQuery, SearchQuery
from web.installation import actor, clocks, db, installation

if TYPE_CHECKING:
    from gridmap.people.permissions import Scope
    from gridmap.places.directory import OrganisationEntry

__all__ = ["known_organisations"]


@api.get("/filters", tags=[PLACES], responses={"200": FilterOptions})
@needs(Permission.PLACE_READ)
@answers(of="problems")
def filters(query: NoQuery) -> Body:  # noqa: ARG001 - it takes none
    """List what can be chosen, with names, and where and when there is anything."""
    names = directory()
    scope = actor().scope(Permission.PLACE_READ)
    view = _everything(Permission.PROBLEM_READ) if actor().may(Permission.PROBLEM_READ) else None
    return as_json(
        FilterOptions,
        {
            "categories": _categories(names),
            "states": [{"code": state.value, "name": label(state)} for state in State],
            "sources": [{"code": source.value, "name": label(source)} for source in Source],
            "areas": _areas(names, scope),
            "organisations": _organisations(),
            "extent": _extent(scope, view),
            "heat": {"weights": [one.value for one in Weight], "per": [one.value for one in Per]},
            "base": {
                "path": "tiles/base/{z}/{x}/{y}.mvt",
                "max_zoom": DEEPEST,
                "attribution": "osm" if from_openstreetmap(db()) else "",
            },
        },
    )


def _categories(names: Directory) -> list[dict[str, Any]]:
    def option(category: CategoryEntry) -> dict[str, Any]:
        below = [option(other) for other in names.categories if other.parent == category.id]
        return {
            "code": category.code,
            "name": category.label,
            "severity": category.severity,
            "children": below,
        }

    return [
        option(category) for category in names.categories if names.categories.get(category.parent) is None
    ]


def _areas(names: Directory, scope: Scope) -> list[dict[str, Any]]:
    """Areas in sight as trees; one whose parent is out of sight is a root."""
    seen = {area.id: area for area in names.areas if scope.areas is None or area.id in scope.areas}
    options: dict[int, dict[str, Any]] = {
        area.id: {
            "uid": area.uid,
            "name": area.name,
            "code": area.code,
            "level": area.level.value,
            "level_name": label(area.level),
            "children": [],
        }
        for area in seen.values()
    }
    roots: list[dict[str, Any]] = []
    for area in seen.values():
        siblings = roots if area.parent not in seen else options[area.parent]["children"]
        siblings.append(options[area.id])
    return roots


def _everything(permission: Permission) -> View:
    """Open the view of all that the reader holds a permission for."""
    return installation().reader.view(
        db(), clocks(), ViewFilter(states=None), scope=actor().scope(permission), now=now()
    )


def known_organisations(permission: Permission) -> list[OrganisationEntry]:
    """Organisations to choose from, by name, for a reader who holds a permission on problems."""
    pairs = _everything(permission).snapshot.pairs
    found = organisations_in_sight(pairs, actor().scope(permission), directory())
    return sorted(found, key=lambda one: one.name)


def _organisations() -> list[dict[str, Any]]:
    """Organisations that the reader may know of."""
    if not actor().may(Permission.PROBLEM_READ):
        return []
    return [
        {"uid": one.uid, "name": one.name, "kind": one.kind.value, "kind_name": label(one.kind)}
        for one in known_organisations(Permission.PROBLEM_READ)
    ]


def _extent(scope: Scope, view: View | None) -> dict[str, Any]:
    bounds = extent_of(db(), scope=scope, day=today())
    first = last = None
    if view is not None and len(view.rows):
        rows, snapshot = view.rows, view.snapshot
        zone = installation().settings.zone
        opened = snapshot.values("opened", rows)
        first, last = (
            datetime.fromtimestamp(int(value), zone).date().isoformat()
            for value in (opened.min(), opened.max())
        )
        if bounds is None:
            lon, lat = snapshot.lon[rows], snapshot.lat[rows]
            bounds = (float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))
    return {"bounds": None if bounds is None else list(bounds), "first_day": first, "last_day": last}


@api.get("/persons", tags=[PLACES], responses={"200": PersonsAnswer})
@needs(Permission.PROBLEM_DISPATCH)
@answers(of="ground")
def persons(query: PersonsQuery) -> Body:
    """List the people of an organisation, as far as the reader may know them, to give problems to."""
    names = directory()
    faces, body = Faces(names, actor()), names.organisations.find(query.organisation)
    of_it = [] if body is None else [one for one in names.persons if one.organisation == body.id]
    seen = sorted((one for one in of_it if faces.sees(one)), key=lambda one: one.name)
    return as_json(PersonsAnswer, {"persons": [named(one) for one in seen]})


@api.get("/search", tags=[PLACES], responses={"200": SearchAnswer})
@needs(Permission.PLACE_READ)
@answers(of="problems")
def search(query: SearchQuery) -> Body:
    """Find places, streets, people and problems by name, code, address, person or case number."""
    hits = find(db(), query.q, actor=actor(), directory=directory(), day=today(), limit=query.limit)
    return as_json(SearchAnswer, {"results": [asdict(hit) for hit in hits]})
