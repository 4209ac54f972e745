"""Changing a patrol plan by hand: judged at once, kept as its next version, searched again from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from pydantic import BaseModel, Field, StringConstraints, ValidationError
from sqlalchemy import select

from gridmap.errors import ConflictError
from gridmap.jobs import JobStoppedError
from gridmap.language import gettext
from gridmap.patrols.changing import Change, Changed, apply, judge, kept_orders, say
from gridmap.patrols.keeping import keep, newest, planned, require_newest, restore
from gridmap.patrols.planner import Asked, Found, search
from gridmap.patrols.wishes import detail_of
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.store.engine import reading, writing
from web.access import needs
from web.api.answering import now
from web.background import begin_job
from web.errors import validation_failed
from web.installation import actor, installation

if TYPE_CHECKING:
    import uuid

    from sqlalchemy.orm import Session
    from werkzeug.wrappers import Response as Redirection

    from gridmap.jobs import Progress as Report
    from gridmap.patrols.models import PatrolPlan
    from gridmap.patrols.planning import Progress
    from gridmap.patrols.wishes import Wish
    from gridmap.people.permissions import Actor
    from web.installation import Installation

__all__ = ["pages", "plan_title", "watching"]

pages = Blueprint("patrol_changes", __name__, url_prefix="/patrols")

_Key = Annotated[str, StringConstraints(max_length=80)]
_Unit = Annotated[int, Field(ge=0, le=10_000)]


class Arranged(BaseModel, extra="forbid"):
    """A plan as somebody arranged it."""

    orders: dict[_Unit, Annotated[list[_Key], Field(max_length=5000)]]
    pins: dict[_Key, _Unit] = {}
    banned: Annotated[list[_Key], Field(max_length=5000)] = []
    even_so: bool = False
    """Whether to keep it although it breaks something."""
    draft: _Key | None = None
    """What the page calls the draft that it keeps until it sees the version that comes out."""

    def change(self) -> Change:
        """Return it as the domain has it."""
        return Change(orders=self.orders, pins=self.pins, banned=frozenset(self.banned))

    def kept(self) -> dict[str, Any]:
        """Return what is kept of it with the plan."""
        return {"pins": self.pins, "banned": sorted(self.banned)}


def _pose(
    session: Session, here: Installation, who: Actor, uid: uuid.UUID, arranged: Arranged
) -> tuple[PatrolPlan, Asked, Changed]:
    plan = planned(session, who, uid)
    asked = here.questions.open(session, who, plan, network=here.network, zone=here.settings.zone, now=now())
    return plan, asked, apply(asked, arranged.change(), kept_orders(session, plan).modes)


def _absent(asked: Asked) -> dict[str, list[str]]:
    """People of the plan who cannot be sent any more, and who goes alone for that, as kept with a version."""
    if not asked.left:
        return {}
    alone = []
    for person in asked.wish.leading:
        pair = {person, detail_of(asked.wish, person).partner} - {None}
        if len(pair) == 2 and len(pair - asked.left) == 1:
            alone += [str(one) for one in pair - asked.left]
    gone = [str(one) for one in dict.fromkeys(asked.wish.people) if one in asked.left]
    return {"absent": gone, "alone": alone}


def _drawn(asked: Asked, changed: Changed) -> list[dict[str, Any]]:
    zone = installation().settings.zone

    def at(seconds: int) -> str:
        return asked.at(seconds).astimezone(zone).strftime("%H:%M")

    rounds = []
    for route in changed.plan.routes:
        line, metres = asked.posed.draw(route)
        rounds.append(
            {
                "unit": route.worker,
                "leaves": at(route.span.opens),
                "returns": at(route.span.closes),
                "metres": round(metres),
                "line": [[round(x, 6), round(y, 6)] for x, y in line.coords],
                "times": {
                    asked.posed.keys[visit.task]: [at(visit.starts), at(visit.finishes)]
                    for visit in route.visits
                },
            }
        )
    return rounds


@pages.post("/<uuid:uid>/check")
@needs(Permission.PATROL_PLAN)
def check(uid: uuid.UUID) -> Response:
    """Say what a change would make of a plan, and what it would break; nothing is kept."""
    try:
        arranged = Arranged.model_validate(request.get_json())
    except ValidationError as error:
        return validation_failed(error)
    with reading(installation().engine) as session:
        plan, asked, changed = _pose(session, installation(), actor(), uid, arranged)
        last = newest(session, plan).version
    answer = {
        "rounds": _drawn(asked, changed),
        "faults": say(asked, changed),
        "gone": changed.gone,
        "newest": last,
    }
    return jsonify(answer)


@pages.post("/<uuid:uid>/change")
@needs(Permission.PATROL_PLAN)
def change(uid: uuid.UUID) -> Response:
    """Keep a change as the next version; refused (412) when somebody else made one meanwhile."""
    try:
        arranged = Arranged.model_validate(request.get_json())
    except ValidationError as error:
        return validation_failed(error)
    with reading(installation().engine) as session:
        _, asked, changed = _pose(session, installation(), actor(), uid, arranged)
    broken = judge(asked, changed)
    if broken and not arranged.even_so:
        raise ConflictError("The plan breaks something in {n} places; nothing was kept.", n=len(broken))
    kept = arranged.kept() | {"how": "by hand", "faults": broken} | _absent(asked)
    with writing(installation().engine) as session:
        before = planned(session, actor(), uid)
        made = keep(session, actor(), Found(asked, changed.plan, 0.0), now=now(), after=before, changes=kept)
        where = url_for("patrols.show", uid=made.uid)
    return jsonify({"plan": where})


def plan_title(session: Session, who: Actor, wish: Wish) -> str:
    """What a plan is about: its area, where somebody may plan there, and its day."""
    area = session.scalar(select(Area).where(Area.uid == wish.area, Area.in_force(wish.day)))
    known = area is not None and who.scope(Permission.PATROL_PLAN).covers(area.id, None)
    return f"{area.name} {wish.day}" if area is not None and known else str(wish.day)


def watching(report: Report, said: str) -> Any:
    """Pass a search's progress on to a job; who stops the job stops the search and keeps the best so far."""

    def watch(progress: Progress) -> bool:
        try:
            report(progress.done, 1.0, said)
        except JobStoppedError:
            return True
        return False

    return watch


