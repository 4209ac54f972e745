"""What a step does to the clock of fixing, over plain arrays.

The clock counts in the unit's own time: working time within working hours, urgent time always. It starts at
dispatch, stops when the problem is handed back or suspended, and goes on from there in rework.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gridmap.workflow.transitions import Run

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Calendar", "Clocks", "put_off", "run_clocks"]

_STANDS = np.datetime64("NaT", "us")


class Calendar(Protocol):
    """What is asked of a working calendar; see `gridmap.deadlines.calendar.WorkingCalendar`."""

    def due(
        self, start: ArrayLike, allowed: ArrayLike, unit: ArrayLike, used: ArrayLike = 0
    ) -> NDArray[np.datetime64]:
        """When the time allowed has passed."""

    def used(self, start: ArrayLike, end: ArrayLike, unit: ArrayLike) -> NDArray[np.int64]:
        """Microseconds of the unit's own time between two moments."""


@dataclass(frozen=True, slots=True, eq=False)
class Clocks:
    """The clocks of problems, arrays of shape (n,); times are datetime64[us], UTC."""

    allowed: NDArray[np.int64]
    """Whole units; -1: none was given yet."""
    unit: NDArray[np.int64]
    """Positions in `TimeUnit`."""
    since: NDArray[np.datetime64]
    """Since when it runs; NaT: it stands."""
    used: NDArray[np.int64]
    """Microseconds of the unit's own time before `since`."""
    due: NDArray[np.datetime64]
    """When the time allowed has passed; of one that stands, as it last ran."""


def run_clocks(run: Run, clocks: Clocks, moment: np.datetime64, calendar: Calendar) -> Clocks:
    """Start, stop or go on.

    Parameters
    ----------
    run
        What the step does.
    clocks
        As they are; for a start with the time that is now allowed.
    moment
        Of the step, UTC.
    calendar
        Counts working time.
    """
    if run is Run.KEEP:
        return clocks
    if run is Run.START:
        fresh = replace(clocks, since=np.full_like(clocks.since, moment), used=np.zeros_like(clocks.used))
        return replace(fresh, due=calendar.due(moment, clocks.allowed, clocks.unit))
    running = ~np.isnat(clocks.since)
    used = clocks.used.copy()
    used[running] += calendar.used(clocks.since[running], moment, clocks.unit[running])
    if run in {Run.STOP, Run.END}:
        return replace(clocks, since=np.full_like(clocks.since, _STANDS), used=used)
    due = clocks.due.copy()
    known = clocks.allowed >= 0
    due[known] = calendar.due(moment, clocks.allowed[known], clocks.unit[known], used[known])
    # Time that was used up before leaves nothing: it is due at once, not in the past.
    due[known] = np.maximum(due[known], moment)
    return replace(clocks, since=np.full_like(clocks.since, moment), used=used, due=due)


def put_off(clocks: Clocks, more: int, calendar: Calendar) -> Clocks:
    """Allow more time, in each one's own unit.

    Parameters
    ----------
    clocks
        Of problems that an organisation has.
    more
        Whole units.
    calendar
        Counts working time.
    """
    allowed = np.where(clocks.allowed >= 0, clocks.allowed + more, more)
    running = ~np.isnat(clocks.since)
    due = clocks.due.copy()
    due[running] = calendar.due(
        clocks.since[running], allowed[running], clocks.unit[running], clocks.used[running]
    )
    return replace(clocks, allowed=allowed, due=due)
