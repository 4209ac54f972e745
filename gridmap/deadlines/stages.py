"""Stage clocks: how long checking, dispatching and verifying may take."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from gridmap.deadlines.calendar import UNITS
from gridmap.problems.models import State, TimeUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from gridmap.config import Settings
    from gridmap.deadlines.calendar import WorkingCalendar

__all__ = ["STAGES", "has_stage", "stage_due", "stage_dues", "stage_limit"]

STAGES: Mapping[State, str] = MappingProxyType(
    {
        State.RECORDED: "check_hours",
        State.CHECKED: "dispatch_hours",
        State.RETURNED: "dispatch_hours",
        State.FIXED: "verify_hours",
        State.VERIFIED: "verify_hours",
    }
)
"""Setting that holds the working hours within which a problem must leave a state."""


def stage_limit(state: State, settings: Settings) -> tuple[int, TimeUnit] | None:
    """Time within which a problem must leave a state; None where an organisation's clock or none runs."""
    hours = getattr(settings, STAGES[state]) if state in STAGES else 0
    return (hours, TimeUnit.WORKING_HOUR) if hours > 0 else None


def stage_due(
    state: State, since: ArrayLike, calendar: WorkingCalendar, settings: Settings
) -> NDArray[np.datetime64]:
    """When problems must have left a state.

    Parameters
    ----------
    state
        In which they are.
    since
        When they came into it, datetime64, UTC, any shape.
    calendar, settings
        Of the installation.

    Returns
    -------
    numpy.ndarray
        datetime64[us], UTC, of that shape; NaT where nothing presses.
    """
    limit = stage_limit(state, settings)
    if limit is None:
        return np.full(np.shape(since), np.datetime64("NaT", "us"))
    return calendar.due(since, limit[0], UNITS[limit[1]])


def stage_dues(
    states: ArrayLike, since: ArrayLike, calendar: WorkingCalendar, settings: Settings
) -> NDArray[np.datetime64]:
    """When problems in different states must have left them.

    Parameters
    ----------
    states
        Positions in `State`, shape (n,).
    since
        When they came into it, datetime64, UTC, shape (n,) or one for all.
    calendar, settings
        Of the installation.

    Returns
    -------
    numpy.ndarray
        datetime64[us], UTC, shape (n,); NaT where nothing presses.
    """
    positions = np.asarray(states)
    moments = np.broadcast_to(np.asarray(since, dtype="datetime64[us]"), positions.shape)
    dues = np.full(positions.shape, np.datetime64("NaT", "us"))
    for state in STAGES:
        here = positions == list(State).index(state)
        dues[here] = stage_due(state, moments[here], calendar, settings)
    return dues


def has_stage(states: ArrayLike) -> NDArray[np.bool_]:
    """Which states, as positions in `State`, have a clock of their own."""
    return np.isin(states, [list(State).index(state) for state in STAGES])
