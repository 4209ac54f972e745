"""Laying an assessors' route on its page."""

from __future__ import annotations

import io
import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from openpyxl import load_workbook
from sqlalchemy import select

from gridmap.errors import ConflictError, NotFoundError
from gridmap.inspections.models import InspectionPost, InspectionStop
from gridmap.inspections.post_queries import read_posts
from gridmap.inspections.posting import PostWish, plan_posts, post_people, station
from gridmap.inspections.queries import read_route, see
from gridmap.inspections.tour import Tour, TourWish, lay, remove_route
from gridmap.people.logins import create_login
from gridmap.people.models import Person
from gridmap.people.permissions import Actor, Role
from gridmap.places.models import InspectionPoint, Street
from gridmap.problems.models import Problem, Source, State
from gridmap.store.clock import next_change
from gridmap.store.engine import reading, writing
from web.pages import readiness

from .api.conftest import SIDE, SOUTH, WEST, line, town
from .conftest import PASSWORD

__all__ = ["town"]

NOW = datetime.now(UTC).replace(microsecond=0)
FORM = {"name": "上午线", "starts_at": "2026-05-09T09:00", "codes": "P1，P9", "minutes_at_stop": "10"}


@pytest.fixture(autouse=True)
def _street(app, town):
    """A street past the market, with another point at its end."""
    middle = WEST + SIDE / 2
    with writing(app.extensions["gridmap"].engine) as session:
        session.add_all(
            [
                Street(
                    source_ref="x",
                    road_class="residential",
                    geometry=line("one", (middle, SOUTH), (middle, SOUTH + 4 * SIDE), (middle + SIDE, SOUTH)),
                ),
                InspectionPoint(
                    code="P9",
                    name="北门车站",
                    site_type="station",
                    area_id=town.communities[0].id,
                    geometry=f"SRID=4326;POINT({middle} {SOUTH + 3.9 * SIDE})",
                ),
            ]
        )


def made(client, answer):
    assert answer.status_code == 302, answer.text
    # The search is compiled where it has not been yet.
    for _ in range(1800):
        page = client.get(answer.headers["Location"]).text
        if "data-job" not in page:
            return page
        time.sleep(0.1)
    pytest.fail("the route took longer than three minutes")
    return ""


def test_the_page_of_deductions_says_which_numbers_count_and_where_they_are_from(app, sign_in):
    folder = app.extensions["gridmap"].settings.data_dir
    client = sign_in()
    assert "/inspections/deductions" in client.get("/inspections").text
    page = client.get("/inspections/deductions")
    assert (page.status_code, "本系统没有自定文件" in page.text, "替代" in page.text) == (200, True, False)
    (folder / "deductions.toml").write_text("[points]\n3 = 1.25 # 手册第12条\n")
    page = client.get("/inspections/deductions").text
    row = re.search(r'<th scope="row">3</th>.*?</tr>', page, re.DOTALL)[0]
    assert ("1.25" in row, "本系统自定" in row, "替代 1<" in row, "手册第12条" in row) == (True,) * 4
    assert str(folder) not in page, "where the server keeps its files is nobody's business"
    (folder / "deductions.toml").write_text("[points]\n3 = 'much'\n")
    page = client.get("/inspections/deductions")
    assert (page.status_code, "points.3" in page.text, "much" in page.text) == (422, True, True)


def test_a_route_is_laid_looked_at_and_removed(sign_in, town):
    client = sign_in(Role.SUPERVISION)
    assert "尚未编制线路" in client.get("/inspections").text
    page = made(client, client.post("/inspections", data=FORM))
    address = re.search(r'href="(/inspections/[0-9a-f-]{36})"', page).group(1)
    shown = client.get(address).text
    assert shown.index("东风菜市场") < shown.index("北门车站")
    assert "09:10" in shown
    assert address in client.get("/inspections").text
    limited = sign_in(Role.SUPERVISION, area_id=town.communities[0].id)
    assert limited.get(address).status_code == 403
    assert client.post(f"{address}/remove").status_code == 302
    assert client.get(address).status_code == 404


