"""Patrol plans: asking for one, its rounds on a map and on paper, and what phones take."""

from __future__ import annotations

import re
import secrets
import uuid
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select

from geodata.travel import Profile
from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.jobs import JobState
from gridmap.labels import label
from gridmap.language import N_, gettext
from gridmap.patrols.handing_out import as_calendar, as_gpx, map_links
from gridmap.patrols.keeping import keep, remove_plan
from gridmap.patrols.planner import ask, search
from gridmap.patrols.queries import Round, Shown, Stage, read_plan, read_plans
from gridmap.patrols.targets import walkers
from gridmap.patrols.wishes import Wish, check, from_json, units_of
from gridmap.people.models import Person
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.places.queries import areas_below
from gridmap.store.engine import reading, writing
from web.access import needs
from web.api.answering import now, today
from web.assets import asset, modules
from web.installation import actor, db, installation
from web.pages.map import begin
from web.pages.patrol_changes import watching
from web.pages.patrol_corners import with_hot_corners

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as Redirection

    from gridmap.jobs import Progress as Report

__all__ = ["pages"]

pages = Blueprint("patrols", __name__, url_prefix="/patrols")

_SEEDS = 2**31
_STYLES = ("vendor/leaflet/leaflet.css", "css/map.css", "css/patrols.css", "css/patrol_edit.css")
_SCRIPTS = ("vendor/leaflet/leaflet.js", "vendor/protomaps-leaflet/protomaps-leaflet.js")
_HOWS = {
    None: N_("Planned"),
    "by hand": N_("Changed by hand"),
    "improved": N_("Searched again"),
    "restored": N_("Brought back"),
}
COLOURS = ("#1a5fb4", "#c64600", "#26794a", "#8a2be2", "#a51d2d", "#0b7285", "#7a5c00", "#b5179e")


@pages.get("")
@needs(Permission.PATROL_READ)
def index() -> str:
    """Show the plans that the reader may see; to who plans, the form for another."""
    planner, areas, people, area = False, [], [], None
    if actor().may(Permission.PATROL_PLAN):
        scope = actor().scope(Permission.PATROL_PLAN)
        planner = any(holding.organisations is None for holding in scope.holdings)
        found = db().scalars(select(Area).where(Area.in_force(today())).order_by(Area.code))
        areas = [one for one in found if scope.covers(one.id, None)]
        area = next((one for one in areas if str(one.uid) == request.args.get("area")), None)
        area = area or next((one for one in reversed(areas)), None)
        if area is not None:
            known = actor().scope(Permission.PERSON_READ)
            people = walkers(db(), areas_below(db(), area.id), known, day=today())
    job = None
    if request.args.get("job"):
        job = installation().jobs.find(request.args["job"], owner=actor().login_id)
        if job.state is JobState.DONE and "plan" in job.result:
            return render_template("patrol_made.html", uid=job.result["plan"], told=job.result)
    return render_template(
        "patrols.html",
        plans=read_plans(db(), actor()),
        planner=planner,
        areas=areas,
        area=area,
        people=people,
        job=job,
        profiles=[(one.value, label(one)) for one in Profile],
        day=today(),
        seed=secrets.randbelow(_SEEDS),
        zone=installation().settings.zone,
    )


def _wish() -> Wish:
    form = request.form
    numbers: dict[str, Any] = {}
    for name in ("minutes_at_point", "minutes_at_problem", "rest_minutes", "search_seconds", "seed"):
        text = form.get(name, "").strip()
        if text and not re.fullmatch(r"\d{1,10}", text):
            raise InvalidValueError(
                "Expected a whole number; found {found!r}.", parameter=name, found=text[:40]
            )
        if text:
            numbers[name] = int(text)
    numbers |= {name: name in form for name in ("points", "problems", "roads")}
    try:
        area, day = uuid.UUID(form.get("area", "")), date.fromisoformat(form.get("day", ""))
        people = tuple(uuid.UUID(uid) for uid in form.getlist("people"))
        profile = Profile(form.get("profile", Profile.FOOT.value))
    except ValueError as error:
        raise InvalidValueError(
            "Choose an area, a day, how they go, and at least one person.", parameter="area"
        ) from error
    return Wish(
        area=area,
        day=day,
        hours=form.get("hours", ""),
        people=people,
        profile=profile,
        **numbers,
    )


@pages.post("")
@needs(Permission.PATROL_PLAN)
def plan() -> Redirection:
    """Begin to plan; the page that follows shows how far it is."""
    wish, here, who = _wish(), installation(), actor()
    check(wish)
    corners = "corners" in request.form

    def work(report: Report) -> dict[str, Any]:
        report(0, 0, gettext("Reading what there is to do"))
        with reading(here.engine) as session:
            network = here.network.open(session)
            wanted = with_hot_corners(session, here, who, wish) if corners else wish
            asked = ask(session, who, wanted, network=network, zone=here.settings.zone, now=now())
        said = gettext("Looking for good rounds")

        found = search(asked, watching(report, said))
        with writing(here.engine) as session:
            made = keep(session, who, found, now=now())
            return {
                "plan": str(made.uid),
                "rounds": len(found.plan.routes),
                "left_out": len(made.unfitted),
            }

    job = here.jobs.start("patrols", work, owner=who.login_id)
    return redirect(url_for("patrols.index", job=job.uid))


