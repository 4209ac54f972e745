"""Persons and their logins: for the headquarters, and for area managers within their area."""

from __future__ import annotations

import uuid
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from sqlalchemy import select

from gridmap.errors import GridmapError, InvalidValueError
from gridmap.labels import label
from gridmap.language import explain
from gridmap.people import management
from gridmap.people.handover import Wish, foresee, hand_over, held_by
from gridmap.people.management import PersonRecord, find_person, may_manage, save_person, wishes_of
from gridmap.people.models import OrganisationKind
from gridmap.people.permissions import GIVES, Permission, Role
from gridmap.people.roll import PeopleFilter, logins_of, read_people
from gridmap.places.cards import Faces
from gridmap.places.models import Area
from gridmap.store.engine import writing
from web.access import in_person, needs
from web.api.answering import directory
from web.errors import status_of
from web.installation import actor, db, installation, now, today

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from werkzeug.wrappers import Response

    from gridmap.people.handover import Foreseen
    from gridmap.people.models import Grant

pages = Blueprint("people", __name__, url_prefix="/people")

_PAGE = 50
_ROWS = 4


def _uid(text: str, parameter: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError as error:
        raise InvalidValueError(
            "There is nothing with the uid {found}.", parameter=parameter, found=text
        ) from error


def _organisations() -> list[Any]:
    """Organisations within what the reader manages."""
    scope = actor().scope(Permission.PERSON_MANAGE)
    names = directory()
    return sorted(
        (one for one in names.organisations if scope.everywhere or scope.covers(one.area, one.id)),
        key=lambda one: one.name,
    )


def _areas() -> list[Any]:
    scope = actor().scope(Permission.PERSON_MANAGE)
    return [area for area in directory().areas if scope.areas is None or area.id in scope.areas]


def _knows(grant: Grant) -> bool:
    """Whether the reader may know where somebody's role holds."""
    scope, names = actor().scope(Permission.PERSON_MANAGE), directory()
    body = names.organisations.get(grant.organisation_id)
    area = grant.area_id or (body.area if body else None)
    return scope.everywhere or scope.covers(area, grant.organisation_id)


def _roles() -> list[tuple[str, str]]:
    """Roles that the reader may give."""
    may = {role for held in actor().holdings for role in GIVES.get(held.role, ())}
    return [(role.value, label(role)) for role in Role if role in may]


@pages.get("")
@needs(Permission.PERSON_MANAGE)
@in_person
def index() -> Response:
    """List the persons with their logins."""
    wanted = PeopleFilter(
        text=request.args.get("q", "").strip()[:100],
        only=request.args.get("show", ""),
        page=max(1, request.args.get("page", 1, type=int)),
    )
    found = read_people(db(), actor(), wanted, now=now(), day=today(), size=_PAGE)
    faces = Faces(directory(), actor())
    text = render_template(
        "people.html",
        found=found,
        wanted=wanted,
        faces=faces,
        organisations=_organisations(),
        names=directory(),
        role_name=label,
        knows=_knows,
        whole=actor().may_everywhere(Permission.PERSON_MANAGE),
        kinds=list(OrganisationKind),
        areas=_areas(),
        pages=-(-found.total // _PAGE),
    )
    return make_response(text)


def _form_record() -> PersonRecord:
    form = request.form
    return PersonRecord(
        name=form.get("name", ""),
        phone=form.get("phone", ""),
        duty=form.get("duty", ""),
        organisation=_uid(form.get("organisation", ""), "organisation"),
    )


@pages.post("")
@needs(Permission.PERSON_MANAGE)
@in_person
def add() -> Response:
    """Add a person."""
    with writing(installation().engine) as session:
        person = save_person(session, actor(), _form_record(), uid=None, today=today())
    return redirect(url_for("people.show", uid=person.uid))


def _page(
    uid: uuid.UUID,
    error: GridmapError | None = None,
    password: tuple[str, str] | None = None,
    foreseen: Foreseen | None = None,
) -> Response:
    person = find_person(db(), actor(), uid)
    everyone = read_people(db(), actor(), PeopleFilter(), now=now(), day=today(), size=2000)
    text = render_template(
        "person.html",
        person=person,
        logins=[(one, may_manage(actor(), one.login)) for one in logins_of(db(), [person.id], now=now())],
        held=held_by(db(), actor(), person, today()),
        others=[one.person for one in everyone.rows if one.person.id != person.id],
        organisations=_organisations(),
        areas=_areas(),
        roles=_roles(),
        rows=_ROWS,
        names=directory(),
        whole=actor().may_everywhere(Permission.PERSON_MANAGE),
        role_name=label,
        own=actor().login_id,
        today=today(),
        zone=installation().settings.zone,
        message=explain(error) if error else None,
        password=password,
        foreseen=foreseen,
        done=request.args.get("done"),
    )
    answer = make_response(text, 200 if error is None else int(status_of(error)))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/<uuid:uid>")
@needs(Permission.PERSON_MANAGE)
@in_person
def show(uid: uuid.UUID) -> Response:
    """Show one person: logins, roles, what they hold."""
    return _page(uid)


@pages.post("/<uuid:uid>")
@needs(Permission.PERSON_MANAGE)
@in_person
def change(uid: uuid.UUID) -> Response:
    """Change what is kept of a person."""
    find_person(db(), actor(), uid)
    try:
        with writing(installation().engine) as session:
            save_person(session, actor(), _form_record(), uid=uid, today=today())
    except GridmapError as error:
        return _page(uid, error)
    return redirect(url_for("people.show", uid=uid, done="saved"))


def _wishes(session: Session) -> list[management.GrantWish]:
    form = request.form
    rows = zip(form.getlist("role"), form.getlist("area"), form.getlist("body"), strict=False)
    return wishes_of(session, list(rows))


@pages.post("/<uuid:uid>/logins")
@needs(Permission.PERSON_MANAGE)
@in_person
def add_login(uid: uuid.UUID) -> Response:
    """Give the person a login, and show its first password, this once."""
    find_person(db(), actor(), uid)
    try:
        with writing(installation().engine) as session:
            person = find_person(session, actor(), uid)
            login, secret = management.add_login(
                session, actor(), person, request.form.get("username", ""), _wishes(session)
            )
            told = (login.username, secret)
    except GridmapError as error:
        return _page(uid, error)
    return _page(uid, password=told)


_ACTIONS = {"roles", "password", "disable", "enable", "end", "release", "codes"}


@pages.post("/<uuid:uid>/logins/<uuid:login>/<action>")
@needs(Permission.PERSON_MANAGE)
@in_person
def act(uid: uuid.UUID, login: uuid.UUID, action: str) -> Response:
    """Change a login of the person."""
    find_person(db(), actor(), uid)
    told = None
    try:
        with writing(installation().engine) as session:
            management.find_login(session, actor(), login)
            told = _act(session, login, action)
    except GridmapError as error:
        return _page(uid, error)
    if told is not None:
        return _page(uid, password=told)
    return redirect(url_for("people.show", uid=uid, done=action))


def _act(session: Session, login: uuid.UUID, action: str) -> tuple[str, str] | None:
    who = actor()
    if action == "password":
        changed, secret = management.reset_password(session, who, login, now=now())
        return changed.username, secret
    if action == "roles":
        management.give_roles(session, who, login, _wishes(session))
    elif action in {"disable", "enable"}:
        management.set_disabled(session, who, login, disabled=action == "disable")
    elif action == "end":
        management.end_sessions(session, who, login, now=now())
    elif action == "release":
        management.release_login(session, who, login)
    elif action == "codes":
        management.remove_login_codes(session, who, login, now=now())
    else:
        raise InvalidValueError(
            "Expected one of {expected}.", parameter="action", expected=", ".join(sorted(_ACTIONS))
        )
    return None


@pages.post("/<uuid:uid>/handover")
@needs(Permission.PERSON_MANAGE)
@in_person
def give_over(uid: uuid.UUID) -> Response:
    """Show what would go to somebody else from a day on; give it, as far as that has been seen."""
    find_person(db(), actor(), uid)
    form = request.form
    try:
        try:
            day = date.fromisoformat(form.get("day", ""))
        except ValueError as error:
            raise InvalidValueError("Expected a day such as 2026-05-01.", parameter="day") from error
        wish = Wish(to=_uid(form.get("to", ""), "to"), day=day, leaves=bool(form.get("leaves")))
        if not (seen := form.get("seen")):
            return _page(uid, foreseen=foresee(db(), actor(), uid, wish, today=today()))
        with writing(installation().engine) as session:
            hand_over(session, actor(), uid, wish, today=today(), now=now(), seen=seen)
    except GridmapError as error:
        return _page(uid, error)
    return redirect(url_for("people.show", uid=uid, done="handover"))


@pages.post("/organisations")
@needs(Permission.PERSON_MANAGE, everywhere=True)
@in_person
def add_organisation() -> Response:
    """Add an organisation."""
    form = request.form
    with writing(installation().engine) as session:
        area = _uid(form.get("area", ""), "area")
        area_id = None if area is None else session.scalar(select(Area.id).where(Area.uid == area))
        management.add_organisation(session, actor(), form.get("name", ""), form.get("kind", ""), area_id)
    return redirect(url_for("people.index", done="organisation"))
