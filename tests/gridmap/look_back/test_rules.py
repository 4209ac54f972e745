from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.look_back.rules import allocate, draw, hand_out

strata = st.lists(st.integers(0, 5), max_size=60)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(0, 100))
def test_a_sample_is_divided_whole_and_fairly(sizes, size):
    taken = allocate(sizes, size)
    assert taken.sum() == min(size, sum(sizes))
    assert (taken <= sizes).all()
    there = sum(1 for one in sizes if one)
    if size >= there:
        assert ((taken > 0) == (np.array(sizes) > 0)).all(), "every stratum is looked at"
    for i, one in enumerate(sizes):
        for j, other in enumerate(sizes):
            if one >= other:
                assert taken[i] >= taken[j] - 1


@settings(max_examples=200)
@given(strata, st.integers(0, 80), st.integers(0, 2**31))
def test_a_drawing_can_be_repeated(stratum, size, seed):
    first, second = draw(stratum, size, seed), draw(stratum, size, seed)
    assert first.tolist() == second.tolist() == sorted(set(first.tolist()))
    codes, of = np.unique(np.array(stratum, dtype=int), return_inverse=True)
    drawn = np.bincount(of[first], minlength=codes.size)
    assert drawn.tolist() == allocate(np.bincount(of, minlength=codes.size), size).tolist()


def test_another_seed_draws_others_and_each_alike_often():
    stratum = np.zeros(20, dtype=int)
    counts = np.zeros(20)
    for seed in range(2000):
        counts[draw(stratum, 5, seed)] += 1
    # 5 of 20 in each of 2000: 500 expected, standard deviation about 19.
    assert abs(counts - 500).max() < 5 * 19.4


@given(st.integers(1, 30), st.integers(1, 6), st.integers(0, 99))
def test_nobody_looks_at_what_they_fixed(count, people, seed):
    rng = np.random.default_rng(seed)
    may, prefers = rng.random((count, people)) < 0.6, rng.random((count, people)) < 0.7
    given_to = hand_out(may, prefers)
    for row, person in enumerate(given_to.tolist()):
        if person < 0:
            assert not may[row].any()
        else:
            assert may[row, person]
            assert prefers[row, person] or not (may[row] & prefers[row]).any()


def test_in_turns():
    everybody = np.ones((7, 3), dtype=bool)
    assert hand_out(everybody, everybody).tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert hand_out(np.ones((2, 0), dtype=bool), np.ones((2, 0), dtype=bool)).tolist() == [-1, -1]
