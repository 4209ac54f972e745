"""What was found, counted by square and week: all that a forecast learns from.

Everything is told in whole weeks before the origin, the moment up to which is known what happened. A forecast
made `k` weeks earlier then differs only in the rows that it may look at, and cannot see what came later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix

from gridmap.forecast.windows import WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.forecast.squares import Ground
    from gridmap.forecast.windows import Window

__all__ = ["History", "decay"]


def decay(weeks: int, half_life: float) -> NDArray[np.float64]:
    """Weights of 0, 1, ... weeks ago that halve in so many weeks, and sum to 1 over all time."""
    rate = 2.0 ** (-1.0 / half_life)
    weights: NDArray[np.float64] = (1 - rate) * rate ** np.arange(weeks)
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Counts by weeks before the origin and square.

    Attributes
    ----------
    ground, window
        Where, and when is forecast.
    weeks
        How far back there is anything.
    lead
        Weeks from a forecast's own to the last window that is wholly known when it is made; at least 1.
    every
        All found: row w holds those from w to w + 1 weeks before the origin.
    hours
        Those of them in the window's hours, on any day.
    alike
        Those that the same window held k weeks earlier, in row k. Rows before `lead` are not wholly known.
    missed
        Those of the same windows outside of the ground, float64, one for each row of `alike`.
    """

    ground: Ground
    window: Window
    weeks: int
    lead: int
    every: csr_matrix
    hours: csr_matrix
    alike: csr_matrix
    missed: NDArray[np.float64]

    @classmethod
    def count(
        cls, ground: Ground, key: NDArray[np.int64], at: NDArray[np.int64], *, window: Window, origin: int
    ) -> History:
        """Count what was found before the origin; what came later is not looked at.

        Parameters
        ----------
        ground
            The squares that count.
        key
            Square of each find, shape (n,).
        at
            When, in seconds by the clock on the wall, shape (n,).
        window
            What is forecast; it begins at the origin or later.
        origin
            Up to when is known what happened, in such seconds.
        """
        known = at < origin
        key, at = key[known], at[known]
        square = ground.rows(key)
        age = (origin - 1 - at) // WEEK
        back = window.weeks_before(at)
        weeks = int(max(age.max(initial=0), back.max(initial=0))) + 1
        shape = (weeks, len(ground))
        inside = square >= 0
        same = inside & (back >= 0)
        return cls(
            ground,
            window,
            weeks,
            max(-((origin - window.end) // WEEK), 1),
            _counted(age, square, inside, shape),
            _counted(age, square, inside & window.in_hours(at), shape),
            _counted(back, square, same, shape),
            np.bincount(back[~inside & (back >= 0)], minlength=weeks).astype(float),
        )

    def decayed(self, of: csr_matrix, first: int, half_life: float) -> NDArray[np.float64]:
        """Count per week with older weeks counting less, from row `first` on; shape (g,)."""
        weights = np.zeros(self.weeks)
        weights[first:] = decay(max(self.weeks - first, 0), half_life)
        return np.asarray(weights @ of)

    def lately(self, of: csr_matrix, first: int, weeks: int) -> NDArray[np.float64]:
        """Count in so many weeks from row `first` on; shape (g,)."""
        weights = np.zeros(self.weeks)
        weights[first : first + weeks] = 1
        return np.asarray(weights @ of)

    def same_month(self, k: int) -> NDArray[np.float64]:
        """Mean of the same window in the weeks of the month that a forecast k weeks ago was for; shape (g,).

        Of all weeks where that month has not been seen before.
        """
        rows = np.arange(k + self.lead, self.weeks)
        month = np.array([_middle(self.window.earlier(row)).month for row in rows.tolist()])
        chosen = rows[month == _middle(self.window.earlier(k)).month]
        chosen = chosen if len(chosen) else rows
        weights = np.zeros(self.weeks)
        weights[chosen] = 1 / max(len(chosen), 1)
        return np.asarray(weights @ self.alike)

    def found(self, k: int) -> NDArray[np.float64]:
        """What the window held k weeks ago, per square; shape (g,)."""
        return np.asarray(self.alike[k].toarray()).ravel() if k < self.weeks else np.zeros(len(self.ground))

    def total(self, weeks: int) -> float:
        """Mean of all that the window held in the last weeks that are wholly known, ground or not."""
        rows = slice(self.lead, min(self.lead + weeks, self.weeks))
        count = max(rows.stop - rows.start, 0)
        return float(self.alike[rows].sum() + self.missed[rows].sum()) / count if count else 0.0


def _counted(row: Any, column: Any, chosen: NDArray[np.bool_], shape: tuple[int, int]) -> csr_matrix:
    """Sum of ones by row and column."""
    # Written twice is summed.
    return csr_matrix((np.ones(int(chosen.sum())), (row[chosen], column[chosen])), shape=shape)


def _middle(window: Window) -> date:
    return window.first + timedelta(days=(window.days - 1) // 2)
