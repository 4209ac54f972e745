"""What to fix first, held against every possible choice."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.travel import Profile
from gridmap.hours import parse_hours
from gridmap.inspections.deduction_table import usual_table
from gridmap.inspections.readiness import (
    Load,
    Reason,
    chance_to_see,
    fix_first,
    loss,
    places,
    worked_hours,
)


def load(*problems):
    """Each problem: cost, hours, deadline, owner, place."""
    cost, hours, deadline, owner, place = np.array(problems, dtype=float).reshape(-1, 5).T
    return Load(
        cost=cost,
        hours=hours,
        deadline=deadline,
        owner=owner.astype(np.int64),
        place=place.astype(np.int64),
    )


def least(problems, hands, limit):
    """The least loss over all choices that each organisation can do, the earliest deadline first."""
    best = np.inf
    for choice in product([False, True], repeat=len(problems)):
        chosen = [one for one, taken in zip(problems, choice, strict=True) if taken]
        if any(owner < 0 for *_, owner, _ in chosen):
            continue
        worked = [0.0] * len(hands)
        in_time = True
        for _, hours, deadline, owner, _ in sorted(chosen, key=lambda one: one[2]):
            worked[owner] += hours
            in_time &= worked[owner] <= hands[owner] * deadline + 1e-9
        if in_time:
            left = [one for one, taken in zip(problems, choice, strict=True) if not taken]
            by_place = {place: 0.0 for *_, place in problems}
            for cost, *_, place in left:
                by_place[place] += cost
            best = min(best, sum(min(limit, lost) for lost in by_place.values()))
    return best


PROBLEM = st.tuples(
    st.integers(0, 8).map(lambda n: n / 4),
    st.integers(1, 8).map(lambda n: n / 2),
    st.integers(0, 6).map(float),
    st.integers(-1, 2),
    st.integers(0, 2),
)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(PROBLEM, min_size=1, max_size=8),
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
    st.sampled_from([1.0, 2.5, 99.0]),
)
def test_no_choice_is_better_than_the_plan(problems, hands, limit):
    given_load = load(*problems)
    plan = fix_first(given_load, np.array(hands, dtype=float), limit=limit)
    assert plan.at_arrival == pytest.approx(least(problems, hands, limit), abs=1e-6)
    assert plan.gap <= 1e-6
    assert plan.gain.sum() == pytest.approx(plan.today - plan.at_arrival, abs=1e-6)
    fixed = np.zeros(len(problems), dtype=bool)
    fixed[plan.order] = True
    assert loss(given_load, fixed, limit) == pytest.approx(plan.at_arrival)
    # In the order told, each organisation is done with each in time.
    spent = np.zeros(3)
    for row, done in zip(plan.order.tolist(), plan.done.tolist(), strict=True):
        owner = problems[row][3]
        spent[owner] += problems[row][1] / hands[owner]
        assert done == pytest.approx(spent[owner])
        assert done <= problems[row][2] + 1e-6
    assert [reason is Reason.FIX for reason in plan.reason] == fixed.tolist()


def test_every_problem_that_stays_says_why():
    plan = fix_first(
        load(
            (2.0, 1.0, 4.0, 0, 0),
            (0.0, 1.0, 4.0, 0, 0),
            (2.0, 1.0, 4.0, -1, 0),
            (2.0, 1.0, 4.0, 1, 0),
            (2.0, 1.0, 0.0, 0, 1),
            (2.0, 9.0, 4.0, 0, 1),
            (1.0, 3.5, 4.0, 0, 2),
            (9.0, 1.0, 4.0, 0, 3),
        ),
        np.array([1.0, 0.0]),
        limit=5.0,
    )
    assert plan.reason == (
        Reason.FIX,
        Reason.UNSEEN,
        Reason.NOBODY,
        Reason.NO_HANDS,
        Reason.TOO_LATE,
        Reason.TOO_LONG,
        Reason.OUTWEIGHED,
        Reason.FIX,
    )
    assert fix_first(load((9.0, 1.0, 4.0, 0, 0), (9.0, 9.0, 4.0, 0, 0)), np.ones(1), limit=5.0).reason == (
        Reason.AT_LIMIT,
        Reason.TOO_LONG,
    )


def test_a_route_without_problems_is_ready():
    plan = fix_first(load(), np.zeros(0), limit=5.0)
    assert (plan.today, plan.at_arrival, plan.gap, len(plan.order)) == (0, 0, 0, 0)


def test_hundreds_of_problems_are_planned_as_well_as_can_be():
    rng = np.random.default_rng(4)
    n = 200
    many = Load(
        cost=rng.uniform(0.05, 1.5, n),
        hours=rng.choice([0.5, 1, 2, 4, 8], n),
        deadline=rng.uniform(6, 10, n),
        owner=rng.integers(0, 8, n),
        place=rng.integers(0, 40, n),
    )
    # Solved to the end in a fifth of a second; the time allowed is for no machine to run out of.
    assert fix_first(many, np.full(8, 3.0), limit=5.0, seconds=600).gap <= 1e-6


def test_what_is_nearer_or_at_a_stop_is_seen_more_surely():
    aside = np.array([0.0, 30.0, 60.0, 30.0, 80.0, 30.0])
    hidden = np.array([False, False, False, True, False, True])
    stop = np.array([False, False, False, False, True, True])
    seen = chance_to_see(aside, hidden, stop, Profile.CAR, usual_table())
    assert seen.tolist() == pytest.approx([0.5, 0.375, 0.25, 0.0, 0.9, 0.3])
    assert places(np.array([1, -1, -1]), np.array([900.0, 900.0, 400.0]), 500.0).tolist() == [1, 3, 2]


def test_hours_are_counted_while_work_is_done():
    begin = np.datetime64("2026-05-08T16:30")
    ends = np.array(["2026-05-08T17:00", "2026-05-08T23:00", "2026-05-09T09:15", "2026-05-08T10:00"])

    def hours(text):
        return worked_hours(begin, ends.astype("datetime64[us]"), parse_hours(text)).tolist()

    assert hours("07:00-12:00,14:00-19:00") == pytest.approx([0.5, 2.5, 4.75, 0.0])
    assert hours("22:00-06:00") == pytest.approx([0.0, 1.0, 8.0, 0.0])
    assert hours("") == pytest.approx([0.5, 6.5, 16.75, 0.0])
