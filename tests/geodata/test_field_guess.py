from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.field_guess import COORDINATE_FIELDS, guess_fields

PEOPLE = {
    "name": ("姓名", "名字", "name"),
    "phone": ("电话", "手机", "phone", "mobile"),
    "duty": ("职责", "职务"),
}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["经度", "纬度"], ("经度", "纬度", None, None)),
        (["LATITUDE", "LONGITUDE"], ("LONGITUDE", "LATITUDE", None, None)),
        (["X", "Y", "name"], ("X", "Y", None, None)),
        (["gps_lat", "gps_lon", "plate", "longest"], ("gps_lon", "gps_lat", None, None)),
        (["地址", "经纬度"], (None, None, "经纬度", None)),
        (["经度(GCJ02)", "纬度(GCJ02)"], ("经度(GCJ02)", "纬度(GCJ02)", None, None)),
        (["*经 度", "*纬 度"], ("*经 度", "*纬 度", None, None)),
        (["ｌｎｇ", "ｌａｔ"], ("ｌｎｇ", "ｌａｔ", None, None)),
        (["pointLng", "pointLat"], ("pointLng", "pointLat", None, None)),
        (["the_geom"], (None, None, None, "the_geom")),
        (["百度经度", "百度纬度", "经度"], ("经度", "百度纬度", None, None)),
        (["tax", "day"], (None, None, None, None)),
        ([], (None, None, None, None)),
    ],
)
def test_coordinate_columns(columns: list[str], expected: tuple[str | None, ...]) -> None:
    assert tuple(guess_fields(columns, COORDINATE_FIELDS).values()) == expected


def test_an_exact_name_beats_an_earlier_partial_one() -> None:
    columns = ["负责人姓名", "姓名（必填）", "办公电话", "电话号码", "主要职责"]
    assert guess_fields(columns, PEOPLE) == {"name": "姓名（必填）", "phone": "电话号码", "duty": "主要职责"}


def test_a_column_goes_to_one_target_only() -> None:
    assert guess_fields(["姓名"], {"a": ("姓名",), "b": ("姓名",)}) == {"a": "姓名", "b": None}


@given(st.lists(st.text(max_size=8), unique=True, max_size=8))
def test_any_names_are_guessed_without_doubling(columns: list[str]) -> None:
    guess = guess_fields(columns, PEOPLE | dict(COORDINATE_FIELDS))
    used = [column for column in guess.values() if column is not None]
    assert len(set(used)) == len(used)
    assert set(used) <= set(columns)
