"""Tokens with which machines act as their owner, limited to permissions and a time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, make_response, render_template, request

from gridmap.errors import GridmapError, InvalidValueError
from gridmap.labels import label
from gridmap.language import explain
from gridmap.people import credentials
from gridmap.people.models import CredentialKind
from gridmap.people.permissions import Permission
from gridmap.store.engine import writing
from web import sessions
from web.access import in_person, signed_in
from web.installation import actor, db, installation, now, today

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

pages = Blueprint("tokens", __name__, url_prefix="/account/tokens")


def _page(error: GridmapError | None = None, made: str | None = None) -> Response:
    uses = credentials.credentials_of(db(), sessions.recognised().login_id, now=now())
    text = render_template(
        "account_tokens.html",
        tokens=[use for use in uses if use.kind is CredentialKind.TOKEN],
        permissions={one.value: label(one) for one in Permission if actor().may(one)},
        first=today() + timedelta(days=1),
        usual=today() + timedelta(days=90),
        last=today() + credentials.LONGEST_TOKEN - timedelta(days=1),
        made=made,
        message=explain(error) if error else None,
    )
    answer = make_response(text, 200 if error is None else 422)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("")
@signed_in
@in_person
def show() -> Response:
    """List the tokens, and show the form for a new one."""
    return _page()


@pages.post("")
@signed_in
@in_person
def make() -> Response:
    """Make a token and show it, this once."""
    form = request.form
    try:
        day = date.fromisoformat(form.get("until", ""))
    except ValueError:
        return _page(InvalidValueError("Expected a day such as 2026-05-01.", parameter="until"))
    ends = datetime.combine(day + timedelta(days=1), time(), installation().settings.zone)
    try:
        with writing(installation().engine) as session:
            made = credentials.make_token(
                session,
                actor(),
                name=form.get("name", ""),
                permissions=form.getlist("permission"),
                expires_at=ends,
                now=now(),
            )
    except GridmapError as error:
        return _page(error)
    return _page(made=made)
