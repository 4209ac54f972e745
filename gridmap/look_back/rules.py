"""Which closed problems are looked at again, and by whom, over plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["allocate", "draw", "hand_out"]


def allocate(sizes: ArrayLike, size: int) -> NDArray[np.int64]:
    """Divide a sample among strata: one for each as long as it lasts, the rest by their sizes.

    Parameters
    ----------
    sizes
        Problems in each stratum, shape (k,).
    size
        Of the whole sample; no more than there is, is drawn.

    Returns
    -------
    numpy.ndarray
        Problems to draw from each stratum, int64, shape (k,). Remainders go to the largest fractions
        (Hamilton's method), among equal ones to the larger stratum and then the earlier.
    """
    there = np.asarray(sizes, dtype=np.int64)
    wanted = min(int(size), int(there.sum()))
    first = np.lexsort((np.arange(there.size), -there))
    taken = np.zeros(there.size, dtype=np.int64)
    taken[first[: min(wanted, there.size)]] = 1
    taken = np.minimum(taken, there)
    while (left := wanted - int(taken.sum())) > 0:
        room = there - taken
        share = left * room / room.sum()
        taken += np.floor(share).astype(np.int64)
        rest = wanted - int(taken.sum())
        order = np.lexsort((np.arange(there.size), -there, -(share - np.floor(share))))
        order = order[(there - taken)[order] > 0][:rest]
        taken[order] += 1
    return taken


def draw(stratum: ArrayLike, size: int, seed: int) -> NDArray[np.intp]:
    """Draw a stratified random sample without replacement; the same for the same input.

    Parameters
    ----------
    stratum
        Stratum of each problem, integers of shape (n,); the problems in ascending order of their numbers.
    size
        How many to draw.
    seed
        Of numpy's default generator (PCG64).

    Returns
    -------
    numpy.ndarray
        Positions, ascending.
    """
    codes, of = np.unique(np.asarray(stratum), return_inverse=True)
    wanted = allocate(np.bincount(of, minlength=codes.size), size)
    # Every problem draws a number; in each stratum those with the smallest ones are taken.
    lot = np.random.default_rng(seed).permutation(of.size)
    order = np.lexsort((lot, of))
    start = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=codes.size))[:-1]])
    place = np.arange(of.size) - start[of[order]]
    return np.sort(order[place < wanted[of[order]]])


def hand_out(may: NDArray[np.bool_], prefers: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give each problem to somebody, in turns.

    Parameters
    ----------
    may
        Whether a person may look at a problem, shape (n, k).
    prefers
        Whether they had no part in it, shape (n, k).

    Returns
    -------
    numpy.ndarray
        Position of the person, shape (n,): the next one in turn who may and had no part, or else who may;
        -1 where nobody may.
    """
    count, people = may.shape
    if not people:
        return np.full(count, -1, dtype=np.intp)
    turn = (np.arange(count)[:, None] + np.arange(people)[None, :]) % people
    rows = np.arange(count)[:, None]
    worth = (may[rows, turn].astype(np.int8) * 2) + (may & prefers)[rows, turn]
    best = worth.argmax(axis=1)
    chosen = turn[np.arange(count), best]
    return np.where(may.any(axis=1), chosen, -1)