def test_points_that_are_not_there_are_all_named_and_what_was_typed_stays(sign_in):
    answer = sign_in(Role.SUPERVISION).post("/inspections", data=FORM | {"codes": "p1 X7，Y8"})
    assert answer.status_code == 422
    assert "没有以下编号的点位：X7、Y8" in answer.text
    assert "p1 X7，Y8</textarea>" in answer.text
    assert 'value="上午线"' in answer.text


def test_a_form_that_makes_no_sense_says_at_the_field_what_was_expected(sign_in):
    client = sign_in(Role.SUPERVISION)
    bad = {"name": " ", "starts_at": "soon", "seed": "x", "profile": "swim", "size": "1", "codes": "P1 X7"}
    answer = client.post("/inspections", data=FORM | bad)
    assert answer.status_code == 422
    assert all(f'id="fault-{field}"' in answer.text for field in bad)
    assert 'id="fault-codes"' in client.post("/inspections", data=FORM | {"codes": "P1 p1"}).text


@pytest.fixture
def address(app, town):
    """A route from the market to the station, with a problem of the first squad between them."""
    begins = NOW + timedelta(days=1)
    middle = WEST + SIDE / 2
    with writing(app.extensions["gridmap"].engine) as session:
        points = list(session.scalars(select(InspectionPoint).where(InspectionPoint.code.in_(["P1", "P9"]))))
        line = shapely.LineString([(middle, SOUTH + SIDE / 2), (middle, SOUTH + 3.9 * SIDE)])
        tour = Tour(
            TourWish(name="上午线 #panic() *_$[", starts_at=begins, codes=("P1", "P9")),
            np.array([one.id for one in points]),
            np.array([0, 3000]),
            np.array([0.0, 3780.0]),
            line,
            3780.0,
            None,
        )
        uid = lay(session, Actor.owner(), tour, now=NOW).uid
        session.add(
            Problem(
                category_id=town.categories[2].id,
                state=State.DISPATCHED,
                source=Source.PATROL,
                severity=3,
                found_at=NOW - timedelta(days=2),
                fix_due_at=NOW - timedelta(days=1),
                address="人民路九号",
                lon=middle + 0.0001,
                lat=SOUTH + SIDE,
                geometry=f"SRID=4326;POINT({middle + 0.0001} {SOUTH + SIDE})",
                organisation_id=town.squads[0].id,
                person_id=town.workers[0].id,
                area_id=town.communities[0].id,
                change=next_change(session),
            )
        )
    return f"/inspections/{uid}"


def test_what_to_fix_first_is_told_with_hands_and_as_a_workbook(sign_in, address, town):
    client = sign_in(Role.SUPERVISION)
    page = client.get(f"{address}/readiness").text
    assert re.search("优先整改 [1-9][0-9]* 个问题", page)
    assert "已证明最优" in page
    assert "工00 139" in page
    hands = f"hands-{town.squads[0].uid}"
    assert "责任单位没有人手" in client.get(f"{address}/readiness", query_string={hands: "0"}).text
    book = load_workbook(io.BytesIO(client.get(f"{address}/readiness.xlsx").data))
    assert "人民路九号" in [cell.value for row in book["优先整改"] for cell in row]
    bad = client.get(f"{address}/readiness", query_string={hands: "many", "spans": "late", "limit": "5"})
    assert bad.status_code == 422
    assert f'id="fault-{hands}"' in bad.text
    assert 'value="many"' in bad.text
    assert 'id="fault-spans"' in bad.text
    # Nothing is reckoned with hours that nobody gave.
    assert "已证明最优" not in bad.text
    assert client.get(f"{address}/readiness.xlsx", query_string={hands: "many"}).status_code == 422
    twice = {"spans": "22:00-02:00,01:00-03:00", "begins_at": "2099-01-01T00:00"}
    bad = client.get(f"{address}/readiness", query_string=twice).text
    assert "不重叠" in bad
    assert "检查组出发" in bad


