"""How much one caller may ask for, open routes by address and changes by login; and how large it may be."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from flask import current_app, g, make_response, request
from flask_limiter import Limiter, RateLimitExceeded

from gridmap.people.throttle import Subject
from web import sessions
from web.access import OPEN, needs_of, takes_large
from web.errors import http_error
from web.installation import installation

if TYPE_CHECKING:
    from flask import Flask, Response

    from gridmap.config import Settings

__all__ = ["install"]

_SMALL = 2**20
"""Bytes that a request to an open route may have: whoever sends it is not known yet."""
_READS = {"GET", "HEAD", "OPTIONS", "TRACE"}


def _open() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return view is not None and needs_of(view) == OPEN


def _key() -> str:
    """Under what a request is counted."""
    if g.get("actor") is not None and not _open():
        return f"login {g.actor.login_id}"
    return f"address {Subject.address(sessions.address()).key.hex()}"


def _limit() -> str:
    settings = installation().settings
    most = settings.open_requests_per_minute if _open() else settings.writes_per_minute
    if not settings.limits_url:
        # Each server process counts for itself, and gets its share of the requests.
        most = math.ceil(most / settings.workers)
    return f"{most} per minute"


def _not_counted() -> bool:
    settings = installation().settings
    if request.endpoint in {None, "static"}:
        return True
    if _open():
        return settings.open_requests_per_minute == 0
    return request.method in _READS or settings.writes_per_minute == 0


def _keep_small() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and _open() and not takes_large(view):
        request.max_content_length = _SMALL


def install(app: Flask, settings: Settings) -> None:
    """Count the requests of `app`, after it is known whom they come from."""
    limiter = Limiter(
        _key,
        app=app,
        application_limits=[_limit],
        storage_uri=settings.limits_url or "memory://",
        strategy="sliding-window-counter",
        # Where the shared counters cannot be reached, each process counts for itself.
        in_memory_fallback_enabled=bool(settings.limits_url),
    )
    limiter.request_filter(_not_counted)
    app.before_request(_keep_small)

    def refuse(error: RateLimitExceeded) -> Response:
        full = limiter.current_limit
        wait = 60 if full is None else max(1, math.ceil(full.reset_at - time.time()))
        answer = make_response(http_error(error))
        answer.headers["Retry-After"] = str(wait)
        return answer

    app.register_error_handler(RateLimitExceeded, refuse)