@pages.post("/<uuid:uid>/improve")
@needs(Permission.PATROL_PLAN)
def improve(uid: uuid.UUID) -> Response:
    """Begin to search again from a changed plan; what comes out is the next version."""
    try:
        arranged = Arranged.model_validate(request.get_json())
    except ValidationError as error:
        return validation_failed(error)
    here, who = installation(), actor()
    with reading(here.engine) as session:
        require_newest(session, planned(session, who, uid))
        # What makes no sense is said now, and not by a job.
        _, asked, changed = _pose(session, here, who, uid, arranged)
        title = plan_title(session, who, asked.wish)

    def work(report: Report) -> dict[str, Any]:
        report(0, 0, gettext("Looking for good rounds"))
        watch = watching(report, gettext("Looking for good rounds"))
        found = search(asked, watch, problem=changed.problem, start=changed.plan)
        with writing(here.engine) as session:
            before = planned(session, who, uid)
            kept = arranged.kept() | {"how": "improved", "of": before.version, "draft": arranged.draft}
            kept |= _absent(asked)
            # Whoever changed the plan meanwhile has their version before this one: nothing is lost.
            made = keep(session, who, found, now=now(), after=newest(session, before), changes=kept)
            return {
                "plan": str(made.uid),
                "rounds": len(found.plan.routes),
                "left_out": len(made.unfitted),
            }

    job = begin_job("patrols", work, title=title, page=lambda job: url_for("patrols.index", job=job))
    return jsonify({"job": url_for("patrols.index", job=job.uid)})


@pages.post("/<uuid:uid>/restore")
@needs(Permission.PATROL_PLAN)
def bring_back(uid: uuid.UUID) -> Redirection:
    """Make a former version the newest again."""
    with writing(installation().engine) as session:
        made = restore(session, actor(), uid, now=now()).uid
    return redirect(url_for("patrols.show", uid=made))