def test_people_are_posted_changed_by_hand_and_told_themselves(sign_in, address, app, town):
    client = sign_in(Role.SUPERVISION)
    assert "尚未安排蹲点" in client.get(f"{address}/posts").text
    assert client.post(f"{address}/posts", data={"before": "x"}).status_code == 422
    client.post(f"{address}/posts", data={"before": "30", "after": "10", "each": "1"})
    page = client.get(f"{address}/posts").text
    # The grid worker of the market's cell stands there; the station lies in no cell.
    assert "工00" in page
    assert "点位及所在网格无责任人" in page
    client.post(f"{address}/posts", data={"before": "30", "after": "10", "each": "2"})
    short = client.get(f"{address}/posts").text
    assert ("缺一人" in short, "已有 1 人" in short, "1 个岗位人数不足" in short) == (True, True, True)
    client.post(f"{address}/posts", data={"before": "30", "after": "10", "each": "1"})
    page = client.get(f"{address}/posts").text
    links = re.findall(r'href="(/inspections/posts/[0-9a-f-]{36})"', page)
    assert len(links) == 2
    assert "工00" in client.get(links[1], query_string={"q": "工00"}).text
    # Two and a half kilometres in ten minutes: nobody walks that.
    answer = client.post(links[1], data={"person": town.workers[0].uid})
    assert answer.status_code == 409
    assert "来不及步行赶到" in answer.text
    assert client.post(links[1], data={"person": town.workers[1].uid}).status_code == 302
    assert "手工调整" in client.get(f"{address}/posts").text
    with writing(app.extensions["gridmap"].engine) as session:
        person = session.get(Person, town.workers[1].id)
        create_login(session, person=person, username="w1", password=PASSWORD, role=Role.GRID_WORKER)
    own = app.test_client()
    own.post("/sign-in", data={"username": "w1", "password": PASSWORD})
    mine = own.get("/inspections/posts").text
    assert "北门车站" in mine
    assert "东风菜市场" not in mine
    assert client.post(f"{address}/remove").status_code == 302
    assert "没有安排给您的蹲点任务" in own.get("/inspections/posts").text


def test_people_posted_at_the_same_moment_stand_there_once(address, app):
    here = app.extensions["gridmap"]
    uid, day = uuid.UUID(address.rsplit("/", 1)[1]), NOW.date()

    def posting(wish):
        with reading(here.engine) as session:
            network = here.network.open(session)
            plan = plan_posts(session, Actor.owner(), uid, wish, network=network, day=day)
        both.wait()
        with writing(here.engine) as session:
            post_people(session, Actor.owner(), plan)
            time.sleep(0.3)

    both = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(posting, [PostWish(each=2), PostWish(each=2)]))
    with reading(here.engine) as session:
        assert len(session.scalars(select(InspectionPost)).all()) == 4


def another(session, uid):
    """A second route at the same time through the same points."""
    route, line, stops = read_route(session, uid)
    points = np.array([one.point.id for one in stops])
    wish = TourWish(name="下午线", starts_at=route.starts_at, codes=("P1", "P9"))
    tour = Tour(wish, points, np.array([0, 3000]), np.array([0.0, 3780.0]), line, 3780.0, None)
    return lay(session, Actor.owner(), tour, now=NOW)


def test_nobody_is_put_at_two_places_at_the_same_moment(address, app, town):
    here = app.extensions["gridmap"]
    uid, day = uuid.UUID(address.rsplit("/", 1)[1]), NOW.date()
    with writing(here.engine) as session:
        routes = [uid, another(session, uid).uid]
    posts = []
    with reading(here.engine) as session:
        network = here.network.open(session)
        plans = [
            plan_posts(session, Actor.owner(), one, PostWish(), network=network, day=day) for one in routes
        ]
    with writing(here.engine) as session:
        for n, plan in enumerate(plans):
            nobody = replace(plan, people=((None,), (None,)), candidates=frozenset(), held=frozenset())
            post_people(session, Actor.owner(), nobody)
            posts.append(read_posts(session, read_route(session, plan.uid)[0])[n].post.uid)
    both = threading.Barrier(2)

    def standing(post):
        both.wait()
        try:
            with writing(here.engine) as session:
                station(session, Actor.owner(), post, town.workers[1].uid, network=network, day=day)
                time.sleep(0.3)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(standing, posts)) == [False, True]


