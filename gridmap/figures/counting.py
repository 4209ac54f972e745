"""Which problems of a view each figure counts, and how many per group: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.point_columns import NEVER
from gridmap.figures.formulas import COUNTS, TIMES, Basis
from gridmap.hotspots.life import count_of, late, recurring
from gridmap.hotspots.loading import STATES, UNRESOLVED
from gridmap.problems.models import State

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.hotspots.snapshot import Snapshot

__all__ = ["Lives", "day_of", "medians", "members", "spans", "tallied"]

_HOUR = 3600.0
_WAITING = (State.FIXED, State.VERIFIED)
_FIXED = (*_WAITING, State.CLOSED)
_AT_WORK = (State.DISPATCHED, State.ACCEPTED, State.SENT_BACK)
"""An organisation has it and its clock runs."""


@dataclass(frozen=True)
class Lives:
    """What the figures ask of some problems.

    Attributes
    ----------
    state
        Positions in `STATES`, shape (n,).
    life
        What happened how often; see `gridmap.hotspots.life`.
    opened, closed, checked, dispatched, fixed, fix_due
        Seconds since 1970 UTC or `NEVER`, uint32, shape (n,).
    """

    state: NDArray[Any]
    life: NDArray[np.int64]
    opened: NDArray[np.uint32]
    closed: NDArray[np.uint32]
    checked: NDArray[np.uint32]
    dispatched: NDArray[np.uint32]
    fixed: NDArray[np.uint32]
    fix_due: NDArray[np.uint32]

    @classmethod
    def of(cls, snapshot: Snapshot, rows: NDArray[np.int64] | slice) -> Lives:
        """Columns of some rows of a snapshot."""
        points = snapshot.points.rows
        return cls(
            state=snapshot.points.kinds["state"][points.kind[rows]],
            life=snapshot.life[rows],
            opened=points.opened[rows],
            closed=points.closed[rows],
            **{name: getattr(snapshot, name)[rows] for name in ("checked", "dispatched", "fixed", "fix_due")},
        )

    def __len__(self) -> int:
        return len(self.state)

    def stand(self, *states: State) -> NDArray[np.bool_]:
        """Which are in one of some states."""
        table = np.zeros(len(STATES), dtype=bool)
        table[[STATES.index(one) for one in states]] = True
        return np.asarray(table[self.state])

    @cached_property
    def real(self) -> NDArray[np.bool_]:
        """Which are neither rejected nor merged."""
        return ~self.stand(State.REJECTED, State.MERGED)

    def had(self, turn: str) -> NDArray[np.bool_]:
        """Which are real and took a turn at least once; one of `gridmap.hotspots.life.COUNTS`."""
        return self.real & (count_of(self.life, turn) > 0)


def day_of(snapshot: Snapshot, rows: NDArray[np.int64], basis: Basis) -> NDArray[np.uint32]:
    """Return the time by which each row belongs to a period, seconds, uint32 (n,); `NEVER`: to none."""
    points = snapshot.points.rows
    if basis is Basis.FOUND:
        return np.asarray(points.opened[rows])
    if basis is Basis.CLOSED:
        return np.asarray(points.closed[rows])
    return np.minimum(points.closed[rows], snapshot.fix_due[rows])


Counted = Callable[[Lives, int], "NDArray[np.bool_]"]

_COUNTED: Mapping[str, Counted] = MappingProxyType(
    {
        "found": lambda lives, _: np.ones(len(lives), dtype=bool),
        "void": lambda lives, _: ~lives.real,
        "filed": lambda lives, _: lives.real & (lives.checked != NEVER),
        "dispatched": lambda lives, _: lives.real & (lives.checked != NEVER) & (lives.dispatched != NEVER),
        "fixed": lambda lives, _: lives.stand(*_FIXED),
        "fixed_on_time": lambda lives, _: lives.stand(*_FIXED) & ~late(lives.life),
        "due": lambda lives, at: (
            lives.stand(State.CLOSED) | (lives.stand(*_AT_WORK, *_WAITING) & (lives.fix_due < at))
        ),
        "closed": lambda lives, _: lives.stand(State.CLOSED),
        "on_time": lambda lives, _: lives.stand(State.CLOSED) & ~late(lives.life),
        "overdue": lambda lives, at: lives.stand(*_AT_WORK) & (lives.fix_due < at),
        "open": lambda lives, _: lives.stand(*(STATES[position] for position in UNRESOLVED)),
        "rework": lambda lives, _: lives.had("rework"),
        "extended": lambda lives, _: lives.had("extensions"),
        "suspended": lambda lives, _: lives.had("suspensions"),
        "returned": lambda lives, _: lives.had("returns"),
        "recurring": lambda lives, _: lives.real & recurring(lives.life),
        "looked_back": lambda lives, _: lives.had("look_backs") | lives.had("reopened"),
        "reopened": lambda lives, _: lives.had("reopened"),
    }
)


def members(lives: Lives, name: str, moment: int) -> NDArray[np.bool_]:
    """Say which problems a count counts, bool, shape (n,).

    Parameters
    ----------
    lives
        The problems of a period.
    name
        Of `COUNTS`.
    moment
        Seconds since 1970 UTC, at which what is past its limit is judged.
    """
    return _COUNTED[name](lives, moment)


def tallied(
    lives: Lives,
    group: NDArray[np.int64],
    groups: int,
    moment: int,
    weight: NDArray[np.float64] | None = None,
) -> dict[str, NDArray[Any]]:
    """Count per group.

    Parameters
    ----------
    lives
        The problems of a period, n of them.
    group
        Group of each, in ``[0, groups)``, shape (n,).
    groups
        How many groups there are.
    moment
        As for `members`.
    weight
        By how much each counts, shape (n,); None: by one.

    Returns
    -------
    dict
        By the names in `COUNTS`, shape (groups,): int64, or float64 where there are weights.
    """
    found = {}
    for name in COUNTS:
        kept = members(lives, name, moment)
        weights = None if weight is None else weight[kept]
        found[name] = np.bincount(group[kept], weights=weights, minlength=groups)
    return found


def medians(
    lives: Lives, group: NDArray[np.int64], groups: int, moment: int
) -> dict[str, NDArray[np.float64]]:
    """Median hours per group by the names in `TIMES`, float64, shape (groups,); NaN where there is none."""
    return {name: _median(spans(lives, name, moment), group, groups) for name in TIMES}


def spans(lives: Lives, name: str, moment: int) -> NDArray[np.int64]:
    """Return how long each problem took, seconds, shape (n,); -1: a median does not count it.

    Parameters
    ----------
    lives, moment
        As for `members`.
    name
        Of `TIMES`.
    """
    time = TIMES[name]
    begin, end = getattr(lives, time.begin), getattr(lives, time.end)
    # What ends before it begins was recorded wrongly and says nothing.
    whole = members(lives, time.of, moment) & (begin != NEVER) & (end != NEVER) & (end >= begin)
    return np.where(whole, end.astype(np.int64) - begin, -1)


def _median(span: NDArray[np.int64], group: NDArray[np.int64], groups: int) -> NDArray[np.float64]:
    whole = span >= 0
    key = np.sort((group[whole] << 32) | span[whole])
    first = np.searchsorted(key, np.arange(groups + 1, dtype=np.int64) << 32)
    count = np.diff(first)
    found = np.full(groups, np.nan)
    some = np.flatnonzero(count)
    low, high = first[some] + (count[some] - 1) // 2, first[some] + count[some] // 2
    seconds = key & 0xFFFFFFFF
    found[some] = (seconds[low] + seconds[high]) / 2 / _HOUR
    return found
