"""Resumable uploads by the tus protocol 1.0.0: core, creation, creation-with-upload, expiration, termination.

Source: https://tus.io/protocols/resumable-upload . The name of an upload is the uid of the attachment that it
becomes, made by the sender: beginning it again after a lost answer goes on where it stopped.
"""

from __future__ import annotations

import uuid
from email.utils import format_datetime
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, cast

from flask import Response, abort, request, url_for
from pydantic import ValidationError
from werkzeug.exceptions import ClientDisconnected

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.evidence.examination import examine
from gridmap.evidence.files import Vault
from gridmap.evidence.service import add_attachment, admit, find_own
from gridmap.evidence.uploads import Partial, Uploads
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.store.engine import writing
from web.access import needs, open_to_all
from web.api.answering import now
from web.api.blueprint import EVIDENCE, api
from web.api.evidence_parameters import NewUpload, read_metadata
from web.api.models import Fault
from web.api.parameters import UidPath
from web.errors import problem_document, validation_failed
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["MethodOverride"]

_VERSION = "1.0.0"
_EXTENSIONS = "creation,creation-with-upload,expiration,termination"
_PIECES = "application/offset+octet-stream"
_PATH = "/api/v1/uploads"
_ROUTE: dict[str, Any] = {"tags": [EVIDENCE]}
_FAULTS: dict[str | int, Any] = {"404": Fault, "409": Fault, "412": Fault}


