"""Another plan of nearly the same cost, that nobody can tell beforehand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gridmap.patrols.planning.assembling import assemble
from gridmap.patrols.planning.problem import Problem
from gridmap.patrols.planning.solving import solve
from gridmap.patrols.planning.travel import UNREACHABLE, Travel

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from gridmap.patrols.planning.assembling import Order
    from gridmap.patrols.planning.plan import Plan
    from gridmap.patrols.planning.stop import Stop
    from gridmap.patrols.planning.workers import Worker

__all__ = ["legs", "vary"]

_STRENGTHS = (1.0, 0.4, 0.15)
"""How much dearer, at most, ways are made by chance; twice that for those walked before."""


def legs(problem: Problem, plan: Plan) -> list[tuple[int, int]]:
    """Ways from node to node in a plan."""
    found = []
    for route in plan.routes:
        here = problem.workers[route.worker].start
        for task, number in route.order:
            mode = problem.tasks[task].modes[number]
            found.append((here, mode.entry))
            here = mode.exit
        found.append((here, problem.workers[route.worker].end))
    return found


def vary(
    problem: Problem,
    plan: Plan,
    *,
    by: float,
    walked: AbstractSet[tuple[int, int]],
    seed: int,
    stop: Stop,
) -> Plan:
    """Look for a plan that goes other ways.

    Ways are made dearer by chance, and those that were walked before more so; what is best then is judged by
    the true costs. It leaves out no more of what must be done, and neither costs nor takes more in addition
    than the share `by` of the plan's seconds. If there is no such plan, `plan` itself is returned.

    Parameters
    ----------
    walked
        Ways of earlier days.
    stop
        Of the whole.
    """
    most = plan.cost + int(by * plan.seconds)
    was = _alike(problem, plan, walked)
    for number, strength in enumerate(_STRENGTHS):
        dear = _dear(problem, strength, walked, np.random.default_rng([seed, number]))
        seconds = None if stop.seconds is None else stop.seconds / len(_STRENGTHS)
        iterations = None if stop.iterations is None else max(stop.iterations // len(_STRENGTHS), 1)
        found = solve(
            dear, replace(stop, seconds=seconds, iterations=iterations), seed + number, reasons=False
        )
        orders: list[Order] = [()] * len(problem.workers)
        for route in found.plan.routes:
            orders[route.worker] = route.order
        other = assemble(problem, orders, {}, reasons=False)
        if (
            other.lacking <= plan.lacking
            and other.cost <= most
            and other.seconds <= plan.seconds * (1 + by)
            and (_alike(problem, other, walked) < was or not walked)
        ):
            return other
    return plan


def _alike(problem: Problem, plan: Plan, walked: AbstractSet[tuple[int, int]]) -> float:
    ways = legs(problem, plan)
    return sum(way in walked for way in ways) / len(ways) if ways else 0.0


def _dear(
    problem: Problem, strength: float, walked: AbstractSet[tuple[int, int]], random: np.random.Generator
) -> Problem:
    """The same question with other prices: its metres stand for costs."""
    pairs = np.array(sorted(walked), dtype=np.int64).reshape(-1, 2)
    travel = []
    for one in problem.travel:
        factor = 1 + strength * random.random(one.seconds.shape)
        factor[pairs[:, 0], pairs[:, 1]] += 2 * strength
        lost = one.seconds >= UNREACHABLE
        price = np.where(lost, UNREACHABLE, np.rint(one.seconds * factor)).astype(np.int64)
        travel.append(Travel(seconds=one.seconds, metres=price))
    tasks = tuple(
        replace(task, modes=tuple(replace(mode, metres=mode.seconds) for mode in task.modes))
        for task in problem.tasks
    )
    return Problem(travel=tuple(travel), tasks=tasks, workers=tuple(map(_priced, problem.workers)))


def _priced(worker: Worker) -> Worker:
    return replace(worker, cost_per_metre=worker.cost_per_second + worker.cost_per_metre, cost_per_second=0)
