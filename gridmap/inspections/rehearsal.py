"""Rehearsing an assessment: many samples drawn as the assessors draw theirs, and the score each would give.

Every sample takes from every type and area its share, as `gridmap.look_back.rules.draw` does. In it, the
assessors see each open problem near a point of the sample, or not, by its chance; a point loses the points
of what they see, up to a limit; the score is 100 less what all of them lose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridmap.look_back.rules import allocate

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Exposed", "Rehearsed", "draw_many", "rehearse"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposed:
    """Open problems near points, one row for each pair.

    Attributes
    ----------
    point, problem
        Numbers from 0, int64, shape (p,), in ascending order of `point`.
    points
        Deducted where the assessors see it, shape (p,).
    chance
        That they do, shape (p,).
    """

    point: NDArray[np.int64]
    problem: NDArray[np.int64]
    points: NDArray[np.float64]
    chance: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsed:
    """What came of many samples.

    Attributes
    ----------
    scores
        Of each sample, shape (d,).
    drawn
        In how many samples each point was, shape (n,).
    lost
        Points that each place lost on average where it was drawn, 0 where it never was, shape (n,).
    hurt
        Points that each pair of `Exposed` cost over all samples, before the limit, shape (p,).
    """

    scores: NDArray[np.float64]
    drawn: NDArray[np.int64]
    lost: NDArray[np.float64]
    hurt: NDArray[np.float64]

    def interval(self, share: float = 0.9) -> tuple[float, float, float]:
        """Return mean score, and the bounds between which the given share of all samples lies."""
        low, high = np.quantile(self.scores, [(1 - share) / 2, (1 + share) / 2]).tolist()
        return float(self.scores.mean()), low, high


def draw_many(
    stratum: NDArray[np.int64], size: int, draws: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw stratified samples without replacement, each independent of the others.

    Parameters
    ----------
    stratum
        Of each place, shape (n,).
    size
        Of a sample; no more than there is, is drawn.

    Returns
    -------
    numpy.ndarray
        Positions, shape (draws, size), in no order.
    """
    _, of = np.unique(stratum, return_inverse=True)
    wanted = allocate(np.bincount(of), size)
    parts = []
    for number in np.flatnonzero(wanted).tolist():
        members = np.flatnonzero(of == number)
        lots = rng.random((draws, len(members)), dtype=np.float32)
        count = int(wanted[number])
        taken = np.argpartition(lots, min(count, len(members) - 1), axis=1)[:, :count]
        parts.append(members[taken])
    return np.concatenate(parts, axis=1) if parts else np.zeros((draws, 0), dtype=np.int64)


def rehearse(
    stratum: NDArray[np.int64], exposed: Exposed, *, size: int, draws: int, seed: int, limit: float
) -> Rehearsed:
    """Draw samples and see what each would cost; the same for the same seed.

    Parameters
    ----------
    stratum
        Of each point, shape (n,).
    exposed
        What is wrong near them.
    size, draws
        Points in a sample, and samples.
    seed
        Of numpy's default generator (PCG64).
    limit
        The most that one point loses.
    """
    rng, count = np.random.default_rng(seed), len(stratum)
    samples = draw_many(stratum, size, draws, rng)
    begin = np.searchsorted(exposed.point, np.arange(count + 1))
    visits = samples.ravel()
    near = (begin[1:] - begin[:-1])[visits]
    # One row for every problem near every visited point.
    visit = np.repeat(np.arange(len(visits)), near)
    row = np.arange(len(visit)) - np.repeat(np.cumsum(near) - near, near) + begin[visits][visit]
    cost = np.where(rng.random(len(row)) < exposed.chance[row], exposed.points[row], 0.0)
    lost = np.minimum(np.bincount(visit, weights=cost, minlength=len(visits)).astype(np.float64), limit)
    scores = np.maximum(100.0 - lost.reshape(samples.shape).sum(axis=1), 0.0)
    drawn = np.bincount(visits, minlength=count)
    total = np.bincount(visits, weights=lost, minlength=count).astype(np.float64)
    return Rehearsed(
        scores=scores,
        drawn=drawn.astype(np.int64),
        lost=np.divide(total, drawn, out=np.zeros(count), where=drawn > 0),
        hurt=np.bincount(row, weights=cost, minlength=len(exposed.point)).astype(np.float64),
    )
