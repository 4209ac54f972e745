"""What proves an offence or a pledge: sending photos, videos and scans, and showing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, request, send_file

from gridmap.errors import InvalidValueError, NotFoundError, StoreError
from gridmap.evidence.content import Format
from gridmap.evidence.files import Vault
from gridmap.language import N_, explain
from gridmap.people.permissions import Permission
from gridmap.shops.evidence import add_scan, photo_of, prove_offence
from gridmap.shops.queries import scan_of
from web.access import needs
from web.api.answering import now
from web.api.shops import sees_persons
from web.errors import status_of
from web.installation import actor, db, installation
from web.pages.evidence_sent import photos_sent, scan_sent
from web.pages.shops import belongs, row_of, shop_page, uid_of, written

if TYPE_CHECKING:
    import uuid

    from flask import Response as AnyResponse
    from werkzeug.wrappers import Response


pages = Blueprint("shop_evidence", __name__, url_prefix="/shops")


_NO_FILE = N_("Choose a photo or video first.")
_NO_SCAN = N_("Choose a photo or scan of the signed paper first.")


@pages.post("/<uuid:uid>/offences/<uuid:offence>/evidence")
@needs(Permission.SHOP_RECORD)
def prove(uid: uuid.UUID, offence: uuid.UUID) -> Response | tuple[str, int]:
    """Add photos and videos to an offence."""
    belongs(uid, offence)
    row_of(db(), uid)
    try:
        proofs = photos_sent(uid_of())
        if not proofs:
            raise InvalidValueError(_NO_FILE, parameter="photo")  # noqa: TRY301 - said like any other
    except InvalidValueError as error:
        return shop_page(uid, explain(error), int(status_of(error)))
    return written(
        uid,
        lambda session: prove_offence(
            session, actor(), offence, proofs, settings=installation().settings, now=now()
        ),
    )


@pages.post("/<uuid:uid>/pledges/<uuid:pledge>/scan")
@needs(Permission.SHOP_RECORD)
def add(uid: uuid.UUID, pledge: uuid.UUID) -> Response | tuple[str, int]:
    """Add the scan of a pledge that was taken in without one."""
    row_of(db(), uid)
    try:
        paper = scan_sent(pledge)
        if paper is None:
            raise InvalidValueError(_NO_SCAN, parameter="scan")  # noqa: TRY301 - said like any other
    except InvalidValueError as error:
        return shop_page(uid, explain(error), int(status_of(error)))
    return written(
        uid,
        lambda session: add_scan(
            session, actor(), uid, pledge, paper, settings=installation().settings, now=now()
        ),
    )


def _in_sight(uid: uuid.UUID, absent: str) -> dict[str, Any]:
    row = row_of(db(), uid)
    if not sees_persons(row):
        raise NotFoundError(absent)
    return row


@pages.get("/<uuid:uid>/pledges/<uuid:pledge>/scan")
@needs(Permission.SHOP_READ)
def scan(uid: uuid.UUID, pledge: uuid.UUID) -> AnyResponse:
    """Show the scan of a pledge to whoever may see who signed it."""
    actor().scope(Permission.PERSON_READ)
    row = _in_sight(uid, "There is no scan of this pledge.")
    found = scan_of(db(), row["id"], pledge)
    return _sent(found.shown_sha256, found.shown_type)


@pages.get("/<uuid:uid>/offences/<uuid:offence>/evidence/<uuid:photo>")
@needs(Permission.SHOP_READ)
def show(uid: uuid.UUID, offence: uuid.UUID, photo: uuid.UUID) -> AnyResponse:
    """Show what proves an offence to whoever may see persons there; `small=1`: a thumbnail."""
    actor().scope(Permission.PERSON_READ)
    row = _in_sight(uid, "There is no such photo or video, or it lies outside what you may see.")
    found = photo_of(db(), row["id"], offence, photo)
    if request.args.get("small") == "1":
        return _sent(found.thumbnail_sha256, Format.JPEG)
    return _sent(found.shown_sha256, found.shown_type)


def _sent(sha256: str | None, kind: str | None) -> AnyResponse:
    path = Vault(installation().settings.data_dir).path(sha256 or "")
    if not path.is_file():
        raise StoreError("The file of this photo or video is not where it was put; ask whoever runs this.")
    answer = send_file(path.resolve(), mimetype=kind, etag=sha256 or False, conditional=True)
    answer.headers["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
    )
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer
