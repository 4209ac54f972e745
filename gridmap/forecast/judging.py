"""How good a forecast was: the share of what happened that lay in the small part of the area it pointed at.

Source of hit rate and prediction-accuracy index (PAI): Chainey, Tompson & Uhlig, "The utility of hotspot
mapping for predicting spatial patterns of crime", Security Journal 21 (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["SHARES", "Mark", "hits", "judge"]

SHARES = (0.01, 0.05)
"""Parts of the area at which forecasts are judged."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of a forecast at one part of the area.

    Attributes
    ----------
    area
        Part of the squares that were pointed at; they are whole, so it may differ from what was asked.
    hit_rate
        Part of what happened that lay in them.
    """

    area: float
    hit_rate: float

    @property
    def pai(self) -> float:
        """How many times more lay in them than in squares picked blindly."""
        return self.hit_rate / self.area if self.area else 0.0


def hits(score: NDArray[np.float64], found: NDArray[np.float64], squares: int) -> float:
    """Count what was found in so many squares of the highest score.

    Of squares with the same score that do not all fit, each counts in part: what is to be expected if they
    were drawn by lot.

    Parameters
    ----------
    score, found
        Of each square, shape (g,).
    squares
        From 1 to g.
    """
    limit = np.partition(score, len(score) - squares)[len(score) - squares]
    above, level = score > limit, score == limit
    share = (squares - int(above.sum())) / int(level.sum())
    return float(found[above].sum() + share * found[level].sum())


def judge(
    tests: Iterable[tuple[NDArray[np.float64], NDArray[np.float64], float]], shares: Iterable[float] = SHARES
) -> dict[float, Mark]:
    """Judge forecasts over several periods, all finds counting alike.

    Parameters
    ----------
    tests
        Of each period: score of the squares, what was found in them, and what was found elsewhere, which
        every forecast misses.
    shares
        Parts of the area.
    """
    tests = list(tests)
    total = sum(float(found.sum()) + missed for _, found, missed in tests)
    marks = {}
    for share in shares:
        hit, chosen, squares = 0.0, 0, 0
        for score, found, _ in tests:
            most = max(round(share * len(score)), 1)
            hit += hits(score, found, most)
            chosen, squares = chosen + most, squares + len(score)
        marks[share] = Mark(chosen / squares if squares else 0.0, hit / total if total else 0.0)
    return marks
