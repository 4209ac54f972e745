from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.patrols.planning import (
    Mode,
    Problem,
    Reason,
    Stop,
    Task,
    Travel,
    Unfitted,
    Window,
    faults,
    solve,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = 3600
SEEDS = st.integers(0, 2**20)


@given(
    seed=SEEDS, tasks=st.integers(0, 14), workers=st.integers(1, 4), walkable=st.sampled_from([1.0, 0.9, 0.4])
)
@settings(max_examples=40, deadline=None)
def test_every_plan_is_right(
    mixed: Callable[..., Problem], seed: int, tasks: int, workers: int, walkable: float
) -> None:
    problem = mixed(seed, tasks=tasks, workers=workers, walkable=walkable)
    assert faults(problem, solve(problem, Stop(iterations=200), seed=seed).plan) == []


@given(seed=SEEDS, tasks=st.integers(1, 4), walkable=st.sampled_from([1.0, 0.8]), tight=st.booleans())
@settings(max_examples=25, deadline=None)
def test_small_problems_are_solved_to_the_best(
    mixed: Callable[..., Problem],
    best: Callable[[Problem], tuple[int, int]],
    *,
    seed: int,
    tasks: int,
    walkable: float,
    tight: bool,
) -> None:
    problem = mixed(seed, tasks=tasks, workers=2, walkable=walkable, tight=tight)
    assert solve(problem, Stop(iterations=2000), seed=1).plan.rank == best(problem)


def test_same_seed_same_plan(mixed: Callable[..., Problem]) -> None:
    problem = mixed(5, tasks=25, workers=3)
    first, again = (solve(problem, Stop(iterations=300), seed=7).plan for _ in range(2))
    assert first == again


def test_why_tasks_are_left_out(block: Problem) -> None:
    steps = np.abs(np.subtract.outer(np.arange(6), np.arange(6))).astype(float)
    steps[:5, 5] = np.inf
    worker = replace(block.workers[0], pause=None)
    problem = Problem(
        travel=(Travel(60 * steps, 75 * steps),),
        tasks=(
            Task.place(1, workers=frozenset()),
            Task.place(1, windows=(Window(13 * HOUR, 14 * HOUR),)),
            Task.place(5),
            Task.place(1, seconds=5 * HOUR),
            Task.place(2, seconds=3 * HOUR),
            Task.place(2, seconds=2 * HOUR, prize=100_000),
            Task.place(4, prize=1),
            Task(modes=(Mode(entry=1, exit=1, travel=0),), demand=4),
        ),
        workers=(worker,),
    )
    plan = solve(problem, Stop(iterations=500), seed=1).plan
    assert plan.unfitted == (
        Unfitted(0, Reason.NOBODY),
        Unfitted(1, Reason.CLOSED),
        Unfitted(2, Reason.UNREACHABLE),
        Unfitted(3, Reason.TOO_LONG),
        Unfitted(5, Reason.FULL),
        Unfitted(6, Reason.NOT_WORTH),
        Unfitted(7, Reason.TOO_LONG),
    )
    assert plan.lacking == 5, "what is required goes before what is worth much"
    assert faults(problem, plan) == []


def test_a_plan_changed_by_hand_is_where_the_next_search_starts(mixed: Callable[..., Problem]) -> None:
    problem = mixed(11, tasks=20, workers=3)
    found = solve(problem, Stop(iterations=500), seed=1).plan
    assert solve(problem, Stop(iterations=1), seed=2, start=found).plan.rank <= found.rank
    forbidden = found.routes[0].visits[0].task
    tasks = list(problem.tasks)
    tasks[forbidden] = replace(tasks[forbidden], workers=frozenset())
    changed = replace(problem, tasks=tuple(tasks))
    again = solve(changed, Stop(iterations=1), seed=2, start=found).plan
    assert Unfitted(forbidden, Reason.NOBODY) in again.unfitted
    assert faults(changed, again) == []


def test_nothing_to_do_and_nobody_able(block: Problem) -> None:
    assert solve(replace(block, tasks=()), Stop(iterations=5)).plan.routes == ()
    nobody = tuple(replace(task, workers=frozenset()) for task in block.tasks)
    plan = solve(replace(block, tasks=nobody), Stop(iterations=5)).plan
    assert {one.reason for one in plan.unfitted} == {Reason.NOBODY}
