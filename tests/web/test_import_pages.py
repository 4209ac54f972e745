"""What the preview of an import says, and how."""

from __future__ import annotations

import io
import time

import pytest

from gridmap.people.permissions import Role
from gridmap.problems.catalogue import ensure_categories
from gridmap.store.engine import writing

TABLE = """案件编号,问题类别,发现时间,结案时间,问题描述,地址,经度,纬度
T1,占道经营,2026-01-25 10:00,,摊点占道,人民路1号,102.2,40.1
T2,占道经营,2096-01-25 11:00,,摊点占道,人民路2号,102.2,40.1
"""


def draft(client, *, datum, kind="problems", name="问题.csv", text=TABLE):
    sent = client.post(
        "/imports",
        data={
            "kind": kind,
            "datum": datum,
            "timezone": "Asia/Shanghai",
            "file": (io.BytesIO(text.encode()), name),
        },
    )
    assert sent.status_code == 302
    for _ in range(200):
        page = client.get(sent.headers["Location"]).text
        if "data-job" not in page:
            return page
        time.sleep(0.02)
    raise AssertionError(page)


@pytest.fixture(autouse=True)
def categories(app):
    with writing(app.extensions["gridmap"].engine) as session:
        ensure_categories(session)


def test_the_first_rows_are_named_in_chinese_and_timed_as_the_clocks_here(app, sign_in):
    page = draft(sign_in(Role.HEADQUARTERS), datum="wgs84")
    assert "<td>2026-01-25 10:00</td>" in page
    for heading in ("发现时间", "问题描述", "地址", "经度", "纬度"):
        assert f"<th>{heading}</th>" in page
    assert "<label>发现时间" in page
    assert "external_id" not in page
    assert "<td>102.2</td>" in page
    assert "有 1 行的时间不合常理" in page


def test_a_datum_that_was_not_stated_is_chosen_from_a_list(app, sign_in):
    page = draft(sign_in(Role.HEADQUARTERS), datum="")
    assert '<select name="datum">' in page
    assert '<option value="gcj02">' in page


def test_the_layers_of_a_map_file_are_named_in_chinese(app, sign_in):
    map_file = """<osm version="0.6">
    <node id="1" lat="31.2" lon="121.4"/><node id="2" lat="31.2" lon="121.41"/>
    <way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way></osm>"""
    page = draft(sign_in(Role.HEADQUARTERS), datum="", kind="osm", name="城区.osm", text=map_file)
    assert "<th>图层</th><th>行数</th>" in page
    assert "<td>街道（道路）</td><td>1</td>" in page
    assert "<td>street</td>" not in page
