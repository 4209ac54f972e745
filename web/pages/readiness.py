"""How ready an assessors' route is, and what to fix first: on a page and as Excel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Blueprint, Response, make_response, render_template, request

from gridmap.errors import InvalidValueError
from gridmap.inspections.deduction_table import read_table
from gridmap.inspections.preparing import HANDS, TO_VERIFY_H, Means, prepare, usual_hours
from gridmap.inspections.queries import read_route, see
from gridmap.inspections.readiness import Reason
from gridmap.labels import label
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.records import read_records
from web.access import needs
from web.api.answering import directory, now
from web.assets import asset
from web.given import Given
from web.installation import actor, db, installation

if TYPE_CHECKING:
    import uuid

    from gridmap.inspections.models import InspectionRoute
    from gridmap.inspections.preparing import Prepared
    from gridmap.inspections.queries import Passed, Seen

__all__ = ["Plan", "pages", "planned", "told_lines"]

pages = Blueprint("readiness", __name__, url_prefix="/inspections")

_MOST_SHOWN = 1000
_READ_AT_ONCE = 5000
_HOURS = "07:00-12:00,13:00-19:00"
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What the page shows of a route: what is seen, what is fixed first, and what was assumed."""

    route: InspectionRoute
    stops: tuple[Passed, ...]
    seen: Seen
    means: Means
    prepared: Prepared
    given: Given


def planned(uid: uuid.UUID, given: Given) -> Plan:
    """Read a route and work out its readiness with what a form says."""
    route, line, stops = read_route(db(), uid)
    seen = see(db(), actor(), route, line, stops, now=now())
    names, settings = directory(), installation().settings
    zone, table = settings.zone, read_table(settings.data_dir)
    begins = given.moment("begins_at", _soon(), zone=zone)
    if given.text("begins_at") and begins >= route.starts_at > now():
        given.faults["begins_at"] = gettext(
            "Expected a time before the assessors set out at {time}; found {found}.",
            time=f"{route.starts_at.astimezone(zone):%Y-%m-%d %H:%M}",
            found=f"{begins.astimezone(zone):%Y-%m-%d %H:%M}",
        )
    hands, hours = {}, {}
    for one in np.unique(seen.organisation).tolist():
        if entry := names.organisations.get(one):
            hands[one] = given.whole(f"hands-{entry.uid}", 0, 999, HANDS)
    for one, usual in usual_hours(seen, table).items():
        if category := names.categories.get(one):
            hours[one] = given.number(f"hours-{category.code}", 0.1, 999, usual)
    means = Means(
        begins_at=begins,
        spans=given.spans("spans", _HOURS),
        hands=hands,
        hours=hours,
        limit=given.number("limit", 0.1, 100, table.most_points),
        table=table,
    )
    return Plan(route, stops, seen, means, prepare(seen, route.profile, means, zone=zone), given)


def _soon() -> datetime:
    return now().astimezone(installation().settings.zone).replace(second=0, microsecond=0)


@pages.get("/<uuid:uid>/readiness")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def show(uid: uuid.UUID) -> Response:
    """Show the deductions to expect now and at arrival, and what to fix first."""
    plan = planned(uid, Given(request.args))
    lines = told_lines(plan, most=_MOST_SHOWN)
    remedy = plan.prepared.remedy
    first = [one for one in lines if one["reason"] is Reason.FIX]
    left = [one for one in lines if one["reason"] is not Reason.FIX]
    to_fix, all_left = len(remedy.order), len(remedy.reason) - len(remedy.order)
    page = render_template(
        "inspection_readiness.html",
        route=plan.route,
        plan=plan,
        faults=plan.given.faults,
        remedy=remedy,
        first=first,
        left=left,
        to_fix=to_fix,
        all_left=all_left,
        fields=_fields(plan),
        asked=request.query_string.decode(),
        rule=_rule(plan),
        tick=timedelta(minutes=1),
        styles=[asset("css/patrols.css")],
    )
    return make_response(page, 422 if plan.given.faults else 200)


@pages.get("/<uuid:uid>/readiness.xlsx")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def sheet(uid: uuid.UUID) -> Response:
    """Send the plan as an Excel workbook."""
    from gridmap.inspections.sheet import workbook

    plan = planned(uid, Given(request.args))
    if plan.given.faults:
        raise InvalidValueError(
            "Mend the form of the readiness page first; some of its fields make no sense."
        )
    lines, remedy = told_lines(plan), plan.prepared.remedy
    heads = [
        gettext("No."),
        gettext("Problem"),
        gettext("Case number"),
        gettext("Where"),
        gettext("Whose it is"),
        gettext("Responsible person"),
        gettext("Phone"),
        gettext("Hand-hours"),
        gettext("Done by"),
        gettext("Passed at"),
        gettext("Chance to be seen"),
        gettext("Gain, points"),
    ]
    first = [one for one in lines if one["reason"] is Reason.FIX]
    left = [one for one in lines if one["reason"] is not Reason.FIX]
    content = workbook(
        gettext("What to fix first: {route}", route=plan.route.name),
        [
            gettext(
                "Deductions to expect: {today} today, {later} at arrival; at least {bound} (gap {gap}).",
                today=f"{remedy.today:.2f}",
                later=f"{remedy.at_arrival:.2f}",
                bound=f"{remedy.bound:.2f}",
                gap=f"{remedy.gap:.2%}",
            )
        ],
        [
            (gettext("Fix first"), heads, [[n, *_cells(one)] for n, one in enumerate(first, 1)]),
            (
                gettext("What stays, and why"),
                [*heads, gettext("Why")],
                [[n, *_cells(one), one["why"]] for n, one in enumerate(left, 1)],
            ),
        ],
    )
    return Response(
        content,
        content_type=_EXCEL,
        headers={"Content-Disposition": f'attachment; filename="readiness-{plan.route.uid}.xlsx"'},
    )


