"""Where the same kind of problem comes back after it was closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridmap.forecast.squares import Grid
from gridmap.hotspots.life import count_of, recurring
from gridmap.hotspots.loading import UNRESOLVED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.hotspots.view import View

__all__ = ["Recurrence", "recurrences"]


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A square in which problems of one category come back.

    Attributes
    ----------
    category
        Id.
    returned
        How many were found where one of their kind had been closed, or had to be opened again.
    found, unresolved
        All of the category found there in that time, and those that are open.
    newest
        Position in the snapshot of the one found last.
    """

    category: int
    returned: int
    found: int
    unresolved: int
    newest: int


def recurrences(view: View, since: int, most: int) -> list[Recurrence]:
    """Find the squares where most of a kind came back, the worst first.

    Parameters
    ----------
    view
        Problems of every state.
    since
        Found at that time or later, seconds since 1970 UTC.
    most
        How many.
    """
    snapshot, rows = view.snapshot, view.rows
    rows = rows[snapshot.points.rows.opened[rows] >= since]
    if not len(rows):
        return []
    life = snapshot.life[rows]
    back = recurring(life) | (count_of(life, "reopened") > 0)
    category = snapshot.values("category", rows).astype(np.int64)
    key = Grid.at(snapshot.lat[rows]).keys(snapshot.lon[rows], snapshot.lat[rows])
    width = int(category.max(initial=0)) + 2
    _, group = np.unique(key * width + category + 1, return_inverse=True)
    returned = np.bincount(group, weights=back)
    found = np.bincount(group)
    unresolved = np.bincount(group, weights=np.isin(snapshot.values("state", rows), list(UNRESOLVED)))
    order = np.lexsort((-found, -returned))[:most]
    newest = _newest(group, snapshot.values("opened", rows), len(found))
    return [
        Recurrence(
            category=int(category[newest[at]]),
            returned=int(returned[at]),
            found=int(found[at]),
            unresolved=int(unresolved[at]),
            newest=int(rows[newest[at]]),
        )
        for at in order.tolist()
        if returned[at] > 0
    ]


def _newest(group: NDArray[np.intp], opened: NDArray[np.int64], groups: int) -> NDArray[np.intp]:
    """Position of the latest of each group."""
    order = np.lexsort((opened, group))
    last = np.zeros(groups, dtype=np.intp)
    last[group[order]] = order
    return last
