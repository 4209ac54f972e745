"""What waits to be looked at before everybody may see it, and the keys of other systems."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request, send_file, url_for
from sqlalchemy import select

from gridmap.errors import InvalidValueError, StoreError
from gridmap.evidence.files import Vault
from gridmap.evidence.queries import visible_attachment
from gridmap.labels import label
from gridmap.people.permissions import Permission
from gridmap.places.cards import masked
from gridmap.residents.models import ApiKey
from gridmap.residents.moderation import create_key, decide_note, decide_publication, revoke_key
from gridmap.residents.tray import moderation_tray, reporter_of
from gridmap.store.engine import writing
from web.access import needs
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from gridmap.residents.models import Reporter

pages = Blueprint("residents", __name__, url_prefix="/residents")

_PAGE = 50
_SORTS = ("held", "notes", "not_solved", "published", "hidden")


def _contact(reporter: Reporter | None, *, known: bool) -> str:
    """Who reported, whole for those whose role needs it; that there is somebody is for everybody here."""
    if reporter is not None:
        return " ".join(filter(None, (reporter.name, reporter.phone, reporter.email)))
    return masked("") if known else ""


@pages.get("")
@needs(Permission.RESIDENT_MODERATE)
def tray() -> str:
    """Show what residents sent, by what is to be done with it."""
    show = request.args.get("show", "held")
    show = show if show in _SORTS else "held"
    text = request.args.get("page", "1")
    page = int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 else 1
    found, counts = moderation_tray(db(), actor(), show, limit=_PAGE, offset=(max(page, 1) - 1) * _PAGE)
    reporters = reporter_of(db(), actor(), [one.report for one in found if one.report is not None])
    return render_template(
        "residents.html",
        found=found,
        counts=counts,
        show=show,
        sorts=_SORTS,
        page=max(page, 1),
        more=counts[show] > max(page, 1) * _PAGE,
        reporters={key: _contact(one, known=True) for key, one in reporters.items()},
        label=label,
        may_keys=actor().may_everywhere(Permission.OPEN311_KEYS),
    )


def _back() -> Any:
    return redirect(url_for("residents.tray", show=request.form.get("show") or None))


def _uids(name: str) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(text) for text in request.form.getlist(name)]
    except ValueError as error:
        raise InvalidValueError("Expected a UUID.", parameter=name) from error


@pages.post("/problems/<uuid:uid>")
@needs(Permission.RESIDENT_MODERATE)
def decide(uid: uuid.UUID) -> Any:
    """Publish of a report what was looked at, or hide it."""
    with writing(installation().engine) as session:
        decide_publication(
            session,
            actor(),
            uid,
            publish=request.form.get("decision") == "publish",
            text=request.form.get("text", ""),
            address=request.form.get("address", ""),
            photos=_uids("photos"),
            answers=request.form.getlist("answers"),
            urls=request.form.getlist("urls"),
            now=datetime.now(UTC),
        )
    return _back()


@pages.post("/notes/<uuid:uid>")
@needs(Permission.RESIDENT_MODERATE)
def decide_remark(uid: uuid.UUID) -> Any:
    """Publish of a remark what was looked at, or hide it."""
    with writing(installation().engine) as session:
        decide_note(
            session,
            actor(),
            uid,
            publish=request.form.get("decision") == "publish",
            text=request.form.get("text", ""),
            photos=_uids("photos"),
            urls=request.form.getlist("urls"),
            now=datetime.now(UTC),
        )
    return _back()


@pages.get("/photos/<uuid:uid>")
@needs(Permission.RESIDENT_MODERATE)
def photo(uid: uuid.UUID) -> Response:
    """Show a photo that waits to be looked at."""
    row = visible_attachment(db(), actor(), uid, permission=Permission.RESIDENT_MODERATE)
    digest = row.shown_sha256 if request.args.get("size") == "large" else row.thumbnail_sha256
    path = None if digest is None else Vault(installation().settings.data_dir).path(digest)
    if path is None or not path.is_file():
        raise StoreError("The file of this photo or video is not where it was put; ask whoever runs this.")
    answer = send_file(path.resolve(), mimetype="image/jpeg", etag=digest or False, conditional=True)
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; img-src 'self'"
    return answer


def _keys_page(new: str | None = None) -> str:
    rows = db().scalars(select(ApiKey).order_by(ApiKey.id.desc())).all()
    return render_template("open311_keys.html", keys=rows, new=new, zone=installation().settings.zone)


@pages.get("/keys")
@needs(Permission.OPEN311_KEYS, everywhere=True)
def keys() -> str:
    """Show the keys of other systems."""
    actor().scope_everywhere(Permission.OPEN311_KEYS)
    return _keys_page()


@pages.post("/keys")
@needs(Permission.OPEN311_KEYS, everywhere=True)
def make_key() -> str:
    """Make a key, and show it this once."""
    with writing(installation().engine) as session:
        _, key = create_key(
            session,
            actor(),
            request.form.get("name", ""),
            trusted=request.form.get("trusted") == "1",
            now=datetime.now(UTC),
        )
    return _keys_page(key)


@pages.post("/keys/<uuid:uid>/revoke")
@needs(Permission.OPEN311_KEYS, everywhere=True)
def end_key(uid: uuid.UUID) -> Any:
    """Let a key open nothing any more."""
    with writing(installation().engine) as session:
        revoke_key(session, actor(), uid, now=datetime.now(UTC))
    return redirect(url_for("residents.keys"))
