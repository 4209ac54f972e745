"""Which tasks go well before or after each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.patrols.planning.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.patrols.planning.problem import Problem
    from gridmap.patrols.planning.tasks import Task

    Numbers = NDArray[np.int64]

__all__ = ["nearest"]

_ROWS = 256
_WAITING = 0.2
"""Weight of a second of waiting that cannot be avoided, beside one of moving."""


def nearest(problem: Problem, tasks: Sequence[Task], most: int) -> Numbers:
    """Positions of the tasks nearest to each one, the nearest first, shape (n, at most `most`).

    Near is what is reached soon from it, or from what it is reached soon, in the best of their modes, for the
    first worker's way of moving; waiting and coming late between windows count as distance.
    """
    count = len(tasks)
    keep = min(most, max(count - 1, 0))
    near = np.zeros((count, keep), dtype=np.int64)
    if not keep:
        return near
    seconds = problem.travel[problem.workers[0].travel].seconds
    opens = np.array([min((w.opens for w in task.windows), default=0) for task in tasks], dtype=np.float64)
    closes = np.array(
        [max((w.closes for w in task.windows), default=UNREACHABLE) for task in tasks], dtype=np.float64
    )
    doing = np.array([min(mode.seconds for mode in task.modes) for task in tasks], dtype=np.float64)
    sides = max(len(task.modes) for task in tasks)
    entries = np.array(
        [[task.modes[min(m, len(task.modes) - 1)].entry for task in tasks] for m in range(sides)]
    )
    exits = np.array([[task.modes[min(m, len(task.modes) - 1)].exit for task in tasks] for m in range(sides)])
    windowed = any(task.windows for task in tasks)
    for low in range(0, count, _ROWS):
        rows = slice(low, low + _ROWS)
        onwards = _least(seconds, exits[:, rows], entries)
        before = _least(seconds, exits, entries[:, rows]).T
        if windowed:
            onwards = onwards + _lost(
                opens[rows, None], closes[rows, None], doing[rows, None] + onwards, opens, closes
            )
            back = doing[None, :] + before
            before = before + _lost(
                opens[None, :], closes[None, :], back, opens[rows, None], closes[rows, None]
            )
        distance = np.minimum(onwards, before)
        distance[np.arange(distance.shape[0]), np.arange(low, low + distance.shape[0])] = np.inf
        near[rows] = np.argsort(distance, axis=1, kind="stable")[:, :keep]
    return near


def _least(seconds: Numbers, exits: Numbers, entries: Numbers) -> NDArray[np.float64]:
    least = np.full((exits.shape[1], entries.shape[1]), np.inf)
    for leave in exits:
        for enter in entries:
            np.minimum(least, seconds[np.ix_(leave, enter)], out=least)
    return least


def _lost(
    opens: NDArray[np.float64],
    closes: NDArray[np.float64],
    between: NDArray[np.float64],
    then_opens: NDArray[np.float64],
    then_closes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Waiting and lateness that no start within the windows avoids."""
    waiting = np.maximum(then_opens - closes - between, 0)
    late = np.maximum(opens + between - then_closes, 0)
    return _WAITING * waiting + late
