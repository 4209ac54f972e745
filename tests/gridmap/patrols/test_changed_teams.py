"""What a changed plan means for people: their calendars, the other of a pair, and who is home early."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from gridmap.errors import NotFoundError
from gridmap.language import speak
from gridmap.patrols.calendars import lost_rounds
from gridmap.patrols.changing import Change
from gridmap.patrols.going_home import tell_home_early
from gridmap.patrols.handing_out import as_calendar, as_cancelled
from gridmap.patrols.models import RemovedRound
from gridmap.patrols.queries import read_plan
from gridmap.patrols.removing import remove_plan, removed_rounds
from gridmap.people.models import Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.store.engine import reading, writing

from .test_planner import DAY, NOW, changed, planned, town, wish

__all__ = ["town", "wish"]


def calendar(engine, uid, lead):
    with reading(engine) as session:
        shown = read_plan(session, Actor.owner(), uid)
        text = as_calendar(shown, lead, now=NOW, lost=lost_rounds(session, shown.plan, lead))
    found = Calendar.from_ical(text)
    events = {str(one["uid"]): (str(one["status"]), one["sequence"]) for one in found.walk("VEVENT")}
    return str(found["method"]), events


def test_a_round_that_moves_to_somebody_else_is_cancelled_in_the_calendar(engine, town, wish):
    uid = planned(engine, replace(wish, minutes_at_point=40), 100)
    first, second = wish.people
    method, before = calendar(engine, uid, first)
    ((event, said),) = before.items()
    assert (method, said) == ("PUBLISH", ("CONFIRMED", 1))

    def all_to_the_second(orders):
        return Change(orders={1: [key for keys in orders.values() for key in keys]})

    _, _, moved = changed(engine, uid, all_to_the_second)
    assert calendar(engine, moved, first) == ("CANCEL", {event: ("CANCELLED", 2)})
    method, theirs = calendar(engine, moved, second)
    assert (method, set(theirs.values())) == ("PUBLISH", {("CONFIRMED", 2)})
    # Given back, it is there again under the same name.
    _, _, back = changed(engine, moved, lambda orders: Change(orders={0: orders[1]}))
    assert calendar(engine, back, first) == ("PUBLISH", {event: ("CONFIRMED", 3)})


def test_rounds_of_a_removed_plan_are_cancelled_in_the_calendars_of_who_had_them(engine, town, wish):
    uid = planned(engine, replace(wish, minutes_at_point=40), 100)
    first, second = wish.people
    _, before = calendar(engine, uid, first)
    addresses = []
    with reading(engine) as session:
        addresses += [(uid, one.route.uid) for one in read_plan(session, Actor.owner(), uid).rounds]

    def all_to_the_second(orders):
        return Change(orders={1: [key for keys in orders.values() for key in keys]})

    _, _, moved = changed(engine, uid, all_to_the_second)
    _, theirs = calendar(engine, moved, second)
    with reading(engine) as session:
        addresses += [(moved, one.route.uid) for one in read_plan(session, Actor.owner(), moved).rounds]
    with writing(engine) as session:
        remove_plan(session, Actor.owner(), moved, now=NOW)
    found = {}
    with reading(engine) as session:
        for plan, route in addresses:
            gone = removed_rounds(session, Actor.owner(), plan, route)
            text = Calendar.from_ical(as_cancelled(gone, now=NOW))
            events = {str(one["uid"]): (str(one["status"]), one["sequence"]) for one in text.walk("VEVENT")}
            assert str(text["method"]) == "CANCEL"
            found[gone.lead] = events
        persons = {one.uid: one.id for one in session.scalars(select(Person))}
        area = session.scalars(select(RemovedRound.area_id)).first()
        walker = (Holding(Role.PATROL_MEMBER),)
        plan, route = addresses[-1]
        own = removed_rounds(session, Actor("乙", walker, person_id=persons[second]), plan, route)
        assert own.lead == second
        planner = (Holding(Role.AREA_MANAGER, areas=frozenset({area})),)
        assert removed_rounds(session, Actor("丙", planner), plan, route) == own
        for stranger in (
            Actor("甲", walker, person_id=persons[first]),
            Actor("丁", (Holding(Role.AREA_MANAGER, areas=frozenset({area + 1})),)),
        ):
            with pytest.raises(NotFoundError):
                removed_rounds(session, stranger, plan, route)
    assert found == {
        first: dict.fromkeys(before, ("CANCELLED", 3)),
        second: dict.fromkeys(theirs, ("CANCELLED", 3)),
    }


def test_of_two_of_whom_one_has_left_the_other_goes_alone(engine, town, wish):
    first, second, _ = town.people
    pair = replace(wish, details={str(first.uid): {"partner": str(second.uid), "hours": "09:00-11:00"}})
    uid = planned(engine, pair, 50)
    with writing(engine) as session:
        session.get_one(Person, first.id).valid_to = DAY
    question, result, after = changed(engine, uid, lambda orders: Change(orders=orders))
    assert (question.absent, question.left) == (frozenset(), {first.uid})
    assert result.faults == ()
    with reading(engine) as session:
        (before,) = read_plan(session, Actor.owner(), uid).rounds
        (alone,) = read_plan(session, Actor.owner(), after).rounds
    assert (before.names, alone.names, alone.person.id) == ("甲、乙", "乙", second.id)
    assert [stage.keys for stage in alone.stages] == [stage.keys for stage in before.stages]
    # Their calendar takes it in the place of the round of two.
    assert set(calendar(engine, after, first.uid)[1]) == set(calendar(engine, uid, first.uid)[1])
    with writing(engine) as session:
        session.get_one(Person, second.id).valid_to = DAY
    question, _, _ = changed(engine, uid, lambda orders: Change(orders=orders), keep_it=False)
    assert question.absent == frozenset({0})


def test_who_is_home_early_is_told_why(engine, town, wish):
    days = replace(wish, people=wish.people[:1], until=DAY + timedelta(days=1), point_rhythm="1/1")
    with reading(engine) as session:
        quiet = read_plan(session, Actor.owner(), planned(engine, replace(days, roads=False), 200))
    early = {one["unit"]: one for one in quiet.plan.changes["early"]}
    assert set(early) == {0, 1}
    with speak("en"):
        assert all(tell_home_early(one).endswith("nothing more is due then") for one in early.values())
    # A road that is open later than the shift, and points that take too long for what is left of it.
    long = replace(days, until=None, hours="08:00-11:00", minutes_at_point=100, points=True)
    with reading(engine) as session:
        full = read_plan(session, Actor.owner(), planned(engine, long, 200))
    (one,) = full.plan.changes["early"]
    assert one["no_time"] == len(town.points) - len(
        [stage for stage in full.rounds[0].stages if stage.kind == "point"]
    )
    with speak("en"):
        assert "not done and back by the end" in tell_home_early(one)
    assert "本班次" in tell_home_early(one)
