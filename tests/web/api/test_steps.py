"""The life of problems over the API: one by one, many at once, and back."""

from __future__ import annotations

import io
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from pictures import photo
from sqlalchemy import select

from gridmap.deadlines.notices import issue_notices
from gridmap.joint.service import Draft, add_problems, plan_operation
from gridmap.people.models import Organisation, Person
from gridmap.people.permissions import Actor, Role
from gridmap.places.models import Area, GridCell, Responsibility, ResponsibilityRole
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Category, Problem
from gridmap.store.engine import reading, writing
from gridmap.workflow.resuming import resume_due
from web.api.problem_models import StaleFault

BOX = "SRID=4326;MULTIPOLYGON((({0} 31,{1} 31,{1} 31.01,{0} 31.01,{0} 31)))"


@pytest.fixture
def office(app):
    """Two communities, each with one cell and an organisation whose worker holds it."""
    found = []
    with writing(app.extensions["gridmap"].engine) as session:
        ensure_categories(session)
        for number, west in enumerate((121.0, 121.01)):
            shape = BOX.format(west, west + 0.01)
            area = Area(code=f"A{number}", name=f"社区{number}", level="community", geometry=shape)
            session.add(area)
            session.flush()
            cell = GridCell(code=f"C{number}", name=f"网格{number}", area_id=area.id, geometry=shape)
            body = Organisation(name=f"单位{number}")
            person = Person(name=f"工{number}", organisation=body)
            session.add_all([cell, person])
            session.flush()
            session.add(
                Responsibility(role=ResponsibilityRole.GRID_WORKER, person_id=person.id, cell_id=cell.id)
            )
            found.append((area.id, body.id, str(body.uid)))
    return found


