"""Two at the same problems at once, each with a connection of their own; and what undoing spares."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from gridmap.deadlines.notices import issue_notices
from gridmap.deadlines.step_table import lock_steps
from gridmap.errors import ConflictError, GridmapError, NotFoundError
from gridmap.people.handover import Wish, hand_over
from gridmap.people.logins import create_login
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.cards import Faces
from gridmap.places.directory import Directory
from gridmap.problems.models import Event, EventKind, Problem, Request, RequestState, State
from gridmap.problems.records import history_of
from gridmap.store.clock import next_change
from gridmap.store.engine import reading, writing
from gridmap.workflow.lives import hold_lives
from gridmap.workflow.service import take
from gridmap.workflow.single import take_one
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import Action
from gridmap.workflow.undo import undo

OWNER = Actor.owner()
NOW, TODAY = datetime(2026, 5, 9, 4, 0, tzinfo=UTC), date(2026, 5, 9)
A_WHILE = 0.5
"""Seconds in which one that waits for nobody is through."""


def later(engine, work):
    """Let somebody else begin, who may have to wait; say what comes of it."""
    outcome = SimpleNamespace(error=None)

    def _work():
        try:
            with writing(engine) as session:
                work(session)
        except GridmapError as error:
            outcome.error = error

    outcome.thread = threading.Thread(target=_work)
    outcome.thread.start()
    outcome.thread.join(A_WHILE)
    return outcome


def step(engine, settings, action, *problems, actor=OWNER, now=NOW, **more):
    with writing(engine) as session:
        numbers = [one.id for one in problems]
        wanted = Step(action=action, note="-", **more)
        return take(session, actor, numbers, wanted, settings=settings, now=now).batch.uid


def states(engine, *problems):
    with reading(engine) as session:
        return [session.get_one(Problem, one.id).state for one in problems]


def test_two_problems_are_not_merged_into_each_other(engine, settings, record):
    one, other = record(0.5), record(0.6)

    def merge(session, double, kept):
        faces = Faces(Directory.read(session, 0), OWNER)
        wanted = Step(action=Action.MERGE, other=kept.uid)
        take_one(session, OWNER, double.uid, wanted, faces=faces, settings=settings, now=NOW)

    with writing(engine) as session:
        hold_lives(session, [one.id])
        second = later(engine, lambda session: merge(session, other, one))
        merge(session, one, other)
    second.thread.join(20)
    assert isinstance(second.error, ConflictError)
    assert "merged" in second.error.message
    assert states(engine, one, other) == [State.MERGED, State.RECORDED]


def test_a_handover_takes_only_what_is_still_held(engine, city, record):
    kept, given = record(0.5), record(0.6)
    owner, other, third = (city.workers[name] for name in ("A1", "A2", "B1"))
    told = []

    def leave(session):
        told.append(
            hand_over(
                session, OWNER, owner.uid, Wish(to=third.uid, day=TODAY, leaves=False), today=TODAY, now=NOW
            ).problems
        )

    with writing(engine) as session:
        session.execute(
            update(Problem)
            .where(Problem.id == kept.id)
            .values(person_id=other.id, change=next_change(session))
        )
        second = later(engine, leave)
    second.thread.join(20)
    with reading(engine) as session:
        holders = [session.get_one(Problem, one.id).person_id for one in (kept, given)]
        lines = [
            line.problem_id
            for line in session.scalars(select(Event).where(Event.kind == EventKind.ASSIGNED))
            if line.details.get("person_by") == "handover"
        ]
    assert (holders, lines, told) == ([other.id, third.id], [given.id], [[given.id]])


def test_who_sends_notices_and_who_escalates_wait_in_the_same_order(engine, settings, record):
    problem = record(0.5)
    with writing(engine) as session:
        lock_steps(session)
        second = later(
            engine, lambda session: issue_notices(session, OWNER, [problem.id], settings=settings, now=NOW)
        )
        # Whoever escalates goes on to the problems; nobody who waits for the steps may hold any of them.
        held = select(Problem.id).where(Problem.id == problem.id).with_for_update(nowait=True)
        assert session.scalars(held).all() == [problem.id]
    second.thread.join(20)
    assert second.error is None


def test_undoing_spares_what_has_moved_on(engine, settings, city, record):
    moved, stays = record(0.5), record(0.6)
    for action in (Action.CHECK, Action.DISPATCH):
        step(engine, settings, action, moved, stays)
    asked = step(engine, settings, Action.ASK_EXTENSION, moved, stays, more=2)
    step(engine, settings, Action.EXTEND, moved, more=2)
    with writing(engine) as session:
        undone = undo(session, OWNER, asked, now=NOW + timedelta(minutes=5))
    assert (undone.numbers.tolist(), undone.moved_on.tolist()) == ([stays.id], [moved.id])
    with reading(engine) as session:
        requests = dict(session.execute(select(Request.problem_id, Request.state)).all())
        faces = Faces(Directory.read(session, 0), OWNER)
        told = {
            one.id: [
                line["undone"]
                for line in history_of(session, one.id, faces=faces)
                if line["action"] == "ask_extension"
            ]
            for one in (moved, stays)
        }
    assert requests == {moved.id: RequestState.GRANTED, stays.id: RequestState.WITHDRAWN}
    assert told == {moved.id: [False], stays.id: [True, False]}, "only what was taken back is told as that"


@pytest.mark.parametrize("left", ["role", "area"])
def test_who_may_no_longer_take_a_step_does_not_take_it_back(engine, settings, city, record, left):
    problem = record(0.5)
    with writing(engine) as session:
        login = create_login(
            session,
            person=city.workers["A1"],
            username="manager",
            password="correct horse",  # noqa: S106 - of a throwaway login
            role=Role.AREA_MANAGER,
        ).id

    def manager(role=Role.AREA_MANAGER, area="A"):
        holding = Holding(role, areas=frozenset({city.areas[area].id}))
        return Actor(name="m", holdings=(holding,), login_id=login)

    batch = step(engine, settings, Action.CHECK, problem, actor=manager())
    now = manager(role=Role.READ_ONLY) if left == "role" else manager(area="B")
    with pytest.raises(NotFoundError), writing(engine) as session:
        undo(session, now, batch, now=NOW)
    with writing(engine) as session:
        undo(session, manager(), batch, now=NOW)
    assert states(engine, problem) == [State.RECORDED]
