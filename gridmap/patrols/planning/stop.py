"""When to stop searching, and how far the search is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridmap.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Budget", "Progress", "Stop"]

_BETWEEN_WORDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a search is.

    Parameters
    ----------
    done
        From 0 to 1.
    cost
        Of the best plan so far, with a heavy charge for each required task that is lacking.
    """

    done: float
    seconds: float
    iterations: int
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Bounds of a search; the first that is met ends it. The best plan so far is kept in any case.

    A search bounded by `seconds` finds what the machine allows; the same seed gives the same plan when only
    iterations bound it.

    Parameters
    ----------
    seconds
        Of this machine's time.
    iterations
        In all.
    without_improvement
        Iterations since the best plan was found.
    watch
        Told now and then how far it is; may return True to stop with the best so far.
    clock
        What counts the seconds.
    """

    seconds: float | None = None
    iterations: int | None = None
    without_improvement: int | None = None
    watch: Callable[[Progress], bool] | None = None
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        bounds = (self.seconds, self.iterations, self.without_improvement)
        if all(bound is None for bound in bounds):
            raise InvalidValueError(
                "Expected a bound of seconds or iterations; found none.", parameter="stop"
            )
        for bound in bounds:
            if bound is not None and not bound > 0:
                raise InvalidValueError(
                    "Expected a bound above 0; found {found}.", parameter="stop", found=bound
                )


class Budget:
    """What is left of a search's bounds, shared by its parts.

    Parameters
    ----------
    stop
        The bounds.
    """

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._began = self._spoke = stop.clock()
        self._told_to_stop = False
        self.iterations = 0
        self._idle = 0

    @property
    def seconds(self) -> float:
        """Since the search began."""
        return self._stop.clock() - self._began

    @property
    def spent(self) -> float:
        """Share of the time or the iterations that is gone, from 0 to 1."""
        stop = self._stop
        shares = [0.0]
        if stop.seconds is not None:
            shares.append(self.seconds / stop.seconds)
        if stop.iterations is not None:
            shares.append(self.iterations / stop.iterations)
        return min(max(shares), 1.0)

    @property
    def ended(self) -> bool:
        """Whether the search has to stop."""
        most = self._stop.without_improvement
        return self._told_to_stop or self.spent >= 1 or (most is not None and self._idle >= most)

    def left(self) -> int | None:
        """Iterations that may still be made; None if only time bounds them."""
        stop, lefts = self._stop, []
        if stop.iterations is not None:
            lefts.append(stop.iterations - self.iterations)
        if stop.without_improvement is not None:
            lefts.append(stop.without_improvement - self._idle)
        return max(min(lefts), 0) if lefts else None

    def spend(self, iterations: int, cost: int, *, improved: bool) -> None:
        """Count iterations that were made, and tell who watches."""
        self.iterations += iterations
        self._idle = 0 if improved else self._idle + iterations
        now = self._stop.clock()
        if self._stop.watch is None or (now - self._spoke < _BETWEEN_WORDS and not self.spent >= 1):
            return
        self._spoke = now
        progress = Progress(done=self.spent, seconds=self.seconds, iterations=self.iterations, cost=cost)
        self._told_to_stop = self._stop.watch(progress) or self._told_to_stop
