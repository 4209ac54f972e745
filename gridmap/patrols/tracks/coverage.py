"""What was seen when: coverage of streets, cells and points, and the dead corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from gridmap.patrols.tracks.models import TrackVisit
from gridmap.people.permissions import Permission
from gridmap.store.bulk import read_columns

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.patrols.tracks.ground import Ground
    from gridmap.people.permissions import Actor, Scope

__all__ = ["CellCoverage", "Corner", "Coverage", "read_coverage"]

_NEVER = -1.0
_SHORTEST_M = 30.0
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class CellCoverage:
    """How much of a cell's streets was walked."""

    cell: int
    metres: float
    seen_m: float

    @property
    def share(self) -> float:
        """Share of its street metres, 0 to 1."""
        return self.seen_m / self.metres if self.metres else 0.0


@dataclass(frozen=True, slots=True)
class Corner:
    """A stretch of street that nobody has seen (死角).

    Attributes
    ----------
    street
        Its name, or what its source calls it.
    cell
        Id of its cell.
    metres
        How long it is.
    lon, lat
        Its middle, degrees.
    last
        Seconds since 1970 when any of it was seen last; None if never.
    track
        Id of the track that saw it then, -1 for none; who walked it is not for every reader.
    """

    street: str
    cell: int
    metres: float
    lon: float
    lat: float
    last: float | None
    track: int


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """When each sample of the streets was seen last, within what the reader may see.

    Attributes
    ----------
    ground
        The samples.
    shown
        Which of them lie in the reader's areas, bool, shape (k,).
    last
        Seconds since 1970, -1 for never, shape (k,).
    by
        Id of the track that saw it last, -1 for none; int64, shape (k,).
    areas
        The reader's; None for all.
    """

    ground: Ground
    shown: NDArray[np.bool_]
    last: NDArray[np.float64]
    by: NDArray[np.int64]
    areas: frozenset[int] | None

    def cells(self, since: float) -> list[CellCoverage]:
        """How much of each cell was walked since a time, the least covered first."""
        ground, inside = self.ground, self.shown & (self.ground.cell >= 0)
        ids, row = np.unique(ground.cell[inside], return_inverse=True)
        metres = np.bincount(row, weights=ground.metres[inside], minlength=len(ids))
        seen = self.last[inside] >= since
        walked = np.bincount(row, weights=ground.metres[inside] * seen, minlength=len(ids))
        found = [
            CellCoverage(*one) for one in zip(ids.tolist(), metres.tolist(), walked.tolist(), strict=True)
        ]
        return sorted(found, key=lambda one: (one.share, -one.metres))

    def corners(self, since: float) -> list[Corner]:
        """Stretches of streets in cells that nobody has walked since a time, the longest first."""
        ground = self.ground
        dead = np.flatnonzero(self.shown & (ground.cell >= 0) & (self.last < since))
        if not len(dead):
            return []
        joined = np.diff(dead) == 1
        for column in (ground.street, ground.cell):
            joined &= np.diff(column[dead]) == 0
        first = np.flatnonzero(np.append(True, ~joined))
        metres = np.add.reduceat(ground.metres[dead], first)
        last = np.maximum.reduceat(self.last[dead], first)
        newest = np.lexsort((self.last[dead], np.repeat(np.arange(len(first)), _sizes(first, len(dead)))))
        track = self.by[dead[newest[np.append(first[1:], len(dead)) - 1]]]
        middle = dead[(first + np.append(first[1:], len(dead)) - 1) // 2]
        graph = ground.network.graph
        found = []
        columns = (metres.tolist(), middle.tolist(), last.tolist(), track.tolist())
        for length, at, seen, by in zip(*columns, strict=True):
            street = int(ground.street[at])
            if length < _SHORTEST_M:
                continue
            found.append(
                Corner(
                    str(graph.name[street]),
                    int(ground.cell[at]),
                    length,
                    float(ground.lon[at]),
                    float(ground.lat[at]),
                    None if seen < 0 else seen,
                    by,
                )
            )
        return sorted(found, key=lambda one: -one.metres)

    def points(self, since: float) -> list[tuple[int, float | None]]:
        """Inspection points that nobody has passed since a time: id, and when one did last."""
        found = []
        for point, area, sample in self.ground.points.tolist():
            if self.areas is not None and area not in self.areas:
                continue
            seen = float(self.last[sample]) if sample >= 0 else _NEVER
            if seen < since:
                found.append((point, None if seen < 0 else seen))
        return found

    def edges(self) -> NDArray[np.float64]:
        """When each edge was last seen as a whole: seconds since 1970, -1 for never, shape (m,)."""
        last = np.full(len(self.ground.network.graph), np.inf)
        np.minimum.at(last, self.ground.edge, self.last)
        last[np.isinf(last)] = _NEVER
        return last

    def age(self, now: float) -> NDArray[np.int64]:
        """Whole days since each sample was seen, -1 for never, shape (k,)."""
        return np.where(self.last < 0, -1, (now - self.last) // _DAY_S).astype(np.int64)


def _sizes(first: NDArray[np.intp], total: int) -> NDArray[np.intp]:
    return np.diff(np.append(first, total))


def _within(ground: Ground, scope: Scope) -> NDArray[np.bool_]:
    if scope.areas is None:
        return np.ones(len(ground), dtype=bool)
    areas = scope.areas
    cells = [cell for cell, area in ground.cell_area.items() if area in areas]
    return np.isin(ground.cell, cells)


def read_coverage(
    session: Session, actor: Actor, ground: Ground, *, since: datetime, until: datetime
) -> Coverage:
    """Say when each street was seen last, by whomever, as far as tracks of some time tell.

    Raises
    ------
    PermissionDeniedError
        If the actor may read nobody's tracks.
    """
    scope = actor.scope(Permission.TRACK_READ)
    visits = read_columns(
        session,
        select(
            TrackVisit.track_id, TrackVisit.street_ref, TrackVisit.begin_m, TrackVisit.end_m, TrackVisit.at
        ).where(TrackVisit.at >= since, TrackVisit.at < until),
    )
    last = np.full(len(ground), _NEVER)
    by = np.full(len(ground), -1, dtype=np.int64)
    if len(visits["track_id"]):
        street = ground.streets(visits["street_ref"].tolist())
        at = visits["at"].astype("datetime64[ms]").astype(np.int64) / 1000
        order = np.argsort(at, kind="stable")
        order = order[street[order] >= 0]
        begin, end = (np.asarray(visits[name], dtype=float)[order] for name in ("begin_m", "end_m"))
        stretch, sample = ground.rows(street[order], begin, end)
        # The latest comes last and stays.
        last[sample] = at[order][stretch]
        by[sample] = np.asarray(visits["track_id"], dtype=np.int64)[order][stretch]
    return Coverage(ground, _within(ground, scope), last, by, scope.areas)
