"""Planning patrols on their page, as who plans and as who walks."""

from __future__ import annotations

import json
import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from werkzeug.datastructures import MultiDict

from gridmap.language import speak
from gridmap.patrols.models import PatrolRoute
from gridmap.people.models import Login
from gridmap.people.permissions import Role
from gridmap.places.models import InspectionPoint, Street
from gridmap.problems.models import Problem
from gridmap.store.clock import next_change
from gridmap.store.engine import writing
from web.pages.patrol_form import fill

from .api.conftest import SIDE, SOUTH, WEST, line, town

__all__ = ["town"]


@pytest.fixture(autouse=True)
def _streets(app, town):
    """A street along the priority road, and one past the market that crosses it."""
    crossing = (WEST + SIDE / 2, SOUTH + SIDE)
    ways = (
        [(WEST, SOUTH + SIDE), crossing, (WEST + 2 * SIDE, SOUTH + SIDE)],
        [(WEST + SIDE / 2, SOUTH), crossing, (WEST + SIDE / 2, SOUTH + 4 * SIDE)],
    )
    with writing(app.extensions["gridmap"].engine) as session:
        session.add_all(
            Street(source_ref=f"x{n}", road_class="residential", geometry=line("one", *way))
            for n, way in enumerate(ways)
        )


def plan(client, town, **more):
    page = client.get("/patrols", query_string={"area": str(town.communities[0].uid)}).text
    people = re.findall(r'name="people" value="([^"]+)"', page)
    form = {"area": str(town.communities[0].uid), "day": "2026-05-11", "hours": "07:00-12:00"}
    form |= {"people": people[:2], "points": "on", "roads": "on", "search_seconds": "1"} | more
    return client.post("/patrols", data=form)


def made(client, answer):
    assert answer.status_code == 302, answer.text
    return ended(client, answer.headers["Location"])


def ended(client, where):
    """The page of a job when it has ended."""
    # The search is compiled where it has not been yet.
    for _ in range(1800):
        page = client.get(where).text
        if "data-job" not in page:
            return page
        time.sleep(0.1)
    pytest.fail("the plan took longer than three minutes")
    return ""


def test_a_plan_is_asked_for_looked_at_and_removed(sign_in, town):
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    assert "尚未编排巡查" in client.get("/patrols").text
    page = made(client, plan(client, town))
    address = re.search(r'href="(/patrols/[0-9a-f-]{36})"', page).group(1)
    shown = client.get(address).text
    assert "人民路" in shown
    assert "uri.amap.com" in shown
    (gpx, calendar) = (
        re.search(rf'href="({address}/[0-9a-f-]{{36}}\.{kind})"', shown) for kind in ("gpx", "ics")
    )
    assert client.get(gpx.group(1)).text.startswith("<?xml")
    assert client.get(calendar.group(1)).text.startswith("BEGIN:VCALENDAR")
    other = sign_in(Role.AREA_MANAGER, area_id=town.communities[1].id)
    for path in (address, gpx.group(1), calendar.group(1)):
        assert other.get(path).status_code == 404
    assert other.post(f"{address}/remove").status_code == 404
    assert address not in other.get("/patrols").text
    held = client.get(calendar.group(1)).text
    assert "CANCELLED" not in held
    assert client.post(f"{address}/remove").status_code == 302
    assert client.get(address).status_code == 404
    # Calendars that took the round in are told that it is cancelled, and only those that had it.
    gone = client.get(calendar.group(1))
    assert (gone.status_code, gone.mimetype) == (200, "text/calendar")
    assert "METHOD:CANCEL" in gone.text
    assert gone.text.count("STATUS:CANCELLED") == held.count("BEGIN:VEVENT")
    assert re.findall("UID:.*", gone.text) == re.findall("UID:.*", held)
    assert other.get(calendar.group(1)).status_code == 404
    assert client.get(gpx.group(1)).status_code == 404
    assert client.get(f"{address}/{uuid.uuid4()}.ics").status_code == 404


def test_hot_corners_of_the_forecast_are_gone_to(app, sign_in, town):
    with writing(app.extensions["gridmap"].engine) as session:
        # All at one corner, and in the hours of the shift, whatever the hour is now.
        here = select(Problem).where(Problem.area_id == town.communities[0].id)
        for problem in session.scalars(here):
            problem.lon, problem.lat = WEST + SIDE * 0.5, SOUTH + SIDE * 0.9
            problem.found_at = problem.found_at.replace(hour=2)
        session.flush()
        session.execute(update(Problem).values(change=next_change(session, rebuild=True)))
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    page = made(client, plan(client, town, day=tomorrow, corners="on"))
    shown = client.get(re.search(r'href="(/patrols/[0-9a-f-]{36})"', page).group(1)).text
    assert "易发点位" in shown
    later = (datetime.now(UTC) + timedelta(days=4)).date().isoformat()
    page = made(client, plan(client, town, day=tomorrow, until=later, corners="on"))
    whole = re.search(r'href="(/patrols/[0-9a-f-]{36})"', page).group(1) + "?day=all"
    assert "易发点位" in client.get(whole).text
    over = made(client, plan(client, town, day="2020-01-01", corners="on"))
    assert "尚未结束" in over


