"""Posts along an assessors' route: who stands where from when to when; sheets for each person."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.inspections.post_queries import Stationed, read_own_posts, read_post, read_posts
from gridmap.inspections.posting import PostWish, plan_posts, post_people, responsible, station
from gridmap.inspections.queries import read_route
from gridmap.labels import label
from gridmap.language import explain
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.store.engine import writing
from web.access import needs, signed_in
from web.api.answering import directory, now
from web.assets import asset
from web.given import Given
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from gridmap.places.directory import PersonEntry

__all__ = ["pages", "told_posts"]

pages = Blueprint("posts", __name__, url_prefix="/inspections")

_MOST_FOUND = 60


def told_posts(posts: list[Stationed]) -> list[dict[str, Any]]:
    """Posts with their people as the reader may know them."""
    faces, names, zone = Faces(directory(), actor()), directory(), installation().settings.zone
    there = Counter((one.post.route_id, one.stop.id) for one in posts if one.post.person_id is not None)
    told = []
    for one in posts:
        entry = names.persons.get(one.post.person_id)
        body = names.organisations.get(entry.organisation) if entry else None
        told.append(
            {
                "uid": one.post.uid,
                "route": one.route,
                "position": one.stop.position + 1,
                "point": one.point,
                "person": faces.person(one.post.person_id),
                "phone": faces.phone(one.post.person_id),
                "organisation": body.name if body else "",
                "begins": one.post.begins_at.astimezone(zone),
                "ends": one.post.ends_at.astimezone(zone),
                "arrives": one.stop.arrives_at.astimezone(zone),
                "leaves": one.stop.leaves_at.astimezone(zone),
                "empty": label(one.post.empty) if one.post.empty else "",
                "held": one.post.person_id is not None,
                "beside": there[one.post.route_id, one.stop.id],
                "picked": one.post.picked,
            }
        )
    return told


def _page(uid: uuid.UUID, given: Given) -> Response:
    route, _, _ = read_route(db(), uid)
    posts = told_posts(read_posts(db(), route))
    sheets: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in posts:
        if one["person"]:
            sheets[one["person"]["uid"]].append(one)
    page = render_template(
        "inspection_posts.html",
        route=route,
        posts=posts,
        sheets=sorted(sheets.values(), key=lambda mine: mine[0]["begins"]),
        empty=sum(not one["held"] and not one["beside"] for one in posts),
        short=sum(not one["held"] and one["beside"] > 0 for one in posts),
        given={"before": "30", "after": "10", "each": "1"} | given.fields.to_dict(),
        chosen=given.fields.getlist("others"),
        people=_people(),
        faults=given.faults,
        styles=[asset("css/patrols.css")],
    )
    return make_response(page, 422 if given.faults else 200)


def _people(words: str = "") -> list[tuple[PersonEntry, str]]:
    """Persons the reader may know, with their organisation, by name."""
    faces, names = Faces(directory(), actor()), directory()
    found = []
    for entry in names.persons:
        body = names.organisations.get(entry.organisation)
        told = body.name if body else ""
        if faces.sees(entry) and all(word in f"{entry.name} {told}" for word in words.split()):
            found.append((entry, told))
    return sorted(found, key=lambda one: (one[1], one[0].name))


@pages.get("/<uuid:uid>/posts")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def show(uid: uuid.UUID) -> Response:
    """Show who stands where, and the sheet of each person."""
    return _page(uid, Given(request.args))


@pages.post("/<uuid:uid>/posts")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def post(uid: uuid.UUID) -> Response:
    """Post people anew."""
    given, here = Given(request.form), installation()
    wish = PostWish(
        before=given.whole("before", 0, 240, 30),
        after=given.whole("after", 0, 240, 10),
        each=given.whole("each", 1, 5, 1),
        others=tuple(found for text in request.form.getlist("others") if (found := _uid(text))),
    )
    if given.faults:
        return _page(uid, given)
    route, _, _ = read_route(db(), uid)
    day = route.starts_at.astimezone(here.settings.zone).date()
    network = here.network.open(db())
    try:
        plan = plan_posts(db(), actor(), uid, wish, network=network, day=day)
    except InvalidValueError as error:
        given.blame(error)
        return _page(uid, given)
    with writing(here.engine) as session:
        post_people(session, actor(), plan)
    return redirect(url_for("posts.show", uid=uid, **_typed(wish)))


def _typed(wish: PostWish) -> dict[str, Any]:
    return {
        "before": wish.before,
        "after": wish.after,
        "each": wish.each,
        "others": list(map(str, wish.others)),
    }


def _uid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@pages.get("/posts/<uuid:uid>")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def choose(uid: uuid.UUID) -> Response:
    """Show who could stand at a post instead."""
    return _choose(uid)


def _choose(uid: uuid.UUID, fault: str = "", status: int = 200) -> Response:
    one = read_post(db(), uid)
    words = request.values.get("q", "").strip()[:100]
    day = one.post.begins_at.astimezone(installation().settings.zone).date()
    first = [person for person, _ in responsible(db(), [one.point], day)[one.point.id]]
    people = {entry.id: (entry, body) for entry, body in _people()}
    listed = [people[person] for person in first if person in people]
    found = [] if not words else [pair for pair in _people(words) if pair[0].id not in first]
    page = render_template(
        "inspection_post.html",
        one=told_posts([one])[0],
        route=one.route,
        listed=listed,
        found=found[:_MOST_FOUND],
        more=max(0, len(found) - _MOST_FOUND),
        words=words,
        fault=fault,
        styles=[asset("css/patrols.css")],
    )
    return make_response(page, status)


@pages.post("/posts/<uuid:uid>")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def put(uid: uuid.UUID) -> Response:
    """Put somebody at a post, or leave it empty."""
    here, text = installation(), request.form.get("person", "")
    person = _uid(text)
    if text and person is None:
        raise NotFoundError("There is no such person.")
    one = read_post(db(), uid)
    day = one.post.begins_at.astimezone(here.settings.zone).date()
    network = here.network.open(db())
    # Made ready here: the first time takes seconds, in which nobody else could write.
    network.router()
    try:
        with writing(here.engine) as session:
            station(session, actor(), uid, person, network=network, day=day)
    except ConflictError as error:
        return _choose(uid, explain(error), 409)
    return redirect(url_for("posts.show", uid=one.route.uid))


@pages.get("/posts")
@signed_in
def own() -> str:
    """Show the posts that the reader has to hold."""
    return render_template(
        "inspection_own_posts.html",
        posts=told_posts(read_own_posts(db(), actor(), now=now())),
        styles=[asset("css/patrols.css")],
    )
