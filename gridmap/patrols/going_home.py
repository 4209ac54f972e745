"""Why somebody is home before the shift ends: kept as numbers with a plan, said in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.language import N_, gettext, ngettext
from gridmap.patrols.planning import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gridmap.patrols.planner import Found
    from gridmap.patrols.planning import Problem

__all__ = ["home_early", "tell_home_early"]

_WORTH_SAYING_S = 20 * 60
_REASONS = ("may_not", "closed", "no_time", "not_worth")
"""In the order in which they are asked: each thing that was left out counts for the first that holds."""
_SAID = {
    "may_not": N_("{n} only others may do"),
    "closed": N_("{n} not open in that time"),
    "no_time": N_("{n} not done and back by the end"),
    "not_worth": N_("{n} farther than it is worth"),
}


def home_early(found: Found, banned: set[str]) -> list[dict[str, Any]]:
    """Return who has time left, and for each why nothing that was left out fills it.

    Parameters
    ----------
    banned
        Keys of what is not to be gone to.

    Returns
    -------
    list of dict
        `unit`, `minutes` that are left, and how many of what was left out are in the way of each reason.
    """
    posed = found.asked.posed
    problem = posed.problem
    left = [one.task for one in found.plan.unfitted if posed.keys[one.task] not in banned]
    ends = {route.worker: route for route in found.plan.routes}
    asked = _Asked(problem, np.array(left, dtype=np.int64))
    told = []
    for number, worker in enumerate(problem.workers):
        if number in found.asked.absent:
            continue
        route = ends.get(number)
        begins, at = worker.shift.opens, worker.start
        if route is not None and route.visits:
            last = route.visits[-1]
            begins, at = last.finishes, problem.tasks[last.task].modes[last.mode].exit
        home = route.span.closes if route is not None else worker.shift.opens
        spare = worker.shift.closes - home
        if spare >= _WORTH_SAYING_S:
            told.append({"unit": number, "minutes": spare // 60} | asked.why_not(number, at, begins))
    return told


class _Asked:
    """What was left out, as arrays: each of n tasks in its first way of doing it."""

    def __init__(self, problem: Problem, tasks: NDArray[np.int64]) -> None:
        self._problem, self._tasks = problem, tasks
        what = [problem.tasks[task] for task in tasks.tolist()]
        self._who = [task.workers for task in what]
        self._entry = np.array([task.modes[0].entry for task in what], dtype=np.int64)
        self._exit = np.array([task.modes[0].exit for task in what], dtype=np.int64)
        self._seconds = np.array([task.modes[0].seconds for task in what], dtype=np.int64)
        spans = [(n, w.opens, w.closes) for n, task in enumerate(what) for w in task.windows]
        self._windows = np.array(spans, dtype=np.int64).reshape(-1, 3)
        self._any_time = np.array([not task.windows for task in what], dtype=bool)

    def why_not(self, number: int, at: int, begins: int) -> dict[str, int]:
        """Count for each reason what somebody who is free at a place from a moment on does not do."""
        worker = self._problem.workers[number]
        seconds = self._problem.travel[worker.travel].seconds
        may = np.array([who is None or number in who for who in self._who], dtype=bool)
        there = seconds[at, self._entry] if len(self._tasks) else self._seconds
        arrives = np.where(there < UNREACHABLE, begins + there, np.iinfo(np.int64).max // 2)
        opens = np.where(self._any_time, arrives, np.iinfo(np.int64).max // 2)
        of, first, last = self._windows.T
        # The first moment at which it may begin once they are there, in any of its windows of this shift.
        starts = np.maximum(first, arrives[of])
        open_then = (first <= worker.shift.closes) & (last >= begins)
        fits = open_then & (starts <= last)
        np.minimum.at(opens, of[fits], starts[fits])
        is_open = self._any_time.copy()
        is_open[of[open_then]] = True
        back = opens + self._seconds
        if len(self._tasks):
            back += seconds[self._exit, worker.end]
        in_time = back <= worker.shift.closes
        reasons = np.select([~may, ~is_open, ~in_time], [0, 1, 2], 3)
        counts = np.bincount(reasons, minlength=len(_REASONS)).tolist()
        return {name: count for name, count in zip(_REASONS, counts, strict=True) if count}


def tell_home_early(one: Mapping[str, Any]) -> str:
    """Say why somebody is home early, in the language in force."""
    begin = ngettext(
        "{n} minute before the end of the shift", "{n} minutes before the end of the shift", one["minutes"]
    )
    reasons = [gettext(_SAID[name], n=one[name]) for name in _REASONS if one.get(name)]
    if not reasons:
        return gettext("{begin}: nothing more is due then", begin=begin)
    return gettext(
        "{begin}; of what is left out: {reasons}", begin=begin, reasons=gettext(", ").join(reasons)
    )
