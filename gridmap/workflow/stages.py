"""Until when the step that a state waits for must be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.problems.models import State, TimeUnit

if TYPE_CHECKING:
    from gridmap.workflow.clock import Calendar

__all__ = ["stage_due"]

_UNITS = tuple(TimeUnit)
_LIMITS = {
    State.RECORDED: (2, TimeUnit.WORKING_HOUR),
    State.CHECKED: (2, TimeUnit.WORKING_HOUR),
    State.RETURNED: (2, TimeUnit.WORKING_HOUR),
    State.FIXED: (4, TimeUnit.WORKING_HOUR),
    State.VERIFIED: (4, TimeUnit.WORKING_HOUR),
}


def stage_due(state: State, moment: np.datetime64, calendar: Calendar) -> np.datetime64:
    """When the step after `state` must be taken; NaT where nothing presses.

    Parameters
    ----------
    state
        That a problem comes into.
    moment
        When it does, UTC.
    calendar
        Counts working time.
    """
    limit = _LIMITS.get(state)
    if limit is None:
        return np.datetime64("NaT", "us")
    allowed, unit = limit
    due: np.datetime64 = calendar.due(moment, allowed, _UNITS.index(unit)).reshape(-1)[0]
    return due
