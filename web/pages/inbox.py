"""What the reader has been told: reminders, and notices that await an answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, g, redirect, render_template, url_for

from gridmap.deadlines.inbox import count_unread, mark_read, read_inbox
from gridmap.store.engine import writing
from web.access import signed_in
from web.installation import actor, db, installation
from web.pages.notices import shown

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

pages = Blueprint("inbox", __name__, url_prefix="/inbox")


def unread() -> int:
    """How much awaits the reader, for the bar; 0 where nobody is signed in."""
    return 0 if g.get("actor") is None else count_unread(db(), actor())


@pages.get("")
@signed_in
def show() -> str:
    """Show the inbox."""
    letters, notices = read_inbox(db(), actor())
    return render_template("inbox.html", letters=letters, notices=notices, now=datetime.now(UTC), **shown())


@pages.post("/read")
@signed_in
def read() -> Response:
    """Mark everything as read."""
    with writing(installation().engine) as session:
        mark_read(session, actor(), now=datetime.now(UTC))
    return redirect(url_for("inbox.show"))
