"""Who stands where, held against every possible choice."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.inspections.posts import Posts, Willing, assign, clashing


def made(times, places, needed):
    begins = np.array([begin for begin, _ in times], dtype=np.int64)
    ends = np.array([begin + stay for begin, stay in times], dtype=np.int64)
    at = np.array(places, dtype=float)
    return Posts(
        begins_s=begins,
        ends_s=ends,
        needed=np.array(needed, dtype=np.int64),
        walk_s=np.abs(at[:, None] - at[None, :]),
    )


def pairs(rows):
    person, post, cost = np.array(rows, dtype=float).reshape(-1, 3).T
    return Willing(person=person.astype(np.int64), post=post.astype(np.int64), cost=cost)


def possible(choice, rows, times, places, needed):
    """Checked by hand: enough room at each post, and everybody can walk their posts in order."""
    chosen = [row for row, taken in zip(rows, choice, strict=True) if taken]
    for post, most in enumerate(needed):
        if sum(one[1] == post for one in chosen) > most:
            return False
    for person in {one[0] for one in chosen}:
        mine = sorted((times[post][0], post) for who, post, _ in chosen if who == person)
        for (_, here), (begins, there) in pairwise(mine):
            if sum(times[here]) + abs(places[here] - places[there]) > begins:
                return False
    return True


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 6), st.integers(0, 9), st.integers(1, 2)),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_no_choice_holds_more_posts_or_costs_less(things, data):
    times = [(begin, stay) for begin, stay, _, _ in things]
    places, needed = [one[2] for one in things], [one[3] for one in things]
    rows = data.draw(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(0, len(things) - 1), st.integers(0, 4)),
            max_size=8,
            unique_by=lambda one: one[:2],
        )
    )
    found = assign(made(times, places, needed), pairs(rows)).tolist()
    choice = [n in found for n in range(len(rows))]
    assert possible(choice, rows, times, places, needed)
    best = max(
        (sum(one), -sum(row[2] for row, taken in zip(rows, one, strict=True) if taken))
        for one in product([False, True], repeat=len(rows))
        if possible(one, rows, times, places, needed)
    )
    assert best == (len(found), -sum(rows[n][2] for n in found))


def test_who_cannot_walk_over_in_time_clashes():
    clash = clashing(made([(0, 10), (15, 10), (14, 10)], [0, 5, 5], [1, 1, 1]))
    assert clash.tolist() == [[True, False, True], [False, True, True], [True, True, True]]
