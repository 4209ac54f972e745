"""When a worker who does given tasks in a given order is where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridmap.patrols.planning.plan import Pause, Route, Visit
from gridmap.patrols.planning.tasks import Window
from gridmap.patrols.planning.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridmap.patrols.planning.problem import Problem
    from gridmap.patrols.planning.workers import Break

__all__ = ["timetable"]


@dataclass(frozen=True, slots=True)
class _Stop:
    """Where time passes: the doing of a task, or the end."""

    leg: int
    """Seconds to get there."""
    seconds: int
    windows: tuple[Window, ...]

    def start(self, ready: int) -> int | None:
        """Earliest start of somebody who is there and ready."""
        if not self.windows:
            return ready
        return min((max(ready, w.opens) for w in self.windows if ready <= w.closes), default=None)


@dataclass(frozen=True, slots=True)
class _Rest:
    """Where the break is taken."""

    before: int
    there: bool


def timetable(problem: Problem, worker: int, order: Sequence[tuple[int, int]]) -> Route | None:
    """Time a route: back as early as possible, and then leaving as late as that allows.

    Parameters
    ----------
    order
        Task and mode of each visit.

    Returns
    -------
    Route
        None if windows, shift, break, capacity, skills or missing ways do not allow it.
    """
    person, travel = problem.workers[worker], problem.travel[problem.workers[worker].travel]
    tasks = [problem.tasks[task] for task, _ in order]
    modes = [task.modes[mode] for task, (_, mode) in zip(tasks, order, strict=True)]
    if person.capacity is not None and sum(task.demand for task in tasks) > person.capacity:
        return None
    leaves, enters = [person.start, *(m.exit for m in modes)], [*(m.entry for m in modes), person.end]
    legs, metres = travel.seconds[leaves, enters].tolist(), travel.metres[leaves, enters].tolist()
    if max(legs) >= UNREACHABLE or not all(problem.may(worker, *stop) for stop in order):
        return None
    stops = [
        *(_Stop(leg, m.seconds, t.windows) for leg, m, t in zip(legs, modes, tasks, strict=False)),
        _Stop(legs[-1], 0, ()),
    ]
    shift, pause = person.shift, person.pause
    placed = _placed(stops, shift, pause)
    if placed is None:
        return None
    rest, back = placed
    leave = _latest_leave(stops, rest, pause, shift.opens, back)
    visits, taken = _run(stops, order, rest, pause, leave)
    seconds, distance = sum(legs) + sum(m.seconds for m in modes), sum(metres) + sum(m.metres for m in modes)
    return Route(
        worker=worker,
        visits=visits,
        span=Window(leave, back),
        pause=taken,
        metres=distance,
        seconds=seconds,
        cost=person.cost + person.cost_per_metre * distance + person.cost_per_second * seconds,
    )


def _placed(stops: list[_Stop], shift: Window, pause: Break | None) -> tuple[_Rest | None, int] | None:
    """Where the break is best taken, and when the worker is back then."""
    fresh: int | None = shift.opens
    rested: tuple[int, _Rest] | None = None
    for position, stop in enumerate(stops):
        ready: list[tuple[int, _Rest]] = []
        if rested is not None:
            ready.append((rested[0] + stop.leg, rested[1]))
        if pause is not None and fresh is not None:
            there = max(fresh + stop.leg, pause.window.opens)
            if there <= pause.window.closes:
                ready.append((there + pause.seconds, _Rest(position, there=True)))
            here = max(fresh, pause.window.opens)
            if here <= pause.window.closes:
                ready.append((here + pause.seconds + stop.leg, _Rest(position, there=False)))
        started = [(start, rest) for time, rest in ready if (start := stop.start(time)) is not None]
        best = min(started, key=lambda one: one[0], default=None)
        rested = None if best is None else (best[0] + stop.seconds, best[1])
        start = None if fresh is None else stop.start(fresh + stop.leg)
        fresh = None if start is None else start + stop.seconds
    # Without a break only if it is not due: back before its window closes.
    if fresh is not None and fresh <= min(
        shift.closes, shift.closes if pause is None else pause.window.closes
    ):
        return None, fresh
    if rested is not None and rested[0] <= shift.closes:
        return rested[1], rested[0]
    return None


def _latest_leave(stops: list[_Stop], rest: _Rest | None, pause: Break | None, opens: int, back: int) -> int:
    """Latest moment to leave the start and be back no later."""
    plain: list[tuple[_Stop, int]] = []
    time = opens
    for position, stop in enumerate(stops):
        time = _ready(time, stop, position, rest, pause)[0]
        start = stop.start(time)
        if start is None:  # pragma: no cover - the order has been placed
            raise AssertionError
        plain.append((stop, start))
        time = start + stop.seconds
    limit = back
    for position in range(len(stops) - 1, -1, -1):
        stop, start = plain[position]
        closes = max((w.closes for w in stop.windows if w.opens <= start <= w.closes), default=limit)
        limit = min(closes, limit - stop.seconds)
        if pause is not None and rest is not None and rest.before == position:
            if rest.there:
                limit = min(limit - pause.seconds, pause.window.closes) - stop.leg
            else:
                limit = min(limit - stop.leg - pause.seconds, pause.window.closes)
        else:
            limit -= stop.leg
    return limit


def _ready(
    time: int, stop: _Stop, position: int, rest: _Rest | None, pause: Break | None
) -> tuple[int, int, Pause | None]:
    """When somebody who finished the stop before is ready for this one, arrived at it, and rested."""
    if pause is None or rest is None or rest.before != position:
        return time + stop.leg, time + stop.leg, None
    starts = max(time + stop.leg if rest.there else time, pause.window.opens)
    finishes = starts + pause.seconds
    arrives = time + stop.leg if rest.there else finishes + stop.leg
    return max(finishes, arrives), arrives, Pause(position, rest.there, starts, finishes)


def _run(
    stops: list[_Stop],
    order: Sequence[tuple[int, int]],
    rest: _Rest | None,
    pause: Break | None,
    leave: int,
) -> tuple[tuple[Visit, ...], Pause | None]:
    """The visits of somebody who leaves then."""
    visits, taken, time = [], None, leave
    for position, (stop, (task, mode)) in enumerate(zip(stops, order, strict=False)):
        ready, arrives, rested = _ready(time, stop, position, rest, pause)
        taken = rested or taken
        starts = stop.start(ready)
        if starts is None:  # pragma: no cover - the order has been placed
            raise AssertionError
        time = starts + stop.seconds
        visits.append(Visit(task, mode, arrives, starts, time))
    taken = _ready(time, stops[-1], len(visits), rest, pause)[2] or taken
    return tuple(visits), taken
