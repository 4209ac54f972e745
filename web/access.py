"""Every route names the permission it needs, or says that it is open; one that does neither is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from flask import current_app, g, redirect, request, session, url_for

from gridmap.errors import PermissionDeniedError
from gridmap.people.logins import actor_of
from gridmap.trail.origin import Origin, set_origin
from web.installation import clocks, db, installation

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from werkzeug.wrappers import Response

    from gridmap.people.permissions import Actor, Permission

__all__ = ["install", "needs", "needs_of", "open_to_all", "signed_in"]

_ATTRIBUTE = "gridmap_needs"
OPEN = "open"
SIGNED_IN = "signed in"
VISITOR = "visitor"
_KEPT_ACTORS = 1000

View = TypeVar("View", bound="Callable[..., object]")


def needs(permission: Permission) -> Callable[[View], View]:
    """Declare the permission a route needs; the use case behind it limits by area and organisation."""

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, permission)
        return view

    return mark


def open_to_all(view: View) -> View:
    """Declare that a route is for everybody, without a login."""
    setattr(view, _ATTRIBUTE, OPEN)
    return view


def signed_in(view: View) -> View:
    """Declare that a route is for every login, whatever its roles."""
    setattr(view, _ATTRIBUTE, SIGNED_IN)
    return view


def needs_of(view: object) -> Permission | str | None:
    """Return what a route declared; None if it forgot to."""
    return getattr(view, _ATTRIBUTE, None)


class NotSignedInError(PermissionDeniedError):
    """The request has no login."""


def _known(login: int, epoch: int) -> Actor | None:
    """Return whose login it is, from memory as long as no login, person or area was changed."""
    at = clocks()
    key = (login, epoch, at.access, at.ground)
    kept = installation().actors
    if key not in kept:
        found = actor_of(db(), login, epoch)
        if len(kept) >= _KEPT_ACTORS:
            kept.clear()
        kept[key] = found
    return kept[key]


def _check() -> Response | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    needed = needs_of(current_app.view_functions[request.endpoint])
    g.actor = None
    login = session.get("login")
    if login is not None:
        g.actor = _known(login, session.get("epoch", 0))
        if g.actor is None:
            session.clear()
    _say_who(g.actor)
    if needed == OPEN:
        return None
    if g.actor is None:
        if request.path.startswith("/api/"):
            raise NotSignedInError("Please sign in.")
        return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")))
    if needed == SIGNED_IN:
        return None
    if needed is None or not g.actor.may(needed):
        raise PermissionDeniedError("This needs the permission {permission}.", permission=str(needed))
    return None


def _say_who(actor: Actor | None) -> None:
    """Say who acts in this request, for the trail; one without a login is a visitor."""
    where = f"web {request.remote_addr or '-'} {request.method} {request.path}"
    set_origin(Origin(actor.name if actor else VISITOR, where, actor.login_id if actor else None))


def install(app: Flask) -> None:
    """Check every request of `app`."""
    app.before_request(_check)
