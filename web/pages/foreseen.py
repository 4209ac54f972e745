"""What other cells, areas or duties would move, as the previews show it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gridmap.dispatch.foreseeing import foresee
from gridmap.language import gettext
from gridmap.people.permissions import Permission

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.dispatch.foreseeing import Foreseen
    from gridmap.people.permissions import Actor

__all__ = ["as_shown", "foreseen"]

_SHOWN = 200


def foreseen(
    session: Session, actor: Actor, cells: dict[str, NDArray[Any]] | None, settings: Settings
) -> list[dict[str, Any]]:
    """Return what ``foreseen.html`` needs, as JSON holds it.

    Nothing where no cell changes, and for who may not move problems.
    """
    if cells is None or not actor.may_everywhere(Permission.DISPATCH_RULES):
        return []
    return as_shown(foresee(session, actor, cells, settings=settings, now=datetime.now(UTC)))


def as_shown(found: list[Foreseen]) -> list[dict[str, Any]]:
    """Return what is foreseen as ``foreseen.html`` needs it, as JSON holds it."""
    return [
        {
            "title": gettext(one.title),
            "more": max(len(one.lines) - _SHOWN, 0),
            "lines": [
                [old or gettext("none"), new or gettext("none"), count]
                for old, new, count in one.lines[:_SHOWN]
            ],
        }
        for one in found
    ]
