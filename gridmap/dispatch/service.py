"""Whose problems are: rules first, then whoever holds the place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import select

from gridmap.deadlines.limits import load_limits
from gridmap.dispatch.deciding import Choice, decide
from gridmap.dispatch.rulebook import facts_of, load_rulebook
from gridmap.places.ground import Ground, ground_on
from gridmap.problems.assignment import Assignment, assign, load_categories
from gridmap.problems.models import Problem, ProblemCell
from gridmap.store.extract import read_by_ids

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings

__all__ = ["ASKED", "choose", "choose_among", "choose_for"]

ASKED = (
    Problem.id,
    Problem.lon,
    Problem.lat,
    Problem.category_id,
    Problem.found_at,
    Problem.source,
    Problem.severity,
)
"""Columns of a problem that decide whose it is."""


def choose(session: Session, problem_ids: NDArray[np.int64], *, settings: Settings, now: datetime) -> Choice:
    """Say who should get problems, by today's rules, ground and responsibilities.

    Parameters
    ----------
    session
        Any.
    problem_ids
        Ids of problems that are there, shape (n,).
    settings
        Of the installation.
    now
        The day whose rules and responsibilities count.

    Returns
    -------
    Choice
        In the order of the ids.
    """
    columns = read_by_ids(session, select(*ASKED), Problem.id, problem_ids)
    return choose_among(session, columns, settings=settings, now=now)


def choose_among(
    session: Session, columns: dict[str, NDArray[Any]], *, settings: Settings, now: datetime
) -> Choice:
    """Say who should get problems of which the columns `ASKED` have been read, arrays of shape (n,)."""
    ground = ground_on(session, now.astimezone(settings.zone).date(), reach_metres=settings.road_reach_metres)
    whose = assign(
        ground,
        load_categories(session),
        load_limits(session, settings),
        columns["lon"],
        columns["lat"],
        category_ids=columns["category_id"],
        found_at=columns["found_at"],
        leading=_leading(session, ground, columns["id"]),
    )
    return choose_for(session, whose, columns, ground=ground, settings=settings, now=now)


def _leading(session: Session, ground: Ground, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of the cell that leads, of lines and polygons; -1 of points and where the cell has ended."""
    query = select(ProblemCell.problem_id, ProblemCell.cell_id).where(ProblemCell.leads)
    rows = read_by_ids(session, query, ProblemCell.problem_id, ids)
    leading = np.full(len(ids), -1, dtype=np.int64)
    at = pd.Index(ground.cell_ids).get_indexer(pd.Index(rows["cell_id"]))
    leading[np.isin(ids, rows["problem_id"])] = at
    return leading


def choose_for(
    session: Session,
    whose: Assignment,
    columns: dict[str, NDArray[Any]],
    *,
    ground: Ground,
    settings: Settings,
    now: datetime,
) -> Choice:
    """Say who should get problems whose place is known already; the parameters are those of `facts_of`."""
    on = now.astimezone(settings.zone).date()
    book = load_rulebook(session, on)
    facts = facts_of(session, book, whose, columns, settings=settings, on=on)
    return decide(book, facts, whose, headquarters=ground.headquarters)
