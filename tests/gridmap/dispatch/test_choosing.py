"""Rules in the store decide whose problems are; what nobody takes lies in the tray."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import select

from gridmap.dispatch.editing import Change, ChangeKind, Draft, apply_change, fingerprint, think_of
from gridmap.dispatch.models import DispatchRule
from gridmap.dispatch.moves import preview_moves
from gridmap.dispatch.rulebook import rules_in_force
from gridmap.dispatch.rules import Condition
from gridmap.dispatch.service import choose
from gridmap.dispatch.tray import read_tray
from gridmap.dispatch.trying import Case, try_rules
from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.people.models import Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.problems.models import Event, Problem
from gridmap.store.engine import reading, writing

OWNER = Actor.owner()
NOW, TODAY = datetime(2026, 5, 9, 4, 0, tzinfo=UTC), date(2026, 5, 9)
EVENING = datetime(2026, 5, 8, 21, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def add(engine, name="规则", *, at=None, **conditions):
    """Add a rule and move it to a place, from 1."""
    uid = uuid.uuid4()
    said = {key: value if isinstance(value, int) else str(value) for key, value in conditions.items()}
    draft = Draft(name=name, **said)
    with writing(engine) as session:
        seen = fingerprint(rules_in_force(session, TODAY))
        apply_change(session, OWNER, Change(kind=ChangeKind.ADD, uid=uid, draft=draft), seen=seen, on=TODAY)
    while at is not None and number(engine, uid) > at:
        change(engine, ChangeKind.UP, uid)
    return uid


def change(engine, kind, uid, **said):
    with writing(engine) as session:
        seen = fingerprint(rules_in_force(session, TODAY))
        step = Change(kind=kind, uid=uid, draft=Draft(**said))
        apply_change(session, OWNER, step, seen=seen, on=TODAY)


def number(engine, uid):
    with reading(engine) as session:
        return [row.uid for row in rules_in_force(session, TODAY)].index(uid) + 1


def chosen(engine, settings, *problems):
    with reading(engine) as session:
        return choose(session, np.array([one.id for one in problems]), settings=settings, now=NOW)


def test_the_first_rule_that_fits_decides_and_says_so(engine, settings, city, record):
    add(engine, "夜间占道", category="01", hours="19:00-02:00", organisation=city.company.uid)
    add(engine, "A社区全部", area=city.areas["A"].uid, organisation=city.squads["B"].uid)
    night, day, east = record(0.5, found_at=EVENING), record(0.5), record(2.5)
    choice = chosen(engine, settings, east, night, day)
    assert choice.organisation.tolist() == [city.squads["B"].id, city.company.id, city.squads["B"].id]
    assert (choice.rule > 0).tolist() == [False, True, True]
    assert choice.reasons.tolist() == ["无适用规则，由网格员负责", "规则 1：夜间占道", "规则 2：A社区全部"]
    said = [json.loads(text) for text in choice.details()]
    assert said[0] == {"person_by": "cell grid_worker", "organisation_by": "cell grid_worker"}
    assert (said[1]["organisation_by"], said[1]["person_by"]) == ("rule", None)
    assert (said[1]["rule"]["number"], said[1]["rule"]["name"]) == (1, "夜间占道")
    with reading(engine) as session:
        kept = session.get(Problem, night.id)
        assert (kept.organisation_id, kept.person_id) == (city.company.id, None)
        history = session.scalars(select(Event).where(Event.problem_id == night.id).order_by(Event.id)).all()
        assert history[-1].details["rule"]["name"] == "夜间占道"


def test_each_condition_in_the_store(engine, settings, city, record):
    add(engine, "市场旁", site_type="market", organisation=city.company.uid)
    add(engine, "路上", road=city.road.uid, organisation=city.headquarters.uid)
    add(engine, "热线重件", source="hotline", least_severity=2, organisation=city.squads["B"].uid)
    market, road, plain = record(0.505), record(1.5, 0.92), record(1.5)
    hotline = record(1.5, source="hotline")
    choice = chosen(engine, settings, market, road, hotline, plain)
    assert [int(position) + 1 for position in choice.position] == [1, 2, 3, 0]
    assert choice.organisation[1] == city.headquarters.id, "a rule may name the headquarters"


def test_the_person_of_a_rule(engine, settings, city, record):
    """A cell's worker keeps it where they are of the organisation; a person stands for their organisation."""
    add(engine, "归本队", area=city.areas["A"].uid, organisation=city.squads["A"].uid)
    add(engine, "归某人", area=city.areas["B"].uid, person=city.workers["B2"].uid)
    choice = chosen(engine, settings, record(0.5), record(2.5))
    assert choice.person.tolist() == [city.workers["A1"].id, city.workers["B2"].id]
    assert choice.organisation.tolist() == [city.squads["A"].id, city.squads["B"].id]


