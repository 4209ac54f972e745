"""Changing a joint operation while it goes on, and what its history tells whom."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.joint.models import JointResult
from gridmap.joint.queries import history_of, read_operation
from gridmap.joint.revising import Revision, drop_problems, drop_result, revise_operation
from gridmap.joint.service import add_problems, add_result, end_operation
from gridmap.people.permissions import Actor, Permission, Role
from gridmap.problems.models import Event
from gridmap.store.engine import reading

OWNER = Actor.owner()
NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)


def wish(town, **more):
    said = {
        "name": "清理违建",
        "leader": str(town.bodies[1].uid),
        "people": {str(town.bodies[1].uid): 12, str(town.bodies[3].uid): 5},
        "starts_at": NOW - timedelta(hours=2),
        "place": "后街",
        "seen": 1,
    }
    return Revision(**(said | more))


def told(town, uid, actor=OWNER):
    with reading(town.engine) as session:
        scope = actor.scope(Permission.PROBLEM_READ)
        operation = read_operation(session, scope, uid)
        lines, count = history_of(session, scope, operation.row)
        return operation, lines, count


def test_an_edit_changes_the_plan_and_is_told_before_and_after(town):
    uid = town.plan()
    town.do(revise_operation, uid, wish(town))
    operation, lines, count = told(town, uid)
    assert (operation.row.name, operation.row.place) == ("清理违建", "后街")
    assert operation.row.organisation_id == town.bodies[1].id
    assert {one.organisation_id: one.people for one in operation.participants} == {
        town.bodies[1].id: 12,
        town.bodies[3].id: 5,
    }
    assert operation.people == 17
    assert [line.what for line in lines] == ["planned", "edited"]
    assert count == 2
    changes = lines[1].changes
    assert changes["name"] == ["清理违建水池", "清理违建"]
    assert changes["leader"] == ["城管", "公安"]
    assert changes["participants"] == [["城管 0", "公安 0", "市监 0"], ["公安 12", "外单位 5"]]
    assert "remark" not in changes, "what stays is not told"
    town.do(revise_operation, uid, wish(town, seen=2))
    assert told(town, uid)[2] == 2, "nothing changed, nothing told"


@pytest.mark.parametrize(
    "more", [{"name": ""}, {"people": {}}, {"leader": "x"}, {"name": "长" * 201}, {"people": "negative"}]
)
def test_what_cannot_be_is_refused(town, more):
    uid = town.plan()
    if more.get("people") == "negative":
        more = {"people": {str(town.bodies[0].uid): -1}}
    with pytest.raises(InvalidValueError):
        town.do(revise_operation, uid, wish(town, **more))
    assert told(town, uid)[2] == 1


def test_two_do_not_edit_over_each_other_and_nobody_after_the_end(town):
    uid = town.plan()
    town.do(revise_operation, uid, wish(town))
    with pytest.raises(ConflictError):
        town.do(revise_operation, uid, wish(town, name="别的"))
    with pytest.raises(NotFoundError):
        other = town.holder(Role.AREA_MANAGER, area=town.areas[1])
        town.do(revise_operation, uid, wish(town, seen=2), actor=other)
    town.do(end_operation, uid)
    for use_case, value in ((revise_operation, wish(town, seen=3)), (drop_problems, town.problems)):
        with pytest.raises(ConflictError):
            town.do(use_case, uid, value)


def test_problems_and_counts_are_taken_out_and_the_history_keeps_them(town):
    uid = town.plan()
    town.do(add_problems, uid, town.problems)
    town.do(add_result, uid, what="垃圾", count=500, unit="车")
    with reading(town.engine) as session:
        result = session.scalars(select(JointResult.uid)).one()
    town.do(drop_result, uid, result)
    assert town.do(drop_problems, uid, [*town.problems, 999]).tolist() == town.problems
    with pytest.raises(NotFoundError):
        town.do(drop_result, uid, uuid.uuid4())
    operation, lines, _ = told(town, uid)
    assert (operation.problems, operation.results) == ([], [])
    assert [line.what for line in lines] == ["planned", "problems_in", "counted", "uncounted", "problems_out"]
    assert lines[3].changes == {"result": ["垃圾 500车", ""]}
    with reading(town.engine) as session:
        steps = session.scalars(select(Event.details).where(Event.problem_id == town.problems[0])).all()
    assert [said["step"] for said in steps] == ["joined", "left"]
    _, mine, count = told(town, uid, town.holder(Role.AREA_MANAGER, area=town.areas[0]))
    assert [line.changes.get("problems") for line in mine][1] == [[], [town.problems[0]]], "no other area's"
    assert count == 5
