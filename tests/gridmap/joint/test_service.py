"""Joint operations: who may plan and see them, what they do to problems, and what they count."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.joint.models import JointOperation
from gridmap.joint.queries import read_operation, tally
from gridmap.joint.service import add_problems, add_result, end_operation, plan_operation
from gridmap.people.permissions import Actor, Permission, Role
from gridmap.problems.models import Event, EventKind, Problem, State
from gridmap.store.engine import reading, writing

OWNER = Actor.owner()
NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
SHAPE = "SRID=4326;MULTIPOLYGON(((121 31,121.1 31,121.1 31.1,121 31.1,121 31)))"


def test_from_plan_to_counted_end(town):
    uid = town.plan()
    assert town.do(add_problems, uid, town.problems).tolist() == town.problems
    assert town.do(add_problems, uid, town.problems).tolist() == [], "twice is once"
    for what, count, unit in (("垃圾", 5, "车"), ("水池", 50, "个"), ("违建", 320, "处"), ("垃圾", 2, "车")):
        town.do(add_result, uid, what=what, count=count, unit=unit)
    town.do(end_operation, uid)
    (operation,) = town.seen(OWNER)
    assert operation.problems == town.problems
    assert [one.organisation_id for one in operation.participants] == [body.id for body in town.bodies[:3]]
    with reading(town.engine) as session:
        found = tally(session, OWNER.scope(Permission.PROBLEM_READ))
        assert found == [("违建", "处", 320), ("水池", "个", 50), ("垃圾", "车", 7)]
        lines = session.scalars(
            select(Event).where(Event.problem_id == town.problems[0]).order_by(Event.id)
        ).all()
        assert [line.kind for line in lines] == [EventKind.JOINT] * 2
        assert lines[1].details["results"][0] == {"what": "垃圾", "count": 5, "unit": "车"}
        problem = session.get(Problem, town.problems[0])
        assert problem.state is State.RECORDED, "each problem goes on in its own course"
        assert problem.change > 1, "its readers see the new line"
    with pytest.raises(ConflictError):
        town.do(add_result, uid, what="垃圾", count=1, unit="车")
    with pytest.raises(ConflictError):
        town.do(end_operation, uid)


def test_who_sees_it(town):
    uid = town.plan()
    town.do(add_problems, uid, town.problems)
    by_area = {area.code: town.seen(town.holder(Role.AREA_MANAGER, area=area)) for area in town.areas}
    assert [len(found) for found in by_area.values()] == [1, 0]
    assert by_area["A"][0].problems == [town.problems[0]], "of the problems only those in scope"
    assert len(town.seen(town.holder(Role.ORGANISATION_LEAD, body=town.bodies[1]))) == 1
    assert town.seen(town.holder(Role.ORGANISATION_LEAD, body=town.bodies[1]))[0].problems == []
    assert town.seen(town.holder(Role.ORGANISATION_LEAD, body=town.bodies[3])) == []
    with reading(town.engine) as session:
        stranger = town.holder(Role.ORGANISATION_LEAD, body=town.bodies[3]).scope(Permission.PROBLEM_READ)
        assert read_operation(session, stranger, uid) is None
        assert tally(session, stranger) == []


def test_who_may_plan_and_change_it(town):
    manager, other = (town.holder(Role.AREA_MANAGER, area=area) for area in town.areas)
    uid = town.plan(actor=manager)
    with pytest.raises(PermissionDeniedError):
        town.plan(actor=other)
    with pytest.raises(PermissionDeniedError):
        town.plan(actor=town.holder(Role.ORGANISATION_LEAD, body=town.bodies[0]))
    with pytest.raises(NotFoundError):
        town.do(add_result, uid, actor=other, what="垃圾", count=1, unit="车")
    with pytest.raises(InvalidValueError) as refused:
        town.do(add_problems, uid, [town.problems[1]], actor=manager)
    assert refused.value.params["found"] == town.problems[1], "one out of sight is as one that is not there"


def test_sent_twice_it_is_planned_once(town):
    draft = town.draft()
    for _ in range(2):
        with writing(town.engine) as session:
            plan_operation(session, OWNER, draft, now=NOW)
    with reading(town.engine) as session:
        assert len(session.scalars(select(JointOperation)).all()) == 1


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"name": " "}, "name"),
        ({"name": "长" * 201}, "name"),
        ({"area": "x"}, "area"),
        ({"leader": str(uuid.uuid4())}, "leader"),
        ({"participants": ()}, "participants"),
    ],
)
def test_what_cannot_be_planned(town, change, parameter):
    with pytest.raises(InvalidValueError) as refused:
        town.plan(**change)
    assert refused.value.parameter == parameter


def test_what_cannot_be_counted(town):
    uid = town.plan(starts_at=NOW + timedelta(days=1))
    for count in (0, -1, 10_000_001):
        with pytest.raises(InvalidValueError):
            town.do(add_result, uid, what="垃圾", count=count, unit="车")
    with pytest.raises(ConflictError):
        town.do(end_operation, uid)
