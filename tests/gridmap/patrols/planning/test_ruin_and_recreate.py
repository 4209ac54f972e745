from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gridmap.patrols.planning import Problem, Stop, Task, Travel, Window, Worker
from gridmap.patrols.planning.assembling import assemble
from gridmap.patrols.planning.costs import bound
from gridmap.patrols.planning.ruin_and_recreate import RuinAndRecreate
from gridmap.patrols.planning.stop import Budget

if TYPE_CHECKING:
    from collections.abc import Callable


def own(problem: Problem, seed: int = 1) -> RuinAndRecreate:
    return RuinAndRecreate(problem, range(len(problem.tasks)), charge=bound(problem), seed=seed)


def able(problem: Problem) -> Problem:
    """Without what nobody can do alone."""
    everybody = tuple(replace(task, workers=None, windows=(), demand=0) for task in problem.tasks)
    return replace(problem, tasks=everybody)


@pytest.mark.parametrize("seed", range(12))
def test_its_cost_is_that_of_the_plan(mixed: Callable[..., Problem], seed: int) -> None:
    problem = mixed(seed, tasks=20, workers=3)
    search = own(problem)
    search.run(Budget(Stop(iterations=200)), share=1, hot=1.0)
    plan = assemble(problem, search.orders(), {})
    assert search.cost == plan.cost + plan.lacking * bound(problem)


def test_takes_given_routes_up_only_if_they_are_better(mixed: Callable[..., Problem]) -> None:
    problem = able(mixed(4, tasks=15, workers=2))
    good, other = own(problem), own(problem)
    good.run(Budget(Stop(iterations=1500)), share=1, hot=1.0)
    before = other.cost
    other.take(good.orders())
    assert other.cost == good.cost < before
    other.take(((), ()))
    assert other.cost == good.cost
    assert other.orders() == good.orders()


def test_streets_are_walked_in_the_better_direction() -> None:
    """Three streets in a row, each named against the way in which the row is best walked."""
    steps = 60 * np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    tasks = tuple(Task.street(tail, tail - 1, 60, 75) for tail in (2, 4, 6))
    problem = Problem(
        travel=(Travel(steps, steps),),
        tasks=tasks,
        workers=(Worker(start=0, end=7, shift=Window(0, 10_000)),),
    )
    search = own(problem)
    search.run(Budget(Stop(iterations=200)), share=1, hot=1.0)
    assert search.orders() == (((0, 1), (1, 1), (2, 1)),)
    assert search.cost == 7 * 60


def test_several_prizes_that_only_pay_together_are_fetched() -> None:
    """Five places far away: the way there and back is worth it for all, for one or two it is not."""
    apart = np.full((6, 6), 10)
    apart[0, 1:] = apart[1:, 0] = 1000
    np.fill_diagonal(apart, 0)
    tasks = tuple(Task.place(node, prize=1200) for node in range(1, 6))
    worker = Worker(start=0, end=0, shift=Window(0, 10_000))
    search = own(Problem(travel=(Travel(apart, apart),), tasks=tasks, workers=(worker,)))
    search.run(Budget(Stop(iterations=1000)), share=1, hot=1.0)
    assert search.cost == 2040
