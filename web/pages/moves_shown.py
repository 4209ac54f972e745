"""Moves of problems as tables: from whom to whom how many, and which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.language import N_, gettext
from gridmap.problems.models import Problem
from web.api.answering import directory
from web.installation import db

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridmap.dispatch.moves import Moves

__all__ = ["shown_moves"]

_SHOWN = 200
_TITLES = {
    "organisation_id": N_("Organisation"),
    "person_id": N_("Person"),
    "cell_id": N_("Cell"),
    "area_id": N_("Area"),
    "road_id": N_("Priority road"),
}
_TABLES = {
    "organisation_id": "organisations",
    "person_id": "persons",
    "cell_id": "cells",
    "area_id": "areas",
    "road_id": "roads",
}


def shown_moves(moves: Moves, names: Iterable[str]) -> dict[str, Any]:
    """Return what ``moves.html`` needs: how many, the counts per kind of owner, the first of the list."""
    entries = directory()

    def called(name: str, row_id: int) -> str:
        entry = getattr(entries, _TABLES[name]).get(row_id)
        return gettext("nobody") if entry is None else entry.name or entry.code

    wanted = tuple(names)
    groups = [
        (
            gettext(_TITLES[name]),
            [(called(name, old), called(name, new), count) for old, new, count in moves.counts(name)],
        )
        for name in wanted
    ]
    after = moves.after
    reasons = moves.choice.reasons
    shown = moves.before["id"][moves.rows[:_SHOWN]].tolist()
    uids = dict(db().execute(select(Problem.id, Problem.uid).where(Problem.id.in_(shown))).all())
    problems = [
        {
            "number": number,
            "uid": uids.get(number),
            "changes": [
                (called(name, int(moves.before[name][row])), called(name, int(after[name][row])))
                for name in wanted
                if moves.before[name][row] != after[name][row]
            ],
            "reason": reasons[row],
        }
        for number, row in zip(shown, moves.rows[:_SHOWN], strict=True)
    ]
    return {
        "moving": len(moves),
        "groups": [group for group in groups if group[1]],
        "problems": problems,
        "shown": _SHOWN,
    }
