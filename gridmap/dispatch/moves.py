"""What a changed rule, boundary or responsibility would move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from gridmap.deadlines.limits import load_limits
from gridmap.dispatch.deciding import Choice, decide
from gridmap.dispatch.rulebook import facts_of, load_rulebook, rulebook_of
from gridmap.dispatch.service import ASKED
from gridmap.people.permissions import Permission
from gridmap.places.ground import ground_on
from gridmap.problems.assignment import Assignment, assign, load_categories
from gridmap.problems.models import Problem, State
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.dispatch.models import DispatchRule
    from gridmap.people.permissions import Actor

__all__ = ["Moves", "preview_moves"]

_OPEN = tuple(state for state in State if not state.resolved)
_PLACED = ("area_id", "cell_id", "road_id")


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Open problems whose organisation, person, cell, area or road would be another, arrays of shape (n,)."""

    columns: dict[str, NDArray[Any]]
    """The problems as they are."""
    whose: Assignment
    choice: Choice
    rows: NDArray[np.intp]
    """Positions, in all the arrays, of the problems that would move."""

    def __len__(self) -> int:
        return len(self.rows)

    def counts(self, name: str) -> list[tuple[int, int, int]]:
        """How many would go from where to where, the most first: ids (-1 none) and the number.

        Parameters
        ----------
        name
            ``organisation_id``, ``person_id``, ``cell_id``, ``area_id`` or ``road_id``.
        """
        old, new = self.columns[name][self.rows], self.after(name)[self.rows]
        moved = old != new
        pairs, counts = np.unique(np.stack([old[moved], new[moved]], axis=1), axis=0, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return [(int(a), int(b), int(n)) for (a, b), n in zip(pairs[order], counts[order], strict=True)]

    def after(self, name: str) -> NDArray[np.int64]:
        """Ids as they would be."""
        return (self.whose.columns() | self.choice.columns())[name]


def preview_moves(
    session: Session,
    actor: Actor,
    *,
    settings: Settings,
    now: datetime,
    rules: Sequence[DispatchRule] | None = None,
) -> Moves:
    """Compare every open problem's place and holder with what today's ground, duties and rules would give.

    Parameters
    ----------
    session
        Any.
    actor
        Somebody who may change the rules of the whole city.
    settings, now
        Of the installation; the day whose ground and duties count.
    rules
        Rules only thought of (`gridmap.dispatch.editing.think_of`): then only what these move in comparison
        with the rules in force is told. None: the rules in force, and everything that they would move.

    Raises
    ------
    PermissionDeniedError
        If the actor may not.
    """
    actor.scope_everywhere(Permission.DISPATCH_RULES)
    on = now.astimezone(settings.zone).date()
    wanted = (*ASKED, Problem.state, Problem.organisation_id, Problem.person_id)
    placed = (getattr(Problem, name) for name in _PLACED)
    columns = read_columns(session, select(*wanted, *placed).where(Problem.state.in_(_OPEN)))
    ground = ground_on(session, on, reach_metres=settings.road_reach_metres)
    whose = assign(
        ground,
        load_categories(session),
        load_limits(session, settings),
        columns["lon"],
        columns["lat"],
        category_ids=columns["category_id"],
        found_at=columns["found_at"],
    )

    def choice_by(book: Any) -> Choice:
        facts = facts_of(session, book, whose, columns, settings=settings, on=on)
        return decide(book, facts, whose, headquarters=ground.headquarters)

    today = choice_by(load_rulebook(session, on))
    choice = today if rules is None else choice_by(rulebook_of(session, on, rules))
    after = choice.columns() if rules is not None else whose.columns() | choice.columns()
    moved = np.zeros(len(columns["id"]), dtype=bool)
    for name in ("organisation_id", "person_id", *(_PLACED if rules is None else ())):
        differs = columns[name] != after[name]
        moved |= differs if rules is None else differs & (after[name] != today.columns()[name])
    return Moves(columns, whose, choice, np.flatnonzero(moved))
