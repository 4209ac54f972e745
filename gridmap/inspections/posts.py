"""Who stands where: people to posts, so that as few as possible stay empty and nobody is in two places.

Every post has a time from which and until which somebody stands there. Somebody may hold two posts if the
walk between them fits between. Which post gets whom is solved exactly as an integer program (HiGHS).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gridmap.errors import GridmapError
from gridmap.inspections.binary_program import AtMost, choose

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Emptiness", "Posts", "Willing", "assign", "clashing"]

_SECONDS = 20.0


class Emptiness(StrEnum):
    """Why nobody stands at a post."""

    NOBODY = "nobody"
    TOO_FEW = "too_few"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posts:
    """Posts to be held.

    Attributes
    ----------
    begins_s, ends_s
        Seconds from some moment, shape (n,).
    needed
        How many people, int64, shape (n,).
    walk_s
        From each to each on foot, infinite where there is no way, shape (n, n).
    """

    begins_s: NDArray[np.int64]
    ends_s: NDArray[np.int64]
    needed: NDArray[np.int64]
    walk_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Willing:
    """Who could hold which post, one row for each pair.

    Attributes
    ----------
    person, post
        Numbers from 0, int64, shape (c,).
    cost
        0 for whoever should be there first, more for others, shape (c,).
    """

    person: NDArray[np.int64]
    post: NDArray[np.int64]
    cost: NDArray[np.float64]


def clashing(posts: Posts) -> NDArray[np.bool_]:
    """Whether one person cannot hold two posts, shape (n, n); every post clashes with itself.

    They can if one ends, and the walk to the other is done, before that begins.
    """
    after = posts.ends_s[:, None] + posts.walk_s <= posts.begins_s[None, :]
    fits: NDArray[np.bool_] = after | after.T
    return ~fits


def assign(posts: Posts, willing: Willing, *, seconds: float = _SECONDS) -> NDArray[np.int64]:
    """Choose rows of `willing`: as many posts as possible are held, among those choices the cheapest.

    Parameters
    ----------
    seconds
        After which the search ends with the best so far.

    Returns
    -------
    numpy.ndarray
        Rows, ascending, int64.

    Raises
    ------
    GridmapError
        If no choice was found in time.
    """
    count = len(willing.person)
    if not count:
        return np.zeros(0, dtype=np.int64)
    first, second = _excluding(posts, willing)
    # One post more is worth more than all costs together.
    worth = 1.0 + float(posts.needed.sum()) * float(willing.cost.max(initial=0.0))
    row = np.arange(len(first))
    enough = AtMost(
        row=willing.post, column=np.arange(count), value=np.ones(count), most=posts.needed.astype(float)
    )
    one_place = AtMost(
        row=np.r_[row, row],
        column=np.r_[first, second],
        value=np.ones(2 * len(first)),
        most=np.ones(len(first)),
    )
    taken = choose(willing.cost - worth, [enough, one_place], seconds=seconds).taken
    if taken is None:
        raise GridmapError("No choice of people was found in time; ask for fewer people at each post.")
    return np.flatnonzero(taken)


def _excluding(posts: Posts, willing: Willing) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of rows of one person of which only one can be chosen."""
    clash = clashing(posts)
    order = np.argsort(willing.person, kind="stable")
    _, size = np.unique(willing.person, return_counts=True)
    # Every row with every later one of the same person.
    later = np.repeat(np.cumsum(size), size) - np.arange(len(order)) - 1
    one = np.repeat(np.arange(len(order)), later)
    other = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(later) - later, later)
    first, second = order[one], order[other]
    bad = clash[willing.post[first], willing.post[second]]
    return first[bad], second[bad]
