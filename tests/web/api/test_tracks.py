from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from gridmap.patrols.tracks.models import Track
from gridmap.people.permissions import Role
from gridmap.store.engine import reading

BEGUN = datetime.now(UTC) - timedelta(hours=1)
COUNT = 60


def points(*, lon=121.41, lat=31.201):
    """Northwards along the second street of the town, a fix every ten metres or so."""
    return [[lon, lat + i * 1e-4, BEGUN.timestamp() + 8 * i, 5] for i in range(COUNT)]


def body(**more):
    return {"uid": str(uuid.uuid4()), "points": points(), **more}


def gpx(rows):
    marks = "".join(
        f'<trkpt lat="{lat}" lon="{lon}"><time>{datetime.fromtimestamp(at, UTC).isoformat()}</time></trkpt>'
        for lon, lat, at, _ in rows
    )
    head = '<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">'
    return io.BytesIO(f"{head}<trk><trkseg>{marks}</trkseg></trk></gpx>".encode())


def handed_in(client, file, **form):
    data = {"profile": "foot", "datum": "wgs84", "file": (file, "round.gpx"), **form}
    return client.post("/tracks", data=data, content_type="multipart/form-data")


def stored(app):
    with reading(app.extensions["gridmap"].engine) as session:
        return session.scalar(select(func.count()).select_from(Track))


def test_a_phones_track_is_recorded_once_and_told_what_became_of_it(app, town, sign_in):
    client, sent = sign_in(Role.PATROL_MEMBER, area_id=town.communities[0].id), body()
    first, again = (client.post("/api/v1/tracks", json=sent) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert first.json["fixes"] == COUNT
    assert first.json["walked_m"] == pytest.approx(59 * 11.09, rel=0.05)
    assert stored(app) == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"points": [[121.41, 31.2]] * 3}, "第 1 个点为"),
        ({"points": list(reversed(points()))}, "时间倒退"),
        ({"points": points(lat=29.0)}, "公里"),
        ({"datum": "mars"}, "datum"),
        ({"uid": "x"}, "uid"),
        ({"points": [[121.41, 31.2, 5]]}, "points"),
    ],
)
def test_what_cannot_be_taken_is_said_and_nothing_written(app, town, sign_in, more, said):
    answer = sign_in().post("/api/v1/tracks", json=body(**more))
    assert answer.status_code == 422
    assert said in str(answer.json)
    assert stored(app) == 0


def test_a_gpx_file_comes_in_by_the_page_and_is_drawn(town, sign_in):
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    answer = handed_in(client, gpx(points()))
    assert answer.status_code == 302
    page = client.get(answer.location)
    assert page.status_code == 200
    assert "死角" in page.text
    assert "人民路" in page.text
    day = answer.location.rpartition("=")[2]
    drawn = client.get(f"/tracks/map.json?day={day}").json
    (track,) = drawn["tracks"]
    line = np.concatenate([np.array(one) for one in track["lines"]])
    assert line[:, 1] == pytest.approx(121.41, abs=1e-4)
    assert np.ptp(line[:, 0]) == pytest.approx(59e-4, rel=0.05)
    assert drawn["streets"][0] != []


WRONG = [
    (io.BytesIO(b"nonsense"), {}, "应为 GPX 文件"),
    (gpx(points()), {"profile": "swim"}, "请选择巡查方式"),
    (gpx(points()), {"datum": ""}, "wgs84"),
    (gpx(list(reversed(points()))), {}, "时间倒退"),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_the_page_says_what_is_wrong_with_a_file_and_keeps_standing(app, town, sign_in, wrong):
    file, form, said = wrong
    answer = handed_in(sign_in(), io.BytesIO(file.getvalue()), **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert "alert" in answer.text
    assert stored(app) == 0


def test_tracks_of_others_are_not_shown_to_whom_they_are_no_concern(town, sign_in):
    walker = sign_in(Role.PATROL_MEMBER, area_id=town.communities[0].id)
    assert walker.post("/api/v1/tracks", json=body()).status_code == 201
    name = f"{Role.PATROL_MEMBER.value}-{town.communities[0].id}-None"

    def shown(client):
        return name in str(client.get("/tracks/map.json").json), client.get("/tracks").text.count(name)

    assert shown(walker)[0]
    assert shown(sign_in())[0]
    assert shown(sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id))[0]
    assert shown(sign_in(Role.AREA_MANAGER, area_id=town.communities[1].id)) == (False, 0)
    other = sign_in(Role.PATROL_MEMBER, area_id=town.communities[1].id)
    assert shown(other) == (False, 0)
    # Who may read nobody's tracks is told nothing of coverage either.
    assert other.get("/tracks/map.json").json["streets"] == []
    assert "死角" not in other.get("/tracks").text
    assert sign_in(Role.READ_ONLY).get("/tracks").status_code == 403


@pytest.mark.parametrize("query", ["day=tomorrow", "days=0", "days=x", "days=91"])
def test_a_wrong_question_is_answered_with_what_was_expected(town, sign_in, query):
    assert sign_in().get(f"/tracks?{query}").status_code == 422


def test_without_streets_the_page_says_what_to_import(app, sign_in):
    client = sign_in()
    page = client.get("/tracks")
    assert page.status_code == 200
    assert "请先导入" in page.text
    assert client.post("/api/v1/tracks", json=body()).status_code == 404
