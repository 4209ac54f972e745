"""Where it will be bad: the page of the forecast."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, url_for

from gridmap.forecast.recurrence import recurrences
from gridmap.forecast.squares import SIDE_M
from gridmap.patrols.wishes import hours_of
from gridmap.people.permissions import Permission
from gridmap.places.cards import named
from gridmap.places.extent import extent_of, from_openstreetmap
from web.access import needs
from web.api.answering import directory, now, today
from web.api.forecast import LEAST_FOUND, LEAST_WEEKS, WAYS, forecast_of, moment_of, squares_of, trial_of
from web.api.forecast_models import SHIFTS, ForecastQuery
from web.assets import asset, modules
from web.installation import actor, db, installation
from web.pages.asking import asked
from web.pages.map import begin

if TYPE_CHECKING:
    from gridmap.hotspots.view import View

__all__ = ["pages"]

pages = Blueprint("forecast", __name__, url_prefix="/forecast")

_LISTED = 30
_COMING_BACK = timedelta(days=365)
_STYLES = ("vendor/leaflet/leaflet.css", "css/forecast.css")
_SCRIPTS = ("vendor/leaflet/leaflet.js", "vendor/protomaps-leaflet/protomaps-leaflet.js")


@pages.get("")
@needs(Permission.FORECAST_READ)
def index() -> str:
    """Show where problems are to be expected, why, and how good the forecast was so far."""
    query = asked(ForecastQuery)
    found, view = forecast_of(query)
    rows, shapes = squares_of(found, view, _LISTED)
    for row, shape in zip(rows, shapes, strict=True):
        row["lon"], row["lat"] = shape.centroid.x, shape.centroid.y
    names, here = directory(), installation()
    seen = actor().scope(Permission.FORECAST_READ).areas
    areas = [area for area in names.areas if seen is None or area.id in seen]
    known = {area.id for area in areas}
    given = query.model_dump(mode="json", exclude_none=True, exclude={"category"})
    given["category"] = ",".join(sorted(query.category)) if query.category else None
    source = url_for("api.forecast", **{**given, "limit": 1000})
    return render_template(
        "forecast.html",
        query=query,
        forecast=found,
        begins=moment_of(found.window.begin),
        ends=moment_of(found.window.end),
        hours=hours_of(found.window.opens, found.window.closes),
        rows=rows,
        trial=trial_of(found),
        ways=WAYS,
        side=round(SIDE_M),
        least_weeks=LEAST_WEEKS,
        least_found=LEAST_FOUND,
        coming_back=_coming_back(view),
        shifts=SHIFTS,
        today=today(),
        areas=areas,
        whole=query.area or next((area.uid for area in areas if area.parent not in known), None),
        categories=[one for one in names.categories if one.parent is None],
        planner=actor().may(Permission.PATROL_PLAN),
        styles=[asset(path) for path in _STYLES],
        scripts=[asset(path) for path in _SCRIPTS],
        imports={name: asset(path) for name, path in modules().items()},
        begin=begin(
            api="/api/v1/",
            source=source,
            extent=_extent(),
            attribution="osm" if from_openstreetmap(db()) else "",
            zone=here.settings.timezone,
        ),
    )


def _extent() -> list[float] | None:
    found = extent_of(db(), scope=actor().scope(Permission.PLACE_READ), day=today())
    return None if found is None else list(found)


def _coming_back(view: View) -> list[dict[str, Any]]:
    """Return where the same kind came back within a year."""
    names, snapshot = directory(), view.snapshot
    since = int((now() - _COMING_BACK).timestamp())
    told = []
    for one in recurrences(view, since, _LISTED):
        category = names.categories.get(one.category)
        told.append(
            {
                "category": category.label if category else "",
                "code": category.code if category else "",
                "cell": named(
                    names.cells.get(int(snapshot.values("cell", slice(one.newest, one.newest + 1))[0]))
                ),
                "returned": one.returned,
                "found": one.found,
                "unresolved": one.unresolved,
                "lon": float(snapshot.lon[one.newest]),
                "lat": float(snapshot.lat[one.newest]),
            }
        )
    return told
