"""Where problems are to be expected, as squares on the map."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import shapely

from gridmap.forecast.candidates import Way
from gridmap.forecast.choosing import LEAST_FOUND, LEAST_WEEKS
from gridmap.forecast.judging import SHARES
from gridmap.forecast.telling import most_common, people_of
from gridmap.jobs import silent
from gridmap.language import N_, gettext
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces, named
from web.access import needs
from web.api.answering import (
    GEOJSON,
    Body,
    answers,
    change_told,
    directory,
    feature_collection,
    now,
    today,
    view_of,
)
from web.api.blueprint import FORECAST, api
from web.api.forecast_models import ForecastAnswer, ForecastQuery
from web.installation import actor, clocks, db, installation

if TYPE_CHECKING:
    from gridmap.forecast.service import Forecast
    from gridmap.hotspots.view import View
    from gridmap.jobs import Progress

__all__ = [
    "LEAST_FOUND",
    "LEAST_WEEKS",
    "WAYS",
    "forecast_of",
    "moment_of",
    "quick",
    "squares_of",
    "trial_of",
]

_HOUR = 3600
WAYS = {
    Way.RECENT: N_("counts that halve every eight weeks, those in the same hours first"),
    Way.MONTH: N_("counts of the last four weeks"),
    Way.KERNEL: N_("kernel density, halved every eight weeks"),
    Way.SEASON: N_("mean of the same weekdays and hours in the same month"),
    Way.LEARNED: N_("learned: Poisson regression on counts, hours, neighbours, season and sites"),
}


def forecast_of(query: ForecastQuery, progress: Progress = silent) -> tuple[Forecast, View]:
    """Forecast what a request asks for, from what its reader may see."""
    here = installation()
    view = view_of(query, permission=Permission.FORECAST_READ)
    found = here.forecasts.read(
        db(),
        view,
        query.window(now().astimezone(here.settings.zone)),
        scope=actor().scope(Permission.FORECAST_READ),
        ground=clocks().ground,
        zone=here.settings.zone,
        now=now(),
        progress=progress,
    )
    return found, view


def quick(query: ForecastQuery) -> bool:
    """Whether `forecast_of` takes no long time."""
    here = installation()
    return here.forecasts.quick(
        view_of(query, permission=Permission.FORECAST_READ),
        query.window(now().astimezone(here.settings.zone)),
        scope=actor().scope(Permission.FORECAST_READ),
        ground=clocks().ground,
        zone=here.settings.zone,
        now=now(),
    )


def moment_of(seconds: int) -> datetime:
    """Return a moment of the clock on the wall as a time of the installation."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=installation().settings.zone)


def squares_of(forecast: Forecast, view: View, most: int) -> tuple[list[dict[str, Any]], Any]:
    """Return the worst squares, and their shapes."""
    worst = forecast.worst(most)
    names = directory()
    categories = most_common(forecast, view.snapshot, worst, "category").tolist()
    cells = most_common(forecast, view.snapshot, worst, "cell")
    people = people_of(db(), cells, Faces(names, actor()), today())
    columns = zip(
        forecast.ground.key[worst].tolist(),
        forecast.expected[worst].tolist(),
        forecast.chance(worst).tolist(),
        forecast.past[worst].tolist(),
        forecast.near[worst].tolist(),
        categories,
        cells.tolist(),
        strict=True,
    )
    rows = []
    for rank, (key, expected, chance, past, near, category, cell) in enumerate(columns, start=1):
        kind = names.categories.get(category)
        rows.append(
            {
                "uid": f"{key:x}",
                "rank": rank,
                "expected": round(expected, 4),
                "chance": round(chance, 4),
                "past": int(past),
                "near": int(near),
                "category": None if kind is None else {"code": kind.code, "name": kind.label},
                "cell": named(names.cells.get(cell)),
                "person": people.get(cell),
            }
        )
    west, south, east, north = forecast.grid.corners(forecast.ground.key[worst])
    return rows, shapely.box(west, south, east, north)


def trial_of(forecast: Forecast) -> dict[str, Any] | None:
    """Return how good each way was, for an answer."""
    choice = forecast.choice
    if choice is None:
        return None
    small, large = SHARES
    return {
        "weeks": choice.tests,
        "found": choice.found,
        "all_days": forecast.all_days,
        "ways": [
            {
                "way": way.value,
                "name": gettext(WAYS[way]),
                "used": way is choice.way,
                "hit_rate_1": round(marks[small].hit_rate, 4),
                "pai_1": round(marks[small].pai, 2),
                "hit_rate_5": round(marks[large].hit_rate, 4),
                "pai_5": round(marks[large].pai, 2),
            }
            for way, marks in choice.marks.items()
        ],
    }


@api.get("/forecast", tags=[FORECAST], responses={"200": ForecastAnswer})
@needs(Permission.FORECAST_READ)
@answers(of="problems", seconds=_HOUR, media=GEOJSON)
def forecast(query: ForecastQuery) -> Body:
    """Say in which squares of about 150 m problems are to be expected, the worst first."""
    found, view = forecast_of(query)
    rows, shapes = squares_of(found, view, query.limit)
    return feature_collection(
        ForecastAnswer,
        rows,
        shapes,
        change=change_told(),
        begins=moment_of(found.window.begin).isoformat(),
        ends=moment_of(found.window.end).isoformat(),
        squares=len(found.ground),
        total=round(float(found.expected.sum()), 3),
        weeks=found.weeks,
        found=found.found,
        enough=found.choice is not None,
        trial=trial_of(found),
    )
