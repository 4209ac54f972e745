"""The page of the trail: who may see it, what it says, and what it never says."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import select, update

from gridmap.deadlines.models import StepKind, TimeLimit
from gridmap.deadlines.rules import LimitWish, add_limit
from gridmap.deadlines.step_table import lock_steps
from gridmap.dispatch.models import DispatchRule
from gridmap.labels import label
from gridmap.people.models import Organisation, Person
from gridmap.people.permissions import Actor, Role
from gridmap.places.models import Area
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Category, Problem, State, TimeUnit
from gridmap.store.bulk import insert_rows
from gridmap.store.engine import reading, writing
from gridmap.trail.origin import Origin, acting

SQUARE = "SRID=4326;MULTIPOLYGON(((121 31,122 31,122 32,121 32,121 31)))"


@pytest.fixture
def problems(app):
    """Three problems loaded at once, one of them checked later by a person of an office."""
    engine = app.extensions["gridmap"].engine
    with acting(Origin("李四", "command gridmap import file")), writing(engine) as session:
        category = Category(code="1", name="占道经营")
        session.add(category)
        session.flush()
        columns = {
            "category_id": category.id,
            "found_at": datetime(2026, 5, 1, tzinfo=UTC),
            "geometry": np.array([[121.5, 31.2]] * 3),
            "lon": 121.5,
            "lat": 31.2,
            "change": 1,
        }
        insert_rows(session, Problem, columns)
    with acting(Origin("王五", "web 10.0.0.9 POST /x", 3)), writing(engine) as session:
        session.execute(update(Problem).where(Problem.id == 2).values(state=State.CHECKED))
        session.add(Person(name="赵六", phone="13912345678"))
    with reading(engine) as session:
        return session.scalars(select(Problem.uid).order_by(Problem.id)).all()


def test_it_is_for_those_who_may_see_everything(app, problems, sign_in):
    with writing(app.extensions["gridmap"].engine) as session:
        session.add(Area(code="1", name="区", level="district", geometry=SQUARE))
    assert sign_in().get("/trail").status_code == 200
    assert sign_in(Role.SUPERVISION).get("/trail").status_code == 200
    limited = sign_in(Role.SUPERVISION, area_id=1)
    assert limited.get("/trail").status_code == 403
    assert limited.get("/trail/1").status_code == 403
    assert "/trail" not in limited.get("/coverage").text
    for role in (Role.AREA_MANAGER, Role.ORGANISATION_LEAD, Role.GRID_WORKER, Role.READ_ONLY):
        assert sign_in(role).get("/trail").status_code == 403
    assert app.test_client().get("/trail").status_code == 302


def test_it_says_who_did_what_in_the_readers_words(problems, sign_in):
    page = sign_in().get("/trail").text
    for said in ("王五", "web 10.0.0.9 POST /x", f"<del>{label(State.RECORDED)}</del>", "3 行", "赵六"):
        assert said in page
    assert f"<ins>{label(State.CHECKED)}</ins>" in page
    for secret in ("13912345678", "argon2"):
        assert secret not in page
    assert "不予显示" in page


def test_it_is_filtered_by_person_table_and_day(problems, sign_in):
    client = sign_in()

    def texts(**query):
        return client.get("/trail", query_string=query).text

    assert "<b>李四</b>" in texts(actor="李四")
    assert "<b>王五</b>" not in texts(actor="李四")
    assert "<b>王五</b>" in texts(table="person", actor="王五")
    assert label(State.CHECKED) not in texts(table="person", actor="王五").split("</form>")[-1]
    assert "没有符合条件的变更" in texts(until="2020-01-01")
    assert "<b>王五</b>" in texts(**{"from": "2020-01-01"})
    assert client.get("/trail", query_string={"from": "x"}).status_code == 422


def test_a_row_has_its_whole_history_also_where_it_came_with_many(problems, sign_in):
    client = sign_in()
    page = client.get("/trail", query_string={"table": "problem", "row": str(problems[1])}).text
    assert "<b>王五</b>" in page
    assert "<b>李四</b>" in page
    other = client.get("/trail", query_string={"table": "problem", "row": str(problems[0])}).text
    assert "<b>王五</b>" not in other
    assert "<b>李四</b>" in other
    gone = {"table": "problem", "row": str(uuid.uuid4())}
    assert client.get("/trail", query_string=gone).status_code == 404
    assert client.get("/trail", query_string={"table": "nothing", "row": gone["row"]}).status_code == 404
    assert client.get("/trail", query_string={"table": "problem", "row": "x"}).status_code == 422


def test_older_entries_follow(app, problems, sign_in):
    engine = app.extensions["gridmap"].engine
    for number in range(55):
        with writing(engine) as session:
            session.add(Person(name=f"第{number}人"))
    client = sign_in()
    first = client.get("/trail").text
    assert "第54人" in first
    assert "第0人" not in first
    before = first.split("before=")[1].split('"')[0].split("&")[0]
    assert "第0人" in client.get("/trail", query_string={"before": before}).text


def test_an_entry_has_a_page(problems, sign_in):
    client = sign_in()
    assert "李四" in client.get("/trail/1").text
    assert client.get("/trail/99999").status_code == 404


def test_what_a_request_changes_is_under_its_login_and_address(app, problems, sign_in):
    client = sign_in()
    body = {"uid": str(uuid.uuid4()), "category": "1", "lon": 121.5, "lat": 31.2}
    assert client.post("/api/v1/problems", json=body).status_code == 201
    page = client.get("/trail").text
    assert "web 127.0.0.1 POST /api/v1/problems" in page
    assert "<b>headquarters-None-None</b>" in page


def test_pages_lead_to_the_changes_of_what_they_show(app, sign_in):
    engine = app.extensions["gridmap"].engine
    hq = sign_in()
    with writing(engine) as session:
        ensure_categories(session)
        body = Organisation(name="城管中队")
        person = Person(name="赵六", organisation=body)
        area = Area(code="1", name="区", level="district", geometry=SQUARE)
        session.add_all([body, person, area])
        session.flush()
        rule = DispatchRule(name="市场", position=1, organisation_id=body.id)
        session.add(rule)
        lock_steps(session)
        add_limit(
            session,
            Actor.owner(),
            LimitWish(category="0401", allowed=2, unit=TimeUnit.WORKING_HOUR, area="1"),
        )
        session.flush()
        people, rows = f"/people/{person.uid}", {"person": person.uid, "organisation": body.uid}
        rules, limit = {"dispatch_rule": rule.uid}, session.scalars(select(TimeLimit.uid)).one()
    for page, wanted in (
        (people, rows),
        ("/people", {"organisation": body.uid}),
        ("/dispatch/rules", rules),
        ("/deadlines", {"time_limit": limit}),
    ):
        shown = hq.get(page).text
        for table, uid in wanted.items():
            link = f"/trail?table={table}&amp;row={uid}"
            assert link in shown, (page, table)
            assert hq.get(link.replace("&amp;", "&")).status_code == 200
    steps = re.findall(r"/trail\?table=escalation_step&amp;row=[\w-]+", hq.get("/deadlines").text)
    assert len(steps) == len(StepKind)
    assert '"trail": true' in hq.get("/problems").text
    manager = sign_in(Role.AREA_MANAGER)
    assert "/trail?" not in manager.get(people).text
    assert "/trail?" not in manager.get("/people").text
    assert '"trail": false' in manager.get("/problems").text
    limited = sign_in(Role.SUPERVISION, area_id=area.id)
    assert '"trail": false' in limited.get("/problems").text, "the trail knows no areas"