class MethodOverride:
    """Let senders whose network lets only POST through name the method they mean, as tus has it.

    Parameters
    ----------
    app
        The application behind it.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        method = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "").upper()
        if method in {"PATCH", "DELETE", "HEAD"} and environ.get("PATH_INFO", "").startswith(_PATH):
            environ["REQUEST_METHOD"] = method
        return self._app(environ, start_response)


def _most() -> int:
    settings = installation().settings
    return max(settings.photo_megabytes, settings.video_megabytes) << 20


def _uploads() -> Uploads:
    return Uploads(Vault(installation().settings.data_dir))


@api.before_request
def _speak_tus() -> Response | None:
    if not request.path.startswith(_PATH) or request.method == "OPTIONS":
        return None
    if request.headers.get("Tus-Resumable") == _VERSION:
        return None
    answer = problem_document(
        HTTPStatus.PRECONDITION_FAILED,
        gettext(
            "Expected the header Tus-Resumable: {expected}; found {found}.",
            expected=_VERSION,
            found=request.headers.get("Tus-Resumable", "-")[:20],
        ),
    )
    answer.headers["Tus-Version"] = _VERSION
    return answer


@api.after_request
def _dress(response: Response) -> Response:
    if request.path.startswith(_PATH):
        if request.method != "OPTIONS":
            response.headers["Tus-Resumable"] = _VERSION
        response.headers["Cache-Control"] = "no-store"
    return response


@open_to_all
def _options(uid: str = "") -> Response:  # noqa: ARG001 - the same for every upload
    """Say what this server speaks."""
    headers = {"Tus-Resumable": _VERSION, "Tus-Version": _VERSION, "Tus-Extension": _EXTENSIONS}
    return Response(status=204, headers=headers | {"Tus-Max-Size": str(_most())})


for _rule in ("/uploads", "/uploads/<uid>"):
    api.add_url_rule(_rule, "upload_options", _options, methods=["OPTIONS"], provide_automatic_options=False)


def _number(name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InvalidValueError(
            "Expected the header {name} to be a whole number; found {found!r}.",
            parameter=name,
            name=name,
            found=text[:40],
        )
    return int(text)


def _statement(header: str) -> NewUpload:
    try:
        return NewUpload.model_validate(read_metadata(header))
    except ValidationError as error:
        abort(validation_failed(error))


@api.post("/uploads", responses={"201": None, "413": Fault, "429": Fault, **_FAULTS}, **_ROUTE)
@needs(Permission.EVIDENCE_ADD)
def begin_upload() -> Response:
    """Begin a resumable upload (tus creation); Upload-Metadata says what of, with its uid."""
    length, header = _number("Upload-Length"), request.headers.get("Upload-Metadata", "")
    said = _statement(header)
    if length > _most():
        abort(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if length == 0:
        raise InvalidValueError(
            "Expected a file with content; found an empty one.", parameter="Upload-Length"
        )
    where = {"Location": url_for("api.upload", uid=said.uid)}
    known = find_own(db(), actor(), said.uid)
    if known is not None:
        return Response(status=201, headers=where | {"Upload-Offset": str(known.size)})
    admit(db(), actor(), settings=installation().settings, now=now())
    _uploads().create(said.uid, Partial(login_id=actor().login_id, length=length, said=header))
    # Begun again, it goes on where it was.
    _, offset = _uploads().find(said.uid, login_id=actor().login_id)
    if offset == 0 and request.mimetype == _PIECES:
        offset = _go_on(said.uid, at=0)
    return Response(status=201, headers=where | _state(said.uid, offset))


def _state(uid: uuid.UUID, offset: int) -> dict[str, str]:
    headers = {"Upload-Offset": str(offset)}
    try:
        headers["Upload-Expires"] = format_datetime(_uploads().expires(uid), usegmt=True)
    except FileNotFoundError:
        # It is finished.
        return headers
    return headers


@api.get("/uploads/<uid>", responses={"200": None, **_FAULTS}, **_ROUTE)
@needs(Permission.EVIDENCE_ADD)
def upload(path: UidPath) -> Response:
    """Ask how far an upload is (tus core): HEAD, or GET with the same headers."""
    uid = uuid.UUID(path.uid)
    known = find_own(db(), actor(), uid)
    if known is not None:
        return Response(headers={"Upload-Offset": str(known.size), "Upload-Length": str(known.size)})
    partial, offset = _uploads().find(uid, login_id=actor().login_id)
    headers = {"Upload-Length": str(partial.length), "Upload-Metadata": partial.said}
    return Response(headers=headers | _state(uid, offset))


@api.patch("/uploads/<uid>", responses={"204": None, "415": Fault, **_FAULTS}, **_ROUTE)
@needs(Permission.EVIDENCE_ADD)
def upload_more(path: UidPath) -> Response:
    """Send more of an upload, from Upload-Offset (tus core); with its end, it becomes an attachment.

    422: the file is refused, and the upload forgotten.
    """
    uid, at = uuid.UUID(path.uid), _number("Upload-Offset")
    if request.mimetype != _PIECES:
        abort(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, gettext("Expected content of the type {type}.", type=_PIECES)
        )
    known = find_own(db(), actor(), uid)
    if known is None:
        return Response(status=204, headers=_state(uid, _go_on(uid, at=at)))
    if at != known.size:
        abort(HTTPStatus.CONFLICT, gettext("This upload is finished."))
    return Response(status=204, headers={"Upload-Offset": str(known.size)})


class _Arriving:
    """The request's body; a lost connection is its end."""

    def read(self, size: int) -> bytes:
        try:
            return request.stream.read(size)
        except (ClientDisconnected, OSError):
            return b""


def _go_on(uid: uuid.UUID, *, at: int) -> int:
    uploads, login = _uploads(), actor().login_id
    offset = uploads.append(uid, cast("IO[bytes]", _Arriving()), at=at, login_id=login)
    partial, _ = uploads.find(uid, login_id=login)
    if offset == partial.length:
        _finish(uploads, uid, partial)
    return offset


def _finish(uploads: Uploads, uid: uuid.UUID, partial: Partial) -> None:
    settings = installation().settings
    said = _statement(partial.said)
    whole = said.upload(uid, uploads.file(uid), file_name=said.filename, zone=settings.zone)
    try:
        examined = examine(whole, settings=settings)
        with writing(installation().engine) as session:
            add_attachment(session, actor(), examined, settings=settings, now=now())
    except (InvalidValueError, NotFoundError):
        # It will not become better by being sent again.
        uploads.remove(uid)
        raise
    uploads.remove(uid)


@api.delete("/uploads/<uid>", responses={"204": None, **_FAULTS}, **_ROUTE)
@needs(Permission.EVIDENCE_ADD)
def end_upload(path: UidPath) -> Response:
    """End an unfinished upload and forget what came of it (tus termination)."""
    uid = uuid.UUID(path.uid)
    _uploads().find(uid, login_id=actor().login_id)
    _uploads().remove(uid)
    return Response(status=204)
