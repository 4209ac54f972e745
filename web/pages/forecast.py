"""Where it will be bad: the page of the forecast."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request, url_for
from pydantic import ValidationError

from gridmap.errors import InvalidValueError
from gridmap.forecast.recurrence import recurrences
from gridmap.forecast.squares import SIDE_M
from gridmap.jobs import JobState
from gridmap.language import N_, explain, gettext
from gridmap.patrols.wishes import hours_of
from gridmap.people.permissions import Permission
from gridmap.places.cards import named
from gridmap.places.extent import extent_of, from_openstreetmap
from web.access import needs
from web.api.answering import directory, now, today
from web.api.forecast import (
    LEAST_FOUND,
    LEAST_WEEKS,
    WAYS,
    forecast_of,
    moment_of,
    quick,
    squares_of,
    trial_of,
)
from web.api.forecast_models import SHIFTS, ForecastQuery
from web.assets import asset, modules
from web.background import in_background, own_jobs
from web.installation import actor, db, installation
from web.pages.map import begin
from web.validation import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridmap.forecast.service import Forecast
    from gridmap.hotspots.view import View
    from gridmap.jobs import Job, Progress

__all__ = ["pages"]

pages = Blueprint("forecast", __name__, url_prefix="/forecast")

_LISTED = 30
_QUOTED = 40
_PATIENCE_S = 1.0
"""Most forecasts are made in that time, and need no page that waits."""
_COMING_BACK = timedelta(days=365)
_STYLES = ("vendor/leaflet/leaflet.css", "css/forecast.css")
_SCRIPTS = ("vendor/leaflet/leaflet.js", "vendor/protomaps-leaflet/protomaps-leaflet.js")


@pages.get("")
@needs(Permission.FORECAST_READ)
def index() -> tuple[str, int]:
    """Show where problems are to be expected, why, and how good the forecast was so far.

    Of what makes no sense the form keeps what was typed, above the forecast of the next shift.
    """
    if (waiting := _waiting()) is not None:
        return waiting, 200
    query, found, view, faults = _asked()
    rows, shapes = squares_of(found, view, _LISTED)
    for row, shape in zip(rows, shapes, strict=True):
        row["lon"], row["lat"] = shape.centroid.x, shape.centroid.y
    names, here = directory(), installation()
    seen = actor().scope(Permission.FORECAST_READ).areas
    areas = [area for area in names.areas if seen is None or area.id in seen]
    known = {area.id for area in areas}
    source = url_for("api.forecast", **{**_given(query), "limit": 1000})
    page = render_template(
        "forecast.html",
        query=query,
        faults=faults,
        typed=request.args if faults else {},
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
        job=_begun_before(query),
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
    return page, 422 if faults else 200


def _asked() -> tuple[ForecastQuery, Forecast, View, list[str]]:
    """What is asked for, its forecast, and what was wrong with the question: then it is the usual one's."""
    given = {name: value for name, value in request.args.items() if name != "language"}
    try:
        query = ForecastQuery.model_validate(given)
        return query, *forecast_of(query), []
    except ValidationError as error:
        faults = [_fault(str(one["loc"][0]), say(one), given) for one in error.errors(include_url=False)]
    except InvalidValueError as error:
        # This already says what was found.
        faults = [_fault(error.parameter or "", explain(error), {})]
    query = ForecastQuery.model_validate({})
    return query, *forecast_of(query), faults


def _waiting() -> str | None:
    """The page that waits for a forecast that takes long; None where it does not.

    Trying the ways takes seconds to minutes, once a day for each question: a job does it, and the browser
    asks for the same page again when it has ended.
    """
    given = {name: value for name, value in request.args.items() if name != "language"}
    for asked in (given, {}):
        try:
            query = ForecastQuery.model_validate(asked)
            if quick(query):
                return None
        except (ValidationError, InvalidValueError):
            # The page tells what makes no sense, above the usual forecast: that is waited for.
            continue
        job = _begun(query)
        if job.state is JobState.RUNNING:
            return render_template("forecast_waiting.html", job=job)
        if job.state is JobState.DONE:
            return None
    return None


def _begun(query: ForecastQuery) -> Job:
    """A job that makes a forecast, after a moment of patience."""

    def work(progress: Progress) -> dict[str, Any]:
        forecast_of(query, progress)
        return {}

    before = _begun_before(query)
    if before is not None and before.state is JobState.RUNNING:
        return before
    job = in_background("forecast", work, title=_title(query), page=lambda _: _address(query))
    until = time.monotonic() + _PATIENCE_S
    while job.state is JobState.RUNNING and time.monotonic() < until:
        time.sleep(0.02)
        job = installation().jobs.find(job.uid, owner=actor().login_id)
    if job.state is not JobState.RUNNING:
        # Its page is what comes next.
        installation().jobs.forget(job.uid, owner=actor().login_id)
    return job


def _begun_before(query: ForecastQuery) -> Job | None:
    """The reader's own job for the same question, if one runs or has just ended."""
    page = _address(query)
    return next((job for job in own_jobs(["forecast"]) if job.page == page), None)


def _given(query: ForecastQuery) -> dict[str, Any]:
    given = query.model_dump(mode="json", exclude_none=True, exclude={"category", "limit"})
    given["category"] = ",".join(sorted(query.category)) if query.category else None
    return given


def _address(query: ForecastQuery) -> str:
    return url_for("forecast.index", **_given(query))


def _title(query: ForecastQuery) -> str:
    """What is asked for: when, of what, and where; the area is one that the reader may see."""
    names = directory()
    usual = gettext("Next week") if query.span == "week" else gettext("Next shift")
    when = [query.day.isoformat() if query.day else usual, query.hours or ""]
    labels = [one.label for one in names.categories if query.category and one.code in query.category]
    area = [one.name for one in names.areas if query.area and one.uid == str(query.area)]
    return " ".join(filter(None, [*when, *labels, *area]))


_FIELDS = {
    "span": N_("Forecast of"),
    "day": N_("Day"),
    "hours": N_("Hours"),
    "category": N_("Category"),
    "area": N_("Area"),
}


def _fault(name: str, reason: str, given: Mapping[str, str]) -> str:
    """What is wrong with a field, in the words of its form: expected, and found where that says something."""
    if not name:
        return reason
    field = gettext(_FIELDS[name]) if name in _FIELDS else name
    if name == "area":
        # Its value is nothing that people read.
        reason = gettext("There is no such area among those that you may see; choose one from the list.")
    elif found := given.get(name, "").strip():
        reason = gettext("{reason} Found “{found}”.", reason=reason, found=found[:_QUOTED])
    return gettext("{field}: {reason}", field=field, reason=reason)


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
