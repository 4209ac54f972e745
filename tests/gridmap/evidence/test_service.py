from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pictures import PLACE, photo
from sqlalchemy import func, select

from gridmap.config import Settings
from gridmap.errors import (
    ConflictError,
    InvalidValueError,
    LimitReachedError,
    NotFoundError,
    PermissionDeniedError,
)
from gridmap.evidence.examination import Upload, examine
from gridmap.evidence.files import Vault
from gridmap.evidence.models import Attachment, Doubt, Stage
from gridmap.evidence.queries import attachments_of, known_files, lacking_after_photo, visible_attachment
from gridmap.evidence.service import add_attachment, tie
from gridmap.people.logins import create_login
from gridmap.people.models import Person
from gridmap.people.permissions import Actor, Holding, Permission, Role
from gridmap.problems.models import Category, Event, EventKind, Problem, State
from gridmap.store.clock import read_clock
from gridmap.store.engine import reading, writing

NOW = datetime(2026, 5, 9, 4, 10, tzinfo=UTC)
PASSWORD = "correct horse"  # noqa: S105 - of throwaway logins


class Desk:
    """An engine with three problems at one place, two logins, and what a sender does."""

    def __init__(self, engine, folder):
        self.engine, self.settings = engine, Settings(data_dir=folder)
        with writing(engine) as session:
            category = Category(code="1", name="占道经营")
            session.add(category)
            session.flush()
            problems = [
                Problem(
                    category_id=category.id,
                    state=State.FIXED,
                    found_at=NOW - timedelta(minutes=10),
                    lon=PLACE[0],
                    lat=PLACE[1],
                    geometry=f"SRID=4326;POINT({PLACE[0]} {PLACE[1]})",
                    change=0,
                )
                for _ in range(3)
            ]
            session.add_all(problems)
            session.flush()
            self.ids = [problem.id for problem in problems]
            self.uids = [problem.uid for problem in problems]
            self.actors = []
            for name, role in (("甲", Role.GRID_WORKER), ("乙", Role.GRID_WORKER), ("丙", Role.READ_ONLY)):
                login = create_login(
                    session, person=Person(name=name), username=name, password=PASSWORD, role=role
                )
                self.actors.append(Actor(name=name, holdings=(Holding(role),), login_id=login.id))

    def send(self, content=None, *, actor=0, now=NOW, **more):
        more = {"uid": uuid.uuid4(), "stage": Stage.AFTER} | more
        upload = Upload(content=io.BytesIO(content or photo((32, 24))), **more)
        examined = examine(upload, settings=self.settings)
        with writing(self.engine) as session:
            return add_attachment(session, self.actors[actor], examined, settings=self.settings, now=now)

    def event(self, problem=0, *, action=None, at=NOW, uids=(), actor=0):
        with writing(self.engine) as session:
            event = Event(
                problem_id=self.ids[problem],
                kind=EventKind.STATE,
                at=at,
                recorded_at=at,
                actor="x",
                action=action,
                details={},
            )
            session.add(event)
            session.flush()
            tie(
                session,
                uids,
                problem_id=self.ids[problem],
                event_id=event.id,
                actor=self.actors[actor],
                settings=self.settings,
            )
            return event.id

    def lacking(self):
        with reading(self.engine) as session:
            return lacking_after_photo(session, np.array(self.ids)).tolist()


@pytest.fixture
def desk(engine, tmp_path):
    return Desk(engine, tmp_path)


def test_sent_twice_is_recorded_once(desk):
    uid, content = uuid.uuid4(), photo((32, 24))
    first, second = desk.send(content, uid=uid), desk.send(content, uid=uid)
    assert first.id == second.id
    with pytest.raises(ConflictError):
        desk.send(photo((32, 24), seed=5), uid=uid)
    with pytest.raises(ConflictError):
        desk.send(content, uid=uid, actor=1)
    with reading(desk.engine) as session:
        assert session.scalar(select(func.count(Attachment.id))) == 1
        assert len(known_files(session)) == 3
        for name in known_files(session):
            assert Vault(desk.settings.data_dir).intact(name)


def test_what_comes_for_a_problem_is_a_line_of_its_history(desk):
    with reading(desk.engine) as session:
        before = read_clock(session).change
    row = desk.send(problem=desk.uids[0])
    with reading(desk.engine) as session:
        event = session.get_one(Event, row.event_id)
        assert (event.problem_id, event.kind, event.actor) == (desk.ids[0], EventKind.EVIDENCE, "甲")
        assert event.details["attachments"] == [{"uid": str(row.uid), "stage": "after", "sha256": row.sha256}]
        assert read_clock(session).change == before + 1 == session.get_one(Problem, desk.ids[0]).change
        assert [one.uid for one in attachments_of(session, desk.ids)[desk.ids[0]]] == [row.uid]


