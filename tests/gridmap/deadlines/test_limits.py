from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gridmap.config import Settings
from gridmap.deadlines.calendar import UNITS
from gridmap.deadlines.limits import Condition, first_fitting, load_limits
from gridmap.deadlines.models import TimeLimit
from gridmap.deadlines.rules import (
    LimitWish,
    add_limit,
    change_category,
    change_step,
    move_limit,
    remove_limit,
)
from gridmap.deadlines.stages import STAGES, stage_due, stage_limit
from gridmap.deadlines.step_table import read_steps
from gridmap.errors import InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.hours import parse_hours
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import PriorityRoad
from gridmap.problems.models import Category, State, TimeUnit
from gridmap.store.engine import reading, writing

NIGHT = parse_hours("22:00-06:00")
HOURS = TimeUnit.URGENT_HOUR

CONDITIONS = st.lists(
    st.builds(
        Condition,
        categories=st.frozensets(st.integers(1, 4), min_size=1),
        areas=st.none() | st.frozensets(st.integers(1, 3)),
        road_level=st.none() | st.integers(1, 3),
        hours=st.sampled_from([(), NIGHT, parse_hours("08:00-12:00,14:00-18:00")]),
        least_severity=st.none() | st.integers(1, 5),
        allowed=st.just(1),
        unit=st.just(0),
    ),
    max_size=5,
)
PROBLEM = st.tuples(
    st.integers(1, 4),
    st.integers(-1, 3),
    st.sampled_from([-1, 1, 2, 3]),
    st.integers(0, 1439),
    st.integers(1, 5),
)


def plain(conditions, problem):
    """Return the first that fits, asked one by one."""
    category, area, level, minute, severity = problem
    for at, one in enumerate(conditions):
        in_hours = not one.hours or any(
            (start <= minute < end) if start < end else not end <= minute < start for start, end in one.hours
        )
        if (
            category in one.categories
            and (one.areas is None or area in one.areas)
            and (one.road_level is None or 0 <= level <= one.road_level)
            and in_hours
            and (one.least_severity is None or severity >= one.least_severity)
        ):
            return at
    return -1


@given(conditions=CONDITIONS, problems=st.lists(PROBLEM, min_size=1, max_size=20))
def test_the_first_that_fits_decides_as_asked_one_by_one(conditions, problems):
    category, area, level, minute, severity = map(np.array, zip(*problems, strict=True))
    found = first_fitting(
        conditions, category=category, area=area, road_level=level, minute=minute, severity=severity
    )
    assert found.tolist() == [plain(conditions, problem) for problem in problems]


@pytest.fixture
def ground(engine, city):
    with writing(engine) as session:
        minor = Category(
            code="A1",
            name="夜市",
            parent_id=city.category.id,
            time_allowed=5,
            time_unit=TimeUnit.WORKING_DAY,
        )
        road = PriorityRoad(
            code="R1", name="人民路", level=1, geometry="SRID=4326;MULTILINESTRING((121.4 31.2,121.41 31.2))"
        )
        session.add_all([minor, road])
        session.flush()
        city.minor, city.road = minor, road
    return city


@pytest.fixture
def add(engine):
    def _add(**wish):
        with writing(engine) as session:
            return add_limit(session, Actor.owner(), LimitWish(**wish)).uid

    return _add


def test_conditions_reach_below_their_category_and_area(engine, settings, ground, add):
    add(category="A", hours="22:00-06:00", allowed=2, unit=HOURS)
    add(category="A1", area=ground.areas[0].code, allowed=3, unit=TimeUnit.URGENT_DAY)
    add(category="A", road_level=1, least_severity=4, allowed=1, unit=TimeUnit.WORKING_HOUR)
    noon, night = (datetime(2026, 5, 11, hour, 30, tzinfo=UTC) for hour in (4, 15))  # 12:30 and 23:30 there
    west, east = (area.id for area in ground.areas)
    cases = [
        (night, west, -1, 2, (2, HOURS)),
        (noon, west, -1, 2, (3, TimeUnit.URGENT_DAY)),
        (noon, east, -1, 5, (5, TimeUnit.WORKING_DAY)),
        (noon, east, ground.road.id, 3, (5, TimeUnit.WORKING_DAY)),
        (noon, east, ground.road.id, 4, (1, TimeUnit.WORKING_HOUR)),
    ]
    found_at, area, road, severity, expected = zip(*cases, strict=True)
    with reading(engine) as session:
        limits = load_limits(session, settings)
    allowed, unit, by = limits.allowed(
        np.full(5, 5),
        np.full(5, UNITS[TimeUnit.WORKING_DAY]),
        category=np.full(5, ground.minor.id),
        area=area,
        road=road,
        severity=severity,
        found_at=np.array([one.replace(tzinfo=None) for one in found_at], "datetime64[us]"),
    )
    assert list(zip(allowed.tolist(), unit.tolist(), strict=True)) == [(n, UNITS[u]) for n, u in expected]
    assert by.tolist() == [0, 1, -1, -1, 2]


