"""What one step of the search has touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geodata.compiled import merged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.patrols.planning.tables import Tables

    Numbers = NDArray[np.int64]

__all__ = ["Moves", "no_moves", "touch"]


class Moves(NamedTuple):
    """Room for one step; what it holds is rewritten in each."""

    out: Numbers
    """Tasks taken out or not done, to be put back."""
    is_out: NDArray[np.bool_]
    touched: Numbers
    """Workers whose routes have changed."""
    is_touched: NDArray[np.bool_]
    counts: Numbers
    """How many are in `out` and in `touched`, and the number of the latest search for a place."""
    key: NDArray[np.float64]
    behind: Numbers
    """Stops behind which a task may be put, and the workers there."""
    whose: Numbers
    seen: Numbers
    """The latest search for which a stop was listed."""
    kind_seen: Numbers
    """The latest search for which somebody of a kind who stays was listed."""
    label: Numbers
    """Costs and times of a task at a place: by break, by which."""


def no_moves(tables: Tables) -> Moves:
    """Make room for the steps of a search."""
    stops = tables.tasks + 2 * tables.workers
    return Moves(
        out=np.zeros(tables.tasks, dtype=np.int64),
        is_out=np.zeros(tables.tasks, dtype=bool),
        touched=np.zeros(tables.workers, dtype=np.int64),
        is_touched=np.zeros(tables.workers, dtype=bool),
        counts=np.zeros(3, dtype=np.int64),
        key=np.zeros(tables.tasks, dtype=np.float64),
        behind=np.zeros(stops, dtype=np.int64),
        whose=np.zeros(stops, dtype=np.int64),
        seen=np.zeros(stops, dtype=np.int64),
        kind_seen=np.zeros(tables.workers, dtype=np.int64),
        label=np.zeros((2, 2, 2), dtype=np.int64),
    )


@merged
def touch(moves: Moves, worker: int) -> None:
    """Remember that a route changes."""
    if not moves.is_touched[worker]:
        moves.is_touched[worker] = True
        moves.touched[moves.counts[1]] = worker
        moves.counts[1] += 1
