"""How patrols go to one inspection point: in which hours, how often and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from geoalchemy2.shape import to_shape

from gridmap.errors import InvalidValueError
from gridmap.labels import site_label
from gridmap.language import gettext
from gridmap.patrols.rhythm import Rhythm
from gridmap.patrols.visiting import (
    LONGEST_STAY,
    RHYTHM_NAMES,
    Visiting,
    point_to_plan,
    rhythm_name,
    set_visiting,
)
from gridmap.people.permissions import Permission
from gridmap.places.queries import VISITS
from gridmap.store.engine import writing
from web.access import needs
from web.api.answering import today
from web.given import Given
from web.installation import actor, db, installation

if TYPE_CHECKING:
    import uuid

    from werkzeug.wrappers import Response

    from gridmap.places.models import InspectionPoint

__all__ = ["pages"]

pages = Blueprint("point_visits", __name__, url_prefix="/points")


@pages.get("/<uuid:uid>/visits")
@needs(Permission.PATROL_PLAN)
def show(uid: uuid.UUID) -> str:
    """Show what a point has of its own."""
    return _page(uid, Given(request.form))


def _page(uid: uuid.UUID, given: Given) -> str:
    point = point_to_plan(db(), actor(), uid, day=today())
    kept = {name: str(getattr(point, name) or "") for name in VISITS}
    typed = {name: given.text(name, kept[name]) for name in VISITS}
    rhythms = {value: gettext(name) for value, name in RHYTHM_NAMES.items()}
    if kept["visit_rhythm"]:
        rhythms.setdefault(kept["visit_rhythm"], rhythm_name(kept["visit_rhythm"]))
    return render_template(
        "point_visits.html",
        point=point,
        back=_on_map(point),
        typed=typed,
        faults=given.faults,
        rhythms=rhythms,
        site_label=site_label,
    )


@pages.post("/<uuid:uid>/visits")
@needs(Permission.PATROL_PLAN)
def save(uid: uuid.UUID) -> Response | tuple[str, int]:
    """Keep what a point has of its own."""
    given = Given(request.form)
    minutes = given.whole("visit_minutes", 1, LONGEST_STAY, 0) or None
    if not given.faults:
        try:
            rhythm = Rhythm.parse(given.text("visit_rhythm"), parameter="visit_rhythm")
            visiting = Visiting(given.text("visit_hours"), rhythm, minutes)
            with writing(installation().engine) as session:
                set_visiting(session, actor(), uid, visiting, day=today())
        except InvalidValueError as error:
            given.blame(error)
    if given.faults:
        return _page(uid, given), 422
    return redirect(_on_map(point_to_plan(db(), actor(), uid, day=today())))


def _on_map(point: InspectionPoint) -> str:
    at = to_shape(point.geometry).representative_point()
    return f"{url_for('map.show')}?open=point/{point.uid}#17/{at.y:.6f}/{at.x:.6f}"
