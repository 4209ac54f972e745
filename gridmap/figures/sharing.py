"""Lines and polygons in figures per cell: each counts in every cell that it touches, by its share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from gridmap.people.permissions import Permission
from gridmap.problems.models import ProblemCell
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.places.cards import Faces

__all__ = ["CellShares", "Spread", "read_cell_shares", "spread"]


@dataclass(frozen=True, slots=True, eq=False)
class CellShares:
    """Shares of lines and polygons, arrays of shape (m,), by problem; ids are the database's."""

    problem: NDArray[np.int64]
    cell: NDArray[np.int64]
    share: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Problems as often as they touch a cell, arrays of shape (k,).

    Attributes
    ----------
    at
        Position of the problem.
    cell
        Id of the cell; -1: none, or one that the reader may not know.
    weight
        The share that lies there; 1 of a point.
    """

    at: NDArray[np.int64]
    cell: NDArray[np.int64]
    weight: NDArray[np.float64]


def read_cell_shares(session: Session) -> CellShares:
    """Read the shares of all lines and polygons."""
    rows = read_columns(
        session,
        select(ProblemCell.problem_id, ProblemCell.cell_id, ProblemCell.share).order_by(
            ProblemCell.problem_id, ProblemCell.cell_id
        ),
    )
    return CellShares(rows["problem_id"], rows["cell_id"], rows["share"])


def spread(
    numbers: NDArray[np.int64], cell: NDArray[np.int64], shares: CellShares, *, faces: Faces
) -> Spread:
    """Spread problems over the cells that they touch.

    Parameters
    ----------
    numbers, cell
        Case numbers, and ids of the cells that lead, -1: none; shape (n,).
    shares
        As they are kept; what has none counts whole in its own cell.
    faces
        Tell which cells the reader may know: what lies in others belongs to no cell, so that nothing is lost.
    """
    first = np.searchsorted(shares.problem, numbers, side="left")
    count = np.searchsorted(shares.problem, numbers, side="right") - first
    at = np.repeat(np.arange(len(numbers)), np.maximum(count, 1))
    begin = np.cumsum(np.maximum(count, 1)) - np.maximum(count, 1)
    shared = count[at] > 0
    source = (first[at] + np.arange(len(at)) - begin[at])[shared]
    where, weight = cell[at].copy(), np.ones(len(at))
    where[shared], weight[shared] = shares.cell[source], shares.share[source]
    actor = faces.actor
    areas = actor.scope(Permission.PLACE_READ).areas if actor.may(Permission.PLACE_READ) else frozenset()
    if areas is not None:
        known = [entry.id for entry in faces.directory.cells if entry.area in areas]
        where[shared & (where != cell[at]) & ~np.isin(where, known)] = -1
    return Spread(at, where, weight)