def test_rows_can_be_moved_and_removed(engine, ground, add):
    first = add(category="A", least_severity=4, allowed=1, unit=HOURS)
    second = add(category="A", least_severity=3, allowed=2, unit=HOURS)

    def order():
        with reading(engine) as session:
            return list(session.scalars(select(TimeLimit.uid).order_by(TimeLimit.position)))

    for up, expected in ((True, [second, first]), (True, [second, first]), (False, [first, second])):
        with writing(engine) as session:
            move_limit(session, Actor.owner(), second, up=up)
        assert order() == expected
    with writing(engine) as session:
        remove_limit(session, Actor.owner(), first)
    assert order() == [second]


@pytest.mark.parametrize(
    "wish",
    [
        {"allowed": 0, "hours": "8:00-9:00"},
        {"allowed": 1000, "hours": "8:00-9:00"},
        {"hours": "at night"},
        {"least_severity": 6},
        {"road_level": 0},
        {},
        {"category": "nothing", "least_severity": 3},
        {"area": "nowhere"},
    ],
)
def test_rows_that_make_no_sense_are_refused(engine, ground, add, wish):
    with pytest.raises((InvalidValueError, NotFoundError)):
        add(**({"category": "A", "allowed": 1, "unit": HOURS} | wish))
    with reading(engine) as session:
        assert session.scalars(select(TimeLimit)).all() == []


def test_only_headquarters_changes_rules(engine, ground):
    with reading(engine) as session:
        step = read_steps(session)[0].uid
    changes = [
        lambda s, a: add_limit(s, a, LimitWish(category="A", allowed=1, unit=HOURS, least_severity=1)),
        lambda s, a: change_category(s, a, "A", allowed=1, unit=HOURS, after_photo=True),
        lambda s, a: change_step(s, a, step, wait=1, unit=HOURS, enabled=True),
        lambda s, a: move_limit(s, a, uuid.uuid4(), up=True),
        lambda s, a: remove_limit(s, a, uuid.uuid4()),
    ]
    limited = Holding(Role.HEADQUARTERS, areas=frozenset({ground.areas[0].id}))
    for holding in (limited, *(Holding(role) for role in Role if role is not Role.HEADQUARTERS)):
        for change in changes:
            with pytest.raises(PermissionDeniedError), writing(engine) as session:
                change(session, Actor(name="x", holdings=(holding,)))
    for change in changes[:3]:
        with writing(engine) as session:
            change(session, Actor.owner())
    for change in changes[3:]:
        with pytest.raises(NotFoundError), writing(engine) as session:
            change(session, Actor.owner())


@pytest.mark.parametrize(
    ("state", "hours"),
    [("recorded", 2), ("checked", 2), ("returned", 2), ("fixed", 4), ("verified", 4)]
    + [(state, None) for state in ("dispatched", "accepted", "sent_back", "suspended", "closed", "rejected")],
)
def test_stages_have_their_own_limits(calendar, stamp, state, hours):
    limit = stage_limit(State(state), Settings())
    assert limit == (None if hours is None else (hours, TimeUnit.WORKING_HOUR))
    evening = datetime(2026, 5, 11, 9, 0, tzinfo=UTC)  # 17:00 in Shanghai
    (due,) = stage_due(State(state), [stamp(evening)], calendar, Settings())
    if hours is None:
        assert np.isnat(due)
    else:
        assert due == stamp(evening + timedelta(hours=14 + hours))


def test_a_stage_without_a_limit(calendar, stamp):
    settings = Settings(check_hours=0)
    assert stage_limit(State.RECORDED, settings) is None
    assert {getattr(settings, name) for name in STAGES.values()} == {0, 2, 4}