def test_posts_are_not_kept_where_the_route_or_its_people_changed_meanwhile(address, app, town):
    here = app.extensions["gridmap"]
    uid, day = uuid.UUID(address.rsplit("/", 1)[1]), NOW.date()
    with reading(here.engine) as session:
        network = here.network.open(session)
        plan = plan_posts(session, Actor.owner(), uid, PostWish(), network=network, day=day)
    (who,) = {person for people in plan.people for person in people if person}
    with writing(here.engine) as session:
        other = another(session, uid)
        (stop, *_) = session.scalars(select(InspectionStop).where(InspectionStop.route_id == other.id))
        session.add(
            InspectionPost(
                route_id=other.id,
                stop_id=stop.id,
                person_id=who,
                begins_at=stop.arrives_at,
                ends_at=stop.leaves_at,
            )
        )
    with pytest.raises(ConflictError), writing(here.engine) as session:
        post_people(session, Actor.owner(), plan)
    with writing(here.engine) as session:
        remove_route(session, Actor.owner(), uid)
    with pytest.raises(NotFoundError), writing(here.engine) as session:
        post_people(session, Actor.owner(), plan)


def test_who_has_left_by_the_day_is_not_posted(sign_in, address, app, town):
    client = sign_in(Role.SUPERVISION)
    client.post(f"{address}/posts", data={"each": "1"})
    links = re.findall(r'href="(/inspections/posts/[0-9a-f-]{36})"', client.get(f"{address}/posts").text)
    with writing(app.extensions["gridmap"].engine) as session:
        session.get(Person, town.workers[1].id).valid_to = NOW.date()
    gone = town.workers[1].uid
    assert client.post(links[1], data={"person": gone}).status_code == 404
    assert client.post(f"{address}/posts", data={"others": gone}).status_code == 404


@pytest.mark.parametrize("year", ["9999-12-31T23:50", "0001-01-01T00:00"])
def test_years_in_which_nobody_inspects_are_refused(sign_in, address, year):
    client = sign_in(Role.SUPERVISION)
    for answer in (
        client.get(f"{address}/what-if", query_string={"starts_at": year}),
        client.get(f"{address}/readiness", query_string={"begins_at": year}),
        client.post("/inspections", data=FORM | {"starts_at": year}),
    ):
        assert answer.status_code == 422
        assert f"2000–2100年之间的日期，实际为“{year}”" in answer.text


def test_what_is_seen_on_a_way_does_not_depend_on_the_zone_it_is_told_in(address, app):
    with reading(app.extensions["gridmap"].engine) as session:
        route, line, stops = read_route(session, uuid.UUID(address.rsplit("/", 1)[1]))
        first = see(session, Actor.owner(), route, line, stops, now=NOW)
        zone = ZoneInfo("Asia/Shanghai")
        session.expunge_all()
        route.starts_at = route.starts_at.astimezone(zone)
        for one in stops:
            one.stop.arrives_at = one.stop.arrives_at.astimezone(zone)
            one.stop.leaves_at = one.stop.leaves_at.astimezone(zone)
        again = see(session, Actor.owner(), route, line, stops, now=NOW.astimezone(zone))
    assert len(first.numbers)
    assert again.passes_at.tolist() == first.passes_at.tolist()
    assert again.overdue.tolist() == first.overdue.tolist()


def test_what_is_not_listed_is_counted_and_in_the_workbook(sign_in, address, app, town, monkeypatch):
    client = sign_in(Role.SUPERVISION)
    monkeypatch.setattr(readiness, "_MOST_SHOWN", 1)
    page = client.get(f"{address}/readiness").text
    total = int(re.search("优先整改 ([0-9]+) 个问题", page).group(1))
    total += int(re.search(r'<small class="muted">([0-9]+)</small></h2>', page).group(1))
    unlisted = re.findall("另有 ([0-9]+) 个未在此列出", page)
    assert total > 1
    assert sum(map(int, unlisted)) == total - 1
    book = load_workbook(io.BytesIO(client.get(f"{address}/readiness.xlsx").data))
    numbers = [row[0].value for sheet in book for row in sheet.rows if isinstance(row[0].value, int)]
    assert len(numbers) == total