def _cells(one: dict[str, Any]) -> list[Any]:
    problem = one["problem"]
    return [
        problem["category"]["name"] if problem["category"] else "",
        problem["number"],
        problem["address"] or one["where"],
        problem["organisation"]["name"] if problem["organisation"] else "",
        problem["person"]["name"] if problem["person"] else "",
        problem["phone"] or "",
        one["hours"],
        one["done"].strftime("%m-%d %H:%M") if one["done"] else "",
        one["passes"].strftime("%m-%d %H:%M"),
        one["chance"],
        one["gain"],
    ]


def told_lines(plan: Plan, most: int | None = None) -> list[dict[str, Any]]:
    """Problems of a plan in the order in which they are fixed, then the others by what they cost.

    Parameters
    ----------
    plan
        Of `planned`.
    most
        How many are told; None: all.
    """
    seen, prepared, zone = plan.seen, plan.prepared, installation().settings.zone
    remedy = prepared.remedy
    fixed = dict(zip(remedy.order.tolist(), range(len(remedy.order)), strict=True))
    cost = prepared.load.cost
    by_cost = cost.argsort(kind="stable")[::-1]
    order = np.r_[remedy.order, by_cost[~np.isin(by_cost, remedy.order)]][:most].tolist()
    by_number: dict[int, dict[str, Any]] = {}
    for begin in range(0, len(order), _READ_AT_ONCE):
        part = order[begin : begin + _READ_AT_ONCE]
        records = read_records(
            db(),
            seen.numbers[part].tolist(),
            faces=Faces(directory(), actor()),
            scope=actor().scope(Permission.PROBLEM_READ),
            moment=now(),
        )
        by_number |= {row["number"]: row for row in records.rows}
    told = []
    for n in order:
        row = by_number.get(int(seen.numbers[n]))
        if row is None:
            continue
        at = fixed.get(n)
        stop = int(seen.corridor.stop[n])
        passes = datetime.fromisoformat(f"{seen.passes_at[n].astype('datetime64[s]')}+00:00")
        told.append(
            {
                "problem": row,
                "reason": remedy.reason[n],
                "why": label(remedy.reason[n]),
                "hours": float(prepared.load.hours[n]),
                "chance": float(prepared.chance[n]),
                "cost": float(cost[n]),
                "gain": 0.0 if at is None else float(remedy.gain[at]),
                "done": None if at is None else _moment(plan, float(remedy.done[at])),
                "passes": passes.astimezone(zone),
                "where": plan.stops[stop].point.name
                if stop >= 0
                else gettext("metre {metre}", metre=round(float(seen.corridor.along_m[n]))),
                "stop": stop,
            }
        )
    return told


def _moment(plan: Plan, worked: float) -> datetime:
    """When so many working hours have gone by."""
    spans = sorted(plan.means.spans) or [(0, 1440)]
    at = plan.means.begins_at.astimezone(installation().settings.zone)
    left = worked * 60
    for day in range(400):
        midnight = (at + timedelta(days=day)).replace(hour=0, minute=0, second=0, microsecond=0)
        parts = [(0, b) for a, b in spans if b <= a] + [(a, b if b > a else 1440) for a, b in spans]
        for first, last in parts:
            begin = max(midnight + timedelta(minutes=first), at)
            room = (midnight + timedelta(minutes=last) - begin) / timedelta(minutes=1)
            if room >= left > 0 or (left == 0 and room >= 0):
                return begin + timedelta(minutes=left)
            left -= max(room, 0)
    return at


def _fields(plan: Plan) -> dict[str, list[tuple[str, str, str]]]:
    """Fields for hands and hours: name, what it is called, what was typed or is assumed."""
    names, given, seen = directory(), plan.given, plan.seen
    count = {one: int((seen.organisation == one).sum()) for one in plan.means.hands}
    hands = [
        (f"hands-{entry.uid}", f"{entry.name} ({count[one]})", given.text(f"hands-{entry.uid}") or str(value))
        for one, value in plan.means.hands.items()
        if (entry := names.organisations.get(one))
    ]
    hours = [
        (
            f"hours-{category.code}",
            category.label,
            given.text(f"hours-{category.code}") or f"{value:g}",
        )
        for one, value in plan.means.hours.items()
        if (category := names.categories.get(one))
    ]
    return {
        "hands": sorted(hands, key=lambda one: one[1]),
        "hours": sorted(hours, key=lambda one: one[1]),
        "plain": [
            ("begins_at", "", given.text("begins_at") or plan.means.begins_at.strftime("%Y-%m-%dT%H:%M")),
            ("spans", "", given.fields.get("spans", _HOURS)),
            ("limit", "", given.text("limit") or f"{plan.means.limit:g}"),
        ],
    }


def _rule(plan: Plan) -> dict[str, Any]:
    table = plan.means.table
    return {
        "points": [f"{value:g}" for value in table.points.tolist()[1:]],
        "passing": f"{table.passing[plan.route.profile]:.0%}",
        "profile": label(plan.route.profile),
        "at_stop": f"{table.at_stop:.0%}",
        "hidden": f"{table.at_stop_hidden:.0%}",
        "still": f"{table.still_there:.0%}",
        "verify": f"{TO_VERIFY_H:g}",
        "place": f"{table.place_m:.0f}",
    }
