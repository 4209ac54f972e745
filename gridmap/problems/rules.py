"""Rules of problems over plain arrays: records that cannot be true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["impossible_times", "suspect_default_coordinates"]

_FEWEST_PLACES, _FEWEST_CASES, _LEAST_SHARE, _GAP, _MOST_DEFAULTS = 100, 100, 0.01, 10, 5


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
