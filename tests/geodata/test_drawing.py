from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Polygon, box

from geodata.block_work import Work
from geodata.drawing import SpanReason, draw_cells
from geodata.errors import GeometryError
from geodata.projection import LocalProjection
from geodata.tiling import check_tiling

REAL_DATA = Path(os.environ.get("GRIDMAP_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
HOME = LocalProjection(121.47, 31.23)


def degrees(shape: Any) -> Any:
    return HOME.inverse([shape])[0]


AREA = degrees(box(0, 0, 2000, 1600))


def town(main: tuple[float, ...] = (1000,)) -> tuple[list[Any], list[str]]:
    """Streets every 100 m, main roads northwards at the places given."""
    lines = [LineString([(x, -20), (x, 1620)]) for x in range(100, 2000, 100) if x not in main]
    lines += [LineString([(-20, y), (2020, y)]) for y in range(100, 1600, 100)]
    roads = [LineString([(x, -20), (x, 1620)]) for x in main]
    return [degrees(line) for line in lines + roads], ["residential"] * len(lines) + ["primary"] * len(roads)


def real_streets(name: str) -> tuple[list[Any], list[str]]:
    path = REAL_DATA / name
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"real data missing: {path}")
        pytest.skip(f"real data missing: {path}")
    lines, classes = [], []
    for way in osmium.FileProcessor(path).with_locations():
        if way.is_way() and "highway" in way.tags:
            at = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
            if len(at) > 1:
                lines.append(LineString(at))
                classes.append(way.tags["highway"])
    return lines, classes


def assert_drawn(drawn: Any, area: Any, count: int) -> None:
    assert len(drawn.cells) == len(drawn.work) == count
    assert set(shapely.get_type_id(drawn.cells)) == {3}
    assert check_tiling(drawn.cells, area).clean


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "box_", "count", "spans"),
    [
        ("osm_shanghai_center/shanghai_center.osm.pbf", (121.42, 31.19, 121.53, 31.28), 60, 42),
        ("osm_shanghai_center/shanghai_center.osm.pbf", (121.42, 31.19, 121.53, 31.28), 200, 58),
        ("osm_hsinchu_zhubei/hsinchu_zhubei.osm.pbf", (121.010, 24.816, 121.025, 24.843), 20, 6),
        ("osm_nanjing_xinjiekou/nanjing_xinjiekou.osm.pbf", (118.766, 32.036, 118.795, 32.051), 12, 6),
    ],
)
def test_real_cities(name: str, box_: tuple[float, ...], count: int, spans: int) -> None:
    lines, classes = real_streets(name)
    drawn = draw_cells(box(*box_), lines, classes, count=count)
    assert_drawn(drawn, box(*box_), count)
    assert drawn.imbalance <= 1.15
    assert drawn.least_spans <= len(drawn.spans) <= spans


def test_a_town_with_a_main_road_keeps_to_it() -> None:
    drawn = draw_cells(AREA, *town(), count=8, work=Work(per_km2=0))
    assert_drawn(drawn, AREA, 8)
    assert drawn.imbalance <= 1.1
    assert drawn.spans == ()
    assert drawn.remarks == ()
    assert drawn.off_street_m == 0


def test_cells_span_a_main_road_where_a_side_is_too_small() -> None:
    drawn = draw_cells(AREA, *town(main=(1900,)), count=4)
    assert drawn.imbalance <= 1.15
    assert drawn.spans
    assert {(span.road_class, span.reason) for span in drawn.spans} == {("primary", SpanReason.SMALL)}


def test_work_pulls_cells_together() -> None:
    rng = np.random.default_rng(1)
    lon, lat = HOME.inverse_xy(rng.random(400) * 500, rng.random(400) * 400)
    drawn = draw_cells(AREA, *town(), count=10, work=Work(lon, lat, 5.0))
    assert_drawn(drawn, AREA, 10)
    assert drawn.imbalance <= 1.15
    corner = degrees(box(0, 0, 500, 400))
    assert shapely.intersects(drawn.cells, corner.buffer(-1e-5)).sum() >= 8


