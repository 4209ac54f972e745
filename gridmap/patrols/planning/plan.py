"""The answer: who goes where when, and what could not be fitted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridmap.patrols.planning.tasks import Window

__all__ = ["Pause", "Plan", "Reason", "Route", "Unfitted", "Visit"]


class Reason(StrEnum):
    """Why a task is not in a plan."""

    NOBODY = "nobody"
    """No one who is there may do it."""
    CLOSED = "closed"
    """Its windows are open in no shift of those who may do it."""
    UNREACHABLE = "unreachable"
    """There is no way there, or none onwards."""
    TOO_LONG = "too_long"
    """Not even somebody with nothing else to do gets it done within a shift."""
    FULL = "full"
    """The shifts are full with other tasks."""
    NOT_WORTH = "not_worth"
    """It would cost more than it is worth."""


@dataclass(frozen=True, slots=True)
class Unfitted:
    """A task that is not in the plan."""

    task: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Visit:
    """A task being done: arrival at its entry, then perhaps a wait or the break, start, finish."""

    task: int
    mode: int
    arrives: int
    starts: int
    finishes: int


@dataclass(frozen=True, slots=True)
class Pause:
    """The break of a route.

    Parameters
    ----------
    before
        Position of the visit that follows; the number of visits if none does.
    there
        Whether it is taken where that visit begins, or else where the one before it ended.
    """

    before: int
    there: bool
    starts: int
    finishes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What one worker does, in order.

    Parameters
    ----------
    worker
        Position in `Problem.workers`.
    span
        When the worker leaves the start and is back at the end.
    metres, seconds
        Moving and doing; waiting and the break are not in it.
    cost
        Of the worker, the metres and the seconds.
    """

    worker: int
    visits: tuple[Visit, ...]
    span: Window
    pause: Pause | None
    metres: int
    seconds: int
    cost: int

    @property
    def order(self) -> tuple[tuple[int, int], ...]:
        """Task and mode of each visit."""
        return tuple((visit.task, visit.mode) for visit in self.visits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Routes of those who are sent out, in the order of the workers.

    Parameters
    ----------
    missed
        Sum of the prizes of tasks that were left out.
    cost
        Of all routes, and the prizes missed. Required tasks that were left out are not in it; plans are
        compared by `rank`.
    """

    routes: tuple[Route, ...]
    unfitted: tuple[Unfitted, ...]
    missed: int
    cost: int
    lacking: int
    """Number of required tasks that were left out."""

    @property
    def rank(self) -> tuple[int, int]:
        """The smaller, the better: required tasks left out first, then the cost."""
        return self.lacking, self.cost

    @property
    def metres(self) -> int:
        """Of all routes."""
        return sum(route.metres for route in self.routes)

    @property
    def seconds(self) -> int:
        """Of all routes."""
        return sum(route.seconds for route in self.routes)