def record(client, lon=121.005, **more):
    body = {"uid": str(uuid.uuid4()), "category": "0401", "lon": lon, "lat": 31.005, **more}
    answer = client.post("/api/v1/problems", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json["uid"]


def step(client, uid, action, expect=200, headers=None, **more):
    answer = client.post(f"/api/v1/problems/{uid}/steps", json={"action": action, **more}, headers=headers)
    assert answer.status_code == expect, (action, answer.status_code, answer.text)
    return answer.json


def show(client, uid):
    return client.get(f"/api/v1/problems/{uid}").json


def test_from_found_to_fixed_to_looked_back(sign_in, office):
    hq, lead = sign_in(), sign_in(Role.ORGANISATION_LEAD, organisation_id=office[0][1])
    inspector = sign_in(Role.SUPERVISION)
    uid = record(hq, category="0301")
    assert [one["action"] for one in show(hq, uid)["steps"]] == ["check", "reject", "merge"]
    step(hq, uid, "check")
    told = step(hq, uid, "dispatch")["problem"]
    assert (told["state"], told["organisation"]["name"], told["clock_runs"]) == ("dispatched", "单位0", True)
    assert told["time_allowed"] == 2
    assert told["due_at"] == told["fix_due_at"]
    step(lead, uid, "accept")
    told = step(lead, uid, "fix", note="已清理")["problem"]
    assert (told["state"], told["on_time"], told["clock_runs"]) == ("fixed", True, False)
    step(lead, uid, "verify", expect=403)
    step(inspector, uid, "send_back", expect=422)
    told = step(inspector, uid, "send_back", note="还有垃圾")["problem"]
    assert (told["state"], told["rework"], told["on_time"], told["clock_runs"]) == (
        "sent_back",
        1,
        None,
        True,
    )
    step(lead, uid, "fix")
    step(inspector, uid, "verify")
    told = step(hq, uid, "close")["problem"]
    assert (told["state"], told["closed_at"] is not None) == ("closed", True)
    step(inspector, uid, "look_back")
    told = step(inspector, uid, "reopen", note="又来了")["problem"]
    assert (told["state"], told["look_backs"], told["reopened"], told["closed_at"]) == ("checked", 1, 1, None)
    actions = [line["action"] for line in told["history"]]
    assert actions == [
        None,
        None,
        "check",
        "dispatch",
        "accept",
        "fix",
        "send_back",
        "fix",
        "verify",
        "close",
        "look_back",
        "reopen",
    ]
    assert told["history"][3]["details"]["organisation"]["name"] == "单位0"
    assert "before" not in told["history"][3]["details"]


def test_who_fixed_it_does_not_judge_it(sign_in, office):
    hq = sign_in()
    uid = record(hq)
    for action in ("check", "dispatch", "fix"):
        step(hq, uid, action)
    refused = step(hq, uid, "verify", expect=409)
    assert "核查" in refused["detail"]
    assert [one["refusal"] is None for one in show(hq, uid)["steps"]] == [False, False]
    step(sign_in(Role.SUPERVISION), uid, "verify")


def test_a_category_may_need_a_photo_after_fixing(app, sign_in, office):
    hq, inspector = sign_in(), sign_in(Role.SUPERVISION)
    heard = record(hq, category="0301")
    assert not show(hq, heard)["after_photo_lacking"], "nobody takes a photo of quiet"
    page = hq.get("/deadlines")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    form = {"csrf_token": token, "allowed": "2", "unit": "urgent_hour"}
    assert hq.post("/deadlines/categories/0301", data=form | {"after_photo": "1"}).status_code == 302
    assert (
        sign_in(Role.AREA_MANAGER, area_id=office[0][0]).post("/deadlines/categories/0301").status_code == 403
    )
    assert "须附整改后照片" in hq.get("/trail?table=category").text
    assert show(hq, heard)["after_photo_lacking"]

    def send(**more):
        fields = {
            "uid": str(uuid.uuid4()),
            "stage": "after",
            "file": (io.BytesIO(photo((32, 24))), "a.jpg"),
            **more,
        }
        answer = hq.post("/api/v1/attachments", data=fields)
        assert answer.status_code == 201, answer.text
        return fields["uid"]

    send(problem=heard)
    for action in ("check", "dispatch", "fix"):
        step(hq, heard, action)
    step(inspector, heard, "verify")
    assert "照片" in step(hq, heard, "close", expect=409)["detail"], "the photo is from before the fixing"
    back = step(inspector, heard, "send_back", note="还在响")["batch"]
    step(hq, heard, "fix", attachments=[send()])
    step(inspector, heard, "verify")
    back = step(inspector, heard, "send_back", note="还在响")["batch"]
    assert inspector.post(f"/api/v1/batches/{back}/undo").status_code == 200
    assert not show(hq, heard)["after_photo_lacking"], "what was taken back was never sent back"
    step(hq, heard, "close")


def test_the_photo_after_fixing_may_come_with_the_closing(app, sign_in, office):
    hq, inspector = sign_in(), sign_in(Role.SUPERVISION)
    uid = record(hq, category="0301")
    with writing(app.extensions["gridmap"].engine) as session:
        session.scalars(select(Category).where(Category.code == "0301")).one().after_photo = True

    def send(client, stage="after"):
        fields = {"uid": str(uuid.uuid4()), "stage": stage, "file": (io.BytesIO(photo((32, 24))), "a.jpg")}
        assert client.post("/api/v1/attachments", data=fields).status_code == 201
        return fields["uid"]

    def close(client, *photos, expect=409):
        return step(client, uid, "close", attachments=list(photos), expect=expect)

    def refusals(client):
        return {one["action"]: one["refusal"] for one in show(client, uid)["steps"]}

    early = send(inspector)
    for action in ("check", "dispatch", "fix"):
        step(hq, uid, action)
    step(inspector, uid, "verify")
    assert refusals(hq)["close"] is not None, "who fixed it does not bring what proves it by closing"
    assert refusals(inspector)["close"] is None
    for client, photos in (
        (hq, [send(hq)]),
        (inspector, []),
        (inspector, [early]),
        (inspector, [send(inspector, stage="before")]),
        (inspector, [send(hq)]),
    ):
        assert "照片" in close(client, *photos)["detail"]
    proof = send(inspector)
    told = close(inspector, proof, expect=200)["problem"]
    assert (told["state"], told["after_photo_lacking"]) == ("closed", False)
    assert [one["uid"] for one in told["attachments"]] == [proof]


def test_not_ours_suspended_and_more_time(sign_in, office):
    hq = sign_in()
    lead = sign_in(Role.ORGANISATION_LEAD, organisation_id=office[0][1])
    uid = record(hq)
    step(hq, uid, "check")
    step(hq, uid, "dispatch")
    told = step(lead, uid, "return", note="属于单位1")["problem"]
    assert (told["state"], told["returns"], told["clock_runs"]) == ("returned", 1, False)
    told = step(hq, uid, "dispatch", organisation=office[1][2])["problem"]
    assert told["organisation"]["name"] == "单位1"
    assert told["person"] is None
    assert step(lead, uid, "accept", expect=404)
    other = sign_in(Role.ORGANISATION_LEAD, organisation_id=office[1][1])
    step(other, uid, "accept")
    step(other, uid, "ask_extension", note="下雨", more=2)
    step(other, uid, "ask_suspension", expect=409, note="等材料", until="2099-01-01")
    asked = show(hq, uid)["request"]
    assert (asked["action"], asked["more"], asked["reason"]) == ("extend", 2, "下雨")
    before = show(hq, uid)["due_at"]
    told = step(hq, uid, "extend", note="同意", more=2)["problem"]
    assert told["due_at"] > before
    assert (told["request"], told["extensions"], told["time_allowed"]) == (None, 1, 4)
    told = step(hq, uid, "suspend", note="等材料", until="2099-01-01T00:00:00+08:00")["problem"]
    assert (told["state"], told["due_at"][:4], told["clock_runs"]) == ("suspended", "2098", False)
    assert step(hq, uid, "resume")["problem"]["state"] == "accepted"


def test_only_another_organisation_gets_the_time_anew(sign_in, office):
    hq, lead = sign_in(), sign_in(Role.ORGANISATION_LEAD, organisation_id=office[0][1])
    uid = record(hq)
    step(hq, uid, "check")
    step(hq, uid, "dispatch")
    extended = step(hq, uid, "extend", note="雨", more=3)["problem"]
    step(lead, uid, "accept")
    again = step(hq, uid, "redispatch", note="催办", organisation=office[0][2])["problem"]
    assert (again["state"], again["clock_runs"], again["time_allowed"]) == ("dispatched", True, 5)
    assert (again["fix_due_at"], again["due_at"]) == (extended["fix_due_at"], extended["due_at"])
    moved = step(hq, uid, "redispatch", note="改派", organisation=office[1][2])["problem"]
    assert (moved["time_allowed"], moved["fix_due_at"] < extended["fix_due_at"]) == (2, True)


def test_who_returned_it_and_gets_it_again_has_no_more_time(sign_in, office):
    hq, lead = sign_in(), sign_in(Role.ORGANISATION_LEAD, organisation_id=office[0][1])
    uid = record(hq, category="0301")
    step(hq, uid, "check")
    given = step(hq, uid, "dispatch")["problem"]
    extended = step(hq, uid, "extend", note="雨", more=3)["problem"]
    returned = step(lead, uid, "return", note="不是我们的")["problem"]
    assert (returned["state"], returned["clock_runs"]) == ("returned", False)
    again = step(hq, uid, "dispatch", organisation=office[0][2])["problem"]
    allowed = given["time_allowed"]
    assert (again["time_allowed"], again["clock_runs"]) == (allowed + 3, True)
    # It stood for a moment only: due as before, but for that moment.
    moved = [datetime.fromisoformat(one["fix_due_at"]) for one in (again, extended, given)]
    assert timedelta(0) <= moved[0] - moved[1] < timedelta(minutes=5)
    assert moved[0] - moved[2] > timedelta(minutes=5)
    step(lead, uid, "return", note="还不是我们的")
    elsewhere = step(hq, uid, "dispatch", organisation=office[1][2])["problem"]
    assert elsewhere["time_allowed"] == allowed
    step(hq, uid, "fix")
    judge = sign_in(Role.SUPERVISION)
    for action in ("verify", "close"):
        step(judge, uid, action)
    step(judge, uid, "reopen", note="又来了")
    assert step(hq, uid, "dispatch", organisation=office[1][2])["problem"]["time_allowed"] == allowed


def test_a_double_is_merged_and_parted(sign_in, office):
    hq = sign_in()
    kept, double = record(hq), record(hq)
    step(hq, kept, "merge", expect=409, other=kept)
    step(hq, double, "merge", expect=422, other=str(uuid.uuid4()))
    told = step(hq, double, "merge", other=kept)["problem"]
    assert told["state"] == "merged"
    assert [link["uid"] for link in told["links"]] == [kept]
    assert [link["uid"] for link in show(hq, kept)["links"]] == [double]
    step(hq, kept, "merge", expect=409, other=double)
    step(hq, double, "restore", note="不是同一处")
    assert show(hq, kept)["links"] == []
    step(hq, double, "merge", other=kept)
    assert len(show(hq, kept)["links"]) == 1


def test_a_stale_change_is_refused_and_told_what_happened(sign_in, office):
    hq = sign_in()
    uid = record(hq)
    seen = hq.get(f"/api/v1/problems/{uid}")
    tag = seen.headers["ETag"]
    assert tag.startswith('"')
    step(sign_in(Role.SUPERVISION), uid, "check", note="属实")
    refused = step(hq, uid, "reject", expect=412, note="无效", headers={"If-Match": tag})
    assert [line["action"] for line in refused["changes"]] == ["check"]
    # The description says so, that clients made from it can do the same.
    paths = hq.get("/api/v1/openapi.json").json["paths"]
    StaleFault.model_validate(refused)
    for declared in (
        paths["/api/v1/problems/{uid}/steps"]["post"],
        paths["/api/v1/problems/{uid}"]["patch"],
    ):
        assert ("If-Match", "header") in {(one["name"], one["in"]) for one in declared["parameters"]}
        answer = declared["responses"]["412"]["content"]["application/problem+json"]["schema"]
        assert answer["$ref"].endswith("StaleFault")
    step(hq, uid, "reject", expect=412, note="无效", headers={"If-Match": f'"1-{"9" * 40}"'})
    fresh = hq.get(f"/api/v1/problems/{uid}").headers["ETag"]
    refused = step(hq, uid, "dispatch", expect=412, headers={"If-Match": f"W/{fresh}"})
    assert refused["changes"] == [], "a weak tag says of no version that it is that one"
    step(hq, uid, "dispatch", headers={"If-Match": f'W/"x", {tag}, {fresh}'})


def test_many_at_once_with_a_preview_and_one_way_back(app, sign_in, office):
    hq = sign_in()
    uids = [record(hq, lon=121.005 + k / 10_000) for k in range(6)]
    step(hq, uids[0], "check")
    ask = {"step": {"action": "check"}, "filter": {"state": "recorded,checked"}}
    said = hq.post("/api/v1/problems/steps", json={**ask, "preview": True}).json
    assert (said["taken"], said["batch"]) == (5, None)
    assert [(one["code"], one["count"]) for one in said["refused"]] == [("wrong_state", 1)]
    changed = hq.post("/api/v1/problems/steps", json={**ask, "expected": 6})
    assert changed.status_code == 409
    step(hq, uids[1], "reject", note="误报")
    came = record(hq, lon=121.0057)
    exchanged = hq.post("/api/v1/problems/steps", json={**ask, "expected": 5, "seen": said["seen"]})
    assert exchanged.status_code == 409, "as many as before, and one of them was never seen"
    step(hq, came, "reject", note="误报")
    step(hq, uids[1], "restore", note="属实")
    said = hq.post("/api/v1/problems/steps", json={**ask, "preview": True}).json
    hq.patch(f"/api/v1/problems/{uids[1]}", json={"address": "新址"})
    assert hq.post("/api/v1/problems/steps", json={**ask, "seen": said["seen"]}).status_code == 409
    said = hq.post("/api/v1/problems/steps", json={**ask, "preview": True}).json
    done = hq.post("/api/v1/problems/steps", json={**ask, "expected": 5, "seen": said["seen"]}).json
    assert done["taken"] == 5
    assert {show(hq, uid)["state"] for uid in uids} == {"checked"}
    step(hq, uids[5], "dispatch")
    other = sign_in(Role.GRID_WORKER)
    assert other.post(f"/api/v1/batches/{done['batch']}/undo").status_code == 404
    assert other.get(f"/api/v1/batches/{done['batch']}/undo").status_code == 404
    would = hq.get(f"/api/v1/batches/{done['batch']}/undo").json
    assert [show(client, uids[1])["undo"] for client in (hq, other, hq)] == [
        done["batch"],
        None,
        done["batch"],
    ]
    assert show(hq, uids[5])["undo"] not in {None, done["batch"]}
    undone = hq.post(f"/api/v1/batches/{done['batch']}/undo").json
    assert undone == would
    assert undone["undone"] == 4
    assert show(hq, uids[1])["undo"] is None
    assert len(undone["moved_on"]) == 1
    assert [show(hq, uid)["state"] for uid in uids] == ["checked", *["recorded"] * 4, "dispatched"]
    assert hq.post(f"/api/v1/batches/{done['batch']}/undo").status_code == 409
    again = show(hq, uids[1])["history"]
    assert [line["kind"] for line in again][-2:] == ["state", "undone"]
    assert again[-2]["undone"]


def test_a_step_is_taken_back_whole(app, sign_in, office):
    hq, engine = sign_in(), app.extensions["gridmap"].engine
    uid = record(hq)
    columns = [c for c in Problem.__table__.c if c.name not in {"change", "geometry"}]

    def row():
        with reading(engine) as session:
            return session.execute(select(*columns)).one()

    for action, more in (
        ("check", {}),
        ("dispatch", {}),
        ("ask_extension", {"note": "雨", "more": 1}),
        ("extend", {"note": "可", "more": 1}),
        ("suspend", {"note": "等", "until": "2099-01-01"}),
        ("resume", {}),
        ("fix", {}),
    ):
        before = row()
        batch = step(hq, uid, action, **more)["batch"]
        assert hq.post(f"/api/v1/batches/{batch}/undo").status_code == 200
        assert row() == before
        step(hq, uid, action, **more)


def test_only_a_step_or_a_correction_keeps_a_step_from_being_taken_back(app, sign_in, office):
    hq, engine = sign_in(), app.extensions["gridmap"].engine
    told, corrected = record(hq), record(hq)
    batches = {uid: step(hq, uid, "dispatch")["batch"] for uid in (told, corrected) if step(hq, uid, "check")}
    settings, now = app.extensions["gridmap"].settings, datetime.now(UTC)
    with writing(engine) as session:
        area, bodies = session.get(Area, office[0][0]), session.scalars(select(Organisation)).all()
        draft = Draft(
            uid=uuid.uuid4(),
            name="联合清理",
            area=str(area.uid),
            leader=str(bodies[0].uid),
            participants=(str(bodies[1].uid),),
            starts_at=now,
        )
        plan_operation(session, Actor.owner(), draft, now=now)
        number = show(hq, told)["number"]
        add_problems(session, Actor.owner(), draft.uid, [number], now=now)
        issue_notices(session, Actor.owner(), [number], settings=settings, now=now)
    later = [line["kind"] for line in show(hq, told)["history"]][-2:]
    assert later == ["joint", "escalated"]
    assert hq.patch(f"/api/v1/problems/{corrected}", json={"address": "新址"}).status_code == 200

    assert hq.post(f"/api/v1/batches/{batches[told]}/undo").json == {"undone": 1, "moved_on": []}
    assert show(hq, told)["state"] == "checked"
    assert hq.post(f"/api/v1/batches/{batches[corrected]}/undo").status_code == 409
    assert show(hq, corrected)["state"] == "dispatched"


def test_nothing_outside_is_touched(sign_in, office):
    hq = sign_in()
    here, there = record(hq), record(hq, lon=121.015)
    manager = sign_in(Role.AREA_MANAGER, area_id=office[0][0])
    step(manager, there, "check", expect=404)
    body = {"step": {"action": "check"}, "uids": [here, there]}
    said = manager.post("/api/v1/problems/steps", json=body).json
    assert said["taken"] == 1
    assert [(one["code"], one["count"]) for one in said["refused"]] == [("not_there", 1)]
    assert show(hq, there)["state"] == "recorded"


def test_a_record_is_put_right_and_the_mistake_stays_in_the_history(sign_in, office):
    hq = sign_in()
    uid = record(hq, description="占到")
    tag = hq.get(f"/api/v1/problems/{uid}").headers["ETag"]
    body = {"description": "占道", "geometry": {"type": "Point", "coordinates": [121.015, 31.005]}}
    told = hq.patch(f"/api/v1/problems/{uid}", json=body, headers={"If-Match": tag}).json
    assert {"category", "geometry", "severity"} < set(told["corrections"])
    assert (told["description"], told["cell"]["name"], told["organisation"]["name"]) == (
        "占道",
        "网格1",
        "单位1",
    )
    assert told["history"][-1]["kind"] == "edited"
    assert "geometry" in told["history"][-1]["details"]["changed"]
    assert hq.patch(f"/api/v1/problems/{uid}", json=body, headers={"If-Match": tag}).status_code == 412
    assert hq.patch(f"/api/v1/problems/{uid}", json={"severity": 9}).status_code == 422
    manager = sign_in(Role.AREA_MANAGER, area_id=office[0][0])
    assert manager.patch(f"/api/v1/problems/{uid}", json={"severity": 3}).status_code == 404
    step(hq, uid, "check")
    step(hq, uid, "dispatch")
    assert show(hq, uid)["corrections"] == ["description", "address", "severity"]
    assert show(sign_in(Role.READ_ONLY), uid)["corrections"] == []
    assert hq.patch(f"/api/v1/problems/{uid}", json={"category": "0101"}).status_code == 409
    assert hq.patch(f"/api/v1/problems/{uid}", json={"address": "人民路1号"}).json["address"] == "人民路1号"


def test_what_was_suspended_goes_on_by_itself(app, sign_in, office):
    hq, engine, settings = sign_in(), app.extensions["gridmap"].engine, app.extensions["gridmap"].settings
    uid = record(hq)
    for action, more in (("check", {}), ("dispatch", {}), ("suspend", {"note": "等", "until": "2099-01-01"})):
        step(hq, uid, action, **more)
    for day, count in ((31, 0), (32, 1), (33, 0)):
        now = datetime(2098, 12, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=0 if day > 31 else -9)
        with writing(engine) as session:
            assert resume_due(session, settings=settings, now=now) == count
    assert show(hq, uid)["state"] == "accepted"


def test_it_is_given_to_a_person_of_the_organisation(sign_in, office):
    hq = sign_in()
    uid, (area, _, body) = record(hq), office[1]
    [person] = hq.get(f"/api/v1/persons?organisation={body}").json["persons"]
    step(hq, uid, "check")
    told = step(hq, uid, "dispatch", organisation=body, person=person["uid"])["problem"]
    assert (person["name"], told["person"], told["organisation"]["uid"]) == ("工1", person, body)
    manager = sign_in(Role.AREA_MANAGER, area_id=area)
    nobody = manager.get(f"/api/v1/persons?organisation={office[0][2]}").json
    assert nobody == {"persons": []}, "whom one may not know is not offered"


def test_a_line_is_listed_in_each_cell_that_it_touches_and_seen_by_nobody_else(sign_in, office):
    hq = sign_in()
    line = {"type": "LineString", "coordinates": [[121.004, 31.005], [121.012, 31.005]]}
    body = {"uid": str(uuid.uuid4()), "category": "0401", "geometry": line}
    assert hq.post("/api/v1/problems", json=body).status_code == 201
    cells = {one["properties"]["name"]: one["id"] for one in hq.get("/api/v1/cells").json["features"]}

    def listed(client, name):
        answer = client.get(f"/api/v1/problems?cell={cells[name]}")
        if answer.status_code == 422:
            return "unknown"
        return [(one["properties"].get("share"), one["id"]) for one in answer.json["features"]]

    def counted(client, name):
        counts = client.get(f"/api/v1/cells/{cells[name]}").json["counts"]
        return counts["unresolved"], counts["shared"]

    assert listed(hq, "网格0") == [(None, body["uid"])]
    [(share, found)] = listed(hq, "网格1")
    assert (round(share, 6), found) == (0.25, body["uid"])
    assert (counted(hq, "网格0"), counted(hq, "网格1")) == ((1, 0), (0, 1))
    leading, touched = (sign_in(Role.AREA_MANAGER, area_id=area) for area, _, _ in office)
    assert listed(leading, "网格1") == "unknown", "what is in sight tells nothing of a cell that is not"
    assert (listed(touched, "网格1"), counted(touched, "网格1")) == ([], (0, 0)), "it is of the other area"


def test_whether_a_place_lies_in_ones_area_is_told_before_anything_is_sent_and_nothing_else_of_it(
    sign_in, office
):
    def asked(client, lon, lat=31.005):
        geometry = {"type": "Point", "coordinates": [lon, lat]}
        found = client.post("/api/v1/problems/cells", json={"geometry": geometry}).json
        body = {"uid": str(uuid.uuid4()), "category": "0401", "geometry": geometry}
        assert found.pop("recordable") is (client.post("/api/v1/problems", json=body).status_code == 201)
        return [(one["name"], one["share"], one["leads"]) for one in found["cells"]], found["elsewhere"]

    limited = sign_in(Role.AREA_MANAGER, area_id=office[0][0])
    assert asked(limited, 121.004) == ([("网格0", 1, True)], 0)
    for lon in (121.012, 130.0):
        assert asked(limited, lon) == ([], 1), "another's cell looks like no cell at all"
    hq = sign_in()
    assert asked(hq, 121.012) == ([("网格1", 1, True)], 0)
    assert asked(hq, 130.0) == ([], 0)


def test_a_line_counts_in_each_cell_by_its_share(sign_in, office):
    hq = sign_in()
    line = {"type": "LineString", "coordinates": [[121.004, 31.005], [121.012, 31.005]]}
    ribbon = str(uuid.uuid4())
    would = hq.post("/api/v1/problems/cells", json={"geometry": line}).json
    assert [(one["name"], round(one["share"], 6), one["leads"]) for one in would["cells"]] == [
        ("网格0", 0.75, True),
        ("网格1", 0.25, False),
    ]
    body = {"uid": ribbon, "category": "0401", "geometry": line}
    assert hq.post("/api/v1/problems", json=body).status_code == 201
    record(hq, lon=121.002)

    def found(client, by="cell"):
        answer = client.get(f"/api/v1/figures?by={by}").json
        assert answer["total"]["counts"]["found"] == 2
        return {one["name"]: one["counts"]["found"] for one in answer["lines"]}

    assert found(hq) == {"网格0": 1.75, "网格1": 0.25}
    assert found(hq, "community") == {"社区0": 2}, "an area counts it whole, where it leads"
    lines = hq.get("/api/v1/figures?by=cell").json["lines"]
    key = next(one["key"] for one in lines if one["name"] == "网格1")
    behind = hq.get(f"/api/v1/figures/problems?by=cell&figure=found&key={key}").json
    assert [one["properties"]["uid"] for one in behind["features"]] == [ribbon]
    page = hq.get("/figures?by=cell").text
    assert "按其在各网格内的长度或面积占比计入" in page
    assert ">1.75<" in page
    limited = sign_in(Role.AREA_MANAGER, area_id=office[0][0])
    assert found(limited) == {"网格0": 1.75, "无": 0.25}, "no cell of another area is named"
    would = limited.post("/api/v1/problems/cells", json={"geometry": line}).json
    assert [one["name"] for one in would["cells"]] == ["网格0"]
    assert round(would["elsewhere"], 6) == 0.25
