"""The pages of joint operations."""

from __future__ import annotations

import re
import uuid

from gridmap.people.models import Organisation
from gridmap.people.permissions import Role
from gridmap.places.models import Area
from gridmap.problems.catalogue import ensure_categories
from gridmap.store.engine import writing

SHAPE = "SRID=4326;MULTIPOLYGON(((121 31,121.1 31,121.1 31.1,121 31.1,121 31)))"


def test_planned_joined_counted_and_ended(app, sign_in):
    with writing(app.extensions["gridmap"].engine) as session:
        ensure_categories(session)
        area = Area(code="A", name="东风社区", level="community", geometry=SHAPE)
        bodies = [Organisation(name=name) for name in ("城管中队", "派出所")]
        session.add_all([area, *bodies])
        session.flush()
        place, leader, other = str(area.uid), *(str(body.uid) for body in bodies)
    client = sign_in()
    report = {"uid": str(uuid.uuid4()), "category": "0401", "lon": 121.05, "lat": 31.05}
    problem = client.post("/api/v1/problems", json=report).json
    uid = str(uuid.uuid4())
    said = {"uid": uid, "name": "清理占道", "area": place, "leader": leader, "starts_at": "2026-01-05T08:00"}
    assert "至少" in client.post("/joint", data=said).text, "one organisation is no joint operation"
    assert client.post("/joint", data={**said, "participants": other}).status_code == 302
    address = f"/joint/{uid}"
    assert "999999" in client.post(address, data={"do": "problems", "numbers": "999999"}).text
    client.post(address, data={"do": "problems", "numbers": f"#{problem['number']}"})
    client.post(address, data={"do": "result", "what": "清运垃圾", "count": "5", "unit": "车"})
    assert 'role="alert"' in client.post(address, data={"do": "result", "what": "x", "count": "五"}).text
    seen = re.search(r'name="seen" value="(\d+)"', client.get(address).text)[1]
    edit = {"do": "edit", "seen": seen, "name": "清理占道", "place": "后街", "leader": other}
    edit |= {"starts_at": "2026-01-05T09:30", "stays": [leader, other], f"people-{leader}": "8"}
    assert 'role="alert"' in client.post(address, data=edit | {f"people-{other}": "五"}).text
    assert client.post(address, data=edit).status_code == 302
    assert client.post(address, data=edit).status_code == 409, "what was shown is not what it is now"
    assert client.post(address, data={"do": "nothing"}).status_code == 200
    shown = client.get(address).text
    assert "参加 8 人次" in shown
    assert "<del>城管中队</del> <ins>派出所</ins>" in shown
    assert "<ins>后街</ins>" in shown
    assert "派出所" in shown
    assert "清运垃圾" in shown
    assert f">{problem['number']}<" in shown
    assert client.post(address, data={"do": "end"}).status_code == 302
    assert client.post(address, data={"do": "end"}).status_code == 409
    history = client.get(f"/api/v1/problems/{problem['uid']}").json["history"]
    assert [line["kind"] for line in history][-2:] == ["joint", "joint"]
    listed = client.get("/joint").text
    assert "清运垃圾" in listed
    assert sign_in(Role.ASSESSOR).get("/joint").status_code == 403
    reader = sign_in(Role.READ_ONLY)
    assert reader.get(address).status_code == 200
    assert reader.post(address, data={"do": "end"}).status_code == 403
