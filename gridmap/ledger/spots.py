"""Recurring spots: where problems of one kind come up again and again, by distance and not by a grid."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geodata.projection import LocalProjection
from gridmap.hotspots.loading import STATES, UNRESOLVED
from gridmap.problems.models import State

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.hotspots.view import View

__all__ = ["LEAST", "Spot", "recurring_spots", "spots_of"]

LEAST = 3
"""Problems of one kind on one spot within the period that make it a recurring one."""
_VOID = [STATES.index(State.REJECTED), STATES.index(State.MERGED)]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where problems of one kind come again and again.

    Attributes
    ----------
    category
        Database id.
    count, unresolved
        Problems of the period, and those of them that are still unresolved.
    newest
        Case number of the newest, by which the place is named.
    first, last
        When the first and the last were found, seconds since 1970 UTC.
    """

    category: int
    count: int
    unresolved: int
    newest: int
    first: int
    last: int


def spots_of(
    x: NDArray[np.float64], y: NDArray[np.float64], kind: NDArray[np.int64], *, metres: float, limit: int
) -> list[NDArray[np.int64]]:
    """Return the positions that lie together, the fullest spots first; each position is on one spot only.

    A spot is everything of one kind within a distance of one of its problems; it does not chain along a
    street.

    Parameters
    ----------
    x, y
        In metres, shape (n,).
    kind
        What may not be mixed, shape (n,).
    metres
        How far from its middle a spot reaches.
    limit
        Most spots.
    """
    # A tenth of a second to read, which no start should wait for.
    from scipy.spatial import cKDTree  # noqa: PLC0415

    # Kinds lie apart on a third axis, farther than a spot reaches.
    apart = np.unique(kind, return_inverse=True)[1].reshape(-1) * (4.0 * max(metres, 1.0))
    where = np.column_stack((x, y, apart))
    tree = cKDTree(where)
    around = tree.query_ball_point(where, metres, return_length=True)
    heap = [(-int(around[at]), int(at)) for at in np.flatnonzero(around >= LEAST)]
    heapq.heapify(heap)
    taken = np.zeros(len(where), dtype=bool)
    found: list[NDArray[np.int64]] = []
    while heap and len(found) < limit:
        most, at = heapq.heappop(heap)
        if taken[at]:
            continue
        near = np.asarray(tree.query_ball_point(where[at], metres), dtype=np.int64)
        left = near[~taken[near]]
        if len(left) == -most:
            taken[left] = True
            found.append(np.sort(left))
        elif len(left) >= LEAST:
            heapq.heappush(heap, (-len(left), at))
    return found


def recurring_spots(view: View, since: int, *, metres: float, limit: int = 200) -> list[Spot]:
    """Find the spots where problems of one kind came up `LEAST` times or more since a moment.

    Parameters
    ----------
    view
        With problems of every state, limited to what the reader may see; what is rejected or merged is none.
    since
        Seconds since 1970 UTC.
    metres, limit
        As for `spots_of`.
    """
    snapshot = view.snapshot
    rows = view.rows[snapshot.points.rows.opened[view.rows] >= since]
    rows = rows[~np.isin(snapshot.values("state", rows), _VOID)]
    if not len(rows):
        return []
    lon, lat = snapshot.lon[rows], snapshot.lat[rows]
    x, y = LocalProjection(round(float(np.median(lon)), 2), round(float(np.median(lat)), 2)).forward_xy(
        lon, lat
    )
    category = snapshot.values("category", rows).astype(np.int64)
    return [_spot(view, rows[at]) for at in spots_of(x, y, category, metres=metres, limit=limit)]


def _spot(view: View, rows: NDArray[np.int64]) -> Spot:
    opened = view.snapshot.values("opened", rows)
    state = view.snapshot.values("state", rows)
    return Spot(
        category=int(view.snapshot.values("category", rows[:1])[0]),
        count=len(rows),
        unresolved=int(np.isin(state, list(UNRESOLVED)).sum()),
        newest=int(view.snapshot.number[rows[np.argmax(opened)]]),
        first=int(opened.min()),
        last=int(opened.max()),
    )