def test_a_rule_for_somebody_who_has_left_takes_nothing(engine, settings, city, record):
    add(engine, "归某人", person=city.workers["B2"].uid)
    problem = record(0.5)
    with writing(engine) as session:
        session.get(Person, city.workers["B2"].id).valid_to = date(2026, 5, 1)
    assert chosen(engine, settings, problem).organisation.tolist() == [city.squads["A"].id]


def test_what_nobody_takes_lies_in_the_tray(engine, settings, city, record):
    held, nobodys, outside = record(0.5), record(3.5), record(9)
    returned = record(1.5, state="returned")
    record(3.5, state="dispatched")
    with reading(engine) as session:
        tray = read_tray(session, OWNER, settings=settings, now=NOW)
        kept = session.get(Problem, nobodys.id)
        assert kept.organisation_id == city.headquarters.id
    assert set(tray.numbers.tolist()) == {nobodys.id, outside.id, returned.id}
    assert held.id not in tray.numbers
    assert all(tray.reasons)
    choice = chosen(engine, settings, nobodys, held)
    assert choice.organisation.tolist() == [-1, city.squads["A"].id]


def test_the_tray_holds_only_what_its_reader_may_dispatch(engine, settings, city, record):
    here, _ = record(3.5), record(9)
    manager = Actor(name="甲", holdings=(Holding(Role.AREA_MANAGER, areas=frozenset({city.areas["B"].id})),))
    other = Actor(name="乙", holdings=(Holding(Role.AREA_MANAGER, areas=frozenset({city.areas["A"].id})),))
    with reading(engine) as session:
        assert read_tray(session, manager, settings=settings, now=NOW).numbers.tolist() == [here.id]
        assert read_tray(session, other, settings=settings, now=NOW).numbers.tolist() == []
        with pytest.raises(PermissionDeniedError):
            read_tray(session, Actor("丙", (Holding(Role.GRID_WORKER),)), settings=settings, now=NOW)


def test_rules_are_moved_edited_and_ended(engine, settings, city, record):
    first = add(engine, "一", organisation=city.company.uid)
    second = add(engine, "二", organisation=city.squads["B"].uid)
    problem = record(0.5)
    assert chosen(engine, settings, problem).organisation.tolist() == [city.company.id]
    change(engine, ChangeKind.UP, second)
    assert (number(engine, second), number(engine, first)) == (1, 2)
    assert chosen(engine, settings, problem).organisation.tolist() == [city.squads["B"].id]
    change(engine, ChangeKind.EDIT, second, name="二", category="02", organisation=str(city.squads["B"].uid))
    assert chosen(engine, settings, problem).organisation.tolist() == [city.company.id]
    change(engine, ChangeKind.END, first)
    assert chosen(engine, settings, problem).organisation.tolist() == [city.squads["A"].id]
    with reading(engine) as session:
        ended = session.scalar(select(DispatchRule).where(DispatchRule.uid == first))
        assert ended.valid_to == TODAY, "an ended rule stays on record"
    with pytest.raises(NotFoundError):
        change(engine, ChangeKind.END, first)


