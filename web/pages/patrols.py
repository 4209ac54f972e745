"""Patrol plans: asking for one, its rounds on a map and on paper, and what phones take."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select

from geodata.travel import Profile
from gridmap.errors import NotFoundError
from gridmap.jobs import JobState
from gridmap.labels import label
from gridmap.language import N_, gettext
from gridmap.patrols.calendars import lost_rounds
from gridmap.patrols.changing import tell
from gridmap.patrols.going_home import tell_home_early
from gridmap.patrols.keeping import keep
from gridmap.patrols.people import check_places
from gridmap.patrols.planner import ask, search
from gridmap.patrols.planning import prepare
from gridmap.patrols.queries import Round, Shown, Stage, read_plan, read_plans
from gridmap.patrols.removing import remove_plan, removed_rounds
from gridmap.patrols.targets import walkers
from gridmap.patrols.wishes import detail_of, from_json, units_of
from gridmap.people.models import Person
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.places.queries import areas_below
from gridmap.store.engine import reading, writing
from web.access import needs
from web.api.answering import now, today
from web.assets import asset, modules
from web.background import begin_job
from web.installation import actor, db, installation
from web.pages.map import begin
from web.pages.patrol_changes import plan_title, watching
from web.pages.patrol_corners import with_hot_corners
from web.pages.patrol_form import RHYTHMS, ROAD_RHYTHMS, WEEKDAYS, fill

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Response as Redirection

    from gridmap.jobs import Job
    from gridmap.jobs import Progress as Report
    from gridmap.patrols.wishes import Wish

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
    job = None
    if request.args.get("job"):
        job = installation().jobs.find(request.args["job"], owner=actor().login_id)
        if job.state is JobState.DONE and "plan" in job.result:
            return render_template("patrol_made.html", uid=job.result["plan"], told=job.result)
    return _page(None, {}, job=job)


def _page(typed: MultiDict[str, str] | None, errors: dict[str, str], *, job: Job | None = None) -> str:
    """The form, as it was typed, and the plans so far."""
    planner, areas, people, parts, area = False, [], [], [], None
    if actor().may(Permission.PATROL_PLAN):
        scope = actor().scope(Permission.PATROL_PLAN)
        planner = any(holding.organisations is None for holding in scope.holdings)
        found = db().scalars(select(Area).where(Area.in_force(today())).order_by(Area.code))
        areas = [one for one in found if scope.covers(one.id, None)]
        wanted = (typed or request.args).get("area")
        area = next((one for one in areas if str(one.uid) == wanted), None)
        area = area or next((one for one in reversed(areas)), None)
        if area is not None:
            known = actor().scope(Permission.PERSON_READ)
            below = areas_below(db(), area.id)
            people = walkers(db(), below, known, day=today())
            parts = [one for one in areas if one.id in below and one.id != area.id]
    return render_template(
        "patrols.html",
        plans=read_plans(db(), actor()),
        planner=planner,
        areas=areas,
        area=area,
        people=people,
        parts=parts,
        job=job,
        typed=typed,
        errors=errors,
        own_wrong=any("-" in name for name in errors),
        profiles=[(one.value, label(one)) for one in Profile],
        rhythms={value: gettext(text) for value, text in RHYTHMS.items()},
        road_rhythms={value: gettext(text) for value, text in ROAD_RHYTHMS.items()},
        weekdays=[gettext(name) for name in WEEKDAYS],
        day=today(),
        seed=secrets.randbelow(_SEEDS),
    )


def _look(wish: Wish) -> None:
    """Refuse places of a wish that are none; whether there is such an area, planning says."""
    area = db().scalar(select(Area).where(Area.uid == wish.area, Area.in_force(wish.day)))
    if area is not None and actor().scope(Permission.PATROL_PLAN).covers(area.id, None):
        own = any(one.get("start") or one.get("end") for one in wish.details.values())
        network = installation().network.open(db()) if own else None
        check_places(db(), wish, areas_below(db(), area.id), network)


@pages.post("")
@needs(Permission.PATROL_PLAN)
def plan() -> Redirection | tuple[str, int]:
    """Begin to plan; the page that follows shows how far it is."""
    filled = fill(request.form, _look)
    if filled.wish is None:
        return _page(request.form, filled.errors), 422
    wish, here, who = filled.wish, installation(), actor()
    corners = "corners" in request.form

    def work(report: Report) -> dict[str, Any]:
        report(0, 0, gettext("Reading what there is to do"))
        with reading(here.engine) as session:
            network = here.network.open(session)
            wanted = with_hot_corners(session, here, who, wish) if corners else wish
            asked = ask(session, who, wanted, network=network, zone=here.settings.zone, now=now())
        report(0, 0, gettext("Preparing the solver; the first time this takes up to a minute"))
        prepare()
        found = search(asked, watching(report, gettext("Looking for good rounds")))
        with writing(here.engine) as session:
            made = keep(session, who, found, now=now())
            return {
                "plan": str(made.uid),
                "rounds": len(found.plan.routes),
                "left_out": len(made.unfitted),
            }

    job = begin_job(
        "patrols",
        work,
        title=plan_title(db(), actor(), wish),
        page=lambda uid: url_for("patrols.index", job=uid),
    )
    return redirect(url_for("patrols.index", job=job.uid))


@pages.get("/<uuid:uid>")
@needs(Permission.PATROL_READ)
def show(uid: uuid.UUID) -> str:
    """Show the rounds of a plan on a map and as lists."""
    from gridmap.patrols.handing_out import map_links

    shown = read_plan(db(), actor(), uid)
    days = sorted({one.day for one in shown.rounds} | set(shown.days if shown.whole else ()))
    day = next((one for one in days if str(one) == request.args.get("day")), None)
    if day is None and len(days) > 1 and request.args.get("day") != "all":
        day = today() if today() in days else days[0]
    planner = actor().may(Permission.PATROL_PLAN) and shown.whole
    changes = shown.plan.changes or {}
    rounds = [
        {
            "unit": one.route.unit,
            "day": str(one.day),
            "name": one.names,
            "colour": COLOURS[one.colour % len(COLOURS)],
            "line": one.line,
            "stops": [
                [stage.lon, stage.lat, stage.name, stage.kind.value, stage.keys] for stage in one.stages
            ],
        }
        for one in shown.rounds
        if day is None or one.day == day
    ]
    early = {one["unit"]: tell_home_early(one) for one in changes.get("early", ()) if shown.whole}
    return render_template(
        "patrol.html",
        shown=shown,
        days=days,
        day=day,
        weekdays=[gettext(name) for name in WEEKDAYS],
        notes=dict(zip(shown.days, changes.get("notes", ()), strict=False)) if shown.whole else {},
        colours=COLOURS,
        links=map_links,
        planner=planner,
        absent=_people(changes.get("absent", ())) if planner else [],
        alone=_people(changes.get("alone", ())) if planner else [],
        faults=_faults(shown),
        early=early,
        idle=_idle(shown, early, day) if shown.whole else [],
        hows={kind: gettext(text) for kind, text in _HOWS.items()},
        editable=planner and shown.plan.wish is not None and shown.newest is shown.plan,
        module="patrol.js",
        scripts=[asset(path) for path in _SCRIPTS],
        styles=[asset(path) for path in _STYLES],
        imports={name: asset(path) for name, path in modules().items()},
        begin=begin(
            csrf=generate_csrf(),
            rounds=rounds,
            day=str(day) if day else "",
            plan=_arranged(shown) if planner else None,
        ),
    )


def _idle(shown: Shown, early: dict[int, str], day: date | None) -> list[dict[str, Any]]:
    """Those who have no round at all on a day, and why."""
    if shown.plan.wish is None:
        return []
    out = {one.route.unit for one in shown.rounds}
    units = units_of(from_json(shown.plan.wish))
    idle = [(number, *units[number]) for number in early if number not in out and number < len(units)]
    names = _names({uid for _, uid, _ in idle})
    return [
        {"name": names.get(uid, ""), "day": on, "why": early[number]}
        for number, uid, on in idle
        if day is None or on == day
    ]


def _names(uids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = db().execute(select(Person.uid, Person.name).where(Person.uid.in_(uids)))
    return {row.uid: row.name for row in rows}


def _faults(shown: Shown) -> list[dict[str, Any]]:
    """What the plan breaks, with names: of the person and the stop."""
    names = {key: stage.name for one in shown.rounds for stage in one.stages for key in stage.keys}
    people = {one.route.unit: one.names for one in shown.rounds}
    return [
        {"person": people.get(one["unit"], ""), "stop": names.get(one["key"], ""), "text": tell(one)}
        for one in (shown.plan.changes or {}).get("faults", ())
        if shown.whole
    ]


def _people(uids: Sequence[str]) -> list[str]:
    """Names of people that are kept with a version."""
    known = [uuid.UUID(uid) for uid in uids]
    return list(db().scalars(select(Person.name).where(Person.uid.in_(known)).order_by(Person.id)))


def _arranged(shown: Shown) -> dict[str, Any] | None:
    """What the page needs so that the plan can be changed on it."""
    plan = shown.plan
    if plan.wish is None:
        return None
    wish = from_json(plan.wish)
    units = units_of(wish)
    names = _names(set(wish.people))
    for uid in wish.leading:
        partner = detail_of(wish, uid).partner
        other = names.get(partner) if partner else None
        gone = (plan.changes or {}).get("absent", ())
        if other and str(uid) in gone:
            names[uid] = other
        elif other and str(partner) not in gone:
            names[uid] = gettext("{one} and {other}", one=names.get(uid, ""), other=other)
    orders = {one.route.unit: [_stop(stage) for stage in one.stages] for one in shown.rounds}
    return {
        "uid": str(plan.uid),
        "first": str(shown.versions[0].uid),
        "version": plan.version,
        "newest": str(shown.newest.uid),
        "drafts": [name for one in shown.versions if (name := (one.changes or {}).get("draft"))],
        "units": [
            {
                "name": names.get(uid, ""),
                "day": str(day),
                "said": f"{day:%m-%d} {gettext(WEEKDAYS[day.weekday()])}",
                "stops": orders.get(number, []),
            }
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
    return {
        "keys": stage.keys,
        "name": name,
        "kind": stage.kind.value,
        "address": stage.address,
        "at": [stage.lon, stage.lat],
    }


def _round(uid: uuid.UUID, route: uuid.UUID) -> tuple[Shown, Round]:
    shown = read_plan(db(), actor(), uid)
    for one in shown.rounds:
        if one.route.uid == route:
            return shown, one
    raise NotFoundError("There is no such plan, or it lies outside what you may see.")


def _newest(shown: Shown) -> Shown:
    """The newest version as far as the reader may know it: who walks no round of it knows just that."""
    if shown.newest is shown.plan:
        return shown
    if shown.opens_newest:
        return read_plan(db(), actor(), shown.newest.uid)
    return replace(shown, plan=shown.newest, rounds=())


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
    from gridmap.patrols.handing_out import as_gpx

    shown, one = _round(uid, route)
    return _file(
        as_gpx(shown, one),
        "application/gpx+xml",
        _named(shown, one, "gpx"),
    )


@pages.get("/<uuid:uid>/<uuid:route>.ics")
@needs(Permission.PATROL_READ)
def calendar(uid: uuid.UUID, route: uuid.UUID) -> Response:
    """Send all rounds of the person of one for a calendar, as the newest version has them.

    Those of a plan that was removed are cancelled.
    """
    from gridmap.patrols.handing_out import as_calendar, as_cancelled

    try:
        shown, one = _round(uid, route)
    except NotFoundError:
        gone = removed_rounds(db(), actor(), uid, route)
        return _file(as_cancelled(gone, now=now()), "text/calendar", f"patrol-{gone.rounds[0].day}.ics")
    lost = lost_rounds(db(), shown.plan, one.lead)
    return _file(
        as_calendar(_newest(shown), one.lead, now=now(), lost=lost),
        "text/calendar",
        _named(shown, one, "ics"),
    )


@pages.post("/<uuid:uid>/remove")
@needs(Permission.PATROL_PLAN)
def remove(uid: uuid.UUID) -> Redirection:
    """Remove a plan."""
    with writing(installation().engine) as session:
        remove_plan(session, actor(), uid, now=now())
    return redirect(url_for("patrols.index"))
