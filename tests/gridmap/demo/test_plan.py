from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.tiling import check_tiling
from gridmap.demo.ground import CENTRE
from gridmap.demo.plan import Plan, draw_plan


def assert_tiles(plan: Plan) -> None:
    cells = plan.cells["geometry"].to_numpy()
    areas = plan.areas["geometry"].to_numpy()
    assert shapely.is_valid(cells).all()
    assert shapely.coverage_is_valid(cells)
    metric, land = CENTRE.forward(cells), CENTRE.forward(areas)
    owner = plan.cells["area"].to_numpy()
    for level in ("district", "subdistrict", "community"):
        rows = np.flatnonzero(plan.areas["level"] == level)
        assert shapely.coverage_is_valid(areas[rows])
        assert shapely.area(land[rows]).sum() == pytest.approx(shapely.area(metric).sum(), rel=1e-9)
    for row in np.flatnonzero(plan.areas["level"] == "community"):
        union = shapely.coverage_union_all(cells[owner == row])
        assert union.equals(areas[row])


@settings(max_examples=25, deadline=None)
@given(cells=st.integers(1, 220), seed=st.integers(0, 2**31))
def test_cells_are_as_many_as_asked_and_tile_their_communities(cells: int, seed: int) -> None:
    plan = draw_plan(cells, seed)
    assert len(plan.cells) == cells
    assert_tiles(plan)


def test_a_large_district_tiles_too() -> None:
    plan = draw_plan(5000, 3)
    assert len(plan.cells) == 5000
    assert_tiles(plan)


def test_the_check_of_tilings_agrees(district) -> None:
    report = check_tiling(district.plan.cells["geometry"].to_numpy(), district.plan.areas["geometry"].iloc[0])
    assert not report.defects


def test_a_moved_vertex_would_be_noticed(district) -> None:
    cells = district.plan.cells["geometry"].to_numpy().copy()
    cells[7] = shapely.transform(cells[7], lambda xy: xy + np.array([1e-6, 0.0]))
    assert not shapely.coverage_is_valid(cells)


def test_the_same_seed_draws_the_same_district() -> None:
    one, two, other = draw_plan(40, 11), draw_plan(40, 11), draw_plan(40, 12)
    for table in ("areas", "cells", "streets", "buildings", "surfaces"):
        first, second = getattr(one, table), getattr(two, table)
        assert (
            shapely.to_wkb(first["geometry"].to_numpy()) == shapely.to_wkb(second["geometry"].to_numpy())
        ).all()
        assert first.drop(columns="geometry").equals(second.drop(columns="geometry"))
    assert not one.cells["geometry"].equals(other.cells["geometry"])


def test_codes_follow_the_unit_grid_scheme_and_collide_with_no_province(district) -> None:
    cells, areas = district.plan.cells, district.plan.areas
    assert cells["code"].is_unique
    assert areas["code"].is_unique
    assert cells["code"].str.fullmatch(r"99\d{10}\d{3}").all()
    owner = areas["code"].to_numpy()[cells["area"]]
    assert (cells["code"].str[:12] == owner).all()
    assert areas["code"][areas["level"] == "subdistrict"].str.fullmatch(r"990102\d{3}").all()


def test_streets_meet_at_shared_vertices_and_form_one_network(district) -> None:
    lines = district.plan.streets["geometry"].to_numpy()
    xy, way = shapely.get_coordinates(lines, return_index=True)
    _, node = np.unique(np.round(xy * 1e7).astype(np.int64), axis=0, return_inverse=True)
    group = np.arange(len(lines))
    for _ in range(len(lines)):
        least = np.full(node.max() + 1, len(lines))
        np.minimum.at(least, node.ravel(), group[way])
        nearer = group.copy()
        np.minimum.at(nearer, way, least[node.ravel()])
        if (nearer == group).all():
            break
        group = nearer
    assert np.bincount(group).max() == len(lines)


def test_it_has_what_a_district_has(district) -> None:
    plan = district.plan
    assert {"primary", "secondary", "tertiary", "residential", "living_street"} <= set(
        plan.streets["road_class"]
    )
    assert {"临江北路", "临江南路"} <= set(plan.streets["name"])
    assert plan.streets["name"].str.endswith("大桥").any()
    assert set(plan.surfaces["kind"]) == {"water", "green"}
    assert {"old", "school", "market", "park", "hospital", "construction"} <= set(plan.cells["kind"])
    assert len(plan.buildings) > 15 * len(plan.cells)
    assert plan.buildings["levels"].between(1, 40).all()
    assert shapely.is_valid(plan.buildings["geometry"].to_numpy()).all()
    assert shapely.is_valid(plan.surfaces["geometry"].to_numpy()).all()


def test_buildings_keep_off_the_river_and_the_main_roads(district) -> None:
    plan = district.plan
    buildings = CENTRE.forward(plan.buildings["geometry"].to_numpy())
    tree = shapely.STRtree(buildings)
    river = CENTRE.forward(plan.surfaces["geometry"].to_numpy()[plan.surfaces["name"] == "澜溪江"])
    assert len(tree.query(river, predicate="intersects")[1]) == 0
    main = plan.streets["road_class"].isin(["primary", "secondary"]).to_numpy()
    roads = CENTRE.forward(plan.streets["geometry"].to_numpy()[main])
    assert len(tree.query(roads, predicate="intersects")[1]) == 0
