"""Which way to forecast: whichever did best on this ground, the first where others did hardly better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridmap.forecast.candidates import SIMPLE, Learned, Way, features, fit
from gridmap.forecast.judging import SHARES, Mark, judge
from gridmap.jobs import silent
from gridmap.language import gettext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.forecast.history import History
    from gridmap.jobs import Progress

__all__ = [
    "FEW",
    "LEAST_FOUND",
    "LEAST_WEEKS",
    "Choice",
    "back_test",
    "best",
    "broadened",
    "choose",
    "enough",
    "expected",
    "trial_weeks",
]

LEAST_WEEKS = 6
"""Weeks of history below which nothing is forecast."""
LEAST_FOUND = 60
"""Finds below which nothing is forecast."""
_TESTS = 8
_LESSONS = 12
_FEWEST_LESSONS = 3
_HARDLY = 0.01
FEW = 200
"""Finds in the tests below which a weekday by itself tells too little."""
_LEVEL_WEEKS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """How it is forecast.

    Attributes
    ----------
    way
        The winner.
    marks
        Of each way that could be tried, by part of the area.
    tests
        Weeks over which they were tried.
    found
        What happened in them.
    learned
        The winner's model, fitted on all that is known; None of a simple one.
    """

    way: Way
    marks: dict[Way, dict[float, Mark]]
    tests: int
    found: int
    learned: Learned | None

    def score(self, history: History, beside: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Score the squares of a history for its window, shape (g,)."""
        if self.learned is None:
            return SIMPLE[self.way](history, 0)
        return self.learned.score(features(history, 0, beside))


def enough(history: History) -> bool:
    """Whether there is anything to forecast from."""
    return history.weeks >= LEAST_WEEKS + history.lead and history.every.sum() >= LEAST_FOUND


def back_test(
    history: History,
    tests: Sequence[int],
    lessons: Sequence[int],
    beside: NDArray[np.float64] | None = None,
    progress: Progress = silent,
) -> dict[Way, dict[float, Mark]]:
    """Judge every way on the same weeks.

    Parameters
    ----------
    history
        Its ground should be what was known before the first of the tests.
    tests
        How many weeks ago forecasts are made; each looks only at what was known then.
    lessons
        How many weeks ago the learned ones may have learned; wholly known before the first of the tests. They
        are left out where there are too few.
    beside
        See `gridmap.forecast.candidates.features`.
    progress
        Told before each way is tried; may raise.
    """
    said = gettext("Trying ways to forecast on the last weeks")
    truth = [(history.found(k), float(history.missed[k])) for k in tests]
    marks = {}
    for n, (way, score) in enumerate(SIMPLE.items()):
        progress(n, len(Way) + 1, said)
        marks[way] = judge((score(history, k), *true) for k, true in zip(tests, truth, strict=True))
    progress(len(SIMPLE), len(Way) + 1, said)
    if len(lessons) >= _FEWEST_LESSONS and sum(history.found(k).sum() for k in lessons):
        tables = [features(history, k, beside) for k in tests]
        learned = fit(history, lessons, beside)
        marks[Way.LEARNED] = judge(
            (learned.score(table), *true) for table, true in zip(tables, truth, strict=True)
        )
    return marks


def best(marks: dict[Way, dict[float, Mark]], found: float) -> Way:
    """Return the way with the highest mean hit rate; the first of those that are hardly worse.

    That is, by a standard error of the best, or by a hundredth. Source of the rule of one standard error:
    Breiman, Friedman, Olshen & Stone, "Classification and Regression Trees" (1984).

    Parameters
    ----------
    found
        Finds by which the rates were counted.
    """
    small, large = SHARES
    merit = {way: (mark[small].hit_rate + mark[large].hit_rate) / 2 for way, mark in marks.items()}
    top = max(merit, key=lambda way: merit[way])
    most = merit[top]
    # A find met in the small part is met in the large part as well: it counts 1, else a half or nothing.
    spread = (marks[top][large].hit_rate + 3 * marks[top][small].hit_rate) / 4 - most**2
    error = math.sqrt(max(spread, 0.0) / max(found, 1.0))
    return next(way for way in Way if way in merit and merit[way] >= most - max(most * _HARDLY, error))


def choose(
    before: History,
    history: History,
    beside: NDArray[np.float64] | None = None,
    progress: Progress = silent,
) -> Choice:
    """Try every way on the last weeks, and prepare the one that did best.

    Parameters
    ----------
    before
        The history on the ground that was known before the first test; see `trial_weeks`.
    history
        The history on the ground of today.
    beside
        Of the squares of `history`; see `gridmap.forecast.candidates.features`.
    progress
        Told before each way is tried; may raise.
    """
    tests = trial_weeks(history)
    first = tests[-1] + history.lead
    lessons = range(first, min(first + _LESSONS, history.weeks - 2))
    rows = history.ground.rows(before.ground.key)
    marks = back_test(before, tests, lessons, None if beside is None else beside[rows], progress)
    found = sum(before.found(k).sum() + before.missed[k] for k in tests)
    way = best(marks, float(found))
    progress(len(Way), len(Way) + 1, gettext("Learning from all weeks"))
    learned = None
    if way not in SIMPLE:
        learned = fit(history, range(history.lead, min(history.lead + _LESSONS, history.weeks - 2)), beside)
    return Choice(way, marks, len(tests), int(found), learned)


def trial_weeks(history: History) -> range:
    """How many weeks ago the forecasts were made that are judged: the latest that are wholly known."""
    return range(history.lead, history.lead + max(min(_TESTS, (history.weeks - history.lead) // 3), 1))


def broadened(history: History) -> bool:
    """Whether the weekdays of a window tell too little by themselves, so that all are learned from."""
    found = sum(float(history.found(k).sum()) for k in trial_weeks(history))
    return history.window.days < 7 and found < FEW


def expected(score: NDArray[np.float64], history: History) -> NDArray[np.float64]:
    """Expected finds per square, shape (g,): scores brought to what the window held in the last weeks."""
    total = float(score.sum())
    return score * (history.total(_LEVEL_WEEKS) / total) if total > 0 else np.zeros(len(score))
