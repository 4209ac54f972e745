from __future__ import annotations

import io
import uuid

import pytest
from pictures import MAKER, photo, video
from PIL import Image
from sqlalchemy import func, select

from gridmap.evidence.models import Attachment, Stage
from gridmap.people.permissions import Role
from gridmap.problems.models import Event, Problem
from gridmap.store.engine import reading


def fetch(client, address, **more):
    """An answer with its file closed."""
    with client.get(address, **more) as answer:
        answer.get_data()
    return answer


def send(client, *contents, uids=None, names=None, **said):
    uids = uids or [str(uuid.uuid4()) for _ in contents]
    names = names or [f"IMG_{i}.jpg" for i in range(len(contents))]
    files = [(io.BytesIO(content), name) for content, name in zip(contents, names, strict=True)]
    answer = client.post("/api/v1/attachments", data={"uid": uids, "file": files, **said})
    return answer, uids


@pytest.fixture
def problem(app, town):
    """A problem of the first community and its squad."""
    with reading(app.extensions["gridmap"].engine) as session:
        return session.scalars(
            select(Problem).where(
                Problem.area_id == town.communities[0].id, Problem.organisation_id == town.squads[0].id
            )
        ).first()


def test_sent_photos_are_listed_with_their_problem_and_twice_is_once(app, town, problem, sign_in):
    client = sign_in()
    said = {"problem": str(problem.uid), "stage": "after"}
    first, uids = send(client, photo(), photo(seed=3), **said)
    again, _ = send(client, photo(), photo(seed=3), uids=uids, **said)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert [one["uid"] for one in first.json["attachments"]] == uids
    card = client.get(f"/api/v1/problems/{problem.uid}").json
    assert [one["uid"] for one in card["attachments"]] == uids
    assert card["attachments"][0]["stage_name"] == "整改后"
    assert {one["event"] for one in card["attachments"]} <= {event["uid"] for event in card["history"]}
    assert "121.405" not in str(card["attachments"])
    with reading(app.extensions["gridmap"].engine) as session:
        assert session.scalar(select(func.count(Attachment.id))) == 2


def test_the_copy_is_stripped_and_harmless_and_the_original_is_kept_from_most(town, problem, sign_in):
    content = photo()
    client = sign_in()
    answer, (uid,) = send(client, content, problem=str(problem.uid), names=["../../etc/恶意<b>.html"])
    assert answer.status_code == 201
    for end, longest in (("", 2000), ("/thumbnail", 320)):
        got = fetch(client, f"/api/v1/attachments/{uid}{end}")
        assert got.status_code == 200
        assert got.content_type == "image/jpeg"
        assert MAKER.encode() not in got.data
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Content-Security-Policy"].startswith("sandbox")
        assert got.headers["Content-Disposition"].startswith("inline")
        assert got.headers["Cache-Control"].startswith("private")
        with Image.open(io.BytesIO(got.data)) as picture:
            assert max(picture.size) <= longest
        tag = got.headers["ETag"]
        unchanged = fetch(client, f"/api/v1/attachments/{uid}{end}", headers={"If-None-Match": tag})
        assert unchanged.status_code == 304
    original = fetch(client, f"/api/v1/attachments/{uid}/original")
    assert original.data == content
    assert original.headers["Content-Disposition"].startswith("attachment")
    assert "/" not in original.headers["Content-Disposition"].split("filename", 1)[1].split(";")[0]
    manager = sign_in(Role.AREA_MANAGER)
    assert fetch(manager, f"/api/v1/attachments/{uid}").status_code == 200
    assert fetch(manager, f"/api/v1/attachments/{uid}/original").status_code == 403
    assert manager.get(f"/api/v1/problems/{problem.uid}").json["attachments"][0]["original_url"] is None


