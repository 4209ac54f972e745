"""What if the assessors go differently: other orders and ways, other points, times compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import Blueprint, make_response, render_template, request

from geodata.errors import GeometryError
from gridmap.errors import InvalidValueError
from gridmap.inspections.alternatives import Laid, alternatives
from gridmap.inspections.deduction_table import read_table
from gridmap.inspections.preparing import expect
from gridmap.inspections.queries import read_route, see
from gridmap.inspections.tour import TourWish
from gridmap.labels import label
from gridmap.language import explain
from gridmap.people.permissions import Permission
from web.access import needs
from web.api.answering import now
from web.assets import asset
from web.given import Given
from web.installation import actor, db, installation

if TYPE_CHECKING:
    import uuid

    from werkzeug.wrappers import Response

    from gridmap.inspections.alternatives import Alternative
    from gridmap.inspections.queries import Passed

__all__ = ["pages"]

pages = Blueprint("what_if", __name__, url_prefix="/inspections")

_CODES = re.compile(r"[\s,，、;；]+")


@pages.get("/<uuid:uid>/what-if")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def show(uid: uuid.UUID) -> Response:
    """Show other tours beside the one that was laid."""
    route, line, stops = read_route(db(), uid)
    seen = see(db(), actor(), route, line, stops, now=now())
    here, given = installation(), Given(request.args)
    zone, table = here.settings.zone, read_table(here.settings.data_dir)
    usual = " ".join(one.point.code for one in stops)
    starts = given.moment("starts_at", route.starts_at, zone=zone)
    wish = TourWish(
        name=route.name,
        starts_at=starts,
        codes=tuple(dict.fromkeys(code for code in _CODES.split(given.text("codes", usual)) if code)),
        profile=route.profile,
        minutes_at_stop=given.whole("minutes_at_stop", 0, 240, route.minutes_at_stop),
    )
    found: list[Alternative] = []
    if not given.faults:
        try:
            day = starts.astimezone(zone).date()
            network = here.network.open(db())
            laid = Laid(line, stops, route.metres)
            found = alternatives(
                db(), actor(), wish, network=network, day=day, now=now(), table=table, laid=laid
            )
        except InvalidValueError as error:
            given.blame(error)
        except GeometryError as error:
            given.faults["codes"] = explain(error)
    page = render_template(
        "inspection_what_if.html",
        route=route,
        given={
            "codes": usual,
            "starts_at": starts.astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
            "minutes_at_stop": str(route.minutes_at_stop),
        }
        | given.fields.to_dict(),
        faults=given.faults,
        found=[_told(one, stops) for one in found],
        in_sight=int((~seen.corridor.hidden).sum()),
        deductions=expect(seen, route.profile, table),
        styles=[asset("css/patrols.css")],
    )
    return make_response(page, 422 if given.faults else 200)


def _told(one: Alternative, laid: tuple[Passed, ...]) -> dict[str, Any]:
    before = {passed.point.id: passed.stop.arrives_at for passed in laid}
    stops = []
    for passed in one.stops:
        at = before.get(passed.point.id)
        shift = None if at is None else round((passed.stop.arrives_at - at).total_seconds() / 60)
        stops.append({"point": passed.point, "stop": passed.stop, "shift": shift})
    here = {passed.point.id for passed in one.stops}
    return {
        "name": label(one.way),
        "way": one.way.value,
        "kilometres": one.tour.metres / 1000,
        "ends_at": one.ends_at,
        "in_sight": one.in_sight,
        "deductions": one.deductions,
        "stops": stops,
        "dropped": [passed.point.name for passed in laid if passed.point.id not in here],
        "codes": " ".join(passed.point.code for passed in one.stops),
        "shortest": one.tour.wish.shortest,
    }
