"""The account page: everybody's own password, sessions and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from gridmap.errors import GridmapError, InvalidValueError, PermissionDeniedError, ThrottledError
from gridmap.labels import label
from gridmap.language import explain, gettext, listed
from gridmap.people import credentials
from gridmap.people.models import CredentialKind, Login, Organisation
from gridmap.people.passwords import SHORTEST_PASSWORD
from gridmap.people.signing_in import attempt, change_own_password
from gridmap.people.throttle import Subject
from gridmap.places.models import Area
from gridmap.store.engine import writing
from web import sessions
from web.access import before_duties, in_person, signed_in
from web.errors import page_with_fault
from web.installation import db, installation, now

if TYPE_CHECKING:
    import uuid

    from werkzeug.wrappers import Response

pages = Blueprint("own", __name__, url_prefix="/account")


def _roles(login: Login) -> list[str]:
    """The roles of a login with their limits, in words."""
    found = []
    for grant in login.grants:
        area = db().get(Area, grant.area_id) if grant.area_id else None
        body = db().get(Organisation, grant.organisation_id) if grant.organisation_id else None
        limits = [one.name for one in (area, body) if one is not None]
        found.append(f"{label(grant.role)} · {listed(limits) or gettext('everywhere')}")
    return found


def page(error: GridmapError | None = None, **more: object) -> Response:
    """Show the account of whoever is signed in, with what was wrong."""
    found = sessions.recognised()
    login = db().get_one(Login, found.login_id, populate_existing=True)
    uses = credentials.credentials_of(db(), login.id, now=now())
    text = render_template(
        "account.html",
        login=login,
        roles=_roles(login),
        must_change=login.must_change,
        shortest=SHORTEST_PASSWORD,
        here=found.credential_id,
        sessions=[use for use in uses if use.kind is CredentialKind.SESSION],
        tokens=sum(use.kind is CredentialKind.TOKEN for use in uses),
        has_code=found.has_code,
        message=explain(error) if error else None,
        done=request.args.get("done"),
        **more,
    )
    return page_with_fault(text, error)


@pages.get("")
@signed_in
@in_person
@before_duties
def show() -> Response:
    """Show the account."""
    return page()


@pages.post("/password")
@signed_in
@in_person
@before_duties
def change_password() -> Response:
    """Change the password; this session goes on under a new identity, all others end."""
    here, found = installation(), sessions.recognised()
    username = db().get_one(Login, found.login_id).username
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return page(InvalidValueError("The two new passwords are not the same.", parameter="again"))
    try:
        with attempt(here.engine, [Subject.name(username)], now=now()), writing(here.engine) as session:
            change_own_password(session, found.login_id, request.form.get("old", ""), new, now=now())
            sessions.renew(session)
    except PermissionDeniedError:
        return page(PermissionDeniedError("The present password is wrong."))
    except (InvalidValueError, ThrottledError) as error:
        return page(error)
    return redirect(url_for("own.show", done="password"))


@pages.post("/sessions/<uuid:uid>/end")
@signed_in
@in_person
@before_duties
def end_one(uid: uuid.UUID) -> Response:
    """End one of the own sessions or tokens."""
    with writing(installation().engine) as session:
        credentials.end_one(session, sessions.recognised().login_id, uid, now=now())
    return redirect(url_for("own.show"))


@pages.post("/sessions/end")
@signed_in
@in_person
@before_duties
def end_others() -> Response:
    """Sign out everywhere else."""
    with writing(installation().engine) as session:
        sessions.end_others(session)
    return redirect(url_for("own.show", done="sessions"))
