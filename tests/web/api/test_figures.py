"""Figures over HTTP: the page, the list behind each number, Excel, and what a reader may see of them."""

from __future__ import annotations

import io
import re
from html import unescape
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from openpyxl import load_workbook

from gridmap.figures.formulas import COUNTS, RATES
from gridmap.people.permissions import Role

LONG = {"first": "2026-01-01", "last": "2100-01-01"}


@pytest.fixture
def period(town):
    # The day in the installation's time zone: near midnight it is another one than here.
    today = town.now.astimezone(ZoneInfo("Asia/Shanghai")).date()
    return {"first": today.replace(year=today.year - 1, day=1).isoformat(), "last": today.isoformat()}


def get(client, path, **query):
    answer = client.get(f"/api/v1/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.parametrize(
    "by", ["district", "community", "cell", "road", "major", "organisation", "person", "source", "day"]
)
def test_the_list_behind_a_number_has_that_many(sign_in, town, period, by):
    client = sign_in()
    found = get(client, "figures", by=by, **period)
    assert found["total"]["counts"]["found"] == len(town.frame[~town.frame["doubtful"]])
    lines = [(line["key"], line) for line in found["lines"][:3]]
    for key, line in [(None, found["total"]), *lines]:
        for name, count in line["counts"].items():
            query = {"figure": name, "by": by, **period} | ({} if key is None else {"key": key})
            behind = get(client, "figures/problems", limit=1000, **query)
            assert behind["total"] == len(behind["features"]) == count, (name, key)


def test_nothing_of_another_area_is_counted_listed_or_exported(sign_in, town, period):
    mine = town.communities[0]
    client = sign_in(Role.AREA_MANAGER, area_id=mine.id)
    frame = town.frame[(town.frame["area"] == mine.id) & ~town.frame["doubtful"]]
    found = get(client, "figures", by="organisation", **period)
    assert (
        found["total"]["counts"]["found"]
        == len(frame)
        == sum(line["counts"]["found"] for line in found["lines"])
    )
    behind = get(client, "figures/problems", limit=1000, **period)
    assert {f["properties"]["uid"] for f in behind["features"]} == set(frame["uid"])
    other = client.get("/api/v1/figures", query_string={"area": str(town.communities[1].uid)})
    assert other.status_code == 422
    page = client.get("/figures", query_string={"by": "community", **period}).text
    assert town.communities[0].name in page
    assert town.communities[1].name not in page.replace(f"{town.communities[1].name}中队", "")


def test_the_page_shows_every_number_with_its_formula_and_the_list_behind(sign_in, town, period):
    client = sign_in()
    found = get(client, "figures", by="community", **period)
    page = client.get("/figures", query_string={"by": "community", "columns": "all", **period}).text
    for figure in (*COUNTS.values(), *RATES.values()):
        assert figure.chinese in page
    links = [unescape(link) for link in re.findall(r'href="(/figures/list[^"]*)"', page)]
    behind = {parse_qs(link.split("?")[1])["figure"][0] for link in links if "key=" not in link}
    total = found["total"]
    assert behind >= {name for name, n in total["counts"].items() if n} | {
        name for name, hours in total["hours"].items() if hours is not None
    }
    tally = page.split('class="tally"')[1].split("</ul>")[0]
    for rate in (RATES["closing_rate"], RATES["rework_rate"]):
        assert total["rates"][rate.name] is not None
        for name in (rate.numerator, rate.denominator):
            assert re.search(rf"figure={name}[^>]*>{total['counts'][name]}<", tally), name
    shown = client.get("/figures/list", query_string={"figure": "closed", **period}).text
    assert f"({found['total']['counts']['closed']})" in shown
    assert len(re.findall(r'href="/problems/', shown)) == min(100, found["total"]["counts"]["closed"])


def test_behind_a_median_stand_those_it_was_taken_from_the_quickest_first(sign_in, town, period):
    client = sign_in()
    hours = get(client, "figures", **period)["total"]["hours"]["to_close"]
    listed, cursor = [], {}
    while cursor is not None:
        page = get(client, "figures/problems", figure="to_close", limit=7, **period, **cursor)
        listed += page["features"]
        cursor = {"cursor": page["next"]} if page["next"] else None
    times = [one["properties"] for one in listed]
    assert {one["state"] for one in times} == {"closed"}
    assert len({one["uid"] for one in times}) == len(times) == page["total"]
    span = pd.to_datetime([t["closed_at"] for t in times]) - pd.to_datetime([t["found_at"] for t in times])
    taken = span / pd.Timedelta(hours=1)
    assert list(taken) == sorted(taken)
    assert hours == pytest.approx(taken.to_series().median(), abs=0.001)
    shown = client.get("/figures/list", query_string={"figure": "to_close", "limit": 7, **period}).text
    assert f"{hours:.1f}" in shown
    assert f'<td class="number">{taken[0]:.1f}</td>' in shown


def test_pages_of_a_list_follow_each_other(sign_in, town, period):
    client = sign_in()
    first = client.get("/figures/list", query_string={"limit": 100, **period}).text
    following = unescape(re.search(r'href="(/figures/list[^"]*cursor[^"]*)"', first).group(1))
    second = client.get(following).text
    uids = [re.findall(r"open=problem/([0-9a-f-]{36})", page) for page in (first, second)]
    assert not set(uids[0]) & set(uids[1])


def test_an_empty_period_says_what_to_do(sign_in, town):
    page = sign_in().get("/figures", query_string={"first": "1990-01-01", "last": "1990-01-02"})
    assert page.status_code == 200
    assert "请延长统计周期" in page.text


@pytest.mark.parametrize(
    ("name", "value"), [("by", "colour"), ("first", "2026-02-30"), ("sort", "best"), ("moon", "1")]
)
def test_a_wrong_address_is_explained_on_a_page(sign_in, town, name, value):
    answer = sign_in().get("/figures", query_string={name: value})
    assert answer.status_code == 422
    assert "<h1>422</h1>" in answer.text


def test_excel_holds_the_table_and_the_formulas(sign_in, town, period):
    client = sign_in()
    found = get(client, "figures", by="community", **period)
    answer = client.get("/figures/figures.xlsx", query_string={"by": "community", **period})
    assert answer.status_code == 200
    book = load_workbook(io.BytesIO(answer.data))
    sheet, notes = book["统计指标"], book["计算公式"]
    rows = list(sheet.values)
    assert rows[2][:3] == ("社区", "受理数", "作废重复数")
    assert [row[0] for row in rows[3:]] == [*(line["name"] for line in found["lines"]), "合计"]
    assert list(rows[-1][1 : 1 + len(COUNTS)]) == list(found["total"]["counts"].values())
    share = rows[-1][rows[2].index("整改率")]
    assert share == pytest.approx(found["total"]["rates"]["rectification_rate"], abs=1e-6)
    assert ("结案率", "结案数 ÷ 应结案数", "GB/T 30428.4") in list(notes.values)
    assert sign_in(Role.READ_ONLY).get("/figures/figures.xlsx", query_string=period).status_code == 403
