"""Closed problems are drawn again by seed, looked at by somebody else, and the answers kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from gridmap.config import Settings
from gridmap.errors import ConflictError, InvalidValueError, PermissionDeniedError
from gridmap.look_back.models import CheckResult, CheckTask, LookBackSample
from gridmap.look_back.queries import read_checks, read_samples
from gridmap.look_back.service import Wish, draw_sample, plan_sample
from gridmap.people.logins import create_login
from gridmap.people.models import Organisation, Person
from gridmap.people.permissions import Actor, Holding, Permission, Role
from gridmap.places.models import Area
from gridmap.problems.models import Category, Event, EventKind, Problem, State
from gridmap.store.engine import reading, writing
from gridmap.workflow.service import take
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import Action
from gridmap.workflow.undo import undo

OWNER = Actor.owner()
NOW, TODAY = datetime(2026, 5, 9, 4, 0, tzinfo=UTC), date(2026, 5, 9)
WISH = Wish(
    closed_from=NOW - timedelta(days=10),
    closed_until=NOW,
    size=6,
    seed=7,
    due_at=NOW + timedelta(days=5),
)
SHAPE = "SRID=4326;MULTIPOLYGON(((121 31,121.1 31,121.1 31.1,121 31.1,121 31)))"


@pytest.fixture
def closed(engine):
    """Twenty problems closed yesterday in two areas and two categories; a fixer, a verifier, a third."""
    with writing(engine) as session:
        body = Organisation(name="中队")
        areas = [Area(code=code, name=code, level="community", geometry=SHAPE) for code in "AB"]
        categories = [Category(code=code, name=code) for code in ("01", "02")]
        people = [Person(name=name) for name in ("处置人", "核查人", "第三人")]
        session.add_all([body, *areas, *categories, *people])
        session.flush()
        for person in people:
            create_login(
                session,
                person=person,
                username=person.name,
                password="correct horse",  # noqa: S106 - of a throwaway login
                role=Role.PATROL_MEMBER,
            )
        found = []
        for number in range(20):
            problem = Problem(
                category_id=categories[number % 2].id,
                state=State.CLOSED,
                found_at=NOW - timedelta(days=3),
                closed_at=NOW - timedelta(days=1),
                fixed_by_id=people[0].id,
                geometry="SRID=4326;POINT(121.05 31.05)",
                lon=121.05,
                lat=31.05,
                area_id=areas[number % 4 == 0].id,
                organisation_id=body.id,
                change=1,
            )
            session.add(problem)
            session.flush()
            session.add(
                Event(
                    problem_id=problem.id,
                    kind=EventKind.STATE,
                    at=NOW,
                    recorded_at=NOW,
                    actor="核查人",
                    person_id=people[1].id,
                    state=State.VERIFIED,
                    action="verify",
                    details={},
                )
            )
            found.append(problem.id)
        return {"ids": found, "areas": [a.id for a in areas], "people": [p.id for p in people]}


def plan(engine, wish=WISH, actor=OWNER):
    with reading(engine) as session:
        return plan_sample(session, actor, wish, now=NOW, today=TODAY)


def drawn(engine, wish=WISH):
    seen = plan(engine, wish).fingerprint
    with writing(engine) as session:
        return draw_sample(session, OWNER, wish, seen=seen, now=NOW, today=TODAY).uid


def test_the_sample_has_every_stratum_and_can_be_drawn_again(engine, closed):
    first = plan(engine)
    assert (len(first.problems), first.candidates) == (6, 20)
    assert sum(there for *_, there, _ in first.strata) == 20
    assert all(taken >= 1 for *_, taken in first.strata)
    assert plan(engine).problems.tolist() == first.problems.tolist()
    others = {tuple(plan(engine, Wish(**{**fields(WISH), "seed": seed})).problems) for seed in range(20)}
    assert len(others) > 15


def fields(wish):
    return {name: getattr(wish, name) for name in Wish.__slots__}


def test_whoever_fixed_it_does_not_look_and_who_verified_it_rather_not(engine, closed):
    fixer, verifier, third = closed["people"]
    assert set(plan(engine).people.tolist()) == {third}
    with writing(engine) as session:
        session.get(Person, third).valid_to = TODAY
    assert set(plan(engine).people.tolist()) == {verifier}
    with writing(engine) as session:
        session.get(Person, verifier).valid_to = TODAY
    assert set(plan(engine).people.tolist()) == {-1}
    assert fixer not in plan(engine).people


def test_a_sample_becomes_checks_which_steps_answer(engine, closed, tmp_path):
    uid = drawn(engine)
    with reading(engine) as session:
        checks = session.scalars(select(CheckTask)).all()
        sample = session.scalars(select(LookBackSample)).one()
        scope = OWNER.scope(Permission.PROBLEM_VERIFY)
        assert len(read_checks(session, scope, person_id=closed["people"][2], unanswered=True)) == 6
    assert (sample.seed, sample.candidates, len(checks)) == (7, 20, 6)
    good, bad = (check.problem_id for check in checks[:2])
    settings = Settings(data_dir=tmp_path)
    with writing(engine) as session:
        take(session, OWNER, [good], Step(action=Action.LOOK_BACK), settings=settings, now=NOW)
        outcome = take(
            session, OWNER, [bad], Step(action=Action.REOPEN, note="又来了"), settings=settings, now=NOW
        )
        batch = outcome.batch.uid
    late = NOW + timedelta(days=6)
    with reading(engine) as session:
        (progress,) = read_samples(session, OWNER, now=late)
        assert (progress.total, progress.good, progress.failed, progress.open, progress.overdue) == (
            6,
            1,
            1,
            4,
            4,
        )
        assert progress.failed_share == 0.5
        done = session.scalars(select(CheckTask).where(CheckTask.result == CheckResult.GOOD)).one()
        assert (done.problem_id, done.done_by) == (good, OWNER.name)
        assert len(read_checks(session, OWNER.scope(Permission.PROBLEM_VERIFY), sample_uid=uid)) == 6
    with writing(engine) as session:
        undo(session, OWNER, batch, now=NOW)
    with reading(engine) as session:
        again = session.scalars(select(CheckTask).where(CheckTask.problem_id == bad)).one()
        assert (again.result, again.done_at) == (None, None)


def test_what_waits_or_was_looked_at_is_not_drawn_again(engine, closed, tmp_path):
    drawn(engine)
    assert plan(engine).candidates == 14
    with writing(engine) as session:
        numbers = session.scalars(select(CheckTask.problem_id)).all()
        settings = Settings(data_dir=tmp_path)
        take(session, OWNER, numbers, Step(action=Action.LOOK_BACK), settings=settings, now=NOW)
    assert plan(engine).candidates == 14
    with writing(engine) as session:
        session.get(Problem, numbers[0]).closed_at = NOW + timedelta(hours=1)
    later = Wish(**{**fields(WISH), "closed_until": NOW + timedelta(days=1)})
    assert plan(engine, later).candidates == 15, "closed anew, it can be looked at anew"


def test_only_what_lies_in_scope_is_drawn_and_counted(engine, closed):
    area = closed["areas"][1]
    manager = Actor("甲", (Holding(Role.AREA_MANAGER, areas=frozenset({area})),))
    assert plan(engine, actor=manager).candidates == 5
    drawn(engine, Wish(**{**fields(WISH), "size": 20}))
    with reading(engine) as session:
        (progress,) = read_samples(session, manager, now=NOW)
        assert (progress.total, progress.candidates) == (5, None), "it was drawn from more than is theirs"
        (whole,) = read_samples(session, OWNER, now=NOW)
        assert whole.candidates == 20
        assert len(read_checks(session, manager.scope(Permission.PROBLEM_VERIFY))) == 5
    with pytest.raises(PermissionDeniedError):
        plan(engine, actor=Actor("乙", (Holding(Role.GRID_WORKER),)))


def test_others_than_those_shown_are_not_drawn(engine, closed):
    seen = plan(engine).fingerprint
    with writing(engine) as session:
        session.get(Problem, int(plan(engine).problems[0])).state = State.CHECKED
    with pytest.raises(ConflictError), writing(engine) as session:
        draw_sample(session, OWNER, WISH, seen=seen, now=NOW, today=TODAY)


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"size": 0}, "size"),
        ({"seed": -1}, "seed"),
        ({"due_at": NOW}, "due"),
        ({"closed_until": NOW - timedelta(days=11)}, "until"),
    ],
)
def test_what_cannot_be_drawn(engine, closed, change, parameter):
    with pytest.raises(InvalidValueError) as refused:
        plan(engine, Wish(**{**fields(WISH), **change}))
    assert refused.value.parameter == parameter
