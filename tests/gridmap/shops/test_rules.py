from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.shops.models import Step
from gridmap.shops.rules import LADDER, REFUSALS, Past, Verdict, advise_on, counted_from, judge, rank

DAY = date(2026, 5, 9)
TOLD, TAUGHT, ORDERED, HELD, BANNED = Step.TOLD, Step.TAUGHT, Step.ORDERED, Step.GOODS_HELD, Step.BANNED

# What happened (days ago, step, whether an appeal was upheld) and what follows, at 12 months.
TABLE = [
    ([], TOLD),
    ([(10, TOLD, False)], TAUGHT),
    ([(10, TOLD, False), (5, TAUGHT, False)], ORDERED),
    ([(30, TOLD, False), (20, TAUGHT, False), (10, ORDERED, False)], HELD),
    ([(40, TOLD, False), (30, TAUGHT, False), (20, ORDERED, False), (10, HELD, False)], BANNED),
    ([(40, TOLD, False), (10, BANNED, False)], BANNED),
    ([(10, HELD, False), (40, TOLD, False)], BANNED),  # the order they were written in does not matter
    ([(10, TOLD, True)], TOLD),  # an appeal was upheld
    ([(20, TOLD, False), (10, TAUGHT, True)], TAUGHT),
    ([(366, BANNED, False)], TOLD),  # lapsed
    ([(365, TOLD, False)], TAUGHT),  # the last day on which it counts
    ([(0, TOLD, False)], TAUGHT),
    ([(-1, TOLD, False)], TOLD),  # of tomorrow
]


@pytest.mark.parametrize(("past", "follows"), TABLE)
def test_what_follows(past, follows):
    told = [Past(DAY - timedelta(days=ago), step, quashed) for ago, step, quashed in past]
    assert advise_on(told, day=DAY, months=12).step is follows


days = st.integers(0, 900).map(lambda ago: DAY - timedelta(days=ago))
pasts = st.lists(st.builds(Past, day=days, step=st.sampled_from(Step), quashed=st.booleans()), max_size=8)
months = st.integers(0, 30)


@given(pasts, months)
def test_the_first_that_counts_is_told_and_never_punished(past, after):
    advice = advise_on(past, day=DAY, months=after)
    if not advice.standing:
        assert advice.step is LADDER[0].step
        for rung in LADDER:
            if rung.punishes:
                assert judge(rung.step, advice, "a good reason") is Verdict.FIRST_UNPUNISHED


@given(pasts, months, st.sampled_from(Step), st.sampled_from(["", " ", "\n", "reason"]))
def test_nothing_is_skipped_silently(past, after, asked, reason):
    advice = advise_on(past, day=DAY, months=after)
    verdict = judge(asked, advice, reason)
    if verdict is Verdict.ALLOWED and asked is not advice.step:
        assert reason.strip()
    if asked is advice.step:
        assert verdict is Verdict.ALLOWED
    assert verdict is Verdict.ALLOWED or verdict in REFUSALS


@given(pasts, months, st.builds(Past, day=days, step=st.sampled_from(Step)))
def test_one_more_offence_never_lowers_what_follows(past, after, more):
    before = advise_on(past, day=DAY, months=after)
    with_it = advise_on([*past, more], day=DAY, months=after)
    assert rank(with_it.step) >= rank(before.step)
    assert with_it.standing >= before.standing


@given(pasts, months)
def test_the_step_taken_is_followed_by_the_one_above_it(past, after):
    advice = advise_on(past, day=DAY, months=after)
    following = advise_on([*past, Past(DAY, advice.step)], day=DAY, months=after)
    assert rank(following.step) == min(rank(advice.step) + 1, len(LADDER) - 1)


@given(pasts, months)
def test_what_lapsed_or_fell_changes_nothing(past, after):
    first = counted_from(DAY, after)
    standing = [one for one in past if not one.quashed and one.day >= first]
    whole, rest = advise_on(past, day=DAY, months=after), advise_on(standing, day=DAY, months=after)
    assert (whole.step, whole.standing, whole.highest) == (rest.step, rest.standing, rest.highest)
    assert whole.standing + whole.lapsed + whole.quashed == len(past)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_later_days_count_from_later_and_longer_terms_from_earlier(day, after):
    assert counted_from(day, after) <= counted_from(day + timedelta(days=1), after) <= day
    assert counted_from(day, after + 1) <= counted_from(day, after)
    assert counted_from(day, 0) == date.min


@pytest.mark.parametrize(
    ("day", "after", "first"),
    [
        (date(2026, 5, 9), 12, date(2025, 5, 9)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
    ],
)
def test_months_end_where_the_calendar_ends_them(day, after, first):
    assert counted_from(day, after) == first
