from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, Polygon

from geodata.coordinates import coordinates_of
from geodata.datum import CoordinateSystem, to_wgs84
from geodata.errors import DatumError, FormatError
from geodata.field_guess import COORDINATE_FIELDS, guess_fields
from geodata.tables import Table, read_table

if TYPE_CHECKING:
    from pathlib import Path

WGS84 = CoordinateSystem.parse("wgs84")
GCJ02 = CoordinateSystem.parse("gcj02")


def table(geometry: list[Any] | None = None, crs: str | None = None, **columns: list[Any]) -> Table:
    frame = pd.DataFrame(columns, dtype=object)
    rows = len(geometry) if geometry is not None else len(frame)
    shapes = None if geometry is None else np.array(geometry, dtype=object)
    return Table(frame.reindex(range(rows)), shapes, np.arange(2, rows + 2), crs=crs)


def test_two_columns_of_numbers() -> None:
    rows = table(经度=["121.47", 121.48, None, "没有", "0"], 纬度=["31.23", 31.24, "31", "31", "0"])
    found = coordinates_of(rows, GCJ02, lon_field="经度", lat_field="纬度")
    assert found.refused.tolist() == [False, False, True, True, True]
    lon, lat = to_wgs84([121.47, 121.48], [31.23, 31.24], GCJ02)
    np.testing.assert_array_equal(shapely.get_coordinates(found.geometry[:2]), np.column_stack([lon, lat]))
    assert found.geometry[2:].tolist() == [None] * 3
    assert [str(reason) for reason in found.reasons[2:]] == [
        "Expected a coordinate; found a blank cell.",
        "Expected a number or degrees, minutes and seconds; found '没有'.",
        "Expected a place; found 0, 0, which stands for a missing coordinate.",
    ]
    assert found.reasons[:2].tolist() == [None, None]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("121.5", 121.5),
        (" １２１．５ ", 121.5),
        ("121.5°", 121.5),
        ("121°30′", 121.5),
        ("121°30'00\"", 121.5),
        ("121°30’00”E", 121.5),
        ("121度30分0秒", 121.5),
        ("东经121度30分", 121.5),
        ("E121°30′0.0″", 121.5),
        ("121° 29.5' 30\"", 121.5),
        ("121°30''", 121 + 30 / 3600),
        ("71°30′W", -71.5),
        ("-71.5", -71.5),
        ("-71°30′", -71.5),
        ("西经71.5", -71.5),
    ],
)
def test_angles_as_people_write_them(text: str, value: float) -> None:
    found = coordinates_of(table(x=[text], y=["31"]), WGS84, lon_field="x", lat_field="y")
    assert not found.refused[0], found.reasons[0]
    assert found.geometry[0].x == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("text", ["121°75′", "121°30", "一百二十一", "121,5", "12 1", "121°-5′", "nan"])
def test_other_text_is_no_angle(text: str) -> None:
    found = coordinates_of(table(x=[text], y=["31"]), WGS84, lon_field="x", lat_field="y")
    assert found.refused[0]
    assert repr(text) in str(found.reasons[0])


@given(st.floats(-180, 180), st.integers(0, 3))
def test_degrees_minutes_seconds_mean_the_decimal(value: float, style: int) -> None:
    seconds = round(abs(value) * 3600, 6)
    degrees, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = [
        "{:.0f}°{:.0f}′{:.6f}″{}",
        "{:.0f}度{:.0f}分{:.6f}秒{}",
        "{:.0f}° {:.0f}' {:.6f}\" {}",
        "{:.0f}°{:.0f}′{:.6f}''{}",
    ][style]
    side = "W" if value < 0 else "E"
    if rest >= 59.9999995:
        return
    found = coordinates_of(
        table(x=[text.format(degrees, minutes, rest, side)], y=["31"]), WGS84, lon_field="x", lat_field="y"
    )
    assert not found.refused[0]
    assert found.geometry[0].x == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "121.5,31.25",
        "121.5，31.25",
        "121.5 31.25",
        " (121.5, 31.25) ",
        "[121.5;31.25]",
        "121°30′,31°15′",
        "E121°30′ N31°15′",
        "北纬31°15′，东经121°30′",
        "31.25N, 121.5E",
    ],
)
def test_pairs_in_one_cell(text: str) -> None:
    found = coordinates_of(table(坐标=[text]), WGS84, pair_field="坐标")
    assert not found.refused[0], found.reasons[0]
    assert found.geometry[0].coords[0] == (121.5, 31.25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("31.25,121.5", "exchanged"),
        ("121.5", "'121.5'"),
        ("a,b", "'a,b'"),
        (None, "blank"),
        ("1,2,3", "'1,2,3'"),
    ],
)
def test_other_pairs_are_refused(text: str | None, message: str) -> None:
    found = coordinates_of(table(坐标=[text]), WGS84, pair_field="坐标")
    assert found.refused[0]
    assert message in str(found.reasons[0])