@pages.get("/<uuid:uid>")
@needs(Permission.PATROL_READ)
def show(uid: uuid.UUID) -> str:
    """Show the rounds of a plan on a map and as lists."""
    shown = read_plan(db(), actor(), uid)
    planner = actor().may(Permission.PATROL_PLAN) and shown.whole
    changes = shown.plan.changes or {}
    rounds = [
        {
            "unit": one.route.unit,
            "name": one.person.name,
            "colour": COLOURS[n % len(COLOURS)],
            "line": one.line,
            "stops": [
                [stage.lon, stage.lat, stage.name, stage.kind.value, stage.keys] for stage in one.stages
            ],
        }
        for n, one in enumerate(shown.rounds)
    ]
    return render_template(
        "patrol.html",
        shown=shown,
        colours=COLOURS,
        links=map_links,
        planner=planner,
        changes=changes,
        faults=_faults(shown),
        hows={kind: gettext(text) for kind, text in _HOWS.items()},
        editable=planner and shown.plan.wish is not None and shown.newest is shown.plan,
        zone=installation().settings.zone,
        module="patrol.js",
        scripts=[asset(path) for path in _SCRIPTS],
        styles=[asset(path) for path in _STYLES],
        imports={name: asset(path) for name, path in modules().items()},
        begin=begin(csrf=generate_csrf(), rounds=rounds, plan=_arranged(shown) if planner else None),
    )


def _faults(shown: Shown) -> list[dict[str, Any]]:
    """What the plan breaks, with names: of the person and the stop."""
    names = {key: stage.name for one in shown.rounds for stage in one.stages for key in stage.keys}
    people = {one.route.unit: one.person.name for one in shown.rounds}
    return [
        {"person": people.get(one["unit"], ""), "stop": names.get(one["key"], ""), "text": one["text"]}
        for one in (shown.plan.changes or {}).get("faults", ())
        if shown.whole
    ]


def _arranged(shown: Shown) -> dict[str, Any] | None:
    """What the page needs so that the plan can be changed on it."""
    plan = shown.plan
    if plan.wish is None:
        return None
    units = units_of(from_json(plan.wish))
    named = db().execute(select(Person.uid, Person.name).where(Person.uid.in_({uid for uid, _ in units})))
    names = {row.uid: row.name for row in named}
    orders = {one.route.unit: [_stop(stage) for stage in one.stages] for one in shown.rounds}
    return {
        "uid": str(plan.uid),
        "first": str(shown.versions[0].uid),
        "version": plan.version,
        "newest": str(shown.newest.uid),
        "units": [
            {"name": names.get(uid, ""), "day": str(day), "stops": orders.get(number, [])}
            for number, (uid, day) in enumerate(units)
        ],
        "left": [
            {"keys": one["keys"], "name": one["name"], "kind": one["kind"], "why": one["why"]}
            for one in shown.unfitted
            if one.get("keys")
        ],
        "pins": (plan.changes or {}).get("pins", {}),
        "banned": (plan.changes or {}).get("banned", []),
    }


def _stop(stage: Stage) -> dict[str, Any]:
    name = stage.name if stage.number is None else f"{stage.name} {stage.number}"
    return {"keys": stage.keys, "name": name, "kind": stage.kind.value, "address": stage.address}


def _round(uid: uuid.UUID, route: uuid.UUID) -> tuple[Shown, Round]:
    shown = read_plan(db(), actor(), uid)
    for one in shown.rounds:
        if one.route.uid == route:
            return shown, one
    raise NotFoundError("There is no such plan, or it lies outside what you may see.")


def _named(shown: Shown, one: Round, ending: str) -> str:
    return f"patrol-{shown.plan.day}-{shown.rounds.index(one) + 1}.{ending}"


def _file(content: str | bytes, kind: str, name: str) -> Response:
    return Response(
        content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@pages.get("/<uuid:uid>/<uuid:route>.gpx")
@needs(Permission.PATROL_READ)
def gpx(uid: uuid.UUID, route: uuid.UUID) -> Response:
    """Send a round for a navigation device or app."""
    shown, one = _round(uid, route)
    return _file(
        as_gpx(shown, one),
        "application/gpx+xml",
        _named(shown, one, "gpx"),
    )


@pages.get("/<uuid:uid>/<uuid:route>.ics")
@needs(Permission.PATROL_READ)
def calendar(uid: uuid.UUID, route: uuid.UUID) -> Response:
    """Send a round for a calendar."""
    shown, one = _round(uid, route)
    return _file(
        as_calendar(shown, one, now=now()),
        "text/calendar",
        _named(shown, one, "ics"),
    )


@pages.post("/<uuid:uid>/remove")
@needs(Permission.PATROL_PLAN)
def remove(uid: uuid.UUID) -> Redirection:
    """Remove a plan."""
    with writing(installation().engine) as session:
        remove_plan(session, actor(), uid)
    return redirect(url_for("patrols.index"))
