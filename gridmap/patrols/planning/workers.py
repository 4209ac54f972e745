"""Who does it: people with a shift, a start, an end and perhaps a break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridmap.patrols.planning.tasks import Window

__all__ = ["Break", "Worker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A rest that starts in a window, between two tasks, wherever the worker is then.

    It is due unless the worker is back before the window closes.
    """

    window: Window
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Somebody who may be sent out once.

    Parameters
    ----------
    start, end
        Nodes of the matrix.
    shift
        Leaves `start` and is back at `end` within it.
    pause
        The break, if any.
    capacity
        Upper bound of the sum of the demands; None for none.
    travel
        Position in `Problem.travel` of how the worker moves.
    cost, cost_per_metre, cost_per_second
        Of going out at all, and of each metre and each second of moving and doing. Waiting and resting
        cost nothing.
    name
        For messages.
    """

    start: int
    end: int
    shift: Window
    pause: Break | None = None
    capacity: int | None = None
    travel: int = 0
    cost: int = 0
    cost_per_metre: int = 0
    cost_per_second: int = 1
    name: str = ""
