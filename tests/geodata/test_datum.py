from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer
from shapely import MultiPolygon, Point, Polygon

from geodata.datum import (
    CoordinateSystem,
    from_wgs84,
    geometries_from_wgs84,
    geometries_to_wgs84,
    geometries_to_wgs84_rows,
    to_wgs84,
    to_wgs84_rows,
)
from geodata.errors import DatumError

if TYPE_CHECKING:
    from pathlib import Path

parse = CoordinateSystem.parse
WGS84 = parse("wgs84")

# Inside the rectangle of the shift by more than the shift, and inside China's grid zones.
china = st.tuples(st.floats(74, 134), st.floats(4, 53))


def cities(real_data: Path, system: str) -> np.ndarray:
    rows = json.loads((real_data / "coord_vectors" / "china_cities.json").read_text(encoding="utf-8"))
    return np.array([row["coords"][system] for row in rows]).T


@pytest.mark.real
@pytest.mark.parametrize(
    ("code", "column", "tolerance"),
    [
        ("gcj02", "GCJ02", 1e-4),
        ("bd09", "BD09", 1e-4),
        ("bd09mc", "BD09MC", 1e-4),
    ],
)
def test_published_vectors_to_wgs84(real_data: Path, code: str, column: str, tolerance: float) -> None:
    found = to_wgs84(*cities(real_data, column), parse(code))
    np.testing.assert_allclose(found, cities(real_data, "WGS84"), rtol=0, atol=tolerance)
    assert len(found[0]) == 332


@pytest.mark.real
@pytest.mark.parametrize(
    ("code", "column", "tolerance"),
    [
        ("gcj02", "GCJ02", 1e-5),
        ("bd09", "BD09", 1e-5),
        ("EPSG:3857", "EPSG3857", 0.01),
    ],
)
def test_published_vectors_from_wgs84(real_data: Path, code: str, column: str, tolerance: float) -> None:
    found = from_wgs84(*cities(real_data, "WGS84"), parse(code))
    np.testing.assert_allclose(found, cities(real_data, column), rtol=0, atol=tolerance)


@pytest.mark.real
def test_published_vectors_between_gcj02_and_bd09(real_data: Path) -> None:
    lon, lat = to_wgs84(*cities(real_data, "BD09"), parse("bd09"))
    found = from_wgs84(lon, lat, parse("gcj02"))
    np.testing.assert_allclose(found, cities(real_data, "GCJ02"), rtol=0, atol=1e-5)


@pytest.mark.real
def test_baidu_metres_are_within_20_cm_of_the_published_ones(real_data: Path) -> None:
    lon, lat = to_wgs84(*cities(real_data, "BD09"), parse("bd09"))
    found = from_wgs84(lon, lat, parse("bd09mc"))
    np.testing.assert_allclose(found, cities(real_data, "BD09MC"), rtol=0, atol=0.2)


