"""Orders made by hand: kept as they are, and everything that they break is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.patrols.planning import (
    Break,
    FaultKind,
    Problem,
    Reason,
    Stop,
    Task,
    Travel,
    Window,
    Worker,
    faults,
    force,
    solve,
)

HOUR = 3600


@pytest.fixture(scope="module")
def problem():
    """Six places and two streets on a line of ten minutes each, two people, one with a rest."""
    far = np.abs(np.subtract.outer(np.arange(9), np.arange(9))) * 600
    tasks = [Task.place(n, 300, prize=5000) for n in range(1, 5)]
    tasks += [
        Task.place(5, 300, windows=(Window(9 * HOUR, 10 * HOUR),)),
        Task.place(6, 300, prize=5000, workers=frozenset({1})),
        Task.street(6, 7, 700, 600, prize=9000),
        Task.street(2, 3, 700, 600, prize=9000, both_ways=False),
    ]
    rest = Break(window=Window(10 * HOUR, 11 * HOUR), seconds=1800)
    workers = (
        Worker(start=0, end=0, shift=Window(8 * HOUR, 12 * HOUR)),
        Worker(start=0, end=8, shift=Window(8 * HOUR, 11 * HOUR + 1800), pause=rest),
    )
    return Problem(travel=(Travel(seconds=far, metres=far),), tasks=tuple(tasks), workers=workers)


@pytest.fixture(scope="module")
def plan(problem):
    return solve(problem, Stop(iterations=300), seed=3).plan


def orders_of(plan):
    found = [[], []]
    for route in plan.routes:
        found[route.worker] = [visit.task for visit in route.visits]
    return found, {visit.task: visit.mode for route in plan.routes for visit in route.visits}


def test_what_was_found_stays_as_it_is(problem, plan):
    again = force(problem, *orders_of(plan))
    assert faults(problem, again) == []
    assert [route.order for route in again.routes] == [route.order for route in plan.routes]
    assert again.cost == plan.cost


EDITS = st.lists(st.tuples(st.sampled_from(["move", "drop"]), *[st.integers(0, 20)] * 4), max_size=12)


@settings(max_examples=120, deadline=None)
@given(edits=EDITS)
def test_any_edits_give_a_plan_that_is_right_or_says_what_is_wrong(problem, plan, edits):
    orders, modes = orders_of(plan)
    for kind, a, b, c, d in edits:
        source = orders[a % 2]
        if not source:
            continue
        task = source.pop(b % len(source))
        if kind == "move":
            target = orders[c % 2]
            target.insert(d % (len(target) + 1), task)
    changed = force(problem, orders, modes)
    assert {route.worker: [v.task for v in route.visits] for route in changed.routes} == {
        worker: order for worker, order in enumerate(orders) if order
    }
    found = faults(problem, changed)
    # Sums, coverage and reasons are right in any case: what is wrong is what the hand did.
    by_hand = {FaultKind.SKILL, FaultKind.WINDOW, FaultKind.SHIFT, FaultKind.BREAK}
    assert {fault.kind for fault in found} <= by_hand
    again = solve(problem, Stop(iterations=5), seed=1, start=changed).plan
    assert faults(problem, again) == []
    if not found:
        assert again.rank <= changed.rank


def test_what_is_broken_is_named(problem):
    late = force(problem, [[3, 0, 2, 1, 4, 5], []], {})
    found = faults(problem, late)
    assert {(one.kind, one.worker, one.task) for one in found} == {
        (FaultKind.WINDOW, 0, 4),
        (FaultKind.SKILL, 0, 5),
    }
    long = force(problem, [[6, 0, 5, 1, 4, 2, 3], []], {})
    assert FaultKind.SHIFT in {one.kind for one in faults(problem, long)}
    required = next(one for one in force(problem, [[0], []], {}).unfitted if one.task == 4)
    assert required.reason is Reason.FULL
