"""Photos and videos: taking them in, and handing them out to whoever may see their problem."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from flask import Response, request, send_file, url_for
from werkzeug.http import quote_etag

from gridmap.errors import InvalidValueError, StoreError
from gridmap.evidence.content import Format
from gridmap.evidence.examination import Examined, examine
from gridmap.evidence.files import Vault
from gridmap.evidence.models import Attachment, AttachmentState
from gridmap.evidence.queries import visible_attachment
from gridmap.evidence.records import describe
from gridmap.evidence.service import add_attachment, admit, find_own
from gridmap.language import explain
from gridmap.people.permissions import Permission
from gridmap.store.engine import writing
from web.access import needs, signed_in
from web.api.answering import as_json, now
from web.api.blueprint import EVIDENCE, api
from web.api.evidence_parameters import NewAttachments
from web.api.models import Fault
from web.api.parameters import UidPath
from web.api.problem_models import AttachmentList
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from gridmap.evidence.examination import Upload

__all__ = ["described", "first_thumbnail"]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[str, Any] = {
    "tags": [EVIDENCE],
    "responses": {
        "200": {"content": {"image/jpeg": _BINARY, "video/mp4": _BINARY, "video/webm": _BINARY}},
        "404": Fault,
    },
}
_POLICY = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
"""Of a file opened on its own: whatever it turns out to be, nothing in it runs."""
_KEPT_SECONDS = 3600


def described(session: Session, rows: Iterable[Attachment]) -> list[dict[str, Any]]:
    """Say of each attachment what a reader may know, and where its files are."""
    original = actor().may(Permission.EVIDENCE_ORIGINAL)
    return [
        {
            **said,
            "url": url_for("api.attachment", uid=said["uid"]),
            "thumbnail_url": url_for("api.attachment_thumbnail", uid=said["uid"]),
            "original_url": url_for("api.attachment_original", uid=said["uid"]) if original else None,
        }
        for said in describe(session, rows)
    ]


def first_thumbnail(rows: Sequence[Attachment] | None) -> str | None:
    """Address of a thumbnail of the first of a problem's photos; None where there is none."""
    ready = [row for row in rows or () if row.state is AttachmentState.READY]
    return url_for("api.attachment_thumbnail", uid=str(ready[0].uid)) if ready else None


@api.post(
    "/attachments",
    tags=[EVIDENCE],
    responses={"200": AttachmentList, "201": AttachmentList, "404": Fault, "409": Fault, "429": Fault},
)
@needs(Permission.EVIDENCE_ADD)
def attach(form: NewAttachments) -> Response:
    """Send one or several photos and videos; 201, or 200 where all were sent before; all or none."""
    settings = installation().settings
    if len(form.uid) != len(form.file) or len(set(form.uid)) != len(form.uid):
        raise InvalidValueError(
            "Expected one uid for each file; found {uids} for {files} files.",
            parameter="uid",
            uids=len(set(form.uid)),
            files=len(form.file),
        )
    admit(db(), actor(), settings=settings, now=now())
    fresh = [find_own(db(), actor(), uid) is None for uid in form.uid]
    examined = [
        _examined(
            form.upload(uid, file.stream, file_name=file.filename or "", zone=settings.zone),
            alone=len(form.file) == 1,
        )
        for uid, file in zip(form.uid, form.file, strict=True)
    ]
    with writing(installation().engine) as session:
        rows = [add_attachment(session, actor(), one, settings=settings, now=now()) for one in examined]
        answer = as_json(AttachmentList, {"attachments": described(session, rows)})
    return Response(answer.content, status=201 if any(fresh) else 200, content_type=answer.kind)


def _examined(upload: Upload, *, alone: bool) -> Examined:
    try:
        return examine(upload, settings=installation().settings)
    except InvalidValueError as error:
        if alone:
            raise
        raise InvalidValueError(
            "{file}: {reason}", parameter="file", file=upload.file_name, reason=explain(error)
        ) from error


def _sent(sha256: str | None, kind: str | None, name: str, *, save: bool = False) -> Response:
    if sha256 is not None and request.if_none_match.contains(sha256):
        return _dressed(Response(status=304, headers={"ETag": quote_etag(sha256)}))
    path = None if sha256 is None else Vault(installation().settings.data_dir).path(sha256)
    if path is None or not path.is_file():
        raise StoreError("The file of this photo or video is not where it was put; ask whoever runs this.")
    return _dressed(
        send_file(
            path.resolve(),
            mimetype=kind,
            as_attachment=save,
            download_name=name,
            conditional=True,
            etag=sha256 or False,
            max_age=_KEPT_SECONDS,
        )
    )


def _dressed(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # Access may be withdrawn: nobody but this reader's own browser keeps it, and not for long.
    answer.headers["Cache-Control"] = f"private, max-age={_KEPT_SECONDS}"
    return answer


@api.get("/attachments/<uid>", **_FILE)
@signed_in
def attachment(path: UidPath) -> Response:
    """Fetch the copy for showing, without anything the camera wrote into it; videos by ranges."""
    row = visible_attachment(db(), actor(), uuid.UUID(path.uid))
    ending = Format(row.shown_type).ending if row.shown_type else "bin"
    return _sent(row.shown_sha256, row.shown_type, f"{row.stage.value}-{row.uid.hex[:8]}.{ending}")


@api.get("/attachments/<uid>/thumbnail", **_FILE)
@signed_in
def attachment_thumbnail(path: UidPath) -> Response:
    """Fetch a small picture of it, at most 320 pixels."""
    row = visible_attachment(db(), actor(), uuid.UUID(path.uid))
    return _sent(row.thumbnail_sha256, Format.JPEG, f"{row.stage.value}-{row.uid.hex[:8]}-320.jpg")


@api.get("/attachments/<uid>/original", **_FILE)
@needs(Permission.EVIDENCE_ORIGINAL)
def attachment_original(path: UidPath) -> Response:
    """Fetch the file as it came, with everything the camera wrote into it."""
    row = visible_attachment(db(), actor(), uuid.UUID(path.uid), permission=Permission.EVIDENCE_ORIGINAL)
    name = row.file_name or f"{row.uid}.{Format(row.media_type).ending}"
    return _sent(row.sha256, row.media_type, name, save=True)
