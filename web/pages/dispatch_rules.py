"""The rules of dispatch: listed, tried, and changed after a look at what the change would move."""

from __future__ import annotations

import uuid
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select

from gridmap.dispatch.editing import Change, ChangeKind, Draft, apply_change, fingerprint, think_of
from gridmap.dispatch.moves import preview_moves
from gridmap.dispatch.rulebook import rules_in_force
from gridmap.dispatch.rules import Condition
from gridmap.dispatch.trying import Case, Trial, try_rules
from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.labels import label, site_label
from gridmap.language import N_, gettext
from gridmap.people.permissions import Permission
from gridmap.places.sites import SiteType
from gridmap.problems.models import Problem, Source
from gridmap.store.engine import writing
from web.access import needs
from web.api.answering import directory, now, today
from web.installation import actor, db, installation
from web.pages.moves_shown import shown_moves

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from gridmap.dispatch.models import DispatchRule
    from gridmap.places.directory import Directory

__all__ = ["pages"]

pages = Blueprint("dispatch_rules", __name__, url_prefix="/dispatch/rules")

_CONDITIONS = {
    Condition.AREA: N_("Area"),
    Condition.CATEGORY: N_("Category"),
    Condition.ROAD: N_("Priority road"),
    Condition.SITE: N_("Near"),
    Condition.HOURS: N_("Found within"),
    Condition.SOURCE: N_("Source"),
    Condition.SEVERITY: N_("Severity from"),
}
_DONE = {
    ChangeKind.ADD: N_("Add this rule"),
    ChangeKind.EDIT: N_("Change this rule"),
    ChangeKind.UP: N_("Ask this rule earlier"),
    ChangeKind.DOWN: N_("Ask this rule later"),
    ChangeKind.END: N_("End this rule"),
}


@pages.get("")
@needs(Permission.DISPATCH_RULES, everywhere=True)
def index() -> str:
    """List the rules, and the form to try them."""
    return _index()


def _index(**more: Any) -> str:
    actor().scope_everywhere(Permission.DISPATCH_RULES)
    rows = rules_in_force(db(), today())
    names = directory()
    shown = [{"row": row, "said": conditions(row, names), "to": _target(row, names)} for row in rows]
    return render_template(
        "dispatch_rules.html",
        rules=shown,
        seen=fingerprint(rows),
        categories=_categories(names),
        sources=[(one.value, label(one)) for one in Source],
        **{"trial": None, "asked": {}, **more},
    )


def conditions(row: DispatchRule, names: Directory) -> list[tuple[str, str]]:
    """What a rule asks of a problem, as pairs of words."""
    category = names.categories.get(row.category_id)
    values = {
        Condition.AREA: _name(names.areas.get(row.area_id)),
        Condition.CATEGORY: category.label if category else "",
        Condition.ROAD: _name(names.roads.get(row.road_id)),
        Condition.SITE: site_label(row.site_type) if row.site_type else "",
        Condition.HOURS: row.hours,
        Condition.SOURCE: label(row.source) if row.source else "",
        Condition.SEVERITY: str(row.least_severity) if row.least_severity else "",
    }
    return [(gettext(_CONDITIONS[one]), value) for one, value in values.items() if value]


def _name(entry: Any) -> str:
    return "" if entry is None else entry.name or entry.code


def _target(row: DispatchRule, names: Directory) -> str:
    person = names.persons.get(row.person_id)
    body = names.organisations.get(row.organisation_id or (person.organisation if person else None))
    return " · ".join(one.name for one in (body, person) if one)


def _categories(names: Directory) -> list[tuple[str, str, int]]:
    """Code, name and depth, each major before its minors."""
    majors = [one for one in names.categories if names.categories.get(one.parent) is None]
    return [
        (one.code, one.label, depth)
        for major in majors
        for depth, one in (
            (0, major),
            *((1, minor) for minor in names.categories if minor.parent == major.id),
        )
    ]


@pages.get("/form")
@needs(Permission.DISPATCH_RULES, everywhere=True)
def form() -> str:
    """Show the form of a new rule, or of one that is there."""
    uid = request.args.get("uid")
    if uid is None:
        return _form(uuid.uuid4(), Draft(), ChangeKind.ADD)
    row = next((one for one in rules_in_force(db(), today()) if str(one.uid) == uid), None)
    if row is None:
        raise NotFoundError("There is no such rule, or it has ended.")
    return _form(row.uid, _draft_of(row), ChangeKind.EDIT)


def _form(uid: uuid.UUID, draft: Draft, kind: ChangeKind, fault: str = "") -> str:
    actor().scope_everywhere(Permission.DISPATCH_RULES)
    names = directory()
    people: dict[str, list[Any]] = {}
    for person in names.persons:
        people.setdefault(_name(names.organisations.get(person.organisation)), []).append(person)
    return render_template(
        "dispatch_rule.html",
        uid=uid,
        draft=draft,
        kind=kind.value,
        fault=fault,
        areas=sorted(names.areas, key=lambda one: one.code),
        categories=_categories(names),
        roads=[one for one in names.roads if one.in_force(today())],
        sites=[(kind.value, label(kind)) for kind in SiteType],
        sources=[(one.value, label(one)) for one in Source],
        organisations=sorted(names.organisations, key=lambda one: one.name),
        people=sorted(people.items()),
        seen=fingerprint(rules_in_force(db(), today())),
    )


