"""From a wish to rounds on real streets, on both stores."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import gpxpy
import numpy as np
import pytest
import shapely
from icalendar import Calendar
from sqlalchemy import func, select

from geodata.travel import Profile
from gridmap.errors import InvalidValueError, NotFoundError, PermissionDeniedError, StaleVersionError
from gridmap.language import speak
from gridmap.patrols.changing import Change, apply, judge, kept_orders, say, tell
from gridmap.patrols.corners import Corner
from gridmap.patrols.handing_out import as_calendar, as_gpx, map_links
from gridmap.patrols.keeping import keep, restore
from gridmap.patrols.keeping import planned as planned_by
from gridmap.patrols.models import PatrolPlan, PatrolVisit, VisitKind
from gridmap.patrols.network import read_network
from gridmap.patrols.planner import Found, ask, solved
from gridmap.patrols.planning import Stop, faults, solve
from gridmap.patrols.queries import read_plan, read_plans
from gridmap.patrols.removing import remove_plan
from gridmap.patrols.wishes import Wish, as_json, from_json, hours_of, shift_of
from gridmap.people.models import Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import (
    Area,
    GridCell,
    InspectionPoint,
    PriorityRoad,
    Responsibility,
    ResponsibilityRole,
    Street,
)
from gridmap.store.engine import reading, writing

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 5, 9, 1, 0, tzinfo=UTC)
DAY = date(2026, 5, 11)
WEST, SOUTH, STEP = 121.4, 31.2, 0.002
"""A net of streets about 200 m apart."""
SPAN = 4


def box(west, south, east, north):
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    return f"SRID=4326;MULTIPOLYGON((({ring})))"


def streets():
    made = []
    for k in range(SPAN + 1):
        for kind in ("row", "column"):
            along = [(WEST + i * STEP, SOUTH + k * STEP) for i in range(SPAN + 1)]
            if kind == "column":
                along = [(WEST + k * STEP, SOUTH + i * STEP) for i in range(SPAN + 1)]
            made.append(
                Street(
                    source_ref=f"{kind}{k}",
                    name=f"{kind}{k}",
                    road_class="residential",
                    geometry="SRID=4326;" + shapely.LineString(along).wkt,
                )
            )
    return made


@pytest.fixture
def town(engine):
    edge = SPAN * STEP
    with writing(engine) as session:
        areas = [
            Area(
                code="E",
                name="东社区",
                level="community",
                geometry=box(WEST, SOUTH, WEST + edge, SOUTH + edge),
            ),
            Area(
                code="W",
                name="西社区",
                level="community",
                geometry=box(WEST - edge, SOUTH, WEST, SOUTH + edge),
            ),
        ]
        session.add_all(areas)
        session.flush()
        cell = GridCell(code="C", name="网格", area_id=areas[0].id, geometry=areas[0].geometry)
        people = [Person(name=name) for name in ("甲", "乙", "丙")]
        session.add_all([cell, *people, *streets()])
        session.flush()
        session.add_all(
            Responsibility(role=ResponsibilityRole.GRID_WORKER, person_id=one.id, cell_id=cell.id)
            for one in people[:2]
        )
        rng = np.random.default_rng(3)
        points = [
            InspectionPoint(
                code=f"P{n}",
                name=f"点位{n}",
                site_type="market",
                area_id=areas[0].id,
                geometry=f"SRID=4326;POINT({WEST + x * edge} {SOUTH + y * edge})",
            )
            for n, (x, y) in enumerate(rng.random((8, 2)))
        ]
        lost = InspectionPoint(
            code="L",
            name="江心洲",
            site_type="park",
            area_id=areas[0].id,
            geometry="SRID=4326;POINT(121.5 31.2)",
        )
        road = PriorityRoad(
            code="R",
            name="人民路",
            level=1,
            hours="09:00-10:00",
            area_id=areas[0].id,
            # Drawn by hand: a few metres beside the street.
            geometry="SRID=4326;MULTILINESTRING(("
            f"{WEST} {SOUTH + STEP + 4e-5},{WEST + edge} {SOUTH + STEP + 6e-5}))",
        )
        session.add_all([*points, lost, road])
    return SimpleNamespace(areas=areas, people=people, points=points, lost=lost, road=road)


@pytest.fixture
def wish(town):
    return Wish(
        area=town.areas[0].uid, day=DAY, hours="08:00-12:00", people=(town.people[0].uid, town.people[1].uid)
    )


def asked(engine, wish, actor=None, **more):
    with reading(engine) as session:
        who, network = actor or Actor.owner(), read_network(session)
        return ask(session, who, wish, network=network, zone=ZONE, now=NOW, **more)


def planned(engine, wish, iterations=300):
    question = asked(engine, wish)
    result = solve(question.posed.problem, Stop(iterations=iterations), seed=wish.seed)
    assert faults(question.posed.problem, result.plan) == []
    with writing(engine) as session:
        return keep(session, Actor.owner(), Found(question, result.plan, result.seconds), now=NOW).uid


def member(person, areas=None, role=Role.PATROL_MEMBER):
    return Actor(name=person.name, holdings=(Holding(role, areas, None),), person_id=person.id)


def test_all_that_can_be_reached_is_visited_once_and_in_its_hours(engine, town, wish):
    uid = planned(engine, wish)
    with reading(engine) as session:
        shown = read_plan(session, Actor.owner(), uid)
        visits = session.scalars(select(PatrolVisit)).all()
    assert sorted(v.point_id for v in visits if v.kind is VisitKind.POINT) == sorted(
        p.id for p in town.points
    )
    along = [v for v in visits if v.kind is VisitKind.ROAD]
    assert len(along) == SPAN
    assert sum(v.metres for v in along) == pytest.approx(SPAN * STEP * 95_300, rel=0.02)
    for visit in along:
        assert 9 <= visit.starts_at.astimezone(ZONE).hour < 10
    assert [(one["name"], "121" in one["why"] or one["why"] != "") for one in shown.unfitted] == [
        ("江心洲", True)
    ]
    with reading(engine) as session, speak("en"):
        # Kept as a code and its values: each reader has it in their own language.
        (left,) = read_plan(session, Actor.owner(), uid).unfitted
    assert left["why"].isascii()
    assert not shown.unfitted[0]["why"].isascii()
    for one in shown.rounds:
        assert one.route.leaves_at.astimezone(ZONE).hour >= 8
        assert one.route.returns_at <= shown.plan.closes_at
        assert one.route.metres == pytest.approx(
            shapely.length(shapely.LineString(one.line)) * 103_000, rel=0.1
        )


def test_stretches_of_one_road_are_one_stage(engine, town, wish):
    uid = planned(engine, replace(wish, points=False, people=wish.people[:1]))
    with reading(engine) as session:
        (one,) = read_plan(session, Actor.owner(), uid).rounds
    (stage,) = one.stages
    assert (stage.kind, stage.name, stage.number) == (VisitKind.ROAD, "人民路", None)
    assert stage.metres == pytest.approx(SPAN * STEP * 95_300, rel=0.02)


def test_who_plans_sees_all_rounds_and_who_walks_their_own(engine, town, wish):
    uid = planned(engine, replace(wish, roads=False, minutes_at_point=50))
    first, second, third = (member(person) for person in town.people)
    manager = member(town.people[2], frozenset({town.areas[0].id}), Role.AREA_MANAGER)
    elsewhere = member(town.people[2], frozenset({town.areas[1].id}), Role.AREA_MANAGER)
    with reading(engine) as session:
        assert len(read_plan(session, manager, uid).rounds) == 2
        for actor in (first, second):
            shown = read_plan(session, actor, uid)
            assert [one.person.id for one in shown.rounds] == [actor.person_id]
            assert not shown.whole
            assert shown.unfitted == ()
            assert len(read_plans(session, actor)) == 1
        for actor in (third, elsewhere):
            assert read_plans(session, actor) == []
            with pytest.raises(NotFoundError):
                read_plan(session, actor, uid)


def test_nobody_plans_elsewhere(engine, town, wish):
    elsewhere = member(town.people[2], frozenset({town.areas[1].id}), Role.AREA_MANAGER)
    with pytest.raises(PermissionDeniedError, match="outside"):
        asked(engine, wish, elsewhere)
    with pytest.raises(PermissionDeniedError, match="patrol:plan"):
        asked(engine, wish, member(town.people[0]))
    uid = planned(engine, wish, 20)
    with writing(engine) as session:
        with pytest.raises(NotFoundError):
            remove_plan(session, elsewhere, uid, now=NOW)
        remove_plan(session, Actor.owner(), uid, now=NOW)
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(PatrolPlan)) == 0
        assert session.scalar(select(func.count()).select_from(PatrolVisit)) == 0


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"hours": "08:00-12:00,14:00-18:00"}, (InvalidValueError, "one shift")),
        ({"hours": "whenever"}, (InvalidValueError, "one shift")),
        ({"people": ()}, (InvalidValueError, "1 to")),
        ({"people": (uuid.UUID(int=1),)}, (NotFoundError, "cannot be sent")),
        ({"search_seconds": 0}, (InvalidValueError, r"from \d+ to")),
        ({"minutes_at_point": 1000}, (InvalidValueError, r"from \d+ to")),
        ({"area": uuid.UUID(int=1)}, (NotFoundError, "no such area")),
        ({"points": False, "problems": False, "roads": False}, (InvalidValueError, "can be reached")),
    ],
)
def test_a_wish_that_cannot_be_met_says_why(engine, wish, change, refusal):
    error, says = refusal
    with pytest.raises(error, match=says):
        asked(engine, replace(wish, **change))


def test_a_shift_past_midnight_ends_on_the_next_day(engine, town, wish):
    uid = planned(engine, replace(wish, hours="22:00-次日02:00", roads=False), 50)
    with reading(engine) as session:
        plan = read_plan(session, Actor.owner(), uid).plan
    assert plan.opens_at.astimezone(ZONE).day == DAY.day
    assert (plan.closes_at.astimezone(ZONE).day, plan.closes_at.astimezone(ZONE).hour) == (DAY.day + 1, 2)


def test_a_round_goes_into_other_programs(engine, town, wish):
    uid = planned(
        engine,
        replace(wish, people=wish.people[:1], profile=Profile.BICYCLE, minutes_at_point=20, rest_minutes=20),
        50,
    )
    with reading(engine) as session:
        shown = read_plan(session, Actor.owner(), uid)
    (one,) = shown.rounds
    assert one.route.rests_at is not None
    track = gpxpy.parse(as_gpx(shown, one))
    assert [p.name for p in track.waypoints] == [
        f"{n}. {stage.name}" for n, stage in enumerate(one.stages, 1)
    ]
    assert track.length_2d() == pytest.approx(one.route.metres, rel=0.02)
    (event,) = Calendar.from_ical(as_calendar(shown, one.lead, now=NOW)).walk("VEVENT")
    assert event.decoded("dtstart") == one.route.leaves_at
    _, _, after = changed(engine, uid, lambda orders: Change(orders={0: orders[0][::-1]}))
    with reading(engine) as session:
        later = as_calendar(read_plan(session, member(town.people[0]), after), one.lead, now=NOW)
    (again,) = Calendar.from_ical(later).walk("VEVENT")
    # The same event in calendars, and not a second one beside it.
    assert again["uid"] == event["uid"]
    assert (event["sequence"], again["sequence"]) == (1, 2)
    assert str(event["description"]).count("\n") == len(one.stages) - 1
    for address in map_links(one.stages[0]).values():
        # GCJ-02 lies some hundred metres from where the stage is.
        assert f"{one.stages[0].lat:.4f}" not in address


def test_hours_in_words_are_any_time_and_a_road_without_a_street_is_named(engine, town, wish):
    with writing(engine) as session:
        session.get_one(PriorityRoad, town.road.id).hours = "早晚高峰"
        session.add(
            PriorityRoad(
                code="N",
                name="规划路",
                area_id=town.areas[0].id,
                geometry="SRID=4326;MULTILINESTRING(("
                f"{WEST} {SOUTH + STEP / 2},{WEST + STEP / 3} {SOUTH + STEP / 2}))",
            )
        )
    uid = planned(engine, replace(wish, points=False), 50)
    with reading(engine) as session:
        shown = read_plan(session, Actor.owner(), uid)
    assert {stage.name for one in shown.rounds for stage in one.stages} == {"人民路"}
    assert [one["name"] for one in shown.unfitted] == ["规划路"]


def test_those_who_only_answer_for_a_place_are_not_sent(engine, town, wish):
    with writing(engine) as session:
        session.add(
            Responsibility(
                role=ResponsibilityRole.LEADER_IN_CHARGE,
                person_id=town.people[2].id,
                point_id=town.points[0].id,
            )
        )
    with pytest.raises(NotFoundError, match="cannot be sent"):
        asked(engine, replace(wish, people=(town.people[2].uid,)))


def test_the_night_shift_keeps_the_hours_that_began_the_day_before(engine, town, wish):
    with writing(engine) as session:
        session.get_one(PriorityRoad, town.road.id).hours = "22:00-02:00"
    uid = planned(engine, replace(wish, points=False, hours="00:30-04:00"), 50)
    with reading(engine) as session:
        starts = session.scalars(select(PatrolVisit.starts_at)).all()
    assert uid
    assert len(starts) == SPAN
    assert {start.astimezone(ZONE).hour for start in starts} <= {0, 1}


def changed(engine, uid, edit, *, actor=None, keep_it=True):
    """Change a plan as its page does; returns the judged change and the uid of the next version."""
    with reading(engine) as session:
        plan = planned_by(session, actor or Actor.owner(), uid)
        kept = kept_orders(session, plan)
        question = asked(engine, from_json(plan.wish), again=True)
    change = edit(kept.orders)
    result = apply(question, change, kept.modes)
    if not keep_it:
        return question, result, None
    with writing(engine) as session:
        before = planned_by(session, Actor.owner(), uid)
        found = Found(question, result.plan, 0.0)
        pins = {"pins": dict(change.pins), "banned": sorted(change.banned), "how": "by hand"}
        return (
            question,
            result,
            keep(session, Actor.owner(), found, now=NOW, after=before, changes=pins).uid,
        )


def test_a_plan_is_changed_by_hand_version_after_version_and_brought_back(engine, town, wish):
    uid = planned(engine, wish, 100)

    def give_all_to_the_second(orders):
        first = [key for keys in orders.values() for key in keys]
        return Change(orders={1: first[1:]}, pins={first[1]: 1}, banned=frozenset(first[:1]))

    _, result, second = changed(engine, uid, give_all_to_the_second)
    assert result.faults == tuple(faults(result.problem, result.plan))
    with reading(engine) as session:
        assert [one["plan"].version for one in read_plans(session, Actor.owner())] == [2]
        shown = read_plan(session, Actor.owner(), second)
        old = read_plan(session, Actor.owner(), uid)
        assert [one.version for one in shown.versions] == [1, 2]
        assert (old.newest.id, len(shown.rounds)) == (shown.plan.id, 1)
        assert sum(one["why"] == "已设为不去" for one in shown.unfitted) == 1
        # Whose round is gone has no plan any more, and learns nothing of versions.
        assert read_plans(session, member(town.people[0])) == []
        assert len(read_plan(session, member(town.people[1]), second).versions) == 1
        assert not read_plan(session, member(town.people[0]), uid).opens_newest
        assert read_plan(session, member(town.people[1]), second).opens_newest
        assert old.opens_newest
        stops = [stage.keys for one in old.rounds for stage in one.stages]
    # Two people change the same version: the second one is told, and nothing is lost.
    with pytest.raises(StaleVersionError) as refused:
        changed(engine, uid, give_all_to_the_second)
    assert [one["version"] for one in refused.value.changes] == [2]
    with writing(engine) as session:
        third = restore(session, Actor.owner(), uid, now=NOW).uid
    with reading(engine) as session:
        back = read_plan(session, Actor.owner(), third)
        assert (back.plan.version, [s.keys for one in back.rounds for s in one.stages]) == (3, stops)
        assert [one.line for one in back.rounds] == [one.line for one in old.rounds]
    with writing(engine) as session:
        remove_plan(session, Actor.owner(), third, now=NOW)
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(PatrolPlan)) == 0


def test_what_a_change_breaks_is_said_and_a_search_from_it_keeps_what_is_fixed(engine, town, wish):
    uid = planned(engine, replace(wish, minutes_at_point=20), 100)

    def road_last(orders):
        keys = [key for row in orders.values() for key in row]
        roads = [key for key in keys if key.startswith("road")]
        return Change(orders={0: [key for key in keys if key not in roads] + roads}, pins={roads[0]: 1})

    question, result, _ = changed(engine, uid, road_last, keep_it=False)
    texts = {(one["unit"], one["text"]) for one in say(question, result)}
    assert any("不在规定时段 09:00" in text for _, text in texts)
    assert any("已固定给他人" in text for _, text in texts)
    again = solve(result.problem, Stop(iterations=100), seed=1, start=result.plan).plan
    assert faults(result.problem, again) == []
    pinned = next(n for n, task in enumerate(result.problem.tasks) if task.workers == frozenset({1}))
    assert {r.worker for r in again.routes for v in r.visits if v.task == pinned} == {1}


def test_what_is_gone_meanwhile_is_named_and_nonsense_refused(engine, town, wish):
    uid = planned(engine, wish, 50)
    with writing(engine) as session:
        session.get_one(InspectionPoint, town.points[0].id).valid_to = DAY
    _, result, _ = changed(engine, uid, lambda orders: Change(orders=orders), keep_it=False)
    assert result.gone == (f"point-{town.points[0].id}-1",)
    for wrong in (Change(orders={9: ["point-1-1"]}), Change(orders={0: ["point-1-1"], 1: ["point-1-1"]})):
        with pytest.raises(InvalidValueError, match="Expected"):
            changed(engine, uid, lambda _, wrong=wrong: wrong, keep_it=False)


def test_a_wish_is_kept_as_it_was(wish):
    assert from_json(as_json(wish)) == wish
    week = replace(wish, until=DAY, weekdays=(1, 2), weekday_hours={"1": "09:00-10:00"}, details={"x": {}})
    assert from_json(as_json(week)) == week
    corners = (Corner(7, 121.401, 31.202, 900),)
    assert from_json(as_json(replace(wish, corners=corners))).corners == corners


def test_hot_corners_are_gone_to_and_named_where_they_cannot_be(engine, town, wish):
    near = Corner(7, WEST + STEP / 2, SOUTH + STEP, 9000)
    far = Corner(8, WEST + 1, SOUTH, 9000)
    uid = planned(engine, replace(wish, corners=(near, far)))
    with reading(engine) as session:
        shown = read_plan(session, Actor.owner(), uid)
        stages = [one for one in itertools.chain(*(r.stages for r in shown.rounds)) if one.name == "易发点位"]
        assert [(one.kind, one.lon, one.lat) for one in stages] == [(VisitKind.CORNER, near.lon, near.lat)]
        # It has no address of its own: the street beside it says where it is.
        assert stages[0].address == "row1"
        assert [one["uid"] for one in shown.unfitted if one["kind"] == "corner"] == ["8"]
        visit = session.scalars(select(PatrolVisit).where(PatrolVisit.kind == VisitKind.CORNER)).one()
        assert (visit.point_id, visit.problem_id, visit.road_id, visit.key) == (
            None,
            None,
            None,
            "corner-7-1",
        )


def test_a_week_keeps_its_rhythms_and_its_days(engine, town, wish):
    week = replace(
        wish,
        until=DAY + timedelta(days=6),
        weekdays=(1, 2, 3, 4, 5, 6),
        weekday_hours={"6": "09:00-11:00"},
        point_rhythm="1/3",
        road_rhythm="2/1",
        sides=2,
        vary_percent=5,
    )
    question = asked(engine, week)
    found = solved(question, Stop(iterations=1200))
    assert faults(question.posed.problem, found.plan) == []
    with writing(engine) as session:
        uid = keep(session, Actor.owner(), found, now=NOW).uid
    with reading(engine) as session:
        shown = read_plan(session, Actor.owner(), uid)
        visits = session.scalars(select(PatrolVisit)).all()
    assert shown.days == [DAY + timedelta(days=n) for n in range(6)]
    assert [
        len(shown.plan.changes["notes"]),
        max(n["extra"] for n in shown.plan.changes["notes"]) <= 0.05,
    ] == [6, True]
    for one in shown.rounds:
        leaves, returns = (at.astimezone(ZONE) for at in (one.route.leaves_at, one.route.returns_at))
        assert leaves.date() == returns.date() == one.day
        assert (8 if one.day.isoweekday() < 6 else 9) <= leaves.hour
        assert returns.hour < (12 if one.day.isoweekday() < 6 else 11) or returns.minute == 0
    gone = {}
    for visit in visits:
        at = visit.starts_at.astimezone(ZONE)
        gone.setdefault((visit.kind, visit.point_id or visit.key.rsplit("-", 1)[0]), []).append(at)
    for (kind, _), times in gone.items():
        days = sorted(at.date().toordinal() for at in times)
        if kind is VisitKind.POINT:
            assert all(after - before >= 3 for before, after in itertools.pairwise(days))
        else:
            # Both sides, twice a day, in the hour that matters.
            assert len(times) == 6 * 2 * 2
            assert {at.hour for at in times} == {9}
    assert len([1 for kind, _ in gone if kind is VisitKind.POINT]) == len(town.points)
    # Fewer places are due on a day than there are: they are spread over the days.
    assert (
        len({at.date() for (kind, _), times in gone.items() if kind is VisitKind.POINT for at in times}) >= 5
    )
    (event, *more) = Calendar.from_ical(as_calendar(shown, shown.rounds[0].lead, now=NOW)).walk("VEVENT")
    assert len(more) + 1 == sum(one.person.id == shown.rounds[0].person.id for one in shown.rounds)
    assert event.decoded("dtstart") == shown.rounds[0].route.leaves_at


def test_roads_are_walked_as_often_as_their_entries_say(engine, town, wish):
    with writing(engine) as session:
        session.get_one(PriorityRoad, town.road.id).patrols_per_day = 3
    question = asked(engine, replace(wish, points=False, road_rhythm="ledger"))
    windows = [task.windows for task in question.posed.problem.tasks]
    assert len(windows) == 3 * SPAN
    assert len(set(windows)) == 3


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        ("８：００－１７：００", (8, 17)),
        ("22:00-次日02:00", (22, 26)),
        ("22:00～次日２:00", (22, 26)),
    ],
)
def test_hours_are_read_as_people_write_them(text, shift):
    found = shift_of(text)
    assert (found.opens, found.closes) == tuple(hour * 3600 for hour in shift)


@pytest.mark.parametrize("text", ["22:00-02:00", "08:00-次日09:00", "08:00", "whenever"])
def test_hours_that_may_be_a_slip_are_refused(text):
    with pytest.raises(InvalidValueError) as refused:
        shift_of(text)
    assert refused.value.parameter == "hours"


def test_two_go_together_and_both_see_their_round(engine, town, wish):
    first, second, _ = town.people
    pair = replace(wish, details={str(first.uid): {"partner": str(second.uid)}})
    uid = planned(engine, pair, 50)
    with reading(engine) as session:
        for actor in (Actor.owner(), member(first), member(second)):
            (one,) = read_plan(session, actor, uid).rounds
            assert one.names == "甲、乙"
            assert len(read_plans(session, actor)) == 1
        assert read_plans(session, member(town.people[2])) == []
    for details in (
        {str(first.uid): {"partner": str(second.uid)}, str(second.uid): {"partner": str(first.uid)}},
        {str(first.uid): {"partner": str(first.uid)}},
        {str(first.uid): {"partner": str(uuid.UUID(int=5))}},
    ):
        with pytest.raises(InvalidValueError, match="together"):
            asked(engine, replace(wish, details=details))


def test_each_has_their_own_hours_start_end_way_and_ground(engine, town, wish):
    with writing(engine) as session:
        west, edge = WEST + SPAN * STEP / 2, SPAN * STEP
        half = Area(code="EH", name="半区", level="community", parent_id=town.areas[0].id)
        half.geometry = box(west, SOUTH, WEST + edge, SOUTH + edge)
        session.add(half)
    second = town.people[1]
    own = {"hours": "９：００－１１：００", "profile": "bicycle", "start": "P0", "end": f"{WEST},{SOUTH}"}
    own["area"] = str(half.uid)
    question = asked(engine, replace(wish, details={str(second.uid): own}))
    problem, posed = question.posed.problem, question.posed
    assert (problem.workers[0].start, problem.workers[0].end) == (0, 0)
    assert [problem.workers[1].start, problem.workers[1].end] == [1, 2]
    assert (problem.workers[1].shift.opens, problem.workers[1].shift.closes) == (9 * 3600, 11 * 3600)
    lon, _ = posed.places(range(len(problem.tasks)))
    assert [task.workers == frozenset({0}) for task in problem.tasks] == [bool(x < west) for x in lon]
    assert problem.travel[1].seconds[1, 2] < problem.travel[0].seconds[1, 2]
    found = solved(question, Stop(iterations=200))
    assert faults(problem, found.plan) == []
    with writing(engine) as session:
        uid = keep(session, Actor.owner(), found, now=NOW).uid
    with reading(engine) as session:
        rounds = {one.names: one for one in read_plan(session, Actor.owner(), uid).rounds}
    assert set(rounds) == {"甲", "乙"}
    assert rounds["乙"].line[-1] == pytest.approx([WEST, SOUTH], abs=1e-6)
    assert min(stage.lon for stage in rounds["乙"].stages) >= west
    # Fixing to somebody what they may not go to is said.
    away = next(key for key, task in zip(posed.keys, problem.tasks, strict=True) if task.workers)
    result = apply(question, Change(orders={1: [away]}, pins={away: 1}), {})
    assert any("不得前往" in one["text"] for one in say(question, result))


def test_what_cannot_be_for_somebody_is_refused(engine, town, wish):
    for own, error, says in (
        ({"start": "nowhere"}, InvalidValueError, "code of a point"),
        ({"start": "121.5,31.2"}, InvalidValueError, "near a street"),
        ({"hours": "late"}, InvalidValueError, "one shift"),
        ({"profile": "swim"}, InvalidValueError, "from the lists"),
        ({"area": str(uuid.UUID(int=3))}, NotFoundError, "not in the area"),
    ):
        with pytest.raises(error, match=says):
            asked(engine, replace(wish, details={str(town.people[0].uid): own}))


def test_what_is_wrong_names_the_day_of_the_shift_and_is_said_when_it_is_shown(engine, town, wish):
    uid = planned(engine, replace(wish, until=DAY + timedelta(days=1), road_rhythm="1/1"), 200)

    def all_on_the_second_day(orders):
        keys = [key for row in orders.values() for key in row]
        return Change(orders={2: [key for key in keys if key.startswith("road")]})

    question, result, _ = changed(engine, uid, all_on_the_second_day, keep_it=False)
    kept = [one for one in judge(question, result) if one["kind"] == "window"]
    assert {one["unit"] for one in kept} == {2}
    assert {one["day"] for one in kept} == {str(DAY + timedelta(days=1))}
    # Times are those of the shift's own day; what is due on another day says on which.
    assert all("次日" not in tell(one) for one in kept)
    assert all("05-11 09:00–05-11 10:00" in tell(one) for one in kept)
    with speak("en"):
        assert all("reached at" in tell(one) for one in kept)
    assert tell({"unit": 0, "key": None, "text": "旧"}) == "旧"


def test_a_plan_of_somebody_who_has_left_is_still_changed_and_gives_them_nothing(engine, town, wish):
    uid = planned(engine, replace(wish, minutes_at_point=30), 100)
    with writing(engine) as session:
        session.get_one(Person, town.people[0].id).valid_to = DAY
    question, result, _ = changed(engine, uid, lambda orders: Change(orders=orders), keep_it=False)
    assert question.absent == frozenset({0})
    assert [unit.person for unit in question.units] == [one.id for one in town.people[:2]]
    assert all(task.workers == frozenset({1}) for task in result.problem.tasks)
    said = {one["text"] for one in say(question, result) if one["unit"] == 0}
    assert said == {"此人已不能派往此处"}
    again = solve(result.problem, Stop(iterations=100), seed=1, start=result.plan).plan
    assert {route.worker for route in again.routes} == {1}
    with pytest.raises(NotFoundError, match="cannot be sent"):
        asked(engine, wish)


def test_a_point_out_of_force_is_no_start(engine, town, wish):
    own = replace(wish, details={str(town.people[0].uid): {"start": "P0"}})
    asked(engine, own)
    with writing(engine) as session:
        session.get_one(InspectionPoint, town.points[0].id).valid_to = DAY
    with pytest.raises(InvalidValueError, match="code of a point") as refused:
        asked(engine, own)
    assert refused.value.parameter == f"start-{town.people[0].uid}"


@pytest.mark.parametrize("text", ["08:00-24:00", "22:00-次日02:00", "00:00-06:30"])
def test_hours_are_written_as_they_are_read(text):
    shift = shift_of(text)
    assert hours_of(shift.opens, shift.closes) == text