def test_nobody_sees_what_lies_outside_their_area(app, town, problem, sign_in):
    inside = sign_in(Role.GRID_WORKER, area_id=town.communities[0].id)
    outside = sign_in(Role.GRID_WORKER, area_id=town.communities[1].id)
    _, (tied,) = send(inside, photo(), problem=str(problem.uid))
    _, (untied,) = send(inside, photo())
    unknown = uuid.uuid4()
    for uid in (tied, untied, unknown):
        for end in ("", "/thumbnail"):
            assert fetch(outside, f"/api/v1/attachments/{uid}{end}").status_code == 404
            assert fetch(app.test_client(), f"/api/v1/attachments/{uid}{end}").status_code == 401
    supervision = sign_in(Role.SUPERVISION, area_id=town.communities[1].id)
    assert fetch(supervision, f"/api/v1/attachments/{tied}/original").status_code == 404
    assert fetch(inside, f"/api/v1/attachments/{untied}").status_code == 200
    assert send(outside, photo(), problem=str(problem.uid))[0].status_code == 404
    assert send(sign_in(Role.READ_ONLY), photo())[0].status_code == 403
    assert send(app.test_client(), photo())[0].status_code == 401


def test_a_bad_file_is_refused_with_all_that_came_with_it(app, town, sign_in):
    client = sign_in()
    answer, _ = send(client, photo(), b"<html>", names=["a.jpg", "b.jpg"])
    assert answer.status_code == 422
    assert "b.jpg" in answer.json["detail"]
    assert "网页" in answer.json["detail"]
    with reading(app.extensions["gridmap"].engine) as session:
        assert session.scalar(select(func.count(Attachment.id))) == 0
    wrong_name, _ = send(client, photo(), names=["note.txt"])
    assert wrong_name.status_code == 201
    two = [str(uuid.uuid4())] * 2
    assert send(client, photo(), photo(), uids=two)[0].status_code == 422
    assert send(client, photo(), stage="never")[0].status_code == 422
    assert client.post("/api/v1/attachments", data={}).status_code == 422


def test_a_video_is_sent_by_ranges(town, sign_in):
    client = sign_in()
    _, (uid,) = send(client, video())
    whole = fetch(client, f"/api/v1/attachments/{uid}")
    assert whole.content_type == "video/mp4"
    part = fetch(client, f"/api/v1/attachments/{uid}", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.data)}"
    beyond = fetch(client, f"/api/v1/attachments/{uid}", headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416


def test_a_problem_is_recorded_with_its_photos_or_not_at_all(app, town, sign_in):
    client = sign_in()
    _, uids = send(client, photo(), photo(seed=1), stage="found")
    report = {"uid": str(uuid.uuid4()), "category": "A1", "lon": 121.405, "lat": 31.205, "attachments": uids}
    lost = client.post("/api/v1/problems", json=report | {"attachments": [*uids, str(uuid.uuid4())]})
    assert lost.status_code == 404
    assert client.get(f"/api/v1/problems/{report['uid']}").status_code == 404
    made = client.post("/api/v1/problems", json=report)
    assert made.status_code == 201
    assert client.post("/api/v1/problems", json=report).status_code == 200
    card = client.get(f"/api/v1/problems/{report['uid']}").json
    assert [one["uid"] for one in card["attachments"]] == uids
    assert {one["stage"] for one in card["attachments"]} == {Stage.FOUND.value}
    with reading(app.extensions["gridmap"].engine) as session:
        tied = session.scalars(select(Attachment.event_id)).all()
        kinds = session.scalars(select(Event.kind).where(Event.id.in_(tied))).all()
    assert [kind.value for kind in kinds] == ["recorded"]
    near = client.get("/api/v1/problems/similar?lon=121.405&lat=31.205&category=A1").json["problems"]
    assert next(one["photo"] for one in near if one["uid"] == report["uid"]).endswith(f"{uids[0]}/thumbnail")
    other = report | {"uid": str(uuid.uuid4())}
    assert client.post("/api/v1/problems", json=other).status_code == 409
