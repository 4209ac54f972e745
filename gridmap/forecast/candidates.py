"""Ways to forecast, from simple ones to a learned one; each gives every square a number, more being worse.

The simple ones need no fitting. `features` are what the learned one looks at, all of them known when a
forecast is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.forecast.history import History

__all__ = ["SIMPLE", "Learned", "Way", "features", "fit"]

_MOST_ROWS = 60_000
"""Rows that are learned from; of more a part stands for all."""
_HALF_LIFE = 8.0
_KERNEL_PASSES = 1
_DOUBT_WEEKS = 8.0
"""So many weeks of counts in the same hours weigh as much as what all hours tell."""
_RIDGE = 1e-3


class Way(StrEnum):
    """How it is forecast; where two are as good, the one that stands first is taken."""

    RECENT = "recent"
    MONTH = "month"
    KERNEL = "kernel"
    SEASON = "season"
    LEARNED = "learned"


class Simple(Protocol):
    """Scores squares k weeks before the origin, shape (g,)."""

    def __call__(self, history: History, k: int) -> NDArray[np.float64]:
        """Score."""


def _month(history: History, k: int) -> NDArray[np.float64]:
    return history.lately(history.every, k, 4)


def _recent(history: History, k: int) -> NDArray[np.float64]:
    # Few are found in these hours of one square; what is found there at any time says what to expect.
    weeks = _HALF_LIFE / np.log(2)
    hours = history.decayed(history.hours, k, _HALF_LIFE)
    every = history.decayed(history.every, k, _HALF_LIFE)
    share = hours.sum() / max(float(every.sum()), 1e-12)
    score: NDArray[np.float64] = (weeks * hours + _DOUBT_WEEKS * share * every) / (weeks + _DOUBT_WEEKS)
    return score


def _kernel(history: History, k: int) -> NDArray[np.float64]:
    return history.ground.spread(history.decayed(history.every, k, _HALF_LIFE), _KERNEL_PASSES)


def _season(history: History, k: int) -> NDArray[np.float64]:
    return history.same_month(k)


SIMPLE: dict[Way, Simple] = {
    Way.RECENT: _recent,
    Way.MONTH: _month,
    Way.KERNEL: _kernel,
    Way.SEASON: _season,
}
"""Counts that halve every eight weeks, in the same hours and, with less weight, in all; counts of the last
four weeks; a kernel density that halves every eight weeks; the mean of the same weekdays and hours in that
month."""


def features(history: History, k: int, beside: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """What is known of each square k weeks before the origin, as logarithms, shape (g, f).

    Parameters
    ----------
    beside
        What does not change: sites and roads near each square, shape (g, s).
    """
    ground, lead = history.ground, history.lead
    every = [history.decayed(history.every, k, weeks) for weeks in (2, 8, 26, 104)]
    alike = [history.decayed(history.alike, k + lead, weeks) for weeks in (8, 52)]
    hours = [history.decayed(history.hours, k, weeks) for weeks in (8, 52)]
    near = [
        ground.neighbours(every[1]),
        ground.spread(every[1], 2),
        ground.spread(every[2], 4),
        ground.spread(every[3], 2),
        ground.spread(hours[1], 2),
    ]
    columns = [np.log(x + 0.002) for x in (*every, *alike, *hours, *near, history.same_month(k))]
    table = np.stack(columns, axis=1)
    return table if beside is None else np.hstack([table, beside])


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A Poisson regression that was fitted: mean and scale of each feature, its weight, and a level."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weight: NDArray[np.float64]
    level: float

    def score(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Expected finds of squares, by their features; shape (g,)."""
        expected: NDArray[np.float64] = np.exp((table - self.mean) / self.scale @ self.weight + self.level)
        return expected


def fit(history: History, weeks: Sequence[int], beside: NDArray[np.float64] | None = None) -> Learned:
    """Learn from how forecasts of some weeks ago would have had to be: a Poisson regression.

    Parameters
    ----------
    history
        What was found.
    weeks
        How many weeks ago; each window is wholly known.
    beside
        See `features`.
    """
    from sklearn.linear_model import PoissonRegressor  # noqa: PLC0415 - a server starts without it
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415 - as above

    tables, targets, weights, rows = [], [], [], []
    most = max(_MOST_ROWS // max(len(weeks), 1), 1)
    for k in weeks:
        found = history.found(k)
        # As many with a find as without one, each standing for others of its sort.
        for sort in (np.flatnonzero(found > 0), np.flatnonzero(found == 0)):
            step = max(-(-2 * len(sort) // most), 1)
            rows.append(sort[k % step :: step])
            weights.append(np.full(len(rows[-1]), float(step)))
        kept = np.concatenate(rows[-2:])
        tables.append(features(history, k, beside)[kept])
        targets.append(found[kept])
    table, weight = np.concatenate(tables), np.concatenate(weights)
    scaler = StandardScaler().fit(table, sample_weight=weight)
    model = PoissonRegressor(alpha=_RIDGE, solver="newton-cholesky")
    model.fit(scaler.transform(table), np.concatenate(targets), sample_weight=weight)
    return Learned(scaler.mean_, scaler.scale_, model.coef_, float(model.intercept_))
