"""The page of looking back: a sample is shown before it is drawn, and one's own checks are answered."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from gridmap.look_back.models import CheckTask
from gridmap.people.models import Login
from gridmap.people.permissions import Role
from gridmap.places.models import Area
from gridmap.problems.models import Category, Problem, State
from gridmap.residents.following import NewNote, say
from gridmap.residents.models import Moderation, ResidentNote, Said
from gridmap.store.engine import reading, writing

SHAPE = "SRID=4326;MULTIPOLYGON(((121 31,121.1 31,121.1 31.1,121 31.1,121 31)))"


@pytest.fixture
def closed(app):
    now = datetime.now(UTC)
    with writing(app.extensions["gridmap"].engine) as session:
        area = Area(code="A", name="东风社区", level="community", geometry=SHAPE)
        category = Category(code="01", name="占道经营")
        session.add_all([area, category])
        session.flush()
        session.add_all(
            Problem(
                category_id=category.id,
                state=State.CLOSED,
                found_at=now - timedelta(days=3),
                closed_at=now - timedelta(days=1),
                geometry="SRID=4326;POINT(121.05 31.05)",
                lon=121.05,
                lat=31.05,
                area_id=area.id,
                change=1,
            )
            for _ in range(9)
        )


def count(app):
    with reading(app.extensions["gridmap"].engine) as session:
        return session.scalar(select(func.count(CheckTask.id)))


def test_a_sample_is_shown_drawn_and_answered(app, closed, sign_in):
    worker, client = sign_in(Role.PATROL_MEMBER), sign_in(Role.SUPERVISION)
    with reading(app.extensions["gridmap"].engine) as session:
        login = session.scalars(select(Login).where(Login.username.startswith("patrol"))).one()
        person = str(login.person.uid)
    said = {"size": "4", "seed": "11", "people": person}
    shown = client.post("/look-back/draw", data=said).text
    assert "东风社区" in shown
    assert count(app) == 0
    seen = re.search(r'name="seen" value="([^"]+)"', shown)[1]
    answer = client.post("/look-back/draw", data={**said, "seen": seen}, follow_redirects=True)
    assert answer.status_code == 200
    assert count(app) == 4

    mine = worker.get("/look-back").text
    uids = re.findall(r"/look-back/checks/([0-9a-f-]+)", mine)
    assert len(uids) == 4
    assert worker.post(f"/look-back/checks/{uids[0]}", data={"result": "good"}).status_code == 302
    refused = worker.post(f"/look-back/checks/{uids[1]}", data={"result": "failed", "note": ""})
    assert refused.status_code == 422, "reopening needs a reason"
    worker.post(f"/look-back/checks/{uids[1]}", data={"result": "failed", "note": "又摆出来了"})
    assert len(re.findall(r"/look-back/checks/", worker.get("/look-back").text)) == 2
    assert "50%" in client.get("/look-back").text


def test_who_may(closed, sign_in):
    assert sign_in(Role.READ_ONLY).get("/look-back").status_code == 403
    worker = sign_in(Role.GRID_WORKER)
    assert "seed" not in worker.get("/look-back").text
    assert worker.post("/look-back/draw", data={"size": "1"}).status_code == 403
    assert 'role="alert"' in sign_in(Role.SUPERVISION).post("/look-back/draw", data={"size": "x"}).text


def test_what_residents_call_unsolved_waits_to_be_looked_at(app, closed, sign_in):
    engine, now = app.extensions["gridmap"].engine, datetime.now(UTC)
    settings = app.extensions["gridmap"].settings
    with writing(engine) as session:
        numbers = session.scalars(select(Problem.id).order_by(Problem.id)).all()
        uids = session.scalars(select(Problem.uid).order_by(Problem.id)).all()
        other = Area(code="B", name="西园社区", level="community", geometry=SHAPE)
        session.add(other)
        session.flush()
        session.get_one(Problem, numbers[4]).area_id = other.id
        session.get_one(Problem, numbers[5]).state = State.ACCEPTED
        for at, (number, said) in enumerate(
            [
                (numbers[0], Said.NOT_SOLVED),
                (numbers[1], Said.NOT_SOLVED),
                (numbers[1], Said.SOLVED),
                (numbers[2], Said.REMARK),
                (numbers[3], Said.NOT_SOLVED),
                (numbers[4], Said.NOT_SOLVED),
                (numbers[5], Said.NOT_SOLVED),
            ]
        ):
            note = NewNote(
                uid=uuid.uuid4(), said=said, text=f"居民说{at}", at=now - timedelta(minutes=9 - at)
            )
            say(session, number, note, settings=settings, now=now)
        spam = session.scalars(select(ResidentNote).where(ResidentNote.problem_id == numbers[3])).one()
        spam.state = Moderation.HIDDEN
        area = session.get_one(Problem, numbers[0]).area_id

    client = sign_in(Role.SUPERVISION, area_id=area)
    shown = client.get("/look-back").text
    assert re.findall(r"居民说\d", shown) == ["居民说0"], "none solved, hidden, open, or elsewhere"
    answered = client.post(f"/look-back/checks/{uids[0]}", data={"result": "good"})
    assert answered.status_code == 302, answered.text
    assert "居民说" not in client.get("/look-back").text
    assert "居民说5" in sign_in(Role.SUPERVISION).get("/look-back").text
