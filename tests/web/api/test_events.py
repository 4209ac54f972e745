"""Lines of histories as a list: in order, page by page, and only of problems in sight."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from gridmap.people.models import Organisation
from gridmap.people.permissions import Role
from gridmap.places.models import Area, GridCell
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Event, Problem
from gridmap.store.clock import next_change
from gridmap.store.engine import reading, writing

BOX = "SRID=4326;MULTIPOLYGON((({0} 31,{1} 31,{1} 31.01,{0} 31.01,{0} 31)))"
EVENTS = "/api/v1/events"


@pytest.fixture
def areas(app):
    """Two communities side by side, each with an organisation."""
    found = []
    with writing(app.extensions["gridmap"].engine) as session:
        ensure_categories(session)
        for number, west in enumerate((121.0, 121.01)):
            shape = BOX.format(west, west + 0.01)
            area = Area(code=f"A{number}", name=f"社区{number}", level="community", geometry=shape)
            session.add(area)
            session.flush()
            body = Organisation(name=f"单位{number}", area_id=area.id)
            session.add_all([GridCell(code=f"C{number}", name="", area_id=area.id, geometry=shape), body])
            session.flush()
            found.append((area.id, body.id))
    return found


def record(client, lon=121.005):
    sent = {"uid": str(uuid.uuid4()), "category": "0401", "lon": lon, "lat": 31.005, "description": "秘密"}
    return client.post("/api/v1/problems", json=sent).json


def check(client, problem, note=""):
    sent = {"action": "check", "note": note}
    answer = client.post(f"/api/v1/problems/{problem['uid']}/steps", json=sent)
    assert answer.status_code == 200, answer.text


def test_whoever_follows_reads_each_line_once_and_in_order(areas, sign_in):
    client = sign_in()
    one, two = record(client), record(client, 121.015)
    check(client, one, "属实")
    seen, cursor = [], None
    while True:
        page = client.get(EVENTS, query_string={"limit": 1, **({"cursor": cursor} if cursor else {})}).json
        seen += page["events"]
        cursor = page["next"]
        if not page["more"]:
            break
    whole = client.get(EVENTS).json
    assert whole["events"] == seen
    assert (whole["more"], whole["next"]) == (False, cursor)
    assert [line["problem"]["number"] for line in seen][-1] == one["number"]
    for problem in (one, two):
        history = client.get(f"/api/v1/problems/{problem['uid']}").json["history"]
        mine = [line["uid"] for line in seen if line["problem"]["uid"] == problem["uid"]]
        assert mine == [line["uid"] for line in history]
    assert client.get(EVENTS, query_string={"cursor": cursor}).json["events"] == []
    check(client, two)
    later = client.get(EVENTS, query_string={"cursor": cursor}).json["events"]
    assert [(line["problem"]["number"], line["action"]) for line in later] == [(two["number"], "check")]


def test_it_says_what_the_history_of_the_problem_says(areas, sign_in):
    client = sign_in()
    problem = record(client)
    check(client, problem, "属实")
    history = client.get(f"/api/v1/problems/{problem['uid']}").json["history"]
    assert client.post(f"/api/v1/batches/{history[-1]['batch']}/undo").status_code == 200
    history = client.get(f"/api/v1/problems/{problem['uid']}").json["history"]
    listed = client.get(EVENTS).json["events"]
    assert any(line["undone"] for line in listed)
    its = {"uid": problem["uid"], "number": problem["number"]}
    by_uid = {line["uid"]: line for line in listed}
    assert [by_uid[line["uid"]] for line in history] == [{**line, "problem": its} for line in history]


def test_kinds_and_times_are_filtered(app, areas, sign_in):
    client = sign_in()
    problem = record(client)
    check(client, problem)
    engine = app.extensions["gridmap"].engine
    with writing(engine) as session:
        first = session.scalars(select(Event).order_by(Event.id)).first()
        cut = first.recorded_at
        session.execute(update(Event).where(Event.id == first.id).values(recorded_at=cut - timedelta(days=3)))
        session.get_one(Problem, problem["number"]).change = next_change(session)
    everything = client.get(EVENTS).json["events"]
    states = client.get(EVENTS, query_string={"kind": "state"}).json["events"]
    assert states == [line for line in everything if line["kind"] == "state"] != []
    since = (cut - timedelta(days=1)).isoformat()
    assert client.get(EVENTS, query_string={"since": since}).json["events"] == everything[1:]
    assert client.get(EVENTS, query_string={"since": "2099-01-01"}).json == {
        "events": [],
        "more": False,
        "next": None,
    }


def test_nothing_of_another_area_or_organisation_is_told(app, areas, sign_in):
    client = sign_in()
    own, foreign = record(client), record(client, 121.015)
    for problem in (own, foreign):
        check(client, problem, "秘密")
    with writing(app.extensions["gridmap"].engine) as session:
        for problem, (_, body) in zip((own, foreign), areas, strict=True):
            row = session.get_one(Problem, problem["number"])
            row.organisation_id, row.change = body, next_change(session)
    limits = {"area_id": areas[0][0]}, {"organisation_id": areas[0][1]}
    for role, limit in zip((Role.AREA_MANAGER, Role.ORGANISATION_LEAD), limits, strict=True):
        reader = sign_in(role, **limit)
        for query in (
            {},
            {"limit": 1},
            {"kind": "state"},
            {"since": "2020-01-01"},
            {"limit": 1, "kind": "state"},
        ):
            cursor, told = None, []
            while True:
                answer = reader.get(EVENTS, query_string=query | ({"cursor": cursor} if cursor else {}))
                told += answer.json["events"]
                assert foreign["uid"] not in answer.text
                cursor = answer.json["next"]
                if not answer.json["more"]:
                    break
            assert {line["problem"]["uid"] for line in told} == {own["uid"]}
    answer = client.get(EVENTS)
    again = reader.get(EVENTS, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 200, "the answer of one reader is not that of another"


def test_the_tag_changes_with_what_happens(areas, sign_in):
    client = sign_in()
    problem = record(client)
    answer = client.get(EVENTS)
    check(client, problem)
    after = client.get(EVENTS, headers={"If-None-Match": answer.headers["ETag"]})
    assert (after.status_code, len(after.json["events"])) == (200, len(answer.json["events"]) + 1)


def test_what_others_have_still_to_finish_holds_back_what_comes_after(app, areas, sign_in):
    """Otherwise whoever goes on from there would miss it, as its line has a lower number."""
    engine = app.extensions["gridmap"].engine
    if engine.dialect.name != "postgresql":
        return
    client = sign_in()
    record(client)
    with reading(engine) as session:
        last = session.scalars(select(Event).order_by(Event.id.desc())).first()
    before = client.get(EVENTS).json
    columns = {c.key: getattr(last, c.key) for c in Event.__table__.columns if c.key not in {"id", "uid"}}
    with engine.connect() as slow:
        slow.execute(Event.__table__.insert().values(**columns, uid=uuid.uuid4()))
        with engine.begin() as quick:
            quick.execute(Event.__table__.insert().values(**columns, uid=uuid.uuid4()))
        meanwhile = client.get(EVENTS, query_string={"cursor": before["next"]}).json
        assert meanwhile["events"] == []
        slow.commit()
    follow = {"cursor": meanwhile["next"], "limit": 50}
    assert len(client.get(EVENTS, query_string=follow).json["events"]) == 2
