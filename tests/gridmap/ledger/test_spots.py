"""Recurring spots against distances measured one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridmap.ledger.spots import LEAST, spots_of

PLACES = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 20), st.integers(1, 2)), max_size=40)
REACH = 30.0


@given(PLACES)
def test_spots_are_whole_apart_and_none_is_missed(places):
    x, y, kind = np.array(places, dtype=float).reshape(-1, 3).T
    found = spots_of(x, y, kind.astype(np.int64), metres=REACH, limit=100)
    assert [len(spot) for spot in found] == sorted((len(spot) for spot in found), reverse=True)
    near = (np.hypot(x[:, None] - x, y[:, None] - y) <= REACH) & (kind[:, None] == kind)
    left = np.ones(len(x), dtype=bool)
    for spot in found:
        assert len(spot) >= LEAST
        assert any(set(spot) == set(np.flatnonzero(near[at] & left)) for at in spot)
        left[spot] = False
    assert not left.any() or (near[left][:, left].sum(1) < LEAST).all()


def test_thousands_on_one_corner_are_one_spot():
    x = np.concatenate([np.zeros(20_000), np.arange(5000) * 7.0])
    found = spots_of(x, np.zeros(len(x)), np.ones(len(x), dtype=np.int64), metres=REACH, limit=20)
    assert len(found) == 20
    assert len(found[0]) == 20_000 + 9  # 28 m to either side of the fifth along the street