def _draft_of(row: DispatchRule) -> Draft:
    names = directory()

    def uid(entry: Any) -> str:
        return "" if entry is None else entry.uid

    category = names.categories.get(row.category_id)
    return Draft(
        name=row.name,
        area=uid(names.areas.get(row.area_id)),
        category=category.code if category else "",
        road=uid(names.roads.get(row.road_id)),
        site_type=row.site_type or "",
        hours=row.hours,
        source=row.source.value if row.source else "",
        least_severity=row.least_severity,
        organisation=uid(names.organisations.get(row.organisation_id)),
        person=uid(names.persons.get(row.person_id)),
        remark=row.remark,
    )


def _change() -> Change:
    """Read what the form says."""
    said: dict[str, Any] = {
        one.name: request.form.get(one.name, "").strip() for one in fields(Draft) if one.name in request.form
    }
    if "least_severity" in said:
        said["least_severity"] = int(said["least_severity"]) if said["least_severity"].isdigit() else 0
    try:
        return Change(
            kind=ChangeKind(request.form.get("kind", "")),
            uid=uuid.UUID(request.form.get("uid", "")),
            draft=Draft(**said),
        )
    except ValueError as error:
        raise InvalidValueError("The request was not understood.") from error


@pages.post("/preview")
@needs(Permission.DISPATCH_RULES, everywhere=True)
def preview() -> str:
    """Show what a change of the rules would move; nothing is changed yet."""
    change, on = _change(), today()
    try:
        thought = think_of(db(), actor(), change, on=on)
    except InvalidValueError as error:
        if change.kind not in {ChangeKind.ADD, ChangeKind.EDIT}:
            raise
        return _form(change.uid, change.draft, change.kind, gettext(error.message, **error.params))
    moves = preview_moves(db(), actor(), settings=installation().settings, now=now(), rules=thought)
    names = directory()
    before = {row.uid: row for row in rules_in_force(db(), on)}
    row = next((one for one in thought if one.uid == change.uid), before.get(change.uid))
    numbers = [position for position, one in enumerate(thought, 1) if one.uid == change.uid]
    return render_template(
        "dispatch_preview.html",
        change=change,
        title=gettext(_DONE[change.kind]),
        row=row,
        number=numbers[0] if numbers else None,
        of=len(thought),
        said=conditions(row, names) if row else [],
        to=_target(row, names) if row else "",
        kept=asdict(change.draft),
        seen=request.form.get("seen", ""),
        **shown_moves(moves, ("organisation_id", "person_id")),
    )


@pages.post("/apply")
@needs(Permission.DISPATCH_RULES, everywhere=True)
def apply() -> Response:
    """Change the rules as they were previewed."""
    change = _change()
    with writing(installation().engine) as session:
        apply_change(session, actor(), change, seen=request.form.get("seen", ""), on=today())
    return redirect(url_for("dispatch_rules.index") + f"#r-{change.uid}")


@pages.post("/try")
@needs(Permission.DISPATCH_RULES, everywhere=True)
def attempt() -> str:
    """Say which rule takes a place, a category and an hour, and why each earlier one does not."""
    asked = {name: request.form.get(name, "").strip() for name in ("place", "category", "at", "source")}
    try:
        case = _case(asked)
        trial = try_rules(db(), actor(), case, settings=installation().settings, now=now())
    except InvalidValueError as error:
        return _index(asked=asked, trial_fault=gettext(error.message, **error.params))
    return _index(asked=asked, trial=_trial(trial))


def _case(asked: dict[str, str]) -> Case:
    place = asked["place"].lstrip("#")
    if place.isdigit():
        found = db().execute(
            select(
                Problem.lon,
                Problem.lat,
                Problem.category_id,
                Problem.found_at,
                Problem.source,
                Problem.severity,
            ).where(Problem.id == int(place))
        )
        known = found.one_or_none()
        if known is None:
            raise InvalidValueError("There is no problem with the number {found}.", found=place)
        return Case(
            lon=known.lon,
            lat=known.lat,
            category=known.category_id,
            found_at=known.found_at,
            source=known.source,
            severity=known.severity,
        )
    try:
        lon, lat = (float(part) for part in place.replace("，", ",").split(","))
        local = datetime.fromisoformat(asked["at"]) if asked["at"] else now()
        source = Source(asked["source"] or Source.PATROL.value)
    except ValueError as error:
        raise InvalidValueError(
            "Expected a case number, or longitude and latitude such as 121.47,31.23; found “{found}”.",
            parameter="place",
            found=asked["place"],
        ) from error
    category = directory().category(asked["category"])
    if category is None:
        raise InvalidValueError("Choose a category.", parameter="category")
    zone = installation().settings.zone
    found_at = (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    return Case(lon=lon, lat=lat, category=category.id, found_at=found_at, source=source)


def _trial(trial: Trial) -> dict[str, Any]:
    names, choice, whose = directory(), trial.choice, trial.whose
    return {
        "reason": choice.reasons[0],
        "organisation": _name(names.organisations.get(int(choice.organisation[0]))),
        "person": _name(names.persons.get(int(choice.person[0]))),
        "area": _name(names.areas.get(int(whose.area_id[0]))),
        "cell": _name(names.cells.get(int(whose.cell_id[0]))),
        "road": _name(names.roads.get(int(whose.road_id[0]))),
        "passed": [
            (one, [gettext(_CONDITIONS[condition]) for condition in one.failed]) for one in trial.passed
        ],
    }
