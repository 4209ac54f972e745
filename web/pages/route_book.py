"""The route book of an assessors' route as a PDF: at once, or as a job where it has many stops."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, send_file, url_for
from werkzeug.datastructures import MultiDict

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.inspections.post_queries import read_posts
from gridmap.inspections.queries import read_route
from gridmap.jobs import JobState, silent
from gridmap.people.permissions import Permission
from web.access import needs
from web.background import in_background, swept
from web.given import Given
from web.installation import actor, db, installation
from web.pages.posts import told_posts
from web.pages.readiness import planned, told_lines
from web.route_book import make_book

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from gridmap.jobs import Progress

__all__ = ["pages"]

pages = Blueprint("route_book", __name__, url_prefix="/inspections")

AT_ONCE = 12
"""Stops up to which the book comes with the answer."""
_KIND = "route-book"


def _made(uid: uuid.UUID, args: MultiDict[str, str], progress: Progress = silent) -> bytes:
    plan = planned(uid, Given(args))
    if plan.given.faults:
        raise InvalidValueError(
            "Mend the form of the readiness page first; some of its fields make no sense."
        )
    route, line, _ = read_route(db(), uid)
    return make_book(plan, line, told_lines(plan), told_posts(read_posts(db(), route)), progress)


@pages.get("/<uuid:uid>/book.pdf")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def book(uid: uuid.UUID) -> AnyResponse:
    """Send the route book, in the reader's language, with phones as they may see them."""
    _, _, stops = read_route(db(), uid)
    if len(stops) > AT_ONCE:
        return redirect(f"{url_for('route_book.show', uid=uid)}?{request.query_string.decode()}")
    return Response(
        _made(uid, request.args),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="route-book-{uid}.pdf"'},
    )


@pages.get("/<uuid:uid>/book")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def show(uid: uuid.UUID) -> str:
    """Show how far a book is, offer to make it, and give it."""
    route, _, stops = read_route(db(), uid)
    job = None
    if name := request.args.get("job"):
        job = installation().jobs.find(name, owner=actor().login_id)
    return render_template(
        "inspection_book.html",
        route=route,
        stops=len(stops),
        job=job,
        file=url_for("route_book.file_of", uid=uid, job=uuid.UUID(job.uid)) if job else "",
        ready=job is not None and job.kind == _KIND and job.state is JobState.DONE,
        asked=[(name, value) for name, value in request.args.items(multi=True) if name != "job"],
    )


@pages.post("/<uuid:uid>/book")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def begin(uid: uuid.UUID) -> AnyResponse:
    """Begin to make a book."""
    route, _, _ = read_route(db(), uid)
    folder = swept(installation().settings.data_dir / "books")
    args = MultiDict((name, value) for name, value in request.form.items(multi=True) if name != "csrf_token")

    def work(progress: Progress) -> dict[str, Any]:
        file = folder / f"{uuid.uuid4().hex}.pdf"
        file.write_bytes(_made(uid, args, progress))
        return {"file": file.name, "route": str(uid)}

    def page(job: str) -> str:
        return f"{url_for('route_book.show', uid=uid, job=job)}&{urlencode([*args.items(multi=True)])}"

    return redirect(in_background(_KIND, work, title=route.name, page=page).page)


@pages.get("/<uuid:uid>/book/<uuid:job>.pdf")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def file_of(uid: uuid.UUID, job: uuid.UUID) -> AnyResponse:
    """Send the book that a job has made for this login."""
    found = installation().jobs.find(job.hex, owner=actor().login_id)
    file = installation().settings.data_dir.resolve() / "books" / str(found.result.get("file", ""))
    if found.kind != _KIND or found.result.get("route") != str(uid) or not file.is_file():
        raise NotFoundError("This file is no longer there; make it again.")
    return send_file(file, mimetype="application/pdf", download_name=f"route-book-{uid}.pdf")
