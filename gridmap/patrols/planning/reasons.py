"""Why a task cannot be done by anybody, even with nothing else to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.patrols.planning.plan import Reason
from gridmap.patrols.planning.timetable import timetable
from gridmap.patrols.planning.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridmap.patrols.planning.problem import Problem

__all__ = ["hopeless"]


def hopeless(problem: Problem, task: int, workers: Iterable[int]) -> Reason | None:
    """Why none of the workers can do a task, or None if one can.

    Parameters
    ----------
    workers
        One of each kind is enough.
    """
    what = problem.tasks[task]
    able = [
        (worker, mode)
        for worker in workers
        for mode in range(len(what.modes))
        if problem.may(worker, task, mode)
    ]
    if not able:
        return Reason.NOBODY
    if any(timetable(problem, worker, [(task, mode)]) for worker, mode in able):
        return None
    if not any(_reachable(problem, worker, task, mode) for worker, mode in able):
        return Reason.UNREACHABLE
    if what.windows and not any(
        window.opens <= problem.workers[worker].shift.closes
        and window.closes >= problem.workers[worker].shift.opens
        for worker, _ in able
        for window in what.windows
    ):
        return Reason.CLOSED
    return Reason.TOO_LONG


def _reachable(problem: Problem, worker: int, task: int, mode: int) -> bool:
    person, how = problem.workers[worker], problem.tasks[task].modes[mode]
    seconds = problem.travel[person.travel].seconds
    return bool(max(seconds[person.start, how.entry], seconds[how.exit, person.end]) < UNREACHABLE)
