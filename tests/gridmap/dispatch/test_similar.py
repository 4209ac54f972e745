"""Open problems near by are offered to whoever records, within their scope only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gridmap.errors import PermissionDeniedError
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.problems.models import Category
from gridmap.problems.similar import find_similar, score
from gridmap.store.engine import reading

WEST, SOUTH, SIDE = 121.0, 31.0, 0.01
NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
METRE = 1 / 954


@pytest.fixture
def similar(engine, settings):
    def _similar(x=0.5, category="0101", actor=None):
        with reading(engine) as session:
            kind = session.scalar(select(Category).where(Category.code == category))
            return find_similar(
                session,
                actor or Actor.owner(),
                WEST + x * SIDE,
                SOUTH + 0.5 * SIDE,
                category=kind,
                settings=settings,
                now=NOW,
            )

    return _similar


def test_the_nearest_of_the_same_kind_comes_first(record, similar):
    near, kin = record(0.5 + 5 * METRE), record(0.5 + 2 * METRE, category="0102")
    far, old = record(0.5 + 45 * METRE), record(0.5 + 5 * METRE, found_at=NOW - timedelta(days=200))
    record(0.5 + 60 * METRE)
    record(0.5 + 3 * METRE, state="closed")
    record(0.5 + 45 * METRE, category="0201")
    assert [one.number for one in similar()] == [near.id, kin.id, old.id, far.id]
    assert similar()[0].metres == pytest.approx(5, abs=0.5)


def test_a_line_is_as_near_as_its_nearest_part(record, similar):
    ends = [[WEST + x * SIDE, SOUTH + 0.5 * SIDE] for x in (0.5 + 10 * METRE, 1.4)]
    ribbon = record(0, geometry={"type": "LineString", "coordinates": ends})
    assert [(one.number, round(one.metres)) for one in similar()] == [(ribbon.id, 10)]


def test_nothing_outside_the_scope_is_offered(city, record, similar):
    theirs = record(2 - 2 * METRE)
    own = record(2 + 2 * METRE)
    holding = Holding(Role.GRID_WORKER, areas=frozenset({city.areas["B"].id}))
    assert [one.number for one in similar(2, actor=Actor("乙", (holding,)))] == [own.id]
    assert {one.number for one in similar(2)} == {own.id, theirs.id}
    with pytest.raises(PermissionDeniedError):
        similar(2, actor=Actor("测评员", (Holding(Role.ASSESSOR),)))


numbers = st.floats(0, 400, allow_nan=False)


@given(numbers, numbers, st.sampled_from([0.0, 0.5, 1.0]), numbers)
def test_nearer_closer_kin_and_fresher_never_count_less(near, far, kinship, days):
    near, far = sorted((near, far))
    metres, ages = np.array([near, far]), np.array([days, days])
    first, second = score(metres, np.array([kinship] * 2), ages, reach=50.0)
    assert 0 <= second <= first <= 1
    aged = score(np.array([near] * 2), np.array([kinship] * 2), metres, reach=50.0)
    assert aged[1] <= aged[0]
