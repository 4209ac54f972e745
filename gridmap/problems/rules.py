"""Rules of problems over plain arrays: steps that a record implies, and records that cannot be true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.problems.models import State

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["impossible_times", "steps_behind", "suspect_default_coordinates"]

_VOID = (State.REJECTED, State.MERGED)
_AT_WORK = (State.DISPATCHED, State.ACCEPTED, State.SENT_BACK)
_STATES = list(State)

_FEWEST_PLACES, _FEWEST_CASES, _LEAST_SHARE, _GAP, _MOST_DEFAULTS = 100, 100, 0.01, 10, 5


def steps_behind(
    state: ArrayLike, found_at: ArrayLike, closed_at: ArrayLike, due_at: ArrayLike
) -> dict[str, NDArray[Any]]:
    """Say when the steps were taken that lie behind a record which tells only its state and three times.

    A record in another system's list was filed there and given to somebody when it was opened, as its limit
    counts from then; it was handed back when it was closed. What is only recorded, rejected or merged was not
    filed; what is only checked was given to nobody. The clock runs while somebody has it.

    Parameters
    ----------
    state
        Positions in `State`, shape (n,).
    found_at, closed_at, due_at
        datetime64[us], UTC, shape (n,); NaT: not known, not closed, no limit.

    Returns
    -------
    dict
        ``checked_at``, ``dispatched_at``, ``fixed_at``, ``fix_due_at`` and ``clock_since``, datetime64[us],
        NaT where it has not happened; ``on_time``, a masked array of bool, masked where it was not fixed or
        had no limit.
    """
    position = np.asarray(state)
    found, closed, due = (np.asarray(t, dtype="datetime64[us]") for t in (found_at, closed_at, due_at))
    filed = ~np.isin(position, [_STATES.index(one) for one in (State.RECORDED, *_VOID)])
    given = filed & (position != _STATES.index(State.CHECKED))
    never = np.datetime64("NaT", "us")
    fixed = np.where(position == _STATES.index(State.CLOSED), closed, never)
    limit = np.where(given, due, never)
    return {
        "checked_at": np.where(filed, found, never),
        "dispatched_at": np.where(given, found, never),
        "fixed_at": fixed,
        "fix_due_at": limit,
        "clock_since": np.where(np.isin(position, [_STATES.index(one) for one in _AT_WORK]), found, never),
        "on_time": np.ma.masked_array(fixed <= limit, mask=np.isnat(fixed) | np.isnat(limit)),
    }


def impossible_times(found_at: ArrayLike, closed_at: ArrayLike, now: np.datetime64) -> NDArray[np.bool_]:
    """Which problems were closed before they were found, or found or closed after `now`.

    Parameters
    ----------
    found_at, closed_at
        datetime64, UTC, shape (n,); NaT: not known, not closed.
    now
        UTC.
    """
    found, closed = np.asarray(found_at), np.asarray(closed_at)
    return np.asarray((closed < found) | (found > now) | (closed > now))


def suspect_default_coordinates(
    lon: ArrayLike, lat: ArrayLike, kind: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Which cases stand where so many stand that it must mean "place unknown".

    Systems that must have coordinates put cases without an address on one point, such as the city hall. A
    point is suspect if

    - at least 100 cases and 1 % of all stand exactly on it (to 1e-7 degrees),
    - it towers: ten times as many as on the busiest point that is not suspect; at most five such points;
    - its kinds are as mixed as the whole: at least half as many different ones as a random sample of
      that size has. Thousands of cases at one corner of a night market are of few kinds.

    Nothing is suspect among fewer than 100 distinct points.

    Parameters
    ----------
    lon, lat
        Degrees, shape (n,).
    kind
        Category of each, integers of shape (n,); the third condition is left out if None.

    Returns
    -------
    numpy.ndarray
        bool, shape (n,).
    """
    x, y = (np.round(np.asarray(degrees) * 1e7).astype(np.int64) for degrees in (lon, lat))
    _, place, counts = np.unique(x * (1 << 32) + y, return_inverse=True, return_counts=True)
    if counts.size < _FEWEST_PLACES:
        return np.zeros(x.size, dtype=bool)
    busiest = np.argsort(-counts, kind="stable")[: _MOST_DEFAULTS + 1]
    top = counts[busiest]
    towers = np.flatnonzero(
        (top[:-1] >= _GAP * top[1:]) & (top[:-1] >= _FEWEST_CASES) & (top[:-1] >= _LEAST_SHARE * x.size)
    )
    suspects = busiest[: towers[-1] + 1] if towers.size else busiest[:0]
    if kind is not None:
        kinds = np.unique(np.asarray(kind), return_inverse=True)[1]
        suspects = np.array([one for one in suspects if _mixed(kinds, kinds[place == one])], dtype=np.int64)
    return np.isin(place, suspects)


def _mixed(kinds: NDArray[np.intp], here: NDArray[np.intp]) -> bool:
    """Whether a point has at least half the kinds that a random sample of its size is expected to have."""
    shares = np.bincount(kinds) / kinds.size
    expected = float((1 - (1 - shares) ** here.size).sum())
    return bool(np.unique(here).size >= expected / 2)
