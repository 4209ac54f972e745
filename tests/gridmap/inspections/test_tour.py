"""Routes through named and drawn points on a made net of streets, on both stores."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, permutations

import numpy as np
import pytest
import shapely

from geodata.errors import GeometryError
from geodata.travel import Profile
from gridmap.errors import InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.inspections.alternatives import Way, alternatives
from gridmap.inspections.deduction_table import usual_table
from gridmap.inspections.queries import read_route, read_routes, see
from gridmap.inspections.tour import TourWish, lay, remove_route, trace
from gridmap.patrols.network import read_network
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import Building, InspectionPoint, Street
from gridmap.problems.models import Category, Problem, Source, State
from gridmap.store.engine import reading, writing

NOW = datetime(2026, 5, 9, 1, 0, tzinfo=UTC)
DAY = date(2026, 5, 9)
WEST, SOUTH, STEP, SPAN = 121.4, 31.2, 0.002, 5


def at(x, y):
    return WEST + x * STEP, SOUTH + y * STEP


def point(x, y):
    lon, lat = at(x, y)
    return f"SRID=4326;POINT({lon} {lat})"


@pytest.fixture
def city(engine):
    streets = [
        Street(
            source_ref=f"{kind}{k}",
            name=f"{kind}{k}",
            road_class="residential",
            geometry="SRID=4326;"
            + shapely.LineString([at(i, k) if kind == "r" else at(k, i) for i in range(SPAN + 1)]).wkt,
        )
        for k in range(SPAN + 1)
        for kind in "rc"
    ]
    with writing(engine) as session:
        category = Category(code="01", name="占道经营", name_en="stalls", severity=3)
        session.add_all([*streets, category])
        session.add_all(
            InspectionPoint(
                code=f"P{n}", name=f"点位{n}", site_type=("market", "school")[n % 2], geometry=point(x, y)
            )
            for n, (x, y) in enumerate([(0, 0), (5, 5), (1, 4), (3, 0), (2, 2), (4, 3)])
        )
        session.add(
            InspectionPoint(code="L", name="江心洲", site_type="park", geometry="SRID=4326;POINT(121.6 31.2)")
        )
        session.flush()
        places = {"seen": (1.0, 0.15), "behind": (2.0, 0.2), "far": (2.5, 2.5), "closed": (1.5, 0.05)}
        session.add_all(
            Problem(
                category_id=category.id,
                state=State.CLOSED if name == "closed" else State.RECORDED,
                source=Source.PATROL,
                found_at=NOW,
                description=name,
                geometry=point(x, y),
                lon=at(x, y)[0],
                lat=at(x, y)[1],
                severity=3,
                fix_due_at=NOW + timedelta(hours=1 if name == "seen" else 90),
                change=1,
            )
            for name, (x, y) in places.items()
        )
        walls = shapely.MultiPolygon([shapely.box(*at(1.8, 0.05), *at(2.2, 0.12))])
        session.add(Building(source_ref="b", geometry="SRID=4326;" + walls.wkt))
    return {"P0": (0, 0), "P1": (5, 5), "P2": (1, 4), "P3": (3, 0), "P4": (2, 2), "P5": (4, 3)}


WISH = TourWish(
    name="上午线",
    starts_at=NOW + timedelta(hours=2),
    codes=("P0", "P1", "P2", "P3", "P4", "P5"),
    profile=Profile.FOOT,
)


def traced(engine, wish=WISH, actor=None):
    with reading(engine) as session:
        return trace(session, actor or Actor.owner(), wish, network=read_network(session), day=DAY)


def laid(engine, wish=WISH):
    tour = traced(engine, wish)
    with writing(engine) as session:
        return lay(session, Actor.owner(), tour, now=NOW).uid


def test_the_way_through_named_points_is_the_shortest(engine, city):
    tour = traced(engine)

    def length(order):
        # East and north steps differ in length; on a net the way is their sum.
        legs = [np.abs(np.subtract(city[a], city[b])) for a, b in pairwise(order)]
        return sum(leg[0] * 190.6 + leg[1] * 221.8 for leg in legs)

    best = min((("P0", *rest) for rest in permutations(sorted(set(city) - {"P0"}))), key=length)
    assert tour.metres == pytest.approx(length(best), rel=0.01)
    assert tour.along_m[-1] == pytest.approx(tour.metres)
    assert (np.diff(tour.arrives_s) >= WISH.minutes_at_stop * 60).all()


def test_drawn_points_are_of_every_type_and_the_same_for_a_seed(engine, city):
    wish = replace(WISH, codes=(), size=4, seed=5, site_types=("market", "school"))
    tour, again = traced(engine, wish), traced(engine, wish)
    assert tour.points.tolist() == again.points.tolist()
    assert tour.drawn_from == 6
    with reading(engine) as session:
        kinds = [session.get(InspectionPoint, int(one)).site_type for one in tour.points]
    assert sorted(kinds) == ["market", "market", "school", "school"]
    assert any(
        traced(engine, replace(wish, seed=n)).points.tolist() != tour.points.tolist() for n in range(5)
    )


def test_what_is_open_and_in_sight_is_told_with_the_time_it_is_passed(engine, city):
    uid = laid(engine, replace(WISH, codes=("P0", "P3")))
    with reading(engine) as session:
        route, line, stops = read_route(session, uid)
        seen = see(session, Actor.owner(), route, line, stops, now=NOW)
        names = [session.get(Problem, int(number)).description for number in seen.numbers]
        limited = Actor(name="甲", holdings=(Holding(Role.SUPERVISION, frozenset({99}), None),))
        assert len(see(session, limited, route, line, stops, now=NOW).numbers) == 0
    assert names == ["seen", "behind"]
    assert seen.corridor.hidden.tolist() == [False, True]
    assert seen.due_before.tolist() == [True, False]
    assert seen.exposure.sum() == 3
    assert seen.windows[200.0].weight == 3
    # Twenty minutes at the first stop, then a third of the way at 4.8 km/h.
    passed = seen.passes_at[0] - np.datetime64(WISH.starts_at.replace(tzinfo=None), "us")
    assert passed / np.timedelta64(1, "s") == pytest.approx(1200 + 190.6 / (4.8 / 3.6), rel=0.01)


def test_other_ways_through_the_same_points_are_compared(engine, city):
    with reading(engine) as session:
        found = alternatives(
            session,
            Actor.owner(),
            WISH,
            network=read_network(session),
            day=DAY,
            now=WISH.starts_at,
            table=usual_table(),
        )
    by_way = {one.way: one for one in found}
    given, quickest, back = by_way[Way.GIVEN], by_way[Way.QUICKEST], by_way[Way.REVERSED]
    assert [one.point.code for one in given.stops] == list(WISH.codes)
    assert quickest.ends_at < given.ends_at
    assert back.tour.points.tolist() == quickest.tour.points.tolist()[::-1]
    # On foot, at one speed and both ways, the way back is as long, and no way is shorter than the quickest.
    assert back.tour.metres == pytest.approx(quickest.tour.metres, rel=0.001)
    assert back.ends_at == pytest.approx(quickest.ends_at, abs=timedelta(seconds=5))
    if Way.SHORTEST in by_way:
        assert by_way[Way.SHORTEST].tour.metres <= quickest.tour.metres + 0.1
    assert max(one.deductions for one in found) > 0


def test_only_who_plans_for_the_whole_city_lays_and_removes(engine, city):
    limited = Actor(name="甲", holdings=(Holding(Role.SUPERVISION, frozenset({1}), None),))
    with pytest.raises(PermissionDeniedError):
        traced(engine, actor=limited)
    uid = laid(engine)
    with writing(engine) as session:
        with pytest.raises(PermissionDeniedError):
            remove_route(session, limited, uid)
        remove_route(session, Actor.owner(), uid)
        with pytest.raises(NotFoundError):
            remove_route(session, Actor.owner(), uuid.uuid4())
    with reading(engine) as session:
        assert read_routes(session) == []


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"name": " "}, (InvalidValueError, "a name")),
        ({"codes": ("P0", "ｐ０")}, (InvalidValueError, r"from 2 to")),
        ({"codes": ("P0",)}, (InvalidValueError, r"from 2 to")),
        ({"codes": ("p0", "X", "Y")}, (InvalidValueError, "X、Y")),
        ({"codes": ("P0", "L")}, (GeometryError, "江心洲")),
        ({"codes": (), "site_types": ("park",)}, (InvalidValueError, "at least two")),
        ({"minutes_at_stop": 999}, (InvalidValueError, "from 0 to")),
    ],
)
def test_a_wish_that_cannot_be_met_says_why(engine, city, change, refusal):
    error, says = refusal
    with pytest.raises(error, match=says):
        traced(engine, replace(WISH, **change))