def test_a_plan_is_changed_judged_kept_and_searched_again(sign_in, town):
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    page = made(client, plan(client, town, minutes_at_point="20"))
    address = re.search(r'href="(/patrols/[0-9a-f-]{36})"', page).group(1)
    begin = json.loads(
        re.search(r'id="begin"[^>]*>(.*?)</script>', client.get(address).text, re.DOTALL).group(1)
    )
    stops = [stop for unit in begin["plan"]["units"] for stop in unit["stops"]]
    keys = [key for stop in stops for key in stop["keys"]]
    body = {"orders": {"1": keys[::-1]}, "pins": {keys[0]: 0}}
    other = sign_in(Role.AREA_MANAGER, area_id=town.communities[1].id)
    for what in ("check", "change", "improve"):
        assert other.post(f"{address}/{what}", json=body).status_code == 404
        assert client.post(f"{address}/{what}", json={"orders": {"x": []}}).status_code == 422
    assert other.post(f"{address}/restore").status_code == 404
    told = client.post(f"{address}/check", json=body).json
    assert [one["unit"] for one in told["rounds"]] == [1]
    assert list(told["rounds"][0]["times"]) == keys[::-1]
    assert "已固定给他人" in told["faults"][0]["text"]
    refused = client.post(f"{address}/change", json=body, headers={"Accept": "application/json"})
    assert (refused.status_code, "尚未保存" in refused.json["detail"]) == (409, True)
    kept = client.post(f"{address}/change", json=body | {"even_so": True}).json["plan"]
    assert "本版本带有以下不符之处" in client.get(kept).text
    # The same version again: somebody else was first.
    body |= {"even_so": True}
    for what in ("change", "improve"):
        late = client.post(
            f"{address}/{what}", json=body | {"even_so": True}, headers={"Accept": "application/json"}
        )
        assert (late.status_code, [one["version"] for one in late.json["changes"]]) == (412, [2])
    body.pop("even_so")
    job = client.post(f"{kept}/improve", json=body).json["job"]
    page = ended(client, job)
    third = re.search(r'href="(/patrols/[0-9a-f-]{36})"', page).group(1)
    shown = client.get(third).text
    assert "本版本带有以下不符之处" not in shown
    assert "继续优化" in shown
    assert "这是第 1 版，共 3 版" in client.get(address).text
    assert client.post(f"{address}/restore").status_code == 302
    assert client.get("/patrols").text.count('href="/patrols/') == 1
    assert client.post(f"{third}/remove").status_code == 302
    assert client.get(address).status_code == 404


WRONG = [
    ({"people": []}, "people", "请至少选择一人"),
    ({"hours": "08:00"}, "hours", "班次：应为一个班次"),
    ({"hours": "22:00-02:00"}, "hours", "22:00-次日02:00"),
    ({"day": "soon"}, "day", "首日"),
    ({"seed": "x"}, "seed", "随机种子：应为整数"),
    ({"rest_minutes": "999"}, "rest_minutes", "休息"),
    ({"profile": "swim"}, "profile", "出行方式"),
    ({"until": "2026-05-01"}, "until", "末日"),
    ({"until": "2026-05-12", "weekdays": "7"}, "weekdays", "没有"),
    ({"until": "2026-05-12", "hours_2": "noon"}, "hours_2", "班次"),
    ({"point_rhythm": "9/7"}, "point_rhythm", "频次"),
]


def test_a_form_that_makes_no_sense_comes_back_as_it_was_with_the_reason_at_its_field(sign_in, town):
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    for more, field, says in WRONG:
        answer = plan(client, town, minutes_at_point="17", **more)
        assert answer.status_code == 422
        assert "Expected" not in answer.text
        assert says in re.search(rf'id="error-{field}">([^<]*)<', answer.text).group(1)
        assert re.search(r'name="minutes_at_point"[^>]*value="17"', answer.text)
        assert answer.text.count("已填内容均已保留") == 1


def test_what_is_wrong_for_one_person_is_said_at_their_field_before_anything_is_planned(sign_in, town):
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    page = client.get("/patrols", query_string={"area": str(town.communities[0].uid)}).text
    uid = re.search(r'name="people" value="([^"]+)"', page).group(1)
    for name, typed, says in (
        ("hours", "8-12", "个人班次：应为一个班次"),
        ("start", "nowhere", "起点、终点应为"),
        ("end", "nowhere", "起点、终点应为"),
    ):
        answer = plan(client, town, **{f"{name}-{uid}": typed})
        assert answer.status_code == 422
        assert says in re.search(rf'id="error-{name}-{uid}">([^<]*)<', answer.text).group(1)
        assert re.search(rf'name="{name}-{uid}" value="{typed}"', answer.text)
        assert re.search(r'class="whole own" open', answer.text)


