"""Vector tiles of places, problems and the base map."""

from __future__ import annotations

from typing import Any

from gridmap.hotspots.problem_tiles import outline_tile, problem_tile
from gridmap.language import current_language
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.places.place_tiles import place_tile
from web.access import needs
from web.api.answering import TILE, Body, answers, as_tile, directory, today, view_of
from web.api.blueprint import TILES, api
from web.api.parameters import BasePath, FilterQuery, NoQuery, TilePath
from web.installation import actor, clocks, db, installation

_TILE: dict[str, Any] = {
    "tags": [TILES],
    "responses": {"200": {"content": {TILE: {"schema": {"type": "string", "format": "binary"}}}}},
}


def _places(kind: str, path: TilePath) -> Body:
    shapes = installation().shapes.get(
        db(), kind, ground=clocks().ground, day=today(), language=current_language()
    )
    scope = actor().scope(Permission.PLACE_READ)
    return as_tile(place_tile(shapes, path.tile, scope=scope, faces=Faces(directory(), actor())))


@api.get("/tiles/cells/<z>/<x>/<y>.mvt", **_TILE)
@needs(Permission.PLACE_READ)
@answers(of="ground", media=TILE)
def cell_tiles(path: TilePath, query: NoQuery) -> Body:  # noqa: ARG001 - it takes none
    """Draw grid cells: layer cells with uid, code, name, held, holder."""
    return _places("cell", path)


@api.get("/tiles/points/<z>/<x>/<y>.mvt", **_TILE)
@needs(Permission.PLACE_READ)
@answers(of="ground", media=TILE)
def point_tiles(path: TilePath, query: NoQuery) -> Body:  # noqa: ARG001 - it takes none
    """Draw inspection points: layer points with uid, code, name, held, holder, site_type, priority."""
    return _places("point", path)


@api.get("/tiles/roads/<z>/<x>/<y>.mvt", **_TILE)
@needs(Permission.PLACE_READ)
@answers(of="ground", media=TILE)
def road_tiles(path: TilePath, query: NoQuery) -> Body:  # noqa: ARG001 - it takes none
    """Draw priority roads: layer roads with uid, code, name, held, holder, level, hours."""
    return _places("road", path)


@api.get("/tiles/problems/<z>/<x>/<y>.mvt", **_TILE)
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=60, media=TILE)
def problem_tiles(path: TilePath, query: FilterQuery) -> Body:
    """Draw problems that match: clusters (n, overdue, worst) below zoom 16, then each.

    Layer problems; from zoom 16 also problem_lines and problem_areas, the shapes of those that are no points.
    """
    view, names = view_of(query), directory()
    return as_tile(problem_tile(view, path.tile, names) + outline_tile(view, db(), path.tile, names))


@api.get("/tiles/base/<z>/<x>/<y>.mvt", **_TILE)
@needs(Permission.PLACE_READ)
@answers(of="base", media=TILE)
def base_tiles(path: BasePath, query: NoQuery) -> Body:  # noqa: ARG001 - it takes none
    """Draw the base map: layers surface, boundary, building, street; the deepest zoom is 15."""
    return as_tile(installation().base_tiles.get(db(), path.tile, base=clocks().base))
