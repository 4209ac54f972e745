"""Points with hours, a frequency and minutes of their own, from the store to the plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.language import speak
from gridmap.patrols.frequency import Frequency
from gridmap.patrols.models import PatrolVisit, VisitKind
from gridmap.patrols.planning import Window
from gridmap.patrols.queries import read_plan
from gridmap.patrols.rhythm import Rhythm
from gridmap.patrols.visiting import Visiting, rhythm_name, set_visiting
from gridmap.people.permissions import Actor, Role
from gridmap.store.engine import reading, writing

from .test_planner import DAY, ZONE, member, planned, town, wish

__all__ = ["town", "wish"]

_DAY = 24 * 3600
MORNING = Window(8 * 3600, 12 * 3600)


def of(days, rhythm=None):
    shifts = tuple((n, Window(MORNING.opens + n * _DAY, MORNING.closes + n * _DAY)) for n in range(days))
    return Frequency(days=shifts, rhythms={VisitKind.POINT: rhythm})


def test_a_place_of_its_own_rhythm_does_not_follow_the_plan():
    plan = of(3, Rhythm(1, 1))
    assert len(plan.turns(VisitKind.POINT, 0.0)) == 3
    assert len(plan.turns(VisitKind.POINT, 0.0, Visiting(rhythm=Rhythm(2, 1)))) == 6
    assert len(plan.turns(VisitKind.POINT, 0.0, Visiting(rhythm=Rhythm(1, 3)))) == 1
    assert len(plan.turns(VisitKind.POINT, 0.0, Visiting(minutes=9))) == 3


def test_whoever_goes_there_is_gone_before_its_hours_end():
    (turn,) = of(1).turns(VisitKind.POINT, 0.0, Visiting("07:20-08:30,16:00-17:00"), 600)
    assert turn == (Window(8 * 3600, 8 * 3600 + 20 * 60 - 1),)
    # Less time than is needed: they begin when it opens.
    (turn,) = of(1).turns(VisitKind.POINT, 0.0, Visiting("09:00-09:05"), 600)
    assert turn == (Window(9 * 3600, 9 * 3600),)


def test_hours_in_nobodys_shift_are_asked_for_once_and_as_they_are():
    (turn,) = of(2).turns(VisitKind.POINT, 0.0, Visiting("22:00-02:00", Rhythm(2, 1)), 600)
    assert turn == (Window(22 * 3600, 26 * 3600),)


@pytest.mark.parametrize(
    ("text", "rhythm"),
    [
        ("每日2次", (2, 1)),
        ("每天两次", (2, 1)),
        ("每 三 天 一 次", (1, 3)),
        ("隔日一次", (1, 2)),
        ("2次/周", (2, 7)),
        ("一次每三天", (1, 3)),
        ("１／３", (1, 3)),
    ],
)
def test_how_people_write_a_frequency(text, rhythm):
    assert Rhythm.parse(text, parameter="x") == Rhythm(*rhythm)
    with speak("en"):
        assert rhythm_name(str(Rhythm(*rhythm)))


def test_a_plan_goes_where_and_when_each_point_says(engine, town, wish):
    twice, early, never = (point.uid for point in town.points[:3])
    with writing(engine) as session:
        set_visiting(session, Actor.owner(), twice, Visiting(rhythm=Rhythm(2, 1)), day=DAY)
        set_visiting(session, Actor.owner(), early, Visiting("09:00-09:40", minutes=25), day=DAY)
        set_visiting(session, Actor.owner(), never, Visiting("19:00-23:00"), day=DAY)
    uid = planned(engine, replace(wish, roads=False))
    with reading(engine) as session, speak("en"):
        shown = read_plan(session, Actor.owner(), uid)
        visits = session.scalars(select(PatrolVisit)).all()
    went = [one.point_id for one in visits]
    assert [went.count(point.id) for point in town.points] == [2, 1, 0, 1, 1, 1, 1, 1]
    (there,) = (one for one in visits if one.point_id == town.points[1].id)
    assert there.finishes_at - there.starts_at == (there.finishes_at - there.starts_at).__class__(minutes=25)
    begins = there.starts_at.astimezone(ZONE)
    assert (9, 0) <= (begins.hour, begins.minute) <= (9, 15)
    why = {one["name"]: one["why"] for one in shown.unfitted}
    assert why[town.points[2].name] == "its hours are in nobody's shift"


def test_only_who_plans_there_says_how_often_and_only_what_makes_sense(engine, town):
    uid = town.points[0].uid
    elsewhere = member(town.people[2], frozenset({town.areas[1].id}), Role.AREA_MANAGER)
    with writing(engine) as session:
        with pytest.raises(NotFoundError):
            set_visiting(session, elsewhere, uid, Visiting(), day=DAY)
        for wrong in (Visiting("sometimes"), Visiting("08:00-10:00,09:00-11:00"), Visiting(minutes=0)):
            with pytest.raises(InvalidValueError):
                set_visiting(session, Actor.owner(), uid, wrong, day=DAY)
