"""Assessors' routes: laying one, its minute plan, and what would be seen along it."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf

from geodata.travel import Profile
from gridmap.errors import InvalidValueError
from gridmap.inspections.queries import read_route, read_routes, see
from gridmap.inspections.tour import MOST_STOPS, TourWish, check, lay, remove_route, trace
from gridmap.jobs import JobState
from gridmap.labels import label, site_label
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.places.sites import SiteType
from gridmap.problems.records import read_records
from gridmap.store.engine import reading, writing
from web.access import needs
from web.api.answering import directory, now, today
from web.assets import asset, modules
from web.background import begin_job
from web.given import Given
from web.installation import actor, db, installation
from web.pages.map import begin

if TYPE_CHECKING:
    import uuid

    import numpy as np
    from werkzeug.wrappers import Response

    from gridmap.inspections.queries import Seen
    from gridmap.jobs import Job, Progress

__all__ = ["pages"]

pages = Blueprint("inspections", __name__, url_prefix="/inspections")

_SEEDS = 2**31
_MOST_SHOWN = 1000
_STYLES = ("vendor/leaflet/leaflet.css", "css/map.css", "css/patrols.css")
_SCRIPTS = ("vendor/leaflet/leaflet.js", "vendor/protomaps-leaflet/protomaps-leaflet.js")
_FIELDS = (
    "name",
    "starts_at",
    "profile",
    "minutes_at_stop",
    "codes",
    "size",
    "seed",
    "keep_order",
    "shortest",
)
_CODES = re.compile(r"[\s,，、;；]+")


@pages.get("")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def index() -> str:
    """Show the routes so far, and the form for another."""
    job = None
    if request.args.get("job"):
        job = installation().jobs.find(request.args["job"], owner=actor().login_id)
        if job.state is JobState.DONE and "route" in job.result:
            return render_template("inspection_made.html", uid=job.result["route"])
    return _form(Given(request.args), job=job)


def _form(given: Given, *, job: Job | None = None) -> str:
    tomorrow = datetime.combine(today() + timedelta(days=1), datetime.min.time())
    usual = {
        "starts_at": tomorrow.replace(hour=9).isoformat(timespec="minutes"),
        "minutes_at_stop": "20",
        "size": "12",
        "seed": str(secrets.randbelow(_SEEDS)),
        "profile": Profile.CAR.value,
    }
    return render_template(
        "inspections.html",
        routes=read_routes(db()),
        job=job,
        given=usual | {name: value for name, value in given.fields.items() if name in _FIELDS},
        chosen=given.fields.getlist("site_types"),
        faults=given.faults,
        sites=[(one.value, site_label(one.value)) for one in SiteType],
        profiles=[(one.value, label(one)) for one in Profile],
    )


def _wish(given: Given) -> TourWish:
    zone = installation().settings.zone
    starts = given.moment("starts_at", now(), zone=zone)
    if not given.text("starts_at"):
        given.faults["starts_at"] = gettext("Say when they begin.")
    if not given.text("name"):
        given.faults["name"] = gettext("Give the route a name.")
    profile = given.text("profile", Profile.CAR.value)
    if profile not in set(Profile):
        given.faults["profile"] = gettext("Choose how they go.")
        profile = Profile.CAR.value
    return TourWish(
        name=given.text("name"),
        starts_at=starts,
        codes=tuple(code for code in _CODES.split(given.text("codes")) if code),
        size=given.whole("size", 2, MOST_STOPS, 12),
        seed=given.whole("seed", 0, _SEEDS - 1, 0),
        minutes_at_stop=given.whole("minutes_at_stop", 0, 240, 20),
        site_types=tuple(given.fields.getlist("site_types")),
        profile=Profile(profile),
        keep_order=given.text("keep_order") == "1",
        shortest=given.text("shortest") == "1",
    )


@pages.post("")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def plan() -> Response:
    """Begin to lay a route; the page that follows shows how far it is."""
    given, here, who = Given(request.form), installation(), actor()
    wish = _wish(given)
    day = wish.starts_at.astimezone(here.settings.zone).date()
    try:
        # Of what makes no sense the usual value stands here, so that unknown codes are told as well.
        check(db(), replace(wish, name=wish.name or "-"), day=day)
    except InvalidValueError as error:
        given.blame(error)
    if given.faults:
        return make_response(_form(given), 422)

    def work(report: Progress) -> dict[str, Any]:
        report(0, 0, gettext("Looking for the way through all points"))
        with reading(here.engine) as session:
            tour = trace(session, who, wish, network=here.network.open(session), day=day)
        with writing(here.engine) as session:
            return {"route": str(lay(session, who, tour, now=now()).uid)}

    # What was typed comes along, so that it is still there where the search finds no way.
    typed: dict[str, Any] = {name: request.form[name] for name in _FIELDS if name in request.form}
    sites = request.form.getlist("site_types")
    job = begin_job(
        "inspection",
        work,
        title=wish.name,
        page=lambda job: url_for("inspections.index", job=job, site_types=sites, **typed),
    )
    return redirect(job.page)


@pages.get("/<uuid:uid>")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def show(uid: uuid.UUID) -> str:
    """Show a route: its minute plan, what would be seen along it now, and where the most."""
    route, line, stops = read_route(db(), uid)
    seen = see(db(), actor(), route, line, stops, now=now())
    faces = Faces(directory(), actor())
    numbers = seen.numbers[~seen.corridor.hidden].tolist() + seen.numbers[seen.corridor.hidden].tolist()
    rows = {
        row["number"]: row
        for row in read_records(
            db(),
            numbers[:_MOST_SHOWN],
            faces=faces,
            scope=actor().scope(Permission.PROBLEM_READ),
            moment=now(),
        ).rows
    }
    return render_template(
        "inspection.html",
        route=route,
        stops=stops,
        sites={one.point.id: site_label(one.point.site_type) for one in stops},
        seen=_told(seen, rows),
        in_sight=int((~seen.corridor.hidden).sum()),
        beyond=max(0, len(numbers) - _MOST_SHOWN),
        hidden=int(seen.corridor.hidden.sum()),
        overdue=int((seen.overdue & ~seen.corridor.hidden).sum()),
        due_before=int((seen.due_before & ~seen.corridor.hidden).sum()),
        due_later=int((~seen.overdue & ~seen.due_before & ~seen.corridor.hidden).sum()),
        windows=seen.windows,
        bars=_bars(seen.exposure),
        module="inspection.js",
        scripts=[asset(path) for path in _SCRIPTS],
        styles=[asset(path) for path in _STYLES],
        imports={name: asset(path) for name, path in modules().items()},
        begin=begin(
            csrf=generate_csrf(),
            line=[[x, y] for x, y in line.coords],
            stops=[
                [
                    one.point.name,
                    one.stop.arrives_at.isoformat(),
                    *_place(line, one.stop.along_m, route.metres),
                ]
                for one in stops
            ],
            seen=[
                [rows[number]["category"]["name"], lon, lat, hidden]
                for number, lon, lat, hidden in zip(
                    seen.numbers.tolist(),
                    seen.lon.tolist(),
                    seen.lat.tolist(),
                    seen.corridor.hidden.tolist(),
                    strict=True,
                )
                if number in rows
            ],
        ),
    )


def _place(line: Any, along_m: int, metres: int) -> tuple[float, float]:
    point = line.interpolate(along_m / max(metres, 1), normalized=True)
    return point.x, point.y


def _told(seen: Seen, rows: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """What is seen, with its problem, in the order in which it is passed."""
    zone = installation().settings.zone
    told = []
    for n, number in enumerate(seen.numbers.tolist()):
        if number in rows:
            at = datetime.fromisoformat(f"{seen.passes_at[n].astype('datetime64[s]')}+00:00")
            told.append(
                {
                    "problem": rows[number],
                    "along": round(float(seen.corridor.along_m[n])),
                    "aside": round(float(seen.corridor.aside_m[n])),
                    "right": bool(seen.corridor.side[n] > 0),
                    "hidden": bool(seen.corridor.hidden[n]),
                    "at": at.astimezone(zone),
                    "due_before": bool(seen.due_before[n]),
                    "overdue": bool(seen.overdue[n]),
                }
            )
    return told


def _bars(exposure: np.ndarray[Any, Any]) -> list[tuple[int, float, float]]:
    """Bars of the drawing: metre, height in per cent, and the weight."""
    most = float(exposure.max()) or 1.0
    return [(n * 100, 100 * value / most, value) for n, value in enumerate(exposure.tolist())]


@pages.post("/<uuid:uid>/remove")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def remove(uid: uuid.UUID) -> Response:
    """Remove a route."""
    with writing(installation().engine) as session:
        remove_route(session, actor(), uid)
    return redirect(url_for("inspections.index"))
