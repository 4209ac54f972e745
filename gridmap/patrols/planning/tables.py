"""A problem as arrays, for the compiled search."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.patrols.planning.kinds import kinds
from gridmap.patrols.planning.nearness import nearest
from gridmap.patrols.planning.tasks import Window
from gridmap.patrols.planning.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gridmap.patrols.planning.problem import Problem
    from gridmap.patrols.planning.tasks import Mode, Task
    from gridmap.patrols.planning.workers import Worker

    Numbers = NDArray[np.int64]

__all__ = ["Tables", "tabulate"]

_NEAR = 200


class Tables(NamedTuple):
    """Arrays over stops: the tasks, then the starts and then the ends of the workers.

    A start or an end is a stop with one mode that takes no time. Of a worker's row `person` holds what the
    names in `tabulate` say.
    """

    cost: Numbers
    """From node to node, for each price: way of moving and weights."""
    seconds: Numbers
    """From node to node, for each way of moving."""
    first: Numbers
    """Position of each stop's first mode; one more at the end."""
    entry: Numbers
    exit: Numbers
    doing: Numbers
    """Seconds of each mode."""
    paid: Numbers
    """Cost of each mode, for each price."""
    may: NDArray[np.bool_]
    """Whether each kind of worker may do each mode."""
    window: Numbers
    """Position of each stop's first window; one more at the end."""
    opens: Numbers
    closes: Numbers
    demand: Numbers
    worth: Numbers
    """What leaving each task out costs."""
    required: NDArray[np.bool_]
    person: Numbers
    near: Numbers
    """The nearest tasks of each task, the nearest first."""
    order: NDArray[np.float64]
    """Keys by which tasks are sorted before they are put back, one row for each way of sorting."""
    workers: int
    tasks: int
    modes: int
    """Most modes of a stop."""
    labels: int
    """Labels kept for each state: cheapest and fastest where these may differ."""
    timed: bool
    """Whether time can matter."""


def tabulate(problem: Problem, tasks: Sequence[int], charge: int) -> Tables:
    """Write a problem down for the compiled search.

    Parameters
    ----------
    tasks
        Those that somebody can do, by their positions; they are numbered anew in this order.
    charge
        What leaving out a required task costs.
    """
    chosen = [problem.tasks[task] for task in tasks]
    people = problem.workers
    prices = sorted({(one.travel, one.cost_per_metre, one.cost_per_second) for one in people})
    alike = kinds(problem)
    kind_of = {worker: kind for kind, workers in enumerate(alike) for worker in workers}
    modes = [mode for task in chosen for mode in task.modes]
    ends = [one.start for one in people] + [one.end for one in people]
    counts = [len(task.modes) for task in chosen] + [1] * len(ends)
    spans = [_merged(task.windows) for task in chosen]
    cost = np.stack([_cost(problem, price) for price in prices])
    seconds = np.stack([travel.seconds for travel in problem.travel])
    person = np.array([_person(one, kind_of[n], prices) for n, one in enumerate(people)], dtype=np.int64)
    widest = max(counts)
    timed = _timed(problem, chosen)
    entry = np.array([*(mode.entry for mode in modes), *ends], dtype=np.int64)
    leave = np.array([*(mode.exit for mode in modes), *ends], dtype=np.int64)
    first = np.concatenate(([0], np.cumsum(counts)))
    near = nearest(problem, chosen, _NEAR)
    return Tables(
        cost=cost,
        seconds=seconds,
        first=first,
        entry=entry,
        exit=leave,
        doing=np.array([*(mode.seconds for mode in modes), *(0 for _ in ends)], dtype=np.int64),
        paid=np.stack([_paid(modes, price, len(ends)) for price in prices]),
        may=_may(problem, tasks, alike, len(ends)),
        window=np.concatenate(([0], np.cumsum([*(len(one) for one in spans), *(0 for _ in ends)]))),
        opens=np.array([window.opens for one in spans for window in one], dtype=np.int64),
        closes=np.array([window.closes for one in spans for window in one], dtype=np.int64),
        demand=np.array([task.demand for task in chosen], dtype=np.int64),
        worth=np.array([charge if t.prize is None else t.prize for t in chosen], dtype=np.int64),
        required=np.array([task.required for task in chosen], dtype=bool),
        person=person,
        near=near,
        order=_keys(chosen, spans, cost[0], entry[first[: len(chosen)]], people),
        workers=len(people),
        tasks=len(chosen),
        modes=widest,
        labels=2 if timed and widest > 1 else 1,
        timed=timed,
    )


