"""Looking again at closed problems: drawing a sample, the checks, and what came of them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.language import gettext
from gridmap.look_back.queries import read_checks, read_samples, read_unsolved
from gridmap.look_back.service import Plan, Wish, draw_sample, plan_sample, verifiers
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.records import read_records
from gridmap.store.engine import writing
from gridmap.workflow.single import take_one
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import Action
from web.access import needs
from web.api.answering import directory, now, today
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from gridmap.look_back.models import CheckTask

__all__ = ["pages"]

pages = Blueprint("look_back", __name__, url_prefix="/look-back")

_SEEDS = 2**31


@pages.get("")
@needs(Permission.PROBLEM_VERIFY)
def index() -> str:
    """Show one's own checks; to who may plan, the samples and the form to draw another."""
    return _index()


def _index(**more: Any) -> str:
    scope = actor().scope(Permission.PROBLEM_VERIFY)
    mine = actor().person_id
    own = [] if mine is None else read_checks(db(), scope, person_id=mine, unanswered=True)
    planner = actor().may(Permission.LOOK_BACK_PLAN)
    samples = read_samples(db(), actor(), now=now()) if planner else []
    return render_template(
        "look_back.html",
        own=_shown(own),
        unsolved=_unsolved(),
        samples=samples,
        planner=planner,
        people=_people() if planner else [],
        **{"asked": _asked(), "plan": None, "fault": "", **more},
    )


def _unsolved() -> list[dict[str, Any]]:
    """Closed problems that residents call unsolved, with what is said of them."""
    scope = actor().scope(Permission.PROBLEM_VERIFY)
    found = read_unsolved(db(), scope)
    rows = _records([one.problem_id for one in found])
    return [{"said": one, "problem": rows[one.problem_id]} for one in found if one.problem_id in rows]


def _records(numbers: list[int]) -> dict[int, dict[str, Any]]:
    scope = actor().scope(Permission.PROBLEM_VERIFY)
    faces = Faces(directory(), actor())
    records = read_records(db(), numbers, faces=faces, scope=scope, moment=now())
    return {row["number"]: row for row in records.rows}


def _people() -> list[tuple[str, str]]:
    """Those who may look, as far as the reader may know them."""
    faces, names = Faces(directory(), actor()), directory()
    found = []
    for person, _ in verifiers(db(), today()):
        entry = names.persons.get(person.id)
        if entry is not None and faces.sees(entry):
            found.append((str(person.uid), person.name))
    return found


def _asked() -> dict[str, Any]:
    """What the form holds; at first the last thirty days and a new seed."""
    form = request.form
    return {
        "from": form.get("from") or (today() - timedelta(days=30)).isoformat(),
        "until": form.get("until") or today().isoformat(),
        "size": form.get("size") or "20",
        "due": form.get("due") or (today() + timedelta(days=7)).isoformat(),
        "seed": form.get("seed") or str(secrets.randbelow(_SEEDS)),
        "people": form.getlist("people"),
    }


def _wish(asked: dict[str, Any]) -> Wish:
    zone = installation().settings.zone

    def midnight(text: str, days: int = 0) -> datetime:
        day = datetime.fromisoformat(text).date() + timedelta(days=days)
        return datetime.combine(day, time(), zone).astimezone(UTC)

    try:
        return Wish(
            closed_from=midnight(asked["from"]),
            closed_until=midnight(asked["until"], 1),
            size=int(asked["size"]),
            seed=int(asked["seed"]),
            due_at=midnight(asked["due"], 1),
            people=tuple(UUID(uid) for uid in asked["people"]),
        )
    except ValueError as error:
        raise InvalidValueError("Expected days such as 2026-05-09 and whole numbers.") from error


@pages.post("/draw")
@needs(Permission.LOOK_BACK_PLAN)
def draw() -> Response | str:
    """Show which problems would be drawn, or draw them."""
    asked, here = _asked(), installation()
    try:
        wish = _wish(asked)
        if not request.form.get("seen"):
            plan = plan_sample(db(), actor(), wish, now=now(), today=today())
            return _index(asked=asked, plan=_told(plan))
        with writing(here.engine) as session:
            sample = draw_sample(session, actor(), wish, seen=request.form["seen"], now=now(), today=today())
            uid = sample.uid
    except InvalidValueError as error:
        return _index(asked=asked, fault=gettext(error.message, **error.params))
    return redirect(url_for("look_back.sample", uid=uid))


def _told(plan: Plan) -> dict[str, Any]:
    names = directory()

    def name(entry: Any) -> str:
        return "–" if entry is None else entry.name

    return {
        "strata": [
            (
                category.label if (category := names.categories.get(major)) else "–",
                name(names.areas.get(area)),
                there,
                taken,
            )
            for major, area, there, taken in plan.strata
        ],
        "count": len(plan.problems),
        "candidates": plan.candidates,
        "nobody": int((plan.people < 0).sum()),
        "seen": plan.fingerprint,
    }


@pages.get("/<uuid:uid>")
@needs(Permission.LOOK_BACK_PLAN)
def sample(uid: UUID) -> str:
    """Show the checks of a sample."""
    scope = actor().scope(Permission.LOOK_BACK_PLAN)
    found = [one for one in read_samples(db(), actor(), now=now(), limit=1000) if one.sample.uid == uid]
    if not found:
        raise NotFoundError("There is nothing at this address.")
    checks = read_checks(db(), scope, sample_uid=uid)
    return render_template(
        "look_back_sample.html",
        progress=found[0],
        checks=_shown(checks),
    )


def _shown(checks: list[CheckTask]) -> list[dict[str, Any]]:
    """Checks with what is said of their problems."""
    faces = Faces(directory(), actor())
    rows = _records([one.problem_id for one in checks])
    return [
        {"task": one, "problem": rows[one.problem_id], "person": faces.person(one.person_id)}
        for one in checks
        if one.problem_id in rows
    ]


@pages.post("/checks/<uuid:uid>")
@needs(Permission.PROBLEM_VERIFY)
def answer(uid: UUID) -> Response:
    """Say of a closed problem that it is still good, or bad again. `uid` is the problem's."""
    here = installation()
    action = Action.LOOK_BACK if request.form.get("result") == "good" else Action.REOPEN
    step = Step(action=action, note=request.form.get("note", ""))
    with writing(here.engine) as session:
        take_one(
            session,
            actor(),
            uid,
            step,
            faces=Faces(directory(), actor()),
            settings=here.settings,
            now=now(),
        )
    return redirect(url_for("look_back.index"))