def test_place_and_time_are_compared(desk):
    near = desk.send(problem=desk.uids[0], stage=Stage.FOUND)
    assert near.doubts == Doubt.NONE
    assert near.metres_off < 1
    assert near.minutes_off == 0
    far = desk.send(photo((32, 24), place=(121.43, 31.205)), problem=desk.uids[0])
    assert far.doubts == Doubt.PLACE
    assert far.metres_off == pytest.approx(2385, abs=700)
    old = desk.send(photo((32, 24), taken="2026:05:01 12:00:00"), problem=desk.uids[0], stage=Stage.FOUND)
    assert old.doubts == Doubt.TIME
    assert old.minutes_off == -8 * 24 * 60
    silent = desk.send(photo((32, 24), place=None, taken=None), problem=desk.uids[0])
    assert (silent.doubts, silent.metres_off, silent.minutes_off) == (0, None, None)
    stated = desk.send(photo((32, 24), seed=9), lon=121.43, lat=31.205, taken_at=NOW)
    assert stated.doubts == Doubt.PLACE


def test_one_photo_does_not_prove_two_problems(desk):
    content = photo((32, 24))
    desk.send(content, problem=desk.uids[0], stage=Stage.FOUND)
    assert desk.send(content, problem=desk.uids[0], stage=Stage.FOUND).doubts == Doubt.NONE
    assert desk.send(content, problem=desk.uids[0], stage=Stage.BEFORE).doubts == Doubt.NONE
    assert desk.send(content, problem=desk.uids[0], stage=Stage.AFTER).doubts == Doubt.REUSED, (
        "it was not fixed"
    )
    assert desk.send(content, problem=desk.uids[1], stage=Stage.FOUND).doubts == Doubt.REUSED


def test_only_the_sender_ties_and_only_once(desk):
    row = desk.send()
    with pytest.raises(NotFoundError):
        desk.event(uids=[row.uid], actor=1)
    with pytest.raises(NotFoundError):
        desk.event(uids=[uuid.uuid4()])
    desk.event(uids=[row.uid])
    with pytest.raises(ConflictError):
        desk.event(1, uids=[row.uid])


def test_an_after_photo_counts_until_the_problem_is_sent_back(desk):
    assert desk.lacking() == [True, True, True]
    desk.event(1, uids=[desk.send(stage=Stage.BEFORE).uid])
    desk.send(problem=desk.uids[2])
    assert desk.lacking() == [True, True, False], "of what was taken over fixed nobody knows when"
    desk.event(2, action="fix")
    desk.event(0, action="fix", uids=[desk.send().uid])
    assert desk.lacking() == [False, True, True], "it was there before the fixing"
    desk.send(problem=desk.uids[2])
    assert desk.lacking() == [False, True, False]
    desk.event(2, action="fix")
    later = NOW + timedelta(hours=1)
    kept_back = desk.send()
    desk.event(0, action="send_back", at=later)
    assert desk.lacking() == [True, True, True]
    desk.event(0, action="fix", at=later, uids=[kept_back.uid])
    assert desk.lacking() == [True, True, True], "it was taken before the problem was sent back"
    desk.event(0, action="fix", at=later, uids=[desk.send(now=later).uid])
    assert desk.lacking() == [False, True, True]


def test_limits_and_permissions(desk):
    with pytest.raises(PermissionDeniedError):
        desk.send(actor=2)
    with pytest.raises(NotFoundError):
        desk.send(problem=uuid.uuid4())
    desk.settings = Settings(data_dir=desk.settings.data_dir, evidence_per_problem=1, evidence_per_hour=3)
    desk.send(problem=desk.uids[0])
    with pytest.raises(InvalidValueError, match="at most 1"):
        desk.send(problem=desk.uids[0])
    desk.send()
    desk.send()
    with pytest.raises(LimitReachedError):
        desk.send()
    desk.send(now=NOW + timedelta(hours=2))


def test_who_may_see_what(desk):
    row = desk.send()
    with writing(desk.engine) as session:
        assert visible_attachment(session, desk.actors[0], row.uid).id == row.id
        with pytest.raises(NotFoundError):
            visible_attachment(session, Actor("远", (Holding(Role.GRID_WORKER, frozenset({1})),)), row.uid)
        with pytest.raises(NotFoundError):
            visible_attachment(session, desk.actors[0], row.uid, permission=Permission.EVIDENCE_ORIGINAL)
    tied = desk.send(problem=desk.uids[0])
    with reading(desk.engine) as session:
        assert visible_attachment(session, desk.actors[1], tied.uid).id == tied.id
        elsewhere = Actor("远", (Holding(Role.GRID_WORKER, frozenset({1})),), login_id=99)
        with pytest.raises(NotFoundError):
            visible_attachment(session, elsewhere, tied.uid)
        headquarters = Actor("总", (Holding(Role.HEADQUARTERS),))
        found = visible_attachment(session, headquarters, tied.uid, permission=Permission.EVIDENCE_ORIGINAL)
        assert found.id == tied.id


@pytest.mark.parametrize("stage", [Stage.PLEDGE, Stage.OFFENCE])
def test_what_shows_something_of_a_shop_proves_no_problem(desk, stage):
    sent = desk.send(stage=stage)
    with pytest.raises(InvalidValueError, match=stage.value):
        desk.event(uids=[sent.uid])
    with pytest.raises(InvalidValueError, match=stage.value):
        desk.send(stage=stage, problem=desk.uids[0])
