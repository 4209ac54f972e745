from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.latest_near import NONE, latest_near

things = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 2), st.integers(0, 30)), max_size=40
)


def plain(place, others, reach, span):
    """The latest in reach, looked for one by one."""
    x, y, kind, time = place
    near = [
        (-of_time, position)
        for position, (of_x, of_y, of_kind, of_time) in enumerate(others)
        if of_kind == kind
        and time - span <= of_time <= time
        and (of_x - x) ** 2 + (of_y - y) ** 2 <= reach**2
    ]
    return min(near)[0] if near else None


@settings(deadline=None, max_examples=300)
@given(things, things, st.sampled_from([1.0, 5.0, 25.0]), st.integers(0, 12))
def test_as_looked_for_one_by_one(places, others, reach, span):
    mine, theirs = (np.array(rows, dtype=np.int64).reshape(-1, 4).T for rows in (places, others))
    found = latest_near(
        *mine,
        of_x=theirs[0],
        of_y=theirs[1],
        of_kind=theirs[2],
        of_time=theirs[3],
        reach=reach,
        span=span,
    )
    for place, position in zip(places, found.tolist(), strict=True):
        wanted = plain(place, others, reach, span)
        if wanted is None:
            assert position == NONE
        else:
            assert others[position][3] == -wanted
            assert plain(place, [others[position]], reach, span) is not None


def test_a_heap_is_not_measured_pair_by_pair():
    """A hundred thousand cases on one spot take no longer than spread out."""
    count = 100_000
    here = np.zeros(count)
    time = np.arange(count)
    found = latest_near(
        here,
        here,
        here,
        time,
        of_x=here,
        of_y=here,
        of_kind=here,
        of_time=time + 1,
        reach=30.0,
        span=10,
    )
    assert found.tolist() == [NONE, *range(count - 1)]
