"""The forecast over HTTP: learned within limits, shown with reasons, and honest where there is too little."""

from __future__ import annotations

import re
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import shapely
from flask import g

from gridmap.forecast import service
from gridmap.forecast.service import Forecasts
from gridmap.people.permissions import Role
from gridmap.store.clock import next_change
from gridmap.store.engine import writing

from .conftest import SIDE, SOUTH, WEST, first_line, new_problem


def get(client, **query):
    answer = client.get("/api/v1/forecast", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def ended(client, address, **query):
    """The page of a forecast, when it is there."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        answer = client.get(address, query_string=query or None)
        if "data-job" not in answer.text:
            return answer
        time.sleep(0.2)
    pytest.fail("the forecast took longer than two minutes")


def worsen(app, town, *, lon, lat, organisation, area, recurrence=False, count=60):
    """Put a lot of fresh problems on one spot."""
    with writing(app.extensions["gridmap"].engine) as session:
        change = next_change(session)
        made = []
        for n in range(count):
            problem = new_problem(town, town.rng, change, now=town.now)
            problem.lon, problem.lat, problem.flags = lon, lat, 0
            problem.geometry = f"SRID=4326;POINT({lon} {lat})"
            problem.area_id, problem.organisation_id = area, organisation
            problem.cell_id, problem.person_id, problem.road_id = None, None, None
            problem.category_id = town.categories[0].id
            problem.recurrence = recurrence
            problem.found_at = town.now - timedelta(hours=2 + 6 * n)
            made.append(problem)
        session.add_all(made)
        session.flush()
        session.add_all(first_line(problem) for problem in made)


def test_a_forecast_is_learned_from_and_shown_for_what_the_reader_may_see(app, sign_in, town):
    # All requests are of one moment: a forecast that turns with the hour is another one.
    moment = datetime.now(UTC)
    app.before_request(lambda: setattr(g, "now", moment))
    ours, theirs = town.communities
    everywhere = sign_in()
    limited = {
        "area": sign_in(Role.AREA_MANAGER, area_id=ours.id),
        "organisation": sign_in(Role.ORGANISATION_LEAD, organisation_id=town.squads[0].id),
    }
    week = {"span": "week", "limit": 1500}
    before = {name: get(client, **week) for name, client in limited.items()}
    all_before = get(everywhere, **week)
    for name, found in before.items():
        assert found["enough"], name
        assert found["features"], name
        assert found["found"] < all_before["found"]
    west = [one["geometry"]["coordinates"][0][0][0] for one in before["area"]["features"]]
    # A square beside what was found may reach over the border, by its own side and a neighbour's.
    assert max(west) < WEST + 2 * SIDE + 0.0035
    spot = {"lon": WEST + 3.5 * SIDE, "lat": SOUTH + SIDE}
    worsen(app, town, **spot, area=theirs.id, organisation=town.squads[1].id)
    for name, client in limited.items():
        assert get(client, **week) == before[name], name
    all_after = get(everywhere, **week)
    assert all_after["found"] == all_before["found"] + 60
    there = shapely.Point(spot["lon"], spot["lat"])
    (square,) = [
        one for one in all_after["features"] if shapely.geometry.shape(one["geometry"]).covers(there)
    ]
    assert square["properties"]["past"] >= 60
    # Where the reader's own ground changes, the forecast does.
    worsen(app, town, lon=WEST + SIDE, lat=SOUTH + SIDE, area=ours.id, organisation=town.squads[0].id)
    for name, client in limited.items():
        assert get(client, **week)["found"] == before[name]["found"] + 60
    other_area = {"area": str(theirs.uid), **week}
    assert limited["area"].get("/api/v1/forecast", query_string=other_area).status_code == 422


def test_the_page_says_why_whose_and_how_good(app, sign_in, town):
    worsen(
        app,
        town,
        lon=WEST + SIDE / 2,
        lat=SOUTH + SIDE / 2,
        area=town.communities[0].id,
        organisation=None,
        recurrence=True,
    )
    client = sign_in()
    page = ended(client, "/forecast", span="week").text
    assert "过去四周 60 起" in page or "过去四周 59 起" in page
    assert "采用" in page
    assert "过去四周起数" in page
    coming_back = page.split("结案后同类问题复发的地方")[1]
    assert '<td class="number">60</td>' in coming_back
    found = get(client, span="week")
    used = [one for one in found["trial"]["ways"] if one["used"]]
    assert len(used) == 1
    assert {one["way"] for one in found["trial"]["ways"]} >= {"month", "recent", "kernel", "season"}
    assert found["total"] > 0
    shift = get(client, hours="00:00-23:59")
    assert shift["trial"]["all_days"] is True
    assert found["trial"]["all_days"] is False
    assert shift["total"] == pytest.approx(found["total"] / 7, rel=0.6)
    ranks = [one["properties"]["rank"] for one in found["features"]]
    expected = [one["properties"]["expected"] for one in found["features"]]
    assert ranks == list(range(1, len(ranks) + 1))
    assert expected == sorted(expected, reverse=True)


def test_too_little_history_and_hours_that_are_over_are_said(sign_in, town):
    client = sign_in()
    answer = ended(client, "/forecast", day="2020-01-01")
    assert answer.status_code == 422
    assert "2020-01-01" in answer.text
    assert client.get("/api/v1/forecast", query_string={"hours": "morning"}).status_code == 422
    few = {"category": town.categories[0].code, "area": str(town.communities[0].uid)}
    page = ended(client, "/forecast", **few).text
    assert "历史数据不足" in page
    assert "60 起以上" in page
    found = get(client, **few)
    assert (found["enough"], found["trial"], found["features"]) == (False, None, [])


def test_what_makes_no_sense_is_said_above_the_usual_forecast_and_kept(sign_in, town):
    client = sign_in()
    page = ended(client, "/forecast?hours=早班&day=2031-01-06&span=week")
    assert page.status_code == 422
    assert "时段：应为一个班次" in page.text
    assert 'value="早班"' in page.text
    assert "下一班次" in page.text
    for asked, expected, found in (
        ("day=2026-02-30", "没有这一天", "“2026-02-30”"),
        ("day=soon", "日期：应为1970至2100年之间的日期", "“soon”"),
        ("hours=08:00-08:00", "结束时间", "“08:00-08:00”"),
        ("hours=０８：００—０８：００", "结束时间", "“０８：００—０８：００”"),
        ("span=year", "应为 shift、week 之一", "“year”"),
        ("area=xyz", "辖区：您可查看的辖区中没有该辖区", "请从列表中选择"),
        (f"area={uuid.UUID(int=8)}", "辖区：您可查看的辖区中没有该辖区", "请从列表中选择"),
        ("when=now", "when：没有这个名称的参数", "“now”"),
    ):
        told = ended(client, f"/forecast?{asked}")
        said = re.search('role="alert".*?</div>', told.text, re.DOTALL)[0]
        assert (told.status_code, expected in said, found in said) == (422, True, True), said
        assert not re.search(r"UUID|[0-9a-f]{8}-| or ", said), said
    far = ended(client, "/forecast?day=2031-01-06&span=week")
    assert (far.status_code, 'value="2031-01-06"' in far.text) == (422, True)
    assert ended(client, "/forecast?hours=１９：００－２３：００").status_code == 200


def test_the_first_forecast_of_a_question_is_made_by_a_job_and_its_page_waits(sign_in, town, monkeypatch):
    monkeypatch.setattr("web.pages.forecast._PATIENCE_S", 0)
    client, held = sign_in(), threading.Event()
    read = Forecasts.read

    def slowly(self, *args, **more):
        held.wait(60)
        return read(self, *args, **more)

    monkeypatch.setattr(Forecasts, "read", slowly)
    page = client.get("/forecast", query_string={"span": "week"}).text
    job = re.search('data-job="([0-9a-f]+)"', page).group(1)
    assert client.get(f"/jobs/{job}").json["state"] == "running"
    held.set()
    assert "过去四周起数" in ended(client, "/forecast", span="week").text
    assert client.get(f"/jobs/{job}").json["state"] == "done"
    # Once made, it is there without a job.
    assert "过去四周起数" in client.get("/forecast", query_string={"span": "week"}).text


def test_a_question_does_not_wait_for_another_one_and_other_processes_try_nothing_anew(
    app, sign_in, town, monkeypatch
):
    moment = datetime.now(UTC)
    app.before_request(lambda: setattr(g, "now", moment))
    client, other = sign_in(), sign_in(Role.SUPERVISION)
    held, trying = threading.Event(), threading.Event()
    tries = service.choose

    def slowly(*args):
        trying.set()
        assert held.wait(60)
        return tries(*args)

    get(client, span="shift", limit=5)
    monkeypatch.setattr(service, "choose", slowly)
    found = []
    slow = threading.Thread(target=lambda: found.append(get(other, span="week", limit=5)))
    slow.start()
    assert trying.wait(30)
    get(client, span="shift", limit=6)
    ours, squad = town.communities[0], town.squads[0]
    worsen(app, town, lon=WEST + SIDE / 4, lat=SOUTH + SIDE / 4, organisation=squad.id, area=ours.id, count=1)
    get(client, span="shift", limit=7)
    assert not found
    held.set()
    slow.join()
    monkeypatch.setattr(service, "choose", None)
    here = app.extensions["gridmap"]
    monkeypatch.setattr(here.forecasts, "_chosen", type(here.forecasts._chosen)())
    monkeypatch.setattr(here.forecasts, "_known", type(here.forecasts._known)())
    assert get(other, span="week", limit=8)["trial"] == found[0]["trial"]
