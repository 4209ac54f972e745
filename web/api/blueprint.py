"""The blueprint that every module of the API adds its routes to."""

from __future__ import annotations

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from web.api.models import Fault

__all__ = [
    "EVIDENCE",
    "FORECAST",
    "HEAT",
    "PLACES",
    "PROBLEMS",
    "SHOPS",
    "TILES",
    "TRACKS",
    "WEBHOOKS",
    "api",
]

PLACES = Tag(
    name="places", description="Areas, grid cells, inspection points, priority roads; who holds them"
)
PROBLEMS = Tag(name="problems", description="Problems, their history, and how many there are")
SHOPS = Tag(name="shops", description="Shopfronts, their pledges and offences, and the ladder of steps")
TILES = Tag(name="tiles", description="Vector tiles (Mapbox Vector Tile 2.1, web mercator)")
EVIDENCE = Tag(name="evidence", description="Photos and videos; resumable uploads follow tus 1.0.0")
TRACKS = Tag(name="tracks", description="Recorded tracks of patrols")
WEBHOOKS = Tag(name="webhooks", description="Who is told of what happens to problems, and what was sent")
HEAT = Tag(name="heat", description="Heat of problems as pictures")
FORECAST = Tag(name="forecast", description="Where problems are to be expected")

api = APIBlueprint(
    "api",
    __name__,
    url_prefix="/api/v1",
    abp_responses=dict.fromkeys(("400", "401", "403", "404", "422", "429"), Fault),
)