def test_what_is_wrong_is_said_in_english_with_its_punctuation(town):
    form = MultiDict({"area": str(town.communities[0].uid), "day": "2026-05-11", "hours": "08:00"})
    form |= {"people": "6f8f14a8-5f0d-4b8c-9d63-0a8a9d0f0c11", "points": "on"}
    with speak("en"):
        assert fill(form, lambda _: None).errors["hours"].startswith("Shift: Expected")


def test_a_week_has_a_tab_for_each_day_and_one_calendar(app, sign_in, town):
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    more = {
        "until": "2026-05-12",
        "hours": "０７：００－１２：００",
        "point_rhythm": "1/1",
        "vary_percent": "5",
    }
    page = made(client, plan(client, town, search_seconds="2", **more))
    address = re.search(r'href="(/patrols/[0-9a-f-]{36})"', page).group(1)
    for day in ("2026-05-11", "2026-05-12"):
        assert f'href="?day={day}" aria-current="page"' in client.get(f"{address}?day={day}").text
    shown = client.get(f"{address}?day=all").text
    calendars = set(re.findall(rf'href="({address}/[0-9a-f-]{{36}}\.ics)"', shown))
    days = {stamp for one in calendars for stamp in re.findall(r"DTSTART:(\d{8})", client.get(one).text)}
    assert len(days) == 2
    whole = client.get(f"{address}?day=all").text
    assert [note in whole for note in ("05-11：", "05-12：")] == [True, True]
    # Whoever walks is told nothing of how the plan came about.
    walker = sign_in(Role.PATROL_MEMBER)
    with writing(app.extensions["gridmap"].engine) as session:
        person = session.scalar(select(Login.person_id).where(Login.username == "patrol_member-None-None"))
        session.execute(update(PatrolRoute).values(person_id=person))
    own = walker.get(f"{address}?day=all").text
    assert "patrol-round" in own
    assert [note in own for note in ("05-11：", "05-12：")] == [False, False]


def test_a_point_says_on_its_page_and_card_how_patrols_go_there(sign_in, town):
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    uid = client.get("/api/v1/points").json["features"][0]["properties"]["uid"]
    address = f"/points/{uid}/visits"
    sent = {"visit_rhythm": "2/1", "visit_hours": "07:20－08:10", "visit_minutes": "many"}
    wrong = client.post(address, data=sent)
    assert wrong.status_code == 422
    assert "many" in wrong.text
    assert 'value="07:20－08:10"' in wrong.text
    saved = client.post(address, data=sent | {"visit_minutes": "12"})
    assert f"open=point/{uid}" in saved.headers["Location"]
    card = client.get(f"/api/v1/points/{uid}").json
    assert (card["visit_rhythm_name"], card["visit_minutes"]) == ("每天两次", 12)
    assert 'value="2/1" selected' in client.get(address).text
    other = sign_in(Role.AREA_MANAGER, area_id=town.communities[1].id)
    assert other.get(address).status_code == 404
    assert other.post(address, data=sent).status_code == 404


def test_when_patrols_go_to_a_point_leaves_the_base_map_as_it_is(app, sign_in, town):
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    uid = client.get("/api/v1/points").json["features"][0]["properties"]["uid"]
    kept = app.extensions["gridmap"].settings.data_dir / "tiles"

    def drawn():
        tag = client.get("/api/v1/tiles/base/15/27417/13406.mvt").headers["ETag"]
        return tag, [(made.parent.name, made.stat().st_mtime_ns) for made in kept.glob("*/*.mvt")]

    first = drawn()
    assert client.post(f"/points/{uid}/visits", data={"visit_hours": "18:00-21:00"}).status_code == 302
    assert drawn() == first
    with writing(app.extensions["gridmap"].engine) as session:
        point = session.scalars(select(InspectionPoint).where(InspectionPoint.uid == UUID(uid))).one()
        point.geometry = "SRID=4326;POINT(121.4 31.2)"
    assert drawn()[1] != first[1]


def test_what_is_wrong_with_hours_is_said_once_and_a_start_far_from_streets_at_its_field(sign_in, town):
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    wrong = plan(client, town, hours="12:00-08:00")
    assert wrong.status_code == 422
    assert "班次的结束时间" in wrong.text
    assert "班次：班次" not in wrong.text
    page = client.get("/patrols", query_string={"area": str(town.communities[0].uid)}).text
    person = re.search(r'name="people" value="([^"]+)"', page).group(1)
    far = plan(client, town, **{f"start-{person}": "121.9,31.9"})
    assert far.status_code == 422
    assert f'id="error-start-{person}"' in far.text
