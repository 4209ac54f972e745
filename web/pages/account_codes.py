"""Setting one-time codes up and taking them away, by their owner."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import segno
from flask import Blueprint, redirect, render_template, request, url_for
from markupsafe import Markup

from gridmap.errors import GridmapError, InvalidValueError, PermissionDeniedError, ThrottledError
from gridmap.language import explain
from gridmap.people.codes import begin_codes, confirm_codes, recovery_codes_left, remove_codes
from gridmap.people.logins import check_password
from gridmap.people.models import Login
from gridmap.people.signing_in import attempt
from gridmap.people.throttle import Subject
from gridmap.store.engine import writing
from web import sessions
from web.access import before_duties, in_person, needs_code, signed_in
from web.errors import page_with_fault
from web.installation import actor, db, installation, now

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

pages = Blueprint("codes", __name__, url_prefix="/account/codes")


def _page(error: GridmapError | None = None, recovery: list[str] | None = None) -> Response:
    found, here = sessions.recognised(), installation()
    secret = picture = ""
    if not found.has_code and recovery is None:
        with writing(here.engine) as session:
            login = session.get_one(Login, found.login_id)
            secret, address = begin_codes(session, login, key=here.settings.signing_key())
        out = io.BytesIO()
        segno.make(address, error="m").save(out, kind="svg", scale=5, border=4, xmldecl=False, svgclass=None)
        # Made here from the address, which is percent-encoded: nothing in it comes from outside.
        picture = Markup(out.getvalue().decode())  # noqa: S704
    text = render_template(
        "account_codes.html",
        in_force=found.has_code or recovery is not None,
        needed=needs_code(actor().holdings),
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        picture=picture,
        recovery=recovery,
        left=recovery_codes_left(db(), found.login_id),
        message=explain(error) if error else None,
    )
    answer = page_with_fault(text, error)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("")
@signed_in
@in_person
@before_duties
def show() -> Response:
    """Show how to set codes up, or that they are in force."""
    return _page()


@pages.post("")
@signed_in
@in_person
@before_duties
def confirm() -> Response:
    """Put codes in force; this session goes on under a new identity, all others end."""
    found, here = sessions.recognised(), installation()
    subjects = [Subject.code(found.login_id)]
    try:
        with attempt(here.engine, subjects, now=now()), writing(here.engine) as session:
            key = here.settings.signing_key()
            made = confirm_codes(session, found.login_id, request.form.get("code", ""), key=key, now=now())
            sessions.end_others(session)
            sessions.renew(session)
    except GridmapError as error:
        return _page(error)
    return _page(recovery=made)


@pages.post("/remove")
@signed_in
@in_person
def remove() -> Response:
    """Take codes out of force, for whoever knows the password."""
    found, here = sessions.recognised(), installation()
    username = db().get_one(Login, found.login_id).username
    try:
        with attempt(here.engine, [Subject.name(username)], now=now()), writing(here.engine) as session:
            check_password(session, username, request.form.get("password", ""))
            remove_codes(session, found.login_id)
            sessions.renew(session)
    except PermissionDeniedError:
        return _page(InvalidValueError("The present password is wrong."))
    except ThrottledError as error:
        return _page(error)
    return redirect(url_for("own.show"))