def _merged(windows: Iterable[Window]) -> list[Window]:
    merged: list[Window] = []
    for window in sorted(windows, key=lambda one: one.opens):
        if merged and window.opens <= merged[-1].closes + 1:
            merged[-1] = Window(merged[-1].opens, max(merged[-1].closes, window.closes))
        else:
            merged.append(window)
    return merged


def _cost(problem: Problem, price: tuple[int, int, int]) -> Numbers:
    travel = problem.travel[price[0]]
    cost = price[1] * travel.metres + price[2] * travel.seconds
    cost[travel.seconds >= UNREACHABLE] = UNREACHABLE
    return cost


def _paid(modes: Sequence[Mode], price: tuple[int, int, int], ends: int) -> Numbers:
    paid = [price[1] * mode.metres + price[2] * mode.seconds for mode in modes]
    return np.array([*paid, *(0 for _ in range(ends))], dtype=np.int64)


def _person(worker: Worker, kind: int, prices: list[tuple[int, int, int]]) -> tuple[int, ...]:
    pause = worker.pause
    price = prices.index((worker.travel, worker.cost_per_metre, worker.cost_per_second))
    # A break that cannot become due is none.
    rests = pause is not None and pause.window.closes < worker.shift.closes
    rest = (pause.window.opens, pause.window.closes, pause.seconds) if pause and rests else (0, 0, 0)
    capacity = np.iinfo(np.int64).max if worker.capacity is None else worker.capacity
    shift = worker.shift
    return (
        shift.opens,
        shift.closes,
        int(rests),
        *rest,
        int(capacity),
        price,
        worker.travel,
        worker.cost,
        kind,
    )


def _may(problem: Problem, tasks: Sequence[int], alike: list[list[int]], ends: int) -> NDArray[np.bool_]:
    rows = [
        [
            *(
                problem.may(kind[0], task, mode)
                for task in tasks
                for mode in range(len(problem.tasks[task].modes))
            ),
            *(True for _ in range(ends)),
        ]
        for kind in alike
    ]
    return np.array(rows, dtype=bool)


def _timed(problem: Problem, chosen: Sequence[Task]) -> bool:
    """Whether anything is bound to a time, or a shift could be too short."""
    if any(task.windows for task in chosen) or any(one.pause for one in problem.workers):
        return True
    doing = sum(max(mode.seconds for mode in task.modes) for task in chosen)
    far = max(int(one.seconds[one.seconds < UNREACHABLE].max()) for one in problem.travel)
    longest = doing + far * (len(chosen) + 1)
    return any(one.shift.closes - one.shift.opens < longest for one in problem.workers)


def _keys(
    chosen: Sequence[Task], spans: list[list[Window]], cost: Numbers, entry: Numbers, people: Sequence[Worker]
) -> NDArray[np.float64]:
    """Largest demand first, far from the starts first, near first, and by windows where there are any."""
    starts = sorted({worker.start for worker in people})
    away = cost[starts][:, entry].min(axis=0).astype(np.float64)
    demand = np.array([-task.demand for task in chosen], dtype=np.float64)
    rows = [demand, -away, away]
    if any(spans):
        bound = 1e12
        length = [sum(one.closes - one.opens for one in span) if span else bound for span in spans]
        opens = [span[0].opens if span else bound for span in spans]
        closes = [-span[-1].closes if span else -bound for span in spans]
        rows += [np.array(row, dtype=np.float64) for row in (length, opens, closes)]
    return np.stack(rows)
