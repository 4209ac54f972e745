"""One table from domain errors to HTTP, and answers in the reader's language and format."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from geodata.errors import GeodataError
from gridmap.errors import (
    ConflictError,
    GridmapError,
    InvalidValueError,
    LimitReachedError,
    NotFoundError,
    PermissionDeniedError,
    SettingError,
    StaleVersionError,
    StoreError,
    ThrottledError,
)
from gridmap.labels import label
from gridmap.language import N_, explain, gettext
from gridmap.people.permissions import Permission
from web.access import NotSignedInError
from web.validation import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.sansio.app import App
    from pydantic import ValidationError

__all__ = [
    "STATUS",
    "answer_errors",
    "http_error",
    "install",
    "problem_document",
    "status_of",
    "validation_failed",
]

STATUS: dict[type[Exception], HTTPStatus] = {
    NotSignedInError: HTTPStatus.UNAUTHORIZED,
    PermissionDeniedError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    StaleVersionError: HTTPStatus.PRECONDITION_FAILED,
    ThrottledError: HTTPStatus.TOO_MANY_REQUESTS,
    ConflictError: HTTPStatus.CONFLICT,
    InvalidValueError: HTTPStatus.UNPROCESSABLE_ENTITY,
    LimitReachedError: HTTPStatus.TOO_MANY_REQUESTS,
    GeodataError: HTTPStatus.UNPROCESSABLE_ENTITY,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    SettingError: HTTPStatus.INTERNAL_SERVER_ERROR,
    GridmapError: HTTPStatus.BAD_REQUEST,
}


def status_of(error: Exception) -> HTTPStatus:
    """Return the status of a domain error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem_document(status: int, detail: str, **more: Any) -> Response:
    """Build an error answer of the API (RFC 9457)."""
    answer = jsonify({"status": status, "title": HTTPStatus(status).phrase, "detail": detail, **more})
    answer.status_code = status
    answer.content_type = "application/problem+json"
    return answer


def _wants_json() -> bool:
    return request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json"


_FORMATS = "gridmap error formats"


def answer_errors(app: App, prefix: str, write: Callable[[int, str], Response]) -> None:
    """Answer errors under a path in its own format, given the status and what is wrong."""
    app.extensions.setdefault(_FORMATS, {})[prefix] = write


def _answer(status: int, detail: str, **more: Any) -> Response | tuple[str, int]:
    formats: dict[str, Callable[[int, str], Response]] = current_app.extensions.get(_FORMATS, {})
    for prefix, write in formats.items():
        if request.path.startswith(prefix):
            return write(status, detail)
    if _wants_json():
        return problem_document(status, detail, **more)
    return render_template("error.html", status=status, detail=detail), status


def _domain_error(error: GridmapError | GeodataError) -> Response:
    parameter, said = getattr(error, "parameter", None), _said(error)
    more: dict[str, Any] = {"errors": [{"parameter": parameter, "message": said}]} if parameter else {}
    if isinstance(error, StaleVersionError):
        more["changes"] = error.changes
    answer = make_response(_answer(status_of(error), said, **more))
    if isinstance(error, ThrottledError):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _said(error: GridmapError | GeodataError) -> str:
    """Say what an error means; a permission by what it allows, and by its name."""
    name = error.params.get("permission")
    if not isinstance(error, PermissionDeniedError) or name is None:
        return explain(error)
    wanted = gettext("{name} ({code})", name=label(Permission(name)), code=name)
    return gettext(error.message, **error.params | {"permission": wanted})


_HTTP_MESSAGES = {
    400: N_("The request was not understood."),
    404: N_("There is nothing at this address."),
    405: N_("This address does not take this kind of request."),
    413: N_("The file is larger than this installation accepts."),
    429: N_("Too many requests; please wait a moment."),
}


def http_error(error: HTTPException) -> Response | tuple[str, int]:
    """Answer an error of the framework in the reader's language and format."""
    code = error.code or 500
    detail = gettext(_HTTP_MESSAGES[code]) if code in _HTTP_MESSAGES else error.description or ""
    return _answer(code, detail)


def _bug(error: Exception) -> Response | tuple[str, int]:
    current_app.logger.error("Unhandled error", exc_info=error)
    return _answer(500, gettext("An internal error; the server's log has the details."))


def page_with_fault(text: str, error: GridmapError | None, *, status: int = 422) -> Response:
    """Answer with a page that says what was wrong; who has to wait is told how long (429).

    Parameters
    ----------
    text
        The page.
    error
        What was wrong; None: nothing (200).
    status
        Where something was.
    """
    answer = make_response(text, 200 if error is None else status)
    if isinstance(error, ThrottledError):
        answer.status_code = 429
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def validation_failed(error: ValidationError) -> Response:
    """Answer 422 naming each parameter, what was expected and what was found."""
    faults = [
        {
            "parameter": ".".join(str(part) for part in fault["loc"]),
            "message": say(fault),
            "found": str(fault.get("input"))[:200],
        }
        for fault in error.errors(include_url=False)
    ]
    detail = "; ".join(f"{fault['parameter']}: {fault['message']} ({fault['found']})" for fault in faults)
    return problem_document(422, detail, errors=faults)


def install(app: Flask) -> None:
    """Register the handlers on `app`."""
    app.register_error_handler(GridmapError, _domain_error)
    app.register_error_handler(GeodataError, _domain_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, _bug)
