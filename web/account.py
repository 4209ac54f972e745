"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, redirect, render_template, request, session, url_for

from gridmap.demo.presence import PASSWORD, demo_logins, holds_demo
from gridmap.errors import GridmapError, PermissionDeniedError, ThrottledError
from gridmap.labels import label
from gridmap.language import explain
from gridmap.people.codes import has_codes, use_code
from gridmap.people.logins import is_open
from gridmap.people.models import Login
from gridmap.people.permissions import Role
from gridmap.people.signing_in import attempt, prove_password
from gridmap.people.throttle import Subject
from gridmap.store.engine import writing
from gridmap.trail.origin import Origin, set_origin
from web import sessions
from web.access import open_to_all
from web.errors import page_with_fault
from web.installation import db, installation, now, today

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

pages = Blueprint("account", __name__)

_FOR_THE_CODE = timedelta(minutes=10)


def local(target: str | None) -> str:
    """Only a path of this site may follow a sign-in."""
    # Browsers take a backslash for a slash, and drop tabs and line ends before they look.
    if (
        target
        and target.startswith("/")
        and not target.startswith("//")
        and "\\" not in target
        and target.isprintable()
    ):
        return target
    return "/"


def _demo() -> dict[str, Any]:
    """What the page says about itself where everything in the store is made up."""
    if not holds_demo(db()):
        return {"demo": []}
    return {
        "demo": [(name, label(Role(role))) for name, role in demo_logins(db())],
        "demo_password": PASSWORD,
    }


def form(target: str, error: GridmapError | None = None, *, template: str = "sign_in.html") -> Response:
    """Show a form of the sign-in, with what was wrong."""
    more = _demo() if template == "sign_in.html" else {}
    page = render_template(template, target=target, message=explain(error) if error else None, **more)
    return page_with_fault(page, error, status=401)


@pages.get("/sign-in")
@open_to_all
def sign_in() -> Response:
    """Show the form."""
    return form(local(request.args.get("next")))


@pages.post("/sign-in")
@open_to_all
def signed() -> Response:
    """Check the form, and begin a session or ask for the one-time code."""
    target = local(request.form.get("next"))
    try:
        login_id = prove_password(
            installation().engine,
            request.form.get("username", "").strip(),
            request.form.get("password", ""),
            address=sessions.address(),
            day=today(),
            now=now(),
        )
    except (PermissionDeniedError, ThrottledError) as error:
        return form(target, error)
    return enter(login_id, target)


def enter(login_id: int, target: str) -> Response:
    """Let somebody in who has proved who they are, or ask for the one-time code first."""
    if not has_codes(db(), login_id):
        return begin(login_id, target)
    sessions.forget()
    epoch = db().get_one(Login, login_id).session_epoch
    session["proved"] = {"login": login_id, "epoch": epoch, "at": int(now().timestamp()), "next": target}
    return redirect(url_for("account.ask_code"))


def begin(login_id: int, target: str) -> Response:
    """Begin the session."""
    with writing(installation().engine) as db_session:
        login = db_session.get_one(Login, login_id)
        where = f"web {sessions.address() or '-'} {request.method} {request.path}"
        set_origin(Origin(login.person.name, where, login.id))
        sessions.begin(db_session, login)
    return redirect(target)


def _proved() -> Login | None:
    """Return whose password was proved a moment ago in this browser, if it still counts."""
    proved = session.get("proved")
    if proved is None or now().timestamp() - proved["at"] > _FOR_THE_CODE.total_seconds():
        return None
    login = db().get(Login, proved["login"])
    if login is None or login.session_epoch != proved["epoch"] or not is_open(login, today()):
        return None
    return login


@pages.get("/sign-in/code")
@open_to_all
def ask_code() -> Response:
    """Show the form for the one-time code."""
    if _proved() is None:
        return redirect(url_for("account.sign_in"))
    return form(session["proved"]["next"], template="sign_in_code.html")


@pages.post("/sign-in/code")
@open_to_all
def take_code() -> Response:
    """Check the one-time code and begin a session."""
    login = _proved()
    if login is None:
        return redirect(url_for("account.sign_in"))
    here, target = installation(), session["proved"]["next"]
    try:
        subjects = [Subject.code(login.id), Subject.address(sessions.address())]
        with attempt(here.engine, subjects, now=now()), writing(here.engine) as db_session:
            code = request.form.get("code", "")
            use_code(db_session, login.id, code, key=here.settings.signing_key(), now=now())
    except (PermissionDeniedError, ThrottledError) as error:
        return form(target, error, template="sign_in_code.html")
    return begin(login.id, target)


@pages.post("/sign-out")
@open_to_all
def sign_out() -> Response:
    """End the session."""
    sessions.end()
    g.actor = None
    return redirect(url_for("account.sign_in"))
