"""Nothing moves silently: a changed rule, cell or duty moves open problems only where somebody moves them."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
import shapely
from sqlalchemy import delete, select, update

from gridmap.dispatch.editing import Change, ChangeKind, Draft, apply_change, fingerprint
from gridmap.dispatch.moves import preview_moves
from gridmap.dispatch.moving import apply_moves
from gridmap.dispatch.rulebook import rules_in_force
from gridmap.errors import ConflictError, InvalidValueError, PermissionDeniedError
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.cards import Faces
from gridmap.places.directory import Directory
from gridmap.places.models import GridCell, Responsibility
from gridmap.problems.models import Event, EventKind, Problem, ProblemCell, State
from gridmap.problems.records import history_of
from gridmap.store.engine import reading, writing
from gridmap.workflow.service import take
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import Action
from gridmap.workflow.undo import undo

OWNER = Actor.owner()
NOW, TODAY = datetime(2026, 5, 9, 4, 0, tzinfo=UTC), date(2026, 5, 9)
WEST, SOUTH, SIDE = 121.0, 31.0, 0.01
KEPT = ("state", "organisation_id", "person_id", "cell_id", "area_id", "fix_due_at", "due_at", "flags")


@pytest.fixture
def world(engine, settings, city, record):
    """Problems of each kind, and what tests do with them."""
    return World(engine, settings, city, record)


class World:
    def __init__(self, engine, settings, city, record):
        self.engine, self.settings, self.city, self.record = engine, settings, city, record

    def rule(self, **said):
        with writing(self.engine) as session:
            seen = fingerprint(rules_in_force(session, TODAY))
            draft = Draft(name="规则", **{name: str(value) for name, value in said.items()})
            change = Change(kind=ChangeKind.ADD, uid=uuid.uuid4(), draft=draft)
            apply_change(session, OWNER, change, seen=seen, on=TODAY)

    def step(self, action, *problems, now=NOW):
        numbers = [one.id for one in problems]
        with writing(self.engine) as session:
            outcome = take(
                session, OWNER, numbers, Step(action=action, note="-"), settings=self.settings, now=now
            )
            assert len(outcome.taken) == len(problems)

    def dispatched(self, *places, **more):
        found = [self.record(place, **more) for place in places]
        self.step(Action.CHECK, *found)
        self.step(Action.DISPATCH, *found)
        return found

    def stand(self, *problems):
        with reading(self.engine) as session:
            found = [session.get(Problem, one.id) for one in problems]
            return [{name: getattr(one, name) for name in KEPT} for one in found]

    def preview(self, actor=OWNER):
        with reading(self.engine) as session:
            return preview_moves(session, actor, settings=self.settings, now=NOW)

    def move(self, groups=None, *, actor=OWNER, note="调整", now=NOW):
        groups = self.preview().groups() if groups is None else groups
        with writing(self.engine) as session:
            return apply_moves(session, actor, groups, note=note, settings=self.settings, now=now).uid

    def undo(self, uid):
        with writing(self.engine) as session:
            undo(session, OWNER, uid, now=NOW + timedelta(minutes=5))

    def shares(self):
        with reading(self.engine) as session:
            query = select(ProblemCell.problem_id, ProblemCell.cell_id, ProblemCell.share, ProblemCell.leads)
            return sorted(tuple(row) for row in session.execute(query))


def test_a_changed_rule_moves_nothing_until_somebody_moves_it(world):
    (at_work,) = world.dispatched(0.5)
    waiting = world.record(0.5)
    before = world.stand(at_work, waiting)
    world.rule(area=world.city.areas["A"].uid, organisation=world.city.company.uid)
    assert world.stand(at_work, waiting) == before

    moves = world.preview()
    squad, company = world.city.squads["A"].id, world.city.company.id
    assert moves.groups() == {(squad, company): 2}
    assert moves.counts("person_id") == [(world.city.workers["A1"].id, -1, 2)]
    later = NOW + timedelta(hours=3)
    uid = world.move(now=later)
    moved = world.stand(at_work, waiting)
    assert [one["organisation_id"] for one in moved] == [company] * 2
    assert [one["state"] for one in moved] == [State.DISPATCHED, State.RECORDED]
    assert moved[0]["fix_due_at"] > before[0]["fix_due_at"], "whoever gets it anew has a new limit"
    assert len(world.preview()) == 0
    with reading(world.engine) as session:
        lines = session.scalars(select(Event).where(Event.batch_id.is_not(None)).order_by(Event.id)).all()[
            -2:
        ]
        assert [line.kind for line in lines] == [EventKind.STATE, EventKind.ASSIGNED]
        assert {line.note for line in lines} == {"调整"}
        assert all(line.details["rule"]["number"] == 1 for line in lines)
    world.undo(uid)
    assert world.stand(at_work, waiting) == before


def test_what_is_fixed_or_returned_keeps_its_organisation(world):
    problems = world.dispatched(0.5, 0.5, 0.5)
    world.step(Action.FIX, problems[0])
    world.step(Action.RETURN, problems[1])
    world.rule(area=world.city.areas["A"].uid, organisation=world.city.company.uid)
    moves = world.preview()
    assert moves.before["id"][moves.rows].tolist() == [problems[2].id]
    world.move()
    squad = world.city.squads["A"].id
    assert [one["organisation_id"] for one in world.stand(*problems)] == [squad, squad, world.city.company.id]


def test_another_grid_worker(world):
    (at_work,) = world.dispatched(0.5)
    other = world.city.workers["A2"].id
    with writing(world.engine) as session:
        session.execute(
            update(Responsibility)
            .where(Responsibility.cell_id == world.city.cells["A1"].id)
            .values(person_id=other)
        )
    assert world.stand(at_work)[0]["person_id"] == world.city.workers["A1"].id
    world.move()
    moved = world.stand(at_work)[0]
    assert (moved["person_id"], moved["state"]) == (other, State.DISPATCHED)
    with reading(world.engine) as session:
        line = session.scalars(select(Event).order_by(Event.id.desc())).first()
        assert line.kind is EventKind.ASSIGNED, "within the organisation it is no new dispatch"


def test_problems_recorded_before_there_were_cells_come_into_them(world):
    ends = [[WEST + x * SIDE, SOUTH + 0.5 * SIDE] for x in (0.5, 1.8)]
    with writing(world.engine) as session:
        session.execute(delete(Responsibility))
        cells = session.scalars(select(GridCell)).all()
        for cell in cells:
            cell.valid_from = TODAY + timedelta(days=2)
    point = world.record(0.5)
    line = world.record(0, geometry={"type": "LineString", "coordinates": ends})
    assert [one["cell_id"] for one in world.stand(point, line)] == [None, None]
    assert [one["flags"] for one in world.stand(point, line)] == [4, 4]
    before = world.stand(point, line)
    with writing(world.engine) as session:
        session.execute(update(GridCell).values(valid_from=TODAY))
    assert world.stand(point, line) == before, "cells that come into force move nothing"
    assert world.shares() == []
    uid = world.move()
    with reading(world.engine) as session:
        told = history_of(session, line.id, faces=Faces(Directory.read(session, 0), OWNER))
    assert not {"before", "shares"} & set(told[-1]["details"]), "ids of the database never leave"
    a1, a2 = world.city.cells["A1"].id, world.city.cells["A2"].id
    assert [one["cell_id"] for one in world.stand(point, line)] == [a1, a2]
    assert [one["flags"] for one in world.stand(point, line)] == [0, 0]
    assert [(cell, leads) for _, cell, _, leads in world.shares()] == [(a1, False), (a2, True)]
    assert len(world.preview()) == 0
    world.undo(uid)
    assert world.stand(point, line) == before
    assert world.shares() == []


def test_a_boundary_that_moved_changes_shares(world):
    ends = [[WEST + x * SIDE, SOUTH + 0.5 * SIDE] for x in (0.2, 1.8)]
    line = world.record(0, geometry={"type": "LineString", "coordinates": ends})
    old = world.shares()
    with writing(world.engine) as session:
        for code, (west, east) in {"A1": (0, 0.5), "A2": (0.5, 2)}.items():
            shape = shapely.multipolygons(
                [shapely.box(WEST + west * SIDE, SOUTH, WEST + east * SIDE, SOUTH + SIDE)]
            )
            session.get(GridCell, world.city.cells[code].id).geometry = f"SRID=4326;{shape.wkt}"
    assert world.shares() == old
    uid = world.move()
    assert [round(share, 4) for _, _, share, _ in world.shares()] == [0.1875, 0.8125]
    assert world.stand(line)[0]["cell_id"] == world.city.cells["A2"].id
    world.undo(uid)
    assert world.shares() == old


def test_only_the_groups_that_are_chosen(world):
    in_a, in_b = world.dispatched(0.5, 2.5)
    world.rule(organisation=world.city.company.uid)
    groups = world.preview().groups()
    wanted = {pair: count for pair, count in groups.items() if pair[0] == world.city.squads["A"].id}
    world.move(wanted)
    company = world.city.company.id
    assert [one["organisation_id"] for one in world.stand(in_a, in_b)] == [company, world.city.squads["B"].id]


def test_more_than_was_seen_is_refused(world):
    world.record(0.5)
    world.rule(category="02", organisation=world.city.company.uid)
    world.rule(organisation=world.city.company.uid)
    groups = world.preview().groups()
    world_before = dict(groups)
    with writing(world.engine) as session:
        stale = world.record(0.5)
        session.get(Problem, stale.id).organisation_id = world.city.squads["A"].id
    with pytest.raises(ConflictError):
        world.move(world_before)


def test_what_a_move_needs(world):
    world.record(0.5)
    world.rule(organisation=world.city.company.uid)
    with pytest.raises(InvalidValueError, match="reason"):
        world.move(note=" ")
    with pytest.raises(InvalidValueError, match="group"):
        world.move({})
    manager = Actor("甲", (Holding(Role.AREA_MANAGER),))
    with pytest.raises(PermissionDeniedError):
        world.move(actor=manager)
    world.move()
    with pytest.raises(ConflictError):
        world.move({(world.city.squads["A"].id, world.city.company.id): 1})


def test_the_rule_that_dispatched_is_in_the_history(world):
    world.rule(category="01", organisation=world.city.company.uid)
    world.dispatched(0.5)
    (plain,) = world.dispatched(0.5, category="0201")
    with reading(world.engine) as session:
        query = select(Event).where(Event.action == "dispatch").order_by(Event.id)
        first, second = session.scalars(query).all()
    assert (first.details["by"], first.details["rule"]["name"]) == ("rule", "规则")
    assert (second.problem_id, second.details["by"]) == (plain.id, "cell grid_worker")
    assert second.details["rule"] is None


def test_a_problem_is_not_sent_back_to_whoever_said_it_is_not_theirs(world):
    (problem,) = world.dispatched(0.5)
    world.step(Action.RETURN, problem)
    with writing(world.engine) as session:
        outcome = take(
            session, OWNER, [problem.id], Step(action=Action.DISPATCH), settings=world.settings, now=NOW
        )
    assert len(outcome.taken) == 0
    world.rule(category="01", organisation=world.city.company.uid)
    world.step(Action.DISPATCH, problem)
    assert world.stand(problem)[0]["organisation_id"] == world.city.company.id
    assert np.asarray(outcome.numbers).tolist() == [problem.id]
