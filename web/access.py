"""Every route names the permission it needs, or says that it is open; one that does neither is closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from flask import current_app, g, redirect, request, url_for

from gridmap.errors import PermissionDeniedError
from gridmap.language import N_
from gridmap.trail.origin import Origin, set_origin
from web import sessions
from web.installation import installation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask
    from werkzeug.wrappers import Response

    from gridmap.people.credentials import Recognised
    from gridmap.people.permissions import Actor, Holding, Permission

__all__ = [
    "before_duties",
    "duty_of",
    "in_person",
    "install",
    "is_stateless",
    "needs",
    "needs_code",
    "needs_of",
    "open_to_all",
    "signed_in",
    "stateless",
    "takes_files",
    "takes_large",
]

_ATTRIBUTE = "gridmap_needs"
_STATELESS = "gridmap_stateless"
_TAKES_FILES = "gridmap_takes_files"
_IN_PERSON = "gridmap_in_person"
_EVERYWHERE = "gridmap_everywhere"
_BEFORE_DUTIES = "gridmap_before_duties"
OPEN = "open"
SIGNED_IN = "signed in"
VISITOR = "visitor"

View = TypeVar("View", bound="Callable[..., object]")


def needs(permission: Permission, *, everywhere: bool = False) -> Callable[[View], View]:
    """Declare the permission a route needs; the use case behind it limits by area and organisation.

    Parameters
    ----------
    everywhere
        Whether it is needed for the whole city.
    """

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, permission)
        setattr(view, _EVERYWHERE, everywhere)
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


def stateless(view: View) -> View:
    """Declare that an open route takes no notice of who is signed in: no cookie counts, no form token is due.

    For what other programs call without a login of ours, such as residents' reports through an open API.
    """
    setattr(view, _ATTRIBUTE, OPEN)
    setattr(view, _STATELESS, True)
    return view


def is_stateless(view: object) -> bool:
    """Whether a route takes no notice of who is signed in."""
    return bool(getattr(view, _STATELESS, False))


def takes_files(view: View) -> View:
    """Declare that an open route takes large requests, such as photos; it must be careful itself."""
    setattr(view, _TAKES_FILES, True)
    return view


def takes_large(view: object) -> bool:
    """Whether an open route takes large requests."""
    return bool(getattr(view, _TAKES_FILES, False))


def in_person(view: View) -> View:
    """Declare that a route is for people at a browser; no token of a machine opens it."""
    setattr(view, _IN_PERSON, True)
    return view


def before_duties(view: View) -> View:
    """Declare that a route is open to those who must first change their password or set up codes."""
    setattr(view, _BEFORE_DUTIES, True)
    return view


def needs_of(view: object) -> Permission | str | None:
    """Return what a route declared; None if it forgot to."""
    return getattr(view, _ATTRIBUTE, None)


class NotSignedInError(PermissionDeniedError):
    """The request has no login."""


def _check() -> Response | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions[request.endpoint]
    needed = needs_of(view)
    if getattr(view, _STATELESS, False):
        g.actor = g.recognised = None
    else:
        sessions.recognise()
    _say_who(g.actor)
    if needed == OPEN:
        return None
    if g.actor is None:
        return _elsewhere(NotSignedInError("Please sign in."), url_for("account.sign_in", next=_asked()))
    if getattr(view, _IN_PERSON, False) and sessions.by_token():
        raise PermissionDeniedError("This is for people at a browser, not for a token.")
    if not getattr(view, _BEFORE_DUTIES, False) and (duty := duty_of(sessions.recognised())):
        return _elsewhere(PermissionDeniedError(duty.message), url_for(duty.endpoint))
    if needed != SIGNED_IN and (needed is None or not g.actor.may(needed)):
        raise PermissionDeniedError("This needs the permission {permission}.", permission=str(needed))
    if getattr(view, _EVERYWHERE, False):
        g.actor.scope_everywhere(needed)
    return None


def _say_who(actor: Actor | None) -> None:
    """Say who acts in this request, for the trail; one without a login is a visitor."""
    address, path = request.remote_addr or "-", request.path
    if request.blueprint == "public" and request.url_rule is not None:
        # What is kept for ever holds neither a resident's address nor the code of their report.
        address, path = "-", request.url_rule.rule
    where = f"web {address} {request.method} {path}"
    set_origin(Origin(actor.name if actor else VISITOR, where, actor.login_id if actor else None))


def _asked() -> str:
    """The address to go on to after signing in; a change is not made again by looking at its address."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def _elsewhere(error: PermissionDeniedError, target: str) -> Response:
    """Lead a browser to where it can go on; tell a program what is in the way."""
    if request.path.startswith("/api/") or sessions.by_token():
        raise error
    return redirect(target)


@dataclass(frozen=True, slots=True)
class Duty:
    """What somebody has to do before anything else, and where."""

    endpoint: str
    message: str


_PASSWORD = Duty("own.show", N_("Please change the password first; somebody else chose it."))
_CODE = Duty("codes.show", N_("Your role needs one-time codes; please set them up first."))


def duty_of(found: Recognised) -> Duty | None:
    """Return what whoever makes the request has to do first."""
    if found.must_change:
        return _PASSWORD
    if not found.has_code and needs_code(found.actor.holdings):
        return _CODE
    return None


def needs_code(holdings: Iterable[Holding]) -> bool:
    """Whether one of the roles needs one-time codes in this installation."""
    needing = {name.strip() for name in installation().settings.code_roles.split(",")}
    return any(holding.role.value in needing for holding in holdings)


def install(app: Flask) -> None:
    """Check every request of `app`."""
    app.before_request(_check)
