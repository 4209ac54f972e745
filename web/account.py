"""Signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for

from gridmap.demo.presence import PASSWORD, demo_logins, holds_demo
from gridmap.errors import GridmapError, PermissionDeniedError, ThrottledError
from gridmap.labels import label
from gridmap.language import explain
from gridmap.people.models import Login
from gridmap.people.permissions import Role
from gridmap.people.signing_in import prove_password
from gridmap.store.engine import writing
from web import sessions
from web.access import open_to_all
from web.installation import db, installation, now, today

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

pages = Blueprint("account", __name__)


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


def form(target: str, status: int = 200, error: GridmapError | None = None) -> Response:
    """Show the form, with what was wrong."""
    message = explain(error) if error else None
    page = render_template("sign_in.html", target=target, message=message, **_demo())
    answer = make_response(page, status)
    if isinstance(error, ThrottledError):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


@pages.get("/sign-in")
@open_to_all
def sign_in() -> Response:
    """Show the form."""
    return form(local(request.args.get("next")))


@pages.post("/sign-in")
@open_to_all
def signed() -> Response:
    """Check the form and begin a session."""
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
    except PermissionDeniedError as error:
        return form(target, 401, error)
    except ThrottledError as error:
        return form(target, 429, error)
    with writing(installation().engine) as session:
        sessions.begin(session, session.get_one(Login, login_id))
    return redirect(target)


@pages.post("/sign-out")
@open_to_all
def sign_out() -> Response:
    """End the session."""
    sessions.end()
    return redirect(url_for("account.sign_in"))
