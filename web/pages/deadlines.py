"""The tables of limits and of the steps after them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select

from gridmap.deadlines.calendar import load_calendar
from gridmap.deadlines.models import StepKind, TimeLimit
from gridmap.deadlines.rules import (
    LimitWish,
    add_limit,
    change_category,
    change_step,
    move_limit,
    remove_limit,
)
from gridmap.deadlines.step_table import read_steps
from gridmap.errors import InvalidValueError
from gridmap.language import explain
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.problems.catalogue import missing_categories, take_catalogue
from gridmap.problems.models import Category, TimeUnit
from gridmap.store.engine import writing
from web.access import needs
from web.installation import actor, db, installation
from web.pages.notices import shown

if TYPE_CHECKING:
    import uuid

    from werkzeug.wrappers import Response

pages = Blueprint("deadlines", __name__, url_prefix="/deadlines")


def _number(name: str) -> int | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    if not text.lstrip("-").isdecimal() or len(text) > 9:
        raise InvalidValueError("Expected a whole number; found {found!r}.", parameter=name, found=text[:40])
    return int(text)


def _needed(name: str) -> int:
    number = _number(name)
    if number is None:
        raise InvalidValueError("Expected a whole number; found nothing.", parameter=name)
    return number


def _unit() -> TimeUnit:
    text = request.form.get("unit", "")
    if text not in set(TimeUnit):
        raise InvalidValueError(
            "Expected one of {expected}; found {found!r}.", expected=", ".join(TimeUnit), found=text[:40]
        )
    return TimeUnit(text)


@pages.get("")
@needs(Permission.DEADLINE_RULES, everywhere=True)
def show() -> str:
    """Show the calendar, every category's time, the conditions, and the steps."""
    actor().scope_everywhere(Permission.DEADLINE_RULES)
    here = installation().settings
    calendar = load_calendar(here)
    today = datetime.now(here.zone).date()
    categories = db().scalars(select(Category).where(Category.in_force(today)).order_by(Category.code)).all()
    areas = db().scalars(select(Area).where(Area.in_force(today)).order_by(Area.code)).all()
    return render_template(
        "deadlines.html",
        categories=categories,
        missing=missing_categories(db()),
        areas=areas,
        category_of={one.id: one for one in db().scalars(select(Category))},
        area_of={one.id: one for one in db().scalars(select(Area))},
        limits=db().scalars(select(TimeLimit).order_by(TimeLimit.position, TimeLimit.id)).all(),
        steps=read_steps(db()),
        reminds=StepKind.REMIND,
        units=list(TimeUnit),
        settings=here,
        years=sorted(calendar.listed.years),
        unknown=calendar.unknown_years(today),
        faults=[explain(fault) for fault in calendar.faults],
        **shown(),
    )


def _back(anchor: str) -> Response:
    return redirect(url_for("deadlines.show") + f"#{anchor}")


@pages.post("/categories")
@needs(Permission.DEADLINE_RULES, everywhere=True)
def catalogue() -> Response:
    """Create the usual categories that are not there yet."""
    with writing(installation().engine) as session:
        take_catalogue(session, actor())
    return _back("categories")


@pages.post("/categories/<code>")
@needs(Permission.DEADLINE_RULES, everywhere=True)
def category(code: str) -> Response:
    """Change a category's own time, and whether closing needs a photo taken after fixing."""
    with writing(installation().engine) as session:
        change_category(
            session,
            actor(),
            code,
            allowed=_needed("allowed"),
            unit=_unit(),
            after_photo=request.form.get("after_photo") == "1",
        )
    return _back(f"c-{code}")


@pages.post("/limits")
@needs(Permission.DEADLINE_RULES, everywhere=True)
def add() -> Response:
    """Add a condition."""
    given: dict[str, Any] = {name: request.form.get(name, "") for name in ("category", "area", "hours")}
    with writing(installation().engine) as session:
        add_limit(
            session,
            actor(),
            LimitWish(
                **given,
                allowed=_needed("allowed"),
                unit=_unit(),
                road_level=_number("road_level"),
                least_severity=_number("least_severity"),
                remark=request.form.get("remark", ""),
            ),
        )
    return _back("limits")


@pages.post("/limits/<uuid:uid>/move")
@needs(Permission.DEADLINE_RULES, everywhere=True)
def move(uid: uuid.UUID) -> Response:
    """Ask a condition before or after its neighbour."""
    with writing(installation().engine) as session:
        move_limit(session, actor(), uid, up=request.form.get("to") != "down")
    return _back("limits")


@pages.post("/limits/<uuid:uid>/remove")
@needs(Permission.DEADLINE_RULES, everywhere=True)
def remove(uid: uuid.UUID) -> Response:
    """Take a condition out."""
    with writing(installation().engine) as session:
        remove_limit(session, actor(), uid)
    return _back("limits")


@pages.post("/steps/<uuid:uid>")
@needs(Permission.DEADLINE_RULES, everywhere=True)
def step(uid: uuid.UUID) -> Response:
    """Change when a step is taken, or whether."""
    with writing(installation().engine) as session:
        change_step(
            session,
            actor(),
            uid,
            wait=_needed("wait"),
            unit=_unit(),
            enabled=request.form.get("enabled") == "1",
        )
    return _back("steps")
