"""How often places are gone to: the spacing between turns."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.errors import InvalidValueError
from gridmap.patrols.planning import Window
from gridmap.patrols.rhythm import Rhythm, portions, turns, wanted

RHYTHMS = st.integers(1, 14).flatmap(lambda days: st.builds(Rhythm, st.integers(1, days), st.just(days)))


@given(rhythm=RHYTHMS, first=st.integers(0, 900_000), count=st.integers(1, 40), phase=st.integers(0, 30))
def test_turns_are_spaced_and_as_many_as_the_rhythm_says(rhythm, first, count, phase):
    days = list(range(first, first + count))
    chosen = wanted(rhythm, days, phase)
    gaps = [after - before for before, after in pairwise(chosen)]
    assert all(gap >= rhythm.days // rhythm.times for gap in gaps)
    assert all(gap <= -(-rhythm.days // rhythm.times) for gap in gaps)
    assert len(chosen) in {count // rhythm.days * rhythm.times + extra for extra in range(rhythm.times + 1)}
    # Every whole cycle has all its turns.
    for begin in range(count - rhythm.days + 1):
        assert sum(begin <= n < begin + rhythm.days for n in chosen) == rhythm.times


@given(
    rhythm=RHYTHMS,
    days=st.sets(st.integers(0, 30), min_size=1).map(sorted),
    phase=st.integers(0, 30),
)
def test_days_without_a_shift_lose_no_turn_that_another_day_can_take(rhythm, days, phase):
    chosen = wanted(rhythm, days, phase)
    assert chosen == sorted(set(chosen))
    assert all(0 <= n < len(days) for n in chosen)
    whole = wanted(rhythm, list(range(days[0], days[-1] + 1)), phase)
    assert len(chosen) == min(len(whole), len(days))


@given(
    times=st.integers(2, 6),
    cuts=st.lists(st.integers(0, 86_400), min_size=2, max_size=6, unique=True).map(sorted),
)
def test_turns_of_a_day_are_half_a_part_apart(times, cuts):
    spans = [Window(*pair) for pair in zip(cuts[::2], cuts[1::2], strict=False)]
    whole = sum(one.closes - one.opens for one in spans)
    found = portions(spans, times)
    for one in (window for turn in found for window in turn):
        assert any(span.opens <= one.opens <= one.closes <= span.closes for span in spans)
    for before, after in pairwise(found):
        assert after[0].opens - before[-1].closes >= whole / times / 2 - 2


def test_examples():
    shift = [Window(8 * 3600, 12 * 3600)]
    assert portions(shift, 2) == [
        (Window(8 * 3600, 9 * 3600),),
        (Window(10 * 3600, 11 * 3600),),
    ]
    assert wanted(Rhythm(1, 3), [0, 1, 2, 3, 4, 5, 6], 0) == [0, 3, 6]
    assert wanted(Rhythm(1, 3), [0, 1, 2, 4, 5, 6], 0) == [0, 3, 5]
    assert turns(None, [shift, []], [0, 1], 0) == [tuple(shift)]
    assert turns(Rhythm(2, 1), [shift, shift], [0, 1], 0) == 2 * portions(shift, 2)
    assert Rhythm.parse(" 3/7 ", parameter="x") == Rhythm(3, 7)
    assert Rhythm.parse("", parameter="x") is None


@pytest.mark.parametrize("text", ["often", "0/1", "2/0", "8/7", "13/1", "1/99"])
def test_a_rhythm_that_makes_no_sense_is_refused(text):
    with pytest.raises(InvalidValueError, match="frequency"):
        Rhythm.parse(text, parameter="points_rhythm")
