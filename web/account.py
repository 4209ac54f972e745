"""Signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, session, url_for

from gridmap.demo.presence import PASSWORD, demo_logins, holds_demo
from gridmap.errors import PermissionDeniedError
from gridmap.labels import label
from gridmap.language import explain
from gridmap.people import logins
from gridmap.people.permissions import Role
from web.access import open_to_all
from web.installation import db

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

pages = Blueprint("account", __name__)


def _local(target: str | None) -> str:
    """Only a path of this site may follow a sign-in."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")):
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


@pages.get("/sign-in")
@open_to_all
def sign_in() -> str:
    """Show the form."""
    return render_template("sign_in.html", target=_local(request.args.get("next")), message=None, **_demo())


@pages.post("/sign-in")
@open_to_all
def signed() -> Response | tuple[str, int]:
    """Check the form and begin a session; the old one, with whatever was in it, ends."""
    target = _local(request.form.get("next"))
    try:
        login = logins.sign_in(
            db(), request.form.get("username", "").strip(), request.form.get("password", "")
        )
    except PermissionDeniedError as error:
        return render_template("sign_in.html", target=target, message=explain(error), **_demo()), 401
    language = session.get("language") or login.language
    session.clear()
    session.permanent = True
    session.update(login=login.id, epoch=login.session_epoch)
    if language:
        session["language"] = language
    return redirect(target)


@pages.post("/sign-out")
@open_to_all
def sign_out() -> Response:
    """End the session."""
    session.clear()
    return redirect(url_for("account.sign_in"))
