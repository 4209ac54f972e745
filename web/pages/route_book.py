"""The route book of an assessors' route as a PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from gridmap.errors import InvalidValueError
from gridmap.inspections.post_queries import read_posts
from gridmap.inspections.queries import read_route
from gridmap.people.permissions import Permission
from web.access import needs
from web.given import Given
from web.installation import db
from web.pages.posts import told_posts
from web.pages.readiness import planned, told_lines
from web.route_book import make_book

if TYPE_CHECKING:
    import uuid

__all__ = ["pages"]

pages = Blueprint("route_book", __name__, url_prefix="/inspections")


@pages.get("/<uuid:uid>/book.pdf")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def book(uid: uuid.UUID) -> Response:
    """Send the route book, in the reader's language, with phones as they may see them."""
    plan = planned(uid, Given(request.args))
    if plan.given.faults:
        raise InvalidValueError(
            "Mend the form of the readiness page first; some of its fields make no sense."
        )
    route, line, _ = read_route(db(), uid)
    content = make_book(plan, line, told_lines(plan), told_posts(read_posts(db(), route)))
    return Response(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="route-book-{route.uid}.pdf"'},
    )