def test_one_overloaded_block_is_cut() -> None:
    rng = np.random.default_rng(1)
    lon, lat = HOME.inverse_xy(520 + rng.random(300) * 60, 520 + rng.random(300) * 60)
    drawn = draw_cells(AREA, *town(), count=6, work=Work(lon, lat, 1.0, per_km=0.1))
    assert_drawn(drawn, AREA, 6)
    assert drawn.imbalance <= 1.15
    assert drawn.off_street_m > 0


def test_all_work_in_one_place_cannot_be_balanced_and_is_said() -> None:
    lon, lat = HOME.inverse_xy([550], [550])
    drawn = draw_cells(AREA, *town(), count=6, work=Work(lon, lat, 1e6))
    assert_drawn(drawn, AREA, 6)
    assert drawn.imbalance > 5
    assert "busiest" in str(drawn.remarks[-1])


def test_without_streets_the_ground_is_cut_straight() -> None:
    drawn = draw_cells(AREA, [], [], count=7)
    assert_drawn(drawn, AREA, 7)
    assert drawn.imbalance <= 1.1
    assert "no streets" in str(drawn.remarks[0])
    nothing = draw_cells(AREA, [], [], count=3, work=Work(per_km=0, per_km2=0))
    assert_drawn(nothing, AREA, 3)


def test_islands_share_the_cells_and_islets_join() -> None:
    main, island, islet = box(0, 0, 1000, 1000), box(1200, 0, 1700, 1000), box(1800, 0, 1850, 50)
    area = degrees(MultiPolygon([main, island, islet]))
    drawn = draw_cells(area, [], [], count=6)
    home = [drawn.cells[i].intersects(degrees(main)) for i in range(6)]
    assert sum(home) == 4
    assert sorted(shapely.get_num_geometries(drawn.cells)) == [1, 1, 1, 1, 1, 2]
    assert "islets" in str(drawn.remarks[-1])
    assert len(draw_cells(area, [], [], count=1).cells) == 1


def test_work_per_cell_decides_the_number_and_places_outside_are_told() -> None:
    lon, lat = HOME.inverse_xy([100, 9000], [100, 100])
    told: list[float] = []
    drawn = draw_cells(AREA, *town(), work=Work(lon, lat), work_per_cell=12.0, progress=told.append)
    assert len(drawn.cells) == round(drawn.work.sum() / 12)
    assert "1 places" in str(drawn.remarks[0])
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_same_seed_draws_the_same() -> None:
    one, same = (draw_cells(AREA, *town(), count=9, seed=3) for _ in range(2))
    assert shapely.equals_exact(one.cells, same.cells, 0).all()


@pytest.mark.parametrize(
    ("area", "options", "match"),
    [
        (Polygon(), {"count": 2}, "area"),
        (AREA, {}, "either"),
        (AREA, {"count": 2, "work_per_cell": 2.0}, "either"),
        (AREA, {"count": 0}, "at least 1"),
        (AREA, {"work_per_cell": 0.0}, "above 0"),
        (AREA, {"count": 5000}, "at most"),
        (AREA, {"count": 2, "work": Work([1], [])}, "one longitude"),
        (degrees(box(50_000, 0, 51_000, 900)), {"count": 2}, "none of them touches"),
    ],
)
def test_bad_orders(area: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises(GeometryError, match=match):
        draw_cells(area, *town(), **options)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(0, 1000), st.integers(0, 300))
def test_cells_tile_whatever_the_work(count: int, seed: int, places: int) -> None:
    rng = np.random.default_rng(seed)
    lon, lat = HOME.inverse_xy(rng.random(places) ** 3 * 2000, rng.random(places) ** 2 * 1600)
    lines, classes = town(main=(300, 1200))
    keep = rng.random(len(lines)) < 0.6
    lines, classes = (
        [x for x, k in zip(lines, keep, strict=True) if k],
        [x for x, k in zip(classes, keep, strict=True) if k],
    )
    drawn = draw_cells(AREA, lines, classes, count=count, seed=seed, work=Work(lon, lat, rng.random(places)))
    assert_drawn(drawn, AREA, count)
    assert drawn.imbalance <= 1.5
