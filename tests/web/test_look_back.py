"""The page of looking back: a sample is shown before it is drawn, and one's own checks are answered."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from gridmap.look_back.models import CheckTask
from gridmap.people.models import Login
from gridmap.people.permissions import Role
from gridmap.places.models import Area
from gridmap.problems.models import Category, Problem, State
from gridmap.store.engine import reading, writing

SHAPE = "SRID=4326;MULTIPOLYGON(((121 31,121.1 31,121.1 31.1,121 31.1,121 31)))"


@pytest.fixture
def closed(app):
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - of the fixture

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
