"""Plans of several days, a day at a time, and no two days alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gridmap.patrols.planning.assembling import assemble
from gridmap.patrols.planning.kinds import kinds
from gridmap.patrols.planning.levelling import level, spread
from gridmap.patrols.planning.preparing import prepare
from gridmap.patrols.planning.problem import Problem
from gridmap.patrols.planning.reasons import hopeless
from gridmap.patrols.planning.solving import solve
from gridmap.patrols.planning.varying import legs, vary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gridmap.patrols.planning.assembling import Order
    from gridmap.patrols.planning.plan import Plan
    from gridmap.patrols.planning.stop import Progress, Stop

__all__ = ["ByDay", "DayNote", "solve_by_day"]

_FOR_THE_BEST = 0.5
"""Share of a day's time for its best plan, where another one is looked for then."""
_UNTIL_LEVEL = 0.85
"""Share of a day's time that is gone when its rounds are balanced and others are looked for."""
_AFTER_STOP = 300
"""Iterations for each day that is left when somebody stops the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayNote:
    """How a day differs.

    Parameters
    ----------
    extra
        Seconds that its rounds take longer than the best found, as a share of those.
    alike
        Share of the ways from stop to stop that were walked on a day before too.
    spread
        How far the busiest and the least busy are apart, as shares of their shifts, before and after their
        rounds were balanced; None where they were not.
    """

    extra: float
    alike: float
    spread: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDay:
    """What was found.

    Parameters
    ----------
    seconds
        That it took.
    notes
        One for each day.
    """

    plan: Plan
    seconds: float
    notes: tuple[DayNote, ...]


def solve_by_day(
    problem: Problem,
    days: Sequence[Sequence[int]],
    home: Sequence[int],
    stop: Stop,
    seed: int = 0,
    *,
    start: Plan | None = None,
    vary_by: float = 0.0,
    balance: bool = False,
) -> ByDay:
    """Plan one day after the other; what does not fit into its day is tried on the next.

    Parameters
    ----------
    problem
        Of all days, on one clock.
    days
        Workers of each day, in the order of the days.
    home
        For each task the first day on which it is tried; its windows say whether that is possible.
    stop
        Of the whole search; each day gets an equal share.
    start
        Plan to start from; what it does on a day stays a task of that day.
    vary_by
        How much longer the rounds of a day may take, as a share, so that they are not those of the days
        before: 0.05 for 5 %. The seed decides how; without it nobody can tell them beforehand.
    balance
        Whether the rounds of a day are to take about the same time.
    """
    if problem.tasks:
        prepare()
    began = stop.clock()
    day_of = {worker: day for day, workers in enumerate(days) for worker in workers}
    orders: list[Order] = [()] * len(problem.workers)
    taken = (
        {visit.task: day_of[route.worker] for route in start.routes for visit in route.visits}
        if start
        else {}
    )
    first = [taken.get(task, day) for task, day in enumerate(home)]
    done: set[int] = set()
    walked: set[tuple[int, int]] = set()
    notes: list[DayNote] = []
    watch = _Watch(stop, len(days))
    for day, workers in enumerate(days):
        tasks = [
            task
            for task in range(len(problem.tasks))
            if task not in done and first[task] <= day and _possible(problem, task, workers)
        ]
        part = _Part(problem, tasks, workers)
        until = _FOR_THE_BEST if vary_by or balance else 1.0
        best = solve(
            part.problem, watch.share(day, until), seed + day, start=part.own(start), reasons=False
        ).plan
        question, spreads = part.problem, None
        if balance and best.routes:
            until = _UNTIL_LEVEL if vary_by else 1.0
            levelled = level(question, best, stop=watch.share(day, until), seed=seed + 104729 * (day + 1))
            question, best, spreads = levelled.problem, levelled.plan, (levelled.before, levelled.after)
        chosen = best
        if vary_by and best.routes:
            rest = watch.share(day, 1.0)
            chosen = vary(question, best, by=vary_by, walked=walked, seed=seed + 7919 * (day + 1), stop=rest)
        if spreads is not None:
            spreads = spreads[0], spread(part.problem, chosen)
        ways = legs(part.problem, chosen)
        notes.append(
            DayNote(
                extra=(chosen.seconds - best.seconds) / best.seconds if best.seconds else 0.0,
                alike=sum(way in walked for way in ways) / len(ways) if ways else 0.0,
                spread=spreads,
            )
        )
        walked.update(ways)
        for route in chosen.routes:
            order = tuple((tasks[task], mode) for task, mode in route.order)
            orders[workers[route.worker]] = order
            done.update(task for task, _ in order)
    examples = [kind[0] for kind in kinds(problem)]
    absent = (task for task in range(len(problem.tasks)) if task not in done)
    why = {task: reason for task in absent if (reason := hopeless(problem, task, examples)) is not None}
    plan = assemble(problem, orders, why)
    return ByDay(plan=plan, seconds=stop.clock() - began, notes=tuple(notes))


def _possible(problem: Problem, task: int, workers: Iterable[int]) -> bool:
    what = problem.tasks[task]
    return any(
        (what.workers is None or worker in what.workers)
        and (
            not what.windows
            or any(
                one.opens <= problem.workers[worker].shift.closes
                and one.closes >= problem.workers[worker].shift.opens
                for one in what.windows
            )
        )
        for worker in workers
    )


class _Part:
    """The question of one day."""

    def __init__(self, problem: Problem, tasks: Sequence[int], workers: Sequence[int]) -> None:
        self._task = {task: position for position, task in enumerate(tasks)}
        self._worker = {worker: position for position, worker in enumerate(workers)}
        opens = min(problem.workers[worker].shift.opens for worker in workers)
        closes = max(problem.workers[worker].shift.closes for worker in workers)
        kept = []
        for number in tasks:
            task = problem.tasks[number]
            who = task.workers
            kept.append(
                replace(
                    task,
                    windows=tuple(one for one in task.windows if one.opens <= closes and one.closes >= opens),
                    workers=None
                    if who is None
                    else frozenset(self._worker[w] for w in who if w in self._worker),
                )
            )
        self.problem = Problem(
            travel=problem.travel,
            tasks=tuple(kept),
            workers=tuple(problem.workers[worker] for worker in workers),
        )

    def own(self, plan: Plan | None) -> Plan | None:
        """What a plan of all days does on this one."""
        if plan is None:
            return None
        routes = tuple(
            replace(
                route,
                worker=self._worker[route.worker],
                visits=tuple(
                    replace(visit, task=self._task[visit.task])
                    for visit in route.visits
                    if visit.task in self._task
                ),
            )
            for route in plan.routes
            if route.worker in self._worker
        )
        return replace(plan, routes=routes, unfitted=())


class _Watch:
    """The bounds of a search over several days, shared by them."""

    def __init__(self, stop: Stop, days: int) -> None:
        self._stop, self._days = stop, days
        self._began = stop.clock()
        self._told_to_stop = False

    def share(self, day: int, until: float) -> Stop:
        """Bounds of a part of a day's search, which ends when so much of the day's share is gone."""
        stop = self._stop
        if self._told_to_stop:
            return replace(stop, seconds=None, iterations=_AFTER_STOP, without_improvement=None, watch=None)
        seconds, iterations = stop.seconds, stop.iterations
        if seconds is not None:
            gone = stop.clock() - self._began
            seconds = max(seconds * (day + until) / self._days - gone, 0.05)
        if iterations is not None:
            iterations = max(round(iterations / self._days), 1)

        def watch(progress: Progress) -> bool:
            if stop.watch is not None:
                done = (day + until * progress.done) / self._days
                self._told_to_stop = stop.watch(replace(progress, done=done)) or self._told_to_stop
            return self._told_to_stop

        return replace(stop, seconds=seconds, iterations=iterations, watch=watch)