def test_two_who_change_the_rules_at_once(engine, city):
    with reading(engine) as session:
        seen = fingerprint(rules_in_force(session, TODAY))
    add(engine, "别人的", organisation=city.company.uid)
    mine = Change(
        kind=ChangeKind.ADD,
        uid=uuid.uuid4(),
        draft=Draft(name="我的", organisation=str(city.company.uid)),
    )
    with pytest.raises(ConflictError), writing(engine) as session:
        apply_change(session, OWNER, mine, seen=seen, on=TODAY)


@pytest.mark.parametrize(
    ("draft", "parameter"),
    [
        ({"name": ""}, "name"),
        ({"organisation": ""}, "organisation"),
        ({"organisation": "x"}, "organisation"),
        ({"area": str(uuid.uuid4())}, "area"),
        ({"category": "99"}, "category"),
        ({"hours": "8-9"}, "hours"),
        ({"source": "moon"}, "source"),
        ({"least_severity": 6}, "least_severity"),
    ],
)
def test_what_a_rule_cannot_say(engine, city, draft, parameter):
    said = {"name": "规则", "organisation": str(city.company.uid), **draft}
    wanted = Change(kind=ChangeKind.ADD, uid=uuid.uuid4(), draft=Draft(**said))
    with reading(engine) as session, pytest.raises(InvalidValueError) as refused:
        think_of(session, OWNER, wanted, on=TODAY)
    assert refused.value.parameter == parameter


def test_only_the_headquarters_changes_rules(engine, city):
    manager = Actor("甲", (Holding(Role.AREA_MANAGER),))
    limited = Actor("乙", (Holding(Role.HEADQUARTERS, areas=frozenset({city.areas["A"].id})),))
    wanted = Change(kind=ChangeKind.ADD, uid=uuid.uuid4(), draft=Draft(name="一"))
    for actor in (manager, limited):
        with reading(engine) as session, pytest.raises(PermissionDeniedError):
            think_of(session, actor, wanted, on=TODAY)


def test_why_each_earlier_rule_does_not_take_it(engine, settings, city):
    add(engine, "夜间", hours="19:00-02:00", category="02", organisation=city.company.uid)
    add(engine, "A社区", area=city.areas["A"].uid, organisation=city.company.uid)
    add(engine, "全部", organisation=city.squads["B"].uid)
    place = {"lon": 121.025, "lat": 31.005, "category": city.categories["0101"].id}
    with reading(engine) as session:
        trial = try_rules(session, OWNER, Case(**place, found_at=NOW), settings=settings, now=NOW)
    assert trial.choice.organisation.tolist() == [city.squads["B"].id]
    assert [(one.number, one.failed) for one in trial.passed] == [
        (1, (Condition.CATEGORY, Condition.HOURS)),
        (2, (Condition.AREA,)),
    ]


def test_a_rule_thought_of_moves_nothing_and_says_what_it_would(engine, settings, city, record):
    in_a, in_b, closed = record(0.5), record(2.5), record(0.5, state="closed")
    wanted = Change(
        kind=ChangeKind.ADD,
        uid=uuid.uuid4(),
        draft=Draft(name="归市政", area=str(city.areas["A"].uid), organisation=str(city.company.uid)),
    )
    with reading(engine) as session:
        rules = think_of(session, OWNER, wanted, on=TODAY)
        moves = preview_moves(session, OWNER, settings=settings, now=NOW, rules=rules)
        assert moves.before["id"][moves.rows].tolist() == [in_a.id]
        assert moves.counts("organisation_id") == [(city.squads["A"].id, city.company.id, 1)]
        assert moves.counts("person_id") == [(city.workers["A1"].id, -1, 1)]
    with reading(engine) as session:
        assert rules_in_force(session, TODAY) == []
        owners = {one.id: session.get(Problem, one.id).organisation_id for one in (in_a, in_b, closed)}
    assert owners == {
        in_a.id: city.squads["A"].id,
        in_b.id: city.squads["B"].id,
        closed.id: city.squads["A"].id,
    }
