"""Heat of problems: tiles and the legend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.hotspots.heat import heat_legend, heat_tile
from gridmap.people.permissions import Permission
from web.access import needs
from web.api.answering import PNG, Body, answers, as_json, today, view_of
from web.api.blueprint import HEAT, api
from web.api.option_models import Legend
from web.api.parameters import HeatQuery, LegendQuery, TilePath
from web.installation import clocks, db, installation

if TYPE_CHECKING:
    from geodata.heat import Heat

_TILE_PIXELS = 256


def _seconds(query: HeatQuery | LegendQuery) -> int | None:
    """Ages grow by the hour; a filter by age or overdue moves by the minute; else only changes count."""
    if query.at is None and (query.overdue or query.age_min is not None or query.age_max is not None):
        return 60
    return 3600 if query.ages and query.at is None else None


def _divisor(query: HeatQuery | LegendQuery) -> Heat | None:
    return installation().denominators.get(db(), clocks(), query.per, today())


@api.get(
    "/heat/<z>/<x>/<y>.png",
    tags=[HEAT],
    responses={"200": {"content": {PNG: {"schema": {"type": "string", "format": "binary"}}}}},
)
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_seconds, media=PNG)
def heat(path: TilePath, query: HeatQuery) -> Body:
    """Draw the heat of problems that match; all tiles of a zoom have one scale, which the legend tells."""
    pixels = _TILE_PIXELS * query.scale
    tile = heat_tile(view_of(query), path.tile, weight=query.weight, per=_divisor(query), pixels=pixels)
    return Body(tile, PNG)


@api.get("/heat/legend", tags=[HEAT], responses={"200": Legend})
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_seconds)
def legend(query: LegendQuery) -> Body:
    """Say what the colours of the heat mean at a zoom."""
    found = heat_legend(
        view_of(query),
        query.z,
        weight=query.weight,
        per=query.per,
        divisor=_divisor(query),
        lat=(query.bbox[1] + query.bbox[3]) / 2 if query.bbox else None,
    )
    stops = [{"value": value, "color": color} for value, color in found.stops]
    return as_json(Legend, {"stops": stops, "unit": found.unit})