def test_other_ways_are_shown_beside_the_one_that_was_laid(sign_in, address):
    client = sign_in(Role.SUPERVISION)
    page = client.get(f"{address}/what-if", query_string={"codes": "p9 P1", "minutes_at_stop": "5"}).text
    assert "按此顺序" in page
    assert page.index("北门车站") < page.index("东风菜市场")
    # The way that was laid costs the same on every page, however it was found.
    same = client.get(f"{address}/what-if").text
    laid, given = re.findall(r"<tr><td>(?:<b>)?(?:原线路|按此顺序).*?</tr>", same, re.DOTALL)
    numbers = [re.findall(r'<td class="number">([0-9.]+)</td>', row) for row in (laid, given)]
    assert numbers[0] == numbers[1]
    assert f">{numbers[0][-1]}</b>" in client.get(f"{address}/readiness").text
    bad = client.get(f"{address}/what-if", query_string={"codes": "P1 Z3 Z4", "starts_at": "noon"})
    assert bad.status_code == 422
    assert 'id="fault-starts_at"' in bad.text
    assert "Z3、Z4" in client.get(f"{address}/what-if", query_string={"codes": "P1 Z3 Z4"}).text


def test_what_a_problem_costs_is_the_headquarters_own_table(sign_in, address, app):
    client = sign_in(Role.SUPERVISION)
    score = r'<b class="score [^"]*">([0-9.]+)</b>'
    before = float(re.search(score, client.get(f"{address}/readiness").text)[1])
    file = app.extensions["gridmap"].settings.data_dir / "deductions.toml"
    file.write_text("[points]\n1 = 0\n2 = 0\n3 = 0\n4 = 0\n5 = 0\n")
    after = client.get(f"{address}/readiness").text
    assert before > 0
    assert float(re.search(score, after)[1]) == 0
    assert "0 / 0 / 0 / 0 / 0" in after
    file.write_text("[points]\n9 = 1\n")
    wrong = client.get(f"{address}/readiness")
    assert (wrong.status_code, "points.9" in wrong.text) == (422, True)


def test_the_book_of_a_route_is_a_pdf_whatever_its_names_are(sign_in, address):
    client = sign_in(Role.SUPERVISION)
    client.post(f"{address}/posts", data={"each": "2"})
    answer = client.get(f"{address}/book.pdf")
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF")
    assert answer.data.count(b"/Subtype /Image") + answer.data.count(b"/Subtype/Image") >= 3
    assert client.get(f"{address}/book.pdf?language=en").data.startswith(b"%PDF")


def test_the_book_of_many_stops_is_made_by_a_job(sign_in, address, monkeypatch):
    monkeypatch.setattr("web.pages.route_book.AT_ONCE", 1)
    client, other = sign_in(Role.SUPERVISION), sign_in(Role.HEADQUARTERS)
    asked = client.get(f"{address}/book.pdf?limit=7")
    assert asked.status_code == 302
    assert 'name="limit" value="7"' in client.get(asked.headers["Location"]).text
    where = client.post(f"{address}/book", data={"limit": "7"}).headers["Location"]
    deadline = time.monotonic() + 60
    while "data-job" in (page := client.get(where).text) and time.monotonic() < deadline:
        time.sleep(0.05)
    (file,) = re.findall(rf'href="({address}/book/[^"]+pdf)"', page)
    with client.get(file) as answer:
        assert answer.data.startswith(b"%PDF")
    assert other.get(file).status_code == 404
    where = client.post(f"{address}/book", data={"limit": "none"}).headers["Location"]
    while "data-job" in (page := client.get(where).text) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert 'role="alert"' in page


def test_a_rehearsal_tells_a_score_and_is_the_same_for_a_seed(sign_in, town):
    client = sign_in(Role.SUPERVISION)
    page = client.get("/inspections/rehearsal?seed=5&size=2").text
    low, high = map(float, re.search(r"([0-9.]+) – ([0-9.]+)</b>", page).groups())
    assert 0 <= low <= high <= 100

    def figures(text):
        return re.findall(r"<td.*?</td>", text)

    assert figures(client.get("/inspections/rehearsal?seed=5&size=2").text) == figures(page)
    bad = client.get("/inspections/rehearsal?seed=x&size=1")
    assert bad.status_code == 422
    assert 'id="fault-seed"' in bad.text
    assert 'id="fault-size"' in bad.text
    none = client.get("/inspections/rehearsal?site_types=bank")
    assert none.status_code == 422
    assert 'id="fault-site_types"' in none.text
