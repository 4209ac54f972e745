"""What today's rules, cells and duties would move, and moving it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select

from gridmap.dispatch.moves import OWNERS, PLACED, preview_moves
from gridmap.dispatch.moving import apply_moves
from gridmap.errors import InvalidValueError
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.problems.models import Batch
from gridmap.store.engine import writing
from gridmap.workflow.undo import LONGEST, undo
from web.access import needs
from web.api.answering import directory, now
from web.installation import actor, db, installation
from web.pages.moves_shown import shown_moves

if TYPE_CHECKING:
    import uuid

    from werkzeug.wrappers import Response

    from gridmap.dispatch.moves import Moves

__all__ = ["pages"]

pages = Blueprint("moves", __name__, url_prefix="/dispatch/moves")

_LATEST = 5


@pages.get("")
@needs(Permission.DISPATCH_RULES, everywhere=True)
def index() -> str:
    """Show what would move, and what was moved lately."""
    return _index()


def _index(fault: str = "") -> str:
    moves = preview_moves(db(), actor(), settings=installation().settings, now=now())
    return render_template(
        "dispatch_moves.html",
        choices=_choices(moves),
        fault=fault,
        note=request.form.get("note", ""),
        lately=_lately(),
        **shown_moves(moves, (*OWNERS, *PLACED)),
    )


def _choices(moves: Moves) -> list[dict[str, Any]]:
    """Groups to tick: what leaves an organisation, and what stays with it but changes otherwise."""
    bodies = directory().organisations

    def name(row_id: int) -> str:
        entry = bodies.get(row_id)
        return entry.name if entry else gettext("nobody")

    return [
        {
            "value": f"{old}:{new}:{count}",
            "old": name(old),
            "new": name(new),
            "count": count,
            "stays": old == new,
        }
        for (old, new), count in sorted(moves.groups().items(), key=lambda item: -item[1])
    ]


def _lately() -> list[Batch]:
    """Moves that can still be taken back."""
    query = select(Batch).where(Batch.action == "redispatch", Batch.at > now() - LONGEST)
    return list(db().scalars(query.order_by(Batch.id.desc()).limit(_LATEST)))


@pages.post("")
@needs(Permission.DISPATCH_RULES, everywhere=True)
def apply() -> Response | str:
    """Move what was ticked."""
    here = installation()
    try:
        groups = {}
        for text in request.form.getlist("group"):
            old, new, count = (int(part) for part in text.split(":"))
            groups[old, new] = count
    except ValueError as error:
        raise InvalidValueError("The request was not understood.") from error
    try:
        with writing(here.engine) as session:
            apply_moves(
                session,
                actor(),
                groups,
                note=request.form.get("note", ""),
                settings=here.settings,
                now=now(),
            )
    except InvalidValueError as error:
        return _index(gettext(error.message, **error.params))
    return redirect(url_for("moves.index") + "#lately")


@pages.post("/<uuid:uid>/undo")
@needs(Permission.DISPATCH_RULES, everywhere=True)
def take_back(uid: uuid.UUID) -> Response:
    """Put what was moved back where it was."""
    with writing(installation().engine) as session:
        undo(session, actor(), uid, now=now())
    return redirect(url_for("moves.index") + "#lately")
