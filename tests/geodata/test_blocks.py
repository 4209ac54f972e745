from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Point, Polygon, box

from geodata.blocks import cut_into_blocks, street_rank
from geodata.errors import GeometryError
from geodata.projection import LocalProjection
from geodata.tiling import check_tiling

HOME = LocalProjection(121.47, 31.23)


def degrees(shape: Any) -> Any:
    return HOME.inverse([shape])[0]


def street(*points: tuple[float, float]) -> Any:
    return degrees(LineString(points))


AREA = degrees(box(0, 0, 1000, 800))


def assert_tiles(polygons: Any, area: Any) -> None:
    assert shapely.coverage_is_valid(polygons)
    assert set(shapely.get_type_id(polygons)) == {3}
    assert shapely.is_valid(polygons).all()
    assert check_tiling(polygons, area).clean
    metric = HOME.forward([shapely.union_all(polygons), shapely.segmentize(area, 5e-4)])
    off = shapely.area(shapely.symmetric_difference(*metric))
    assert off < 2e-3 * metric[1].length


def test_ranks() -> None:
    assert street_rank(["motorway_link", "primary", "residential", "footway", None]).tolist() == [
        8,
        6,
        2,
        0,
        0,
    ]


def test_a_cross_of_streets_makes_four_blocks_and_a_dead_end_none() -> None:
    streets = [
        street((500, -50), (500, 850)),
        street((-50, 300), (1050, 300)),
        street((700, 300), (700, 500)),
    ]
    blocks = cut_into_blocks(AREA, streets, ["primary", "residential", "residential"])
    assert_tiles(blocks.polygons, AREA)
    assert sorted(blocks.area_m2) == pytest.approx([150e3, 150e3, 250e3, 250e3], rel=1e-4)
    borders = blocks.borders
    by_class = {(borders.road_class(i), round(borders.length_m[i])) for i in range(len(borders.length_m))}
    assert by_class == {("primary", 300), ("primary", 500), ("residential", 500)}
    assert borders.is_main.sum() == 2


def test_paths_do_not_cut() -> None:
    blocks = cut_into_blocks(AREA, [street((500, -50), (500, 850))], ["footway"])
    assert len(blocks.polygons) == 1


def test_the_strip_between_carriageways_is_shared_along_its_middle() -> None:
    streets = [
        street((-50, 390), (300, 390), (500, 390), (700, 390), (1050, 390)),
        street((-50, 410), (300, 410), (700, 410), (1050, 410)), street((500, -50), (500, 390)),
        street((300, 390), (300, 410)), street((700, 390), (700, 410)),
    ]  # fmt: skip
    classes = ["primary", "primary", "residential", "primary_link", "primary_link"]
    blocks = cut_into_blocks(AREA, streets, classes)
    assert blocks.ribbons == 3
    assert_tiles(blocks.polygons, AREA)
    assert sorted(blocks.area_m2) == pytest.approx([200e3, 200e3, 400e3], rel=5e-3)
    assert sorted(zip(blocks.borders.rank.tolist(), blocks.borders.is_main.tolist(), strict=True)) == [
        (2, False),
        (6, True),
        (6, True),
    ]
    north = blocks.metric[blocks.area_m2.argmax()]
    at = shapely.get_coordinates(HOME.forward(blocks.projection.inverse([north])))
    inner = (at[:, 0] > 5) & (at[:, 0] < 995)  # the rim of the area has vertices of its own
    low = at[inner & (at[:, 1] < 600), 1]
    assert len(low) > 0
    assert (np.abs(low - 400) < 3).all()
    kept = cut_into_blocks(AREA, streets, classes, ribbon_width_m=0)
    assert len(kept.polygons) == 6


def test_narrow_blocks_between_lanes_are_no_ribbons() -> None:
    lanes = [street((-50, y), (1050, y)) for y in range(100, 400, 30)]
    blocks = cut_into_blocks(AREA, lanes, ["residential"] * len(lanes))
    assert blocks.ribbons == 0
    assert len(blocks.polygons) == len(lanes) + 1


def test_islands_holes_and_no_streets() -> None:
    area = degrees(
        MultiPolygon([box(0, 0, 300, 300).difference(box(100, 100, 200, 200)), box(400, 0, 500, 100)])
    )
    blocks = cut_into_blocks(area, [], [])
    assert_tiles(blocks.polygons, area)
    assert len(blocks.polygons) == 2
    assert blocks.borders.first.size == 0


def test_an_area_that_is_all_ribbon_keeps_its_ground() -> None:
    area = degrees(box(0, 0, 500, 30))
    streets = [street((0, 0), (500, 0)), street((0, 30), (500, 30)), street((250, 0), (250, 30))]
    blocks = cut_into_blocks(area, streets, ["primary"] * 3)
    assert_tiles(blocks.polygons, area)


@pytest.mark.parametrize(
    ("area", "streets", "classes", "options", "match"),
    [
        (Polygon(), [], [], {}, "area"),
        (Point(121.47, 31.23), [], [], {}, "area"),
        (AREA, [street((0, 0), (9, 9))], [], {}, "one road class"),
        (AREA, [Point(121.47, 31.23)], ["primary"], {}, "found Point"),
        (AREA, [None], ["primary"], {}, "found None"),
        (AREA, [street((5000, 0), (5000, 9))], ["primary"], {}, "none of them touches"),
        (AREA, [], [], {"ribbon_width_m": -1}, "ribbon width"),
    ],
)
def test_bad_input(area: Any, streets: Any, classes: Any, options: dict[str, float], match: str) -> None:
    with pytest.raises(GeometryError, match=match):
        cut_into_blocks(area, streets, classes, **options)


ends = st.tuples(st.floats(-100, 1100), st.floats(-100, 900))
roads = st.lists(
    st.tuples(
        st.lists(ends, min_size=2, max_size=4, unique=True),
        st.sampled_from(["primary", "tertiary", "residential", "footway"]),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(roads)
def test_blocks_tile_the_area_whatever_the_streets(plan: list[tuple[list[tuple[float, float]], str]]) -> None:
    ring = MultiLineString([[(10, 10), (990, 10), (990, 790)], [(990, 790), (10, 790), (10, 10)]])
    streets = [degrees(LineString(points)) for points, _ in plan] + [degrees(ring)]
    blocks = cut_into_blocks(AREA, streets, [road for _, road in plan] + ["residential"])
    assert_tiles(blocks.polygons, AREA)
    borders = blocks.borders
    assert (borders.first < borders.second).all()
    outline = shapely.length(blocks.metric).sum() - shapely.length(shapely.union_all(blocks.metric))
    assert borders.length_m.sum() == pytest.approx(outline / 2, abs=1e-3)