def test_well_known_text() -> None:
    rows = table(wkt=["POINT (121.5 31.25)", "POLYGON ((0 0))", None, "POINT EMPTY", "POINT (31.25 121.5)"])
    found = coordinates_of(rows, WGS84, wkt_field="wkt")
    assert found.refused.tolist() == [False, True, True, True, True]
    assert found.geometry[0] == Point(121.5, 31.25)
    assert ["well-known" in str(r) for r in found.reasons] == [False, True, False, False, False]
    assert "exchanged" in str(found.reasons[4])


def test_geometry_of_the_file_in_the_stated_system() -> None:
    cell = Polygon([(121.4, 31.2), (121.5, 31.2), (121.5, 31.3)])
    rows = table([cell, None, Point(), Point(31, 121)], crs="EPSG:4326")
    found = coordinates_of(rows, GCJ02)
    assert found.refused.tolist() == [False, True, True, True]
    assert found.geometry[0].bounds != cell.bounds
    assert shapely.hausdorff_distance(found.geometry[0], cell) < 0.01
    assert coordinates_of(table([cell]), WGS84).geometry[0] == cell


def test_a_statement_against_the_file_is_refused() -> None:
    rows = table([Point(39528345, 3519345)], crs="EPSG:4527")
    with pytest.raises(DatumError, match="in gcj02, as stated; the file declares EPSG:4527"):
        coordinates_of(rows, GCJ02)
    found = coordinates_of(rows, CoordinateSystem.parse("cgcs2000-gk3-39"))
    assert found.geometry[0].coords[0] == pytest.approx((117.3, 31.8), abs=0.01)


def test_nothing_to_take_places_from() -> None:
    for options in ({}, {"lon_field": "x"}):
        with pytest.raises(FormatError, match="found none"):
            coordinates_of(table(x=["1"]), WGS84, **options)
    with pytest.raises(FormatError, match="found 'z'"):
        coordinates_of(table(x=["1"]), WGS84, lon_field="x", lat_field="z")


def test_no_rows() -> None:
    for fields in ({"lon_field": "x", "lat_field": "x"}, {"pair_field": "x"}, {"wkt_field": "x"}):
        assert len(coordinates_of(table(x=[]), WGS84, **fields).geometry) == 0


@pytest.mark.real
def test_boston_places(real_data: Path) -> None:
    rows = read_table(real_data / "boston_311" / "boston_311_2015Q1.csv.gz")
    fields = guess_fields(rows.columns, COORDINATE_FIELDS)
    assert (fields["lon"], fields["lat"]) == ("LONGITUDE", "LATITUDE")
    found = coordinates_of(rows, WGS84, lon_field=fields["lon"], lat_field=fields["lat"])
    x = pd.to_numeric(rows.frame["LONGITUDE"]).to_numpy()
    np.testing.assert_array_equal(shapely.get_x(found.geometry), x)
    assert not found.refused.any()
    assert shapely.total_bounds(found.geometry) == pytest.approx([-71.186, 42.23, -70.994, 42.395], abs=0.01)


@pytest.mark.real
def test_published_places_from_a_table_in_three_systems(real_data: Path, tmp_path: Path) -> None:
    rows = pd.read_json(real_data / "coord_vectors" / "china_cities.json")
    for code, column in (("gcj02", "GCJ02"), ("bd09", "BD09"), ("bd09mc", "BD09MC")):
        numbers = np.array([place[column] for place in rows.coords])
        path = tmp_path / f"{code}.csv"
        pd.DataFrame(numbers, columns=["经度", "纬度"]).to_csv(path, index=False, encoding="gbk")
        found = coordinates_of(
            read_table(path), CoordinateSystem.parse(code), lon_field="经度", lat_field="纬度"
        )
        expected = np.array([place["WGS84"] for place in rows.coords])
        np.testing.assert_allclose(shapely.get_coordinates(found.geometry), expected, rtol=0, atol=1e-4)
