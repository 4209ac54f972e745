"""What a changed rule, boundary or responsibility would move, and moving it.

Nothing else moves a problem that has an owner: rules, cells and duties may change as they will, an open
problem keeps what it was given until somebody moves it here or takes a step with it. It is also the way in
which problems that were recorded before there were cells come into them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from gridmap.deadlines.limits import load_limits
from gridmap.dispatch.deciding import Choice, decide
from gridmap.dispatch.rulebook import facts_of, load_rulebook, rulebook_of
from gridmap.dispatch.rules import NOBODY
from gridmap.dispatch.service import ASKED
from gridmap.people.permissions import Permission
from gridmap.places.ground import ground_on
from gridmap.problems.assignment import assign, load_categories
from gridmap.problems.models import Flag, Problem, ProblemCell, State
from gridmap.problems.shares import stand_for
from gridmap.store.extract import read_columns
from gridmap.workflow.rules import STATES
from gridmap.workflow.transitions import AT_WORK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.dispatch.models import DispatchRule
    from gridmap.dispatch.rulebook import Rulebook
    from gridmap.people.permissions import Actor
    from gridmap.places.ground import Ground
    from gridmap.problems.shares import Standing

__all__ = ["OWNERS", "PLACED", "Moves", "preview_moves"]

_OPEN = tuple(state for state in State if not state.resolved)
_WAITING = (State.RECORDED, State.CHECKED)
OWNERS = ("organisation_id", "person_id")
PLACED = ("area_id", "cell_id", "road_id")
_EQUAL = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Open problems that would have another organisation, person, cell, area or road.

    All arrays are of shape (n,) for the open problems, in one order.
    """

    before: dict[str, NDArray[Any]]
    """Columns of the problems as they are, with `id` and `state`."""
    after: dict[str, NDArray[np.int64]]
    """The columns `OWNERS`, `PLACED` and `flags` as they would be."""
    choice: Choice
    rows: NDArray[np.intp]
    """Positions of the problems that would move, ascending."""
    standing: Standing
    """Of the lines and polygons among them all."""
    extended: NDArray[np.intp]
    """Positions of these lines and polygons."""

    def __len__(self) -> int:
        return len(self.rows)

    def counts(self, name: str) -> list[tuple[int, int, int]]:
        """How many would go from where to where, the most first: ids (-1 none) and the number.

        Parameters
        ----------
        name
            One of `OWNERS` and `PLACED`.
        """
        moved = self.rows[self.before[name][self.rows] != self.after[name][self.rows]]
        pairs, counts = np.unique(self._pairs(name, moved), axis=0, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return [(int(a), int(b), int(n)) for (a, b), n in zip(pairs[order], counts[order], strict=True)]

    def groups(self) -> dict[tuple[int, int], int]:
        """How many would go from which organisation to which, also to the one that has them already."""
        pairs, counts = np.unique(self._pairs("organisation_id", self.rows), axis=0, return_counts=True)
        return {(int(a), int(b)): int(n) for (a, b), n in zip(pairs, counts, strict=True)}

    def among(self, groups: Sequence[tuple[int, int]]) -> NDArray[np.intp]:
        """Positions of the problems of some of these groups."""
        wanted = pd.MultiIndex.from_tuples(groups)
        pairs = pd.MultiIndex.from_arrays(list(self._pairs("organisation_id", self.rows).T))
        return self.rows[pairs.isin(wanted)]

    def _pairs(self, name: str, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        return np.stack([self.before[name][rows], self.after[name][rows]], axis=1)


def preview_moves(
    session: Session,
    actor: Actor,
    *,
    settings: Settings,
    now: datetime,
    rules: Sequence[DispatchRule] | None = None,
    ground: Ground | None = None,
) -> Moves:
    """Compare every open problem's place and owner with what today's ground, duties and rules would give.

    An organisation that has reported a problem as fixed keeps it until that is verified, and one that waits
    with approval keeps its own, and a returned problem remembers who returned it; of these only the place
    would be another. What would be nobody's stays where it is once it was dispatched.

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
    ground
        Ground only thought of (`gridmap.places.ground.ground_with`); None: today's.

    Raises
    ------
    PermissionDeniedError
        If the actor may not.
    """
    actor.scope_everywhere(Permission.DISPATCH_RULES)
    on = now.astimezone(settings.zone).date()
    names = ("state", "flags", *OWNERS, *PLACED)
    wanted = [*ASKED, *(getattr(Problem, name) for name in names)]
    before = read_columns(session, select(*wanted).where(Problem.state.in_(_OPEN)).order_by(Problem.id))
    before = _by_id(before)
    ground = ground or ground_on(session, on, reach_metres=settings.road_reach_metres)
    extended, standing = _standing(session, ground, before["id"])
    lon, lat, leading = before["lon"].copy(), before["lat"].copy(), np.full(len(before["id"]), -1)
    lon[extended], lat[extended], leading[extended] = standing.lon, standing.lat, standing.cell
    whose = assign(
        ground,
        load_categories(session),
        load_limits(session, settings),
        lon,
        lat,
        category_ids=before["category_id"],
        found_at=before["found_at"],
        leading=leading,
    )

    def choice_by(book: Rulebook) -> Choice:
        facts = facts_of(session, book, whose, before, settings=settings, on=on)
        return decide(book, facts, whose, headquarters=ground.headquarters)

    today = choice_by(load_rulebook(session, on))
    choice = today if rules is None else choice_by(rulebook_of(session, on, rules))
    after = {name: before[name] for name in (*PLACED, "flags")} | _owners(before, choice)
    moved = np.zeros(len(before["id"]), dtype=bool)
    if rules is None:
        after |= {name: whose.columns()[name] for name in PLACED}
        after["flags"] = _flags(before["flags"], whose.flags)
        moved[extended[_shared_anew(session, ground, before["id"][extended], standing)]] = True
        for name in (*OWNERS, *PLACED):
            moved |= before[name] != after[name]
    else:
        usual = _owners(before, today)
        for name in OWNERS:
            moved |= (before[name] != after[name]) & (after[name] != usual[name])
    return Moves(before, after, choice, np.flatnonzero(moved), standing, extended)


def _by_id(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    order = np.argsort(columns["id"], kind="stable")
    return {name: values[order] for name, values in columns.items()}


def _standing(session: Session, ground: Ground, ids: NDArray[np.int64]) -> tuple[NDArray[np.intp], Standing]:
    """Positions of the lines and polygons among open problems, and how they stand in today's cells."""
    query = select(Problem.id, Problem.geometry).where(
        Problem.state.in_(_OPEN), func.GeometryType(Problem.geometry) != "POINT"
    )
    rows = _by_id(read_columns(session, query))
    return np.searchsorted(ids, rows["id"]), stand_for(ground.cells.cells, rows["geometry"])


def _owners(before: dict[str, NDArray[Any]], choice: Choice) -> dict[str, NDArray[np.int64]]:
    """Organisation and person as they would be, where the state lets them change."""
    at_work = np.isin(before["state"], [STATES.index(state) for state in AT_WORK])
    waiting = np.isin(before["state"], [STATES.index(state) for state in _WAITING])
    free = waiting | (at_work & (choice.organisation != NOBODY))
    new = choice.columns()
    return {name: np.where(free, new[name], before[name]) for name in OWNERS}


def _flags(before: NDArray[np.int16], found: NDArray[np.int16]) -> NDArray[np.int64]:
    """Flags with "outside every cell" as it is found today."""
    return (before & ~Flag.OUTSIDE_CELLS.value | found & Flag.OUTSIDE_CELLS.value).astype(np.int64)


def _shared_anew(
    session: Session, ground: Ground, ids: NDArray[np.int64], standing: Standing
) -> NDArray[np.bool_]:
    """Which lines and polygons have other shares than those on record, bool of shape (e,)."""
    shares = standing.shares
    new = pd.DataFrame(
        {
            "problem": ids[standing.extended[shares.shape]],
            "cell": ground.cell_ids[shares.cell],
            "share": shares.share,
        }
    )
    query = select(ProblemCell.problem_id, ProblemCell.cell_id, ProblemCell.share)
    query = query.where(ProblemCell.problem_id.in_(select(Problem.id).where(Problem.state.in_(_OPEN))))
    rows = read_columns(session, query)
    old = pd.DataFrame({"problem": rows["problem_id"], "cell": rows["cell_id"], "share": rows["share"]})
    both = new.merge(old, how="outer", on=["problem", "cell"], suffixes=("", "_before"))
    differs = ~((both["share"] - both["share_before"]).abs() < _EQUAL)
    return np.isin(ids, both.loc[differs, "problem"])
