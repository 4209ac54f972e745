"""Plans of several days: right as a whole, and not the same ways every day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.patrols.planning import (
    Break,
    Problem,
    Stop,
    Task,
    Travel,
    Window,
    Worker,
    faults,
    solve,
    solve_by_day,
)

HOUR, DAY = 3600, 86_400


def week(days, seed=0, places=14, people=2):
    """Places gone to every day, some once in the plan, and people who work each day."""
    rng = np.random.default_rng(seed)
    at = rng.random((places + 1, 2)) * 1500
    far = np.rint(np.abs(at[:, None] - at[None]).sum(axis=2)).astype(np.int64)
    tasks, home = [], []
    for n in range(1, places + 1):
        if n % 5 == 0:
            tasks.append(Task.place(n, 300, prize=4000))
            home.append(n % days)
            continue
        for day in range(days):
            opens = day * DAY + 8 * HOUR
            tasks.append(Task.place(n, 300, prize=4000, windows=(Window(opens, opens + 4 * HOUR),)))
            home.append(0)
    workers = tuple(
        Worker(start=0, end=0, shift=Window(day * DAY + 8 * HOUR, day * DAY + 12 * HOUR))
        for day in range(days)
        for _ in range(people)
    )
    problem = Problem(travel=(Travel(seconds=far, metres=far),), tasks=tuple(tasks), workers=workers)
    return problem, [list(range(people * day, people * (day + 1))) for day in range(days)], home


def test_a_week_is_right_as_a_whole_and_each_day_as_good_as_by_itself():
    problem, days, home = week(3)
    found = solve_by_day(problem, days, home, Stop(iterations=900), seed=1)
    assert faults(problem, found.plan) == []
    assert not found.plan.unfitted
    whole = solve(problem, Stop(iterations=900), seed=1).plan
    assert found.plan.cost <= 1.05 * whole.cost
    assert [note.extra for note in found.notes] == [0, 0, 0]
    again = solve_by_day(problem, days, home, Stop(iterations=900), seed=1)
    assert again.plan == found.plan


@pytest.mark.parametrize("by", [0.05, 0.15])
def test_days_differ_within_the_bound(by):
    problem, days, home = week(3)
    plain = solve_by_day(problem, days, home, Stop(iterations=900), seed=1)
    other = solve_by_day(problem, days, home, Stop(iterations=900), seed=1, vary_by=by)
    assert faults(problem, other.plan) == []
    assert all(note.extra <= by for note in other.notes)
    assert other.plan.cost <= plain.plan.cost * (1 + by) + 1
    assert sum(note.alike for note in other.notes) < sum(note.alike for note in plain.notes)
    another = solve_by_day(problem, days, home, Stop(iterations=900), seed=2, vary_by=by)
    assert [route.order for route in another.plan.routes] != [route.order for route in other.plan.routes]


def test_what_does_not_fit_into_its_day_is_done_on_the_next_and_a_start_is_kept():
    far = np.array([[0, 60], [60, 0]])
    tasks = tuple(Task.place(1, 3000, prize=9000) for _ in range(3))
    workers = tuple(
        Worker(start=0, end=0, shift=Window(day * DAY, day * DAY + 3600 + day * 7200)) for day in range(2)
    )
    problem = Problem(travel=(Travel(seconds=far, metres=far),), tasks=tasks, workers=workers)
    found = solve_by_day(problem, [[0], [1]], [0, 0, 0], Stop(iterations=100)).plan
    assert {route.worker: len(route.visits) for route in found.routes} == {0: 1, 1: 2}
    again = solve_by_day(problem, [[0], [1]], [0, 0, 0], Stop(iterations=20), seed=9, start=found).plan
    by_day = [{visit.task for visit in route.visits} for route in again.routes]
    assert by_day == [{visit.task for visit in route.visits} for route in found.routes]


def test_whoever_stops_the_search_gets_a_plan_of_all_days():
    problem, days, home = week(3)
    asked = []

    def enough(progress):
        asked.append(progress.done)
        return True

    found = solve_by_day(problem, days, home, Stop(iterations=20_000, watch=enough), seed=1)
    # Whoever has said so is not asked again.
    assert len(asked) == 1
    assert faults(problem, found.plan) == []
    assert {route.worker // 2 for route in found.plan.routes} == {0, 1, 2}


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 1000),
    days=st.integers(1, 3),
    people=st.integers(1, 3),
    rest=st.none() | st.integers(600, 3600),
)
def test_any_week_passes_the_checker(seed, days, people, rest):
    problem, parts, home = week(days, seed, 8, people)
    if rest is not None:
        workers = tuple(
            replace(
                worker,
                pause=Break(
                    window=Window(worker.shift.opens + HOUR, worker.shift.opens + 2 * HOUR), seconds=rest
                ),
            )
            for worker in problem.workers
        )
        problem = Problem(travel=problem.travel, tasks=problem.tasks, workers=workers)
    for by, balance in ((0.0, True), (0.05, False), (0.05, True)):
        found = solve_by_day(problem, parts, home, Stop(iterations=60), seed, vary_by=by, balance=balance)
        assert faults(problem, found.plan) == []


def test_balanced_rounds_are_nearer_to_each_other_and_leave_out_no_more():
    problem, days, home = week(2, places=15, people=3)
    plain = solve_by_day(problem, days, home, Stop(iterations=800), seed=1)
    level = solve_by_day(problem, days, home, Stop(iterations=800), seed=1, balance=True)
    both = solve_by_day(problem, days, home, Stop(iterations=800), seed=1, balance=True, vary_by=0.05)

    def spreads(plan):
        found = [[0] * 3 for _ in days]
        for route in plan.routes:
            found[route.worker // 3][route.worker % 3] = route.seconds / (4 * HOUR)
        return [max(one) - min(one) for one in found]

    for found in (level, both):
        assert faults(problem, found.plan) == []
        assert found.plan.missed <= plain.plan.missed + 0.01 * sum(task.prize for task in problem.tasks)
        assert [note.spread[1] for note in found.notes] == pytest.approx(spreads(found.plan))
        assert all(note.spread[1] < note.spread[0] / 2 for note in found.notes)
    assert all(note.extra <= 0.05 for note in both.notes)


def test_balance_takes_no_work_from_a_shift_that_is_longer():
    far = np.array([[0, 60], [60, 0]])
    tasks = tuple(Task.place(1, 600, prize=9000) for _ in range(12))
    workers = (
        Worker(start=0, end=0, shift=Window(0, 4 * HOUR)),
        Worker(start=0, end=0, shift=Window(0, 2 * HOUR)),
    )
    problem = Problem(travel=(Travel(seconds=far, metres=far),), tasks=tasks, workers=workers)
    found = solve_by_day(problem, [[0, 1]], [0] * 12, Stop(iterations=300), balance=True).plan
    assert faults(problem, found) == []
    assert {route.worker: len(route.visits) for route in found.routes} == {0: 8, 1: 4}