def plain_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 once more, in scalars and in the order of the published text."""
    sin, pi = math.sin, math.pi
    x, y = lon - 105.0, lat - 35.0
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    d_lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    for wave, size in ((6, 20), (2, 20)):
        d_lat += size * sin(wave * x * pi) * 2 / 3
        d_lon += size * sin(wave * x * pi) * 2 / 3
    for part, north, east in ((1, 20, 20), (3, 40, 40), (12, 160, 150), (30, 320, 300)):
        d_lat += north * sin(y / part * pi) * 2 / 3
        d_lon += east * sin(x / part * pi) * 2 / 3
    a, ee = 6378245.0, 0.00669342162296594323
    magic = 1 - ee * sin(lat / 180 * pi) ** 2
    d_lat = d_lat * 180 / ((a * (1 - ee)) / (magic * math.sqrt(magic)) * pi)
    d_lon = d_lon * 180 / (a / math.sqrt(magic) * math.cos(lat / 180 * pi) * pi)
    return lon + d_lon, lat + d_lat


@given(china)
def test_gcj02_equals_the_formula_in_scalars(place: tuple[float, float]) -> None:
    x, y = from_wgs84(*place, parse("gcj02"))
    assert (x[0], y[0]) == pytest.approx(plain_gcj02(*place), abs=1e-11)


@given(china, st.sampled_from(["wgs84", "cgcs2000", "gcj02", "bd09", "bd09mc", "EPSG:3857"]))
def test_round_trips_return_to_a_thousandth_of_a_millimetre(place: tuple[float, float], code: str) -> None:
    lon, lat = to_wgs84(*from_wgs84(*place, parse(code)), parse(code))
    assert (lon[0], lat[0]) == pytest.approx(place, abs=1e-9)


@given(china, st.sampled_from([3, 6]), st.booleans())
def test_round_trips_through_the_zone_of_a_place(
    place: tuple[float, float], width: int, by_meridian: bool
) -> None:
    number = min(max(round(place[0] / 3), 25), 45) if width == 3 else min(max(int(place[0] // 6) + 1, 13), 23)
    meridian = number * 3 if width == 3 else number * 6 - 3
    system = parse(f"cgcs2000-gk{width}-cm{meridian}" if by_meridian else f"cgcs2000-gk{width}-{number}")
    x, y = from_wgs84(*place, system)
    assert int(x[0] // 1e6) == (0 if by_meridian else number)
    lon, lat = to_wgs84(x, y, system)
    assert (lon[0], lat[0]) == pytest.approx(place, abs=1e-9)


def test_gauss_kruger_zones_name_the_epsg_codes() -> None:
    assert parse("cgcs2000-gk3-39").crs == "EPSG:4527"
    assert parse("CGCS2000_GK3_CM117").crs == "EPSG:4548"
    assert parse("EPSG:4547") == parse("cgcs2000-gk3-cm114")
    assert parse("cgcs2000-gk6-20").crs == "EPSG:4498"
    for code in ("cgcs2000-gk3-39", "cgcs2000-gk3-cm117"):
        independent = Transformer.from_crs(4490, parse(code).crs, always_xy=True).transform(117.3, 31.8)
        np.testing.assert_allclose(np.ravel(from_wgs84(117.3, 31.8, parse(code))), independent, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("gcj02", "gcj02"),
        ("GCJ-02", "gcj02"),
        (" 火星坐标 ", "gcj02"),
        ("WGS 84", "wgs84"),
        ("EPSG:4326", "wgs84"),
        ("OGC:CRS84", "wgs84"),
        ("epsg 4490", "cgcs2000"),
        ("BD-09", "bd09"),
        ("EPSG:32651", "EPSG:32651"),
    ],
)
def test_names_are_read_with_some_grace(text: str, code: str) -> None:
    assert parse(text).code == code
    assert parse(parse(text).code) == parse(text)


@pytest.mark.parametrize("text", ["", "mars", "cgcs2000-gk4-39", "gk3-39"])
def test_an_unknown_name_is_answered_with_the_list(text: str) -> None:
    with pytest.raises(DatumError, match=r"wgs84, cgcs2000, gcj02, bd09.*cgcs2000-gk3-25…45.*EPSG"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cgcs2000-gk3-50", "25 to 45"),
        ("cgcs2000-gk3-cm118", "steps of 3"),
        ("EPSG:99999", "coordinate reference system"),
        ("EPSG:4978", "easting and northing"),
        ("EPSG:4610", "Xian 1980"),
    ],
)
def test_systems_that_do_not_exist_or_lead_nowhere_are_refused(text: str, message: str) -> None:
    with pytest.raises(DatumError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("code", "x", "y", "message"),
    [
        ("wgs84", 31.23, 121.47, "exchanged: 31.23, 121.47"),
        ("gcj02", 43.8, 87.6, "exchanged"),
        ("wgs84", 39521345.2, 3462345.1, "found metres"),
        ("bd09", 13520000, 3640000, "found metres"),
        ("wgs84", 0, 0, "missing coordinate"),
        ("wgs84", math.nan, 31, "empty or infinite"),
        ("cgcs2000", -71.06, 42.36, "72.004…137.8347"),
        ("wgs84", 200, 99, "outside: 200, 99"),
        ("cgcs2000-gk3-39", 117.3, 31.8, "found degrees"),
        ("cgcs2000-gk3-39", 40528345, 3519345, "zone number 39; found another"),
        ("cgcs2000-gk3-39", 528345, 3519345, "zone number 39; found none"),
        ("cgcs2000-gk3-cm117", 39528345, 3519345, "without a zone number"),
        ("cgcs2000-gk3-39", 3519345, 39528345, "easting before northing"),
        ("cgcs2000-gk3-cm117", 3519345, 528345, "easting before northing"),
        ("EPSG:3857", 121.47, 31.23, "found degrees"),
        ("EPSG:3857", 3662345, 13522345, "easting before northing"),
        ("bd09mc", 13522345, 33662345, "outside"),
        ("EPSG:2326", 121.47, 31.23, "found degrees"),
    ],
)
def test_numbers_of_another_system_are_refused_with_what_was_found(
    code: str, x: float, y: float, message: str
) -> None:
    with pytest.raises(DatumError) as caught:
        to_wgs84(x, y, parse(code))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("code", "x", "y"),
    [
        ("wgs84", 15.64, 78.22),
        ("wgs84", -71.06, 42.36),
        ("gcj02", -71.06, 42.36),
        ("EPSG:2326", 835000, 816000),
    ],
)
def test_real_places_elsewhere_are_not_refused(code: str, x: float, y: float) -> None:
    lon, lat = to_wgs84(x, y, parse(code))
    if parse(code).is_geographic:
        assert (lon[0], lat[0]) == (x, y)
    else:
        assert (lon[0], lat[0]) == pytest.approx((114.157, 22.28), abs=0.01)


def test_rows_are_refused_one_by_one() -> None:
    placed = to_wgs84_rows([121.47, 31.23, 0, 121.5, np.nan, 31.3], [31.23, 121.47, 0, 31.2, 1, 121.4], WGS84)
    assert placed.refused.tolist() == [False, True, True, False, True, True]
    assert [reason is not None for reason in placed.reasons] == placed.refused.tolist()
    assert placed.reasons[1] is placed.reasons[5]
    assert "31.23 … 31.3, 121.4 … 121.47" in str(placed.reasons[1])
    np.testing.assert_array_equal(np.isnan(placed.lon), placed.refused)
    assert placed.lon[0] == 121.47


def test_no_rows_are_no_problem() -> None:
    placed = to_wgs84_rows([], [], parse("bd09"))
    assert len(placed.lon) == len(placed.reasons) == 0


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(DatumError, match="one length"):
        to_wgs84([1, 2], [1], WGS84)


def test_geometries_move_with_their_points_and_lose_their_height() -> None:
    cell = Polygon([(121.4, 31.2, 5), (121.5, 31.2, 5), (121.5, 31.3, 5)], [])
    moved = geometries_to_wgs84([cell, None, MultiPolygon([cell]), Point()], parse("bd09"))
    lon, lat = to_wgs84([121.4, 121.5, 121.5, 121.4], [31.2, 31.2, 31.3, 31.2], parse("bd09"))
    np.testing.assert_array_equal(shapely.get_coordinates(moved[0]), np.column_stack([lon, lat]))
    assert moved[1] is None
    assert moved[2].geom_type == "MultiPolygon"
    assert moved[3].is_empty
    assert not shapely.has_z(moved).any()
    assert cell.has_z
    back = geometries_from_wgs84(moved, parse("bd09"))
    assert shapely.equals_exact(back[0], shapely.force_2d(cell), 1e-9)


def test_a_geometry_with_one_bad_corner_is_refused_alone() -> None:
    good, bad = Point(121.4, 31.2), Polygon([(121.4, 31.2), (31.2, 121.4), (121.5, 31.3)])
    placed = geometries_to_wgs84_rows([good, bad, good], parse("gcj02"))
    assert placed.refused.tolist() == [False, True, False]
    assert placed.geometry[1] is None
    assert placed.geometry[2].equals(placed.geometry[0])
    assert "exchanged" in str(placed.reasons[1])
    with pytest.raises(DatumError, match="exchanged"):
        geometries_to_wgs84([good, bad], parse("gcj02"))


ESRI_ZONE_39 = (
    'PROJCS["CGCS2000_3_Degree_GK_Zone_39",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",'
    'DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",39500000.0],'
    'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",117.0],PARAMETER["Scale_Factor",1.0],'
    'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)


@pytest.mark.parametrize(
    ("code", "declared", "agrees"),
    [
        ("gcj02", "EPSG:4326", True),
        ("bd09", "OGC:CRS84", True),
        ("wgs84", "EPSG:4490", True),
        ("cgcs2000", "EPSG:4326", True),
        ("wgs84", "EPSG:4610", False),
        ("wgs84", "EPSG:3857", False),
        ("bd09mc", "EPSG:3857", True),
        ("cgcs2000-gk3-39", "EPSG:4527", True),
        ("cgcs2000-gk3-39", ESRI_ZONE_39, True),
        ("cgcs2000-gk3-cm117", ESRI_ZONE_39, False),
        ("cgcs2000-gk3-39", "EPSG:4326", False),
        ("gcj02", ESRI_ZONE_39, False),
        ("EPSG:3826", "EPSG:3826", True),
    ],
)
def test_a_declared_crs_agrees_or_contradicts(code: str, declared: str, agrees: bool) -> None:
    assert parse(code).agrees_with(declared) is agrees
