"""Which step follows for a problem whose limit nears or has passed, over plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gridmap.deadlines.calendar import UNITS
from gridmap.deadlines.models import StepKind
from gridmap.problems.models import TimeUnit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.deadlines.calendar import WorkingCalendar

__all__ = ["Wait", "horizon", "next_steps", "within_stage"]


@dataclass(frozen=True, slots=True)
class Wait:
    """One enabled line of the table of steps; see `gridmap.deadlines.models.EscalationStep`."""

    kind: StepKind
    wait: int
    unit: int
    """Position in `TimeUnit`."""


def next_steps(
    steps: Sequence[Wait],
    due: NDArray[np.datetime64],
    taken: NDArray[np.datetime64],
    moment: np.datetime64,
    calendar: WorkingCalendar,
) -> NDArray[np.int16]:
    """Position of the step that is to be taken now for each problem, -1: none; shape (n,).

    Parameters
    ----------
    steps
        In the order of the table, k of them.
    due
        When each problem's limit ends, datetime64[us], UTC, shape (n,).
    taken
        When a step was taken because of that limit, datetime64[us], UTC, NaT: not yet, shape (n, k).
    moment
        Now, UTC.
    calendar
        Counts the waits.
    """
    found = np.full(due.shape, -1, dtype=np.int16)
    after = due
    for at, step in enumerate(steps):
        done = taken[:, at]
        if step.kind is StepKind.REMIND:
            ripe = (calendar.due(due, -step.wait, step.unit) <= moment) & (moment < due)
        else:
            ripe = calendar.due(after, step.wait, step.unit) < moment
            after = done
        found[ripe & np.isnat(done) & (found < 0)] = at
    return found


def within_stage(steps: Sequence[Wait], hours: int) -> list[Wait]:
    """Return the steps for a limit of so many working hours, of which half passes before a reminder."""
    half = hours // 2
    hour = UNITS[TimeUnit.WORKING_HOUR]
    return [
        replace(step, wait=min(step.wait, half) if step.unit == hour else half, unit=hour)
        if step.kind is StepKind.REMIND
        else step
        for step in steps
    ]


def horizon(steps: Sequence[Wait], moment: np.datetime64, calendar: WorkingCalendar) -> np.datetime64:
    """Latest limit for which something may have to be done at a moment."""
    reminders = [step for step in steps if step.kind is StepKind.REMIND]
    waits = [(0, 0), *((step.wait, step.unit) for step in reminders)]
    ahead = calendar.due(moment, *zip(*waits, strict=True))
    # A limit that ends in a pause of work is reminded of before the last working time.
    latest: np.datetime64 = ahead.max() + np.timedelta64(16, "D")
    return latest
