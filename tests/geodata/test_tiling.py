from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from geodata.errors import GeometryError
from geodata.projection import LocalProjection
from geodata.tiling import Defect, DefectKind, TilingReport, check_tiling, polygonal

REAL_DATA = Path(os.environ.get("GRIDMAP_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
STEP = 0.002  # about 190 m by 222 m here
GEOD = Geod(ellps="WGS84")
WIDTH_M = GEOD.inv(121.0, 30.803, 121.0 + STEP, 30.803)[2]
CELL_M2 = abs(GEOD.geometry_area_perimeter(box(121.004, 30.802, 121.006, 30.804))[0])


def city(columns: int = 5, rows: int = 4, west: float = 121.0, south: float = 30.8) -> np.ndarray:
    row, column = (index.ravel() for index in np.mgrid[:rows, :columns])
    corners = west + STEP * column, south + STEP * row, west + STEP * (column + 1), south + STEP * (row + 1)
    return np.asarray(shapely.box(*corners))


def whole(columns: int = 5, rows: int = 4) -> Polygon:
    return box(121.0, 30.8, 121.0 + STEP * columns, 30.8 + STEP * rows)


def square(x: float, y: float, size: float) -> Polygon:
    """Centre and side in steps of the city."""
    half = size * STEP / 2
    cx, cy = 121.0 + x * STEP, 30.8 + y * STEP
    return box(cx - half, cy - half, cx + half, cy + half)


def only(report: TilingReport, kind: DefectKind) -> Defect:
    assert [defect.kind for defect in report.defects] == [kind]
    return report.defects[0]


def real(name: str) -> Path:
    path = REAL_DATA / name
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"real data missing: {path}")
        pytest.skip(f"real data missing: {path}")
    return path


def test_a_clean_city_is_clean_with_and_without_its_area() -> None:
    assert check_tiling(city()).clean
    assert check_tiling(city(), whole()).clean


@pytest.mark.real
@pytest.mark.parametrize("grid", [None, 1e-7, 1e-6], ids=["as given", "7 decimals", "6 decimals"])
def test_official_units_are_clean_also_when_rounded(grid: float | None) -> None:
    units = np.asarray(gpd.read_file(real("grid_zhubei_units/zhubei_base_units.geojson")).geometry.values)
    outline = shapely.union_all(units)
    if grid:
        units = shapely.set_precision(units, grid, mode="pointwise")
    report = check_tiling(units, outline)
    assert report.cell_count == 1033
    assert report.clean


@pytest.mark.real
def test_a_unit_taken_from_the_official_ones_is_the_one_gap() -> None:
    units = np.asarray(gpd.read_file(real("grid_zhubei_units/zhubei_base_units.geojson")).geometry.values)
    outline = shapely.union_all(units)
    rng = np.random.default_rng(5)
    for taken in rng.choice(len(units), 5, replace=False):
        gap = only(check_tiling(np.delete(units, taken), outline), DefectKind.GAP)
        lost = LocalProjection.around(units).forward([units[taken]])[0].area
        assert gap.area_m2 == pytest.approx(lost, rel=1e-4)
        assert units[taken].contains(gap.point)


def test_a_gap_between_three_cells() -> None:
    cells = city()
    cells[12] = cells[11].union(cells[12])
    cells = np.delete(cells, 11)
    missing = box(121.0 + 1.9 * STEP, 30.8 + 1.8 * STEP, 121.0 + 2.25 * STEP, 30.8 + 2.1 * STEP)
    gap = only(check_tiling(shapely.difference(cells, missing)), DefectKind.GAP)
    assert gap.cells == (11, 7, 6)
    assert gap.area_m2 == pytest.approx(CELL_M2 * missing.area / STEP**2, rel=1e-3)
    assert missing.contains(gap.point)


def test_an_enclosed_hole_and_its_width() -> None:
    cells = city()
    cells[7] = cells[7].difference(square(2.5, 1.5, 0.25))
    gap = only(check_tiling(cells), DefectKind.GAP)
    assert gap.cells == (7,)
    assert gap.width_m == pytest.approx(WIDTH_M / 4, abs=0.2)
    assert gap.area_m2 == pytest.approx(CELL_M2 / 16, rel=1e-3)


def test_a_gap_along_the_border_needs_the_area() -> None:
    cells = city()
    cells[0] = cells[0].difference(box(120.9, 30.8, 121.0 + STEP / 20, 30.9))
    assert check_tiling(cells).clean
    gap = only(check_tiling(cells, whole()), DefectKind.GAP)
    assert gap.cells == (0, 5)
    assert gap.width_m == pytest.approx(WIDTH_M / 20, abs=0.1)


def test_a_thread_of_slivers_is_cut_off_a_real_gap() -> None:
    cells = city()
    thread = box(121.0, 30.8 + STEP - 1e-6, 121.0 + 5 * STEP, 30.8 + STEP)
    missing = thread.union(square(2.5, 1.0, 0.2))
    gap = only(check_tiling(shapely.difference(cells, missing), whole()), DefectKind.GAP)
    assert set(gap.cells) == {2, 7}
    assert gap.area_m2 == pytest.approx(CELL_M2 * 0.04, rel=0.01)


def test_an_overlap() -> None:
    cells = city()
    cells[3] = cells[3].union(square(3, 0.5, 0.3))
    overlap = only(check_tiling(cells), DefectKind.OVERLAP)
    assert overlap.cells == (2, 3)
    assert overlap.area_m2 == pytest.approx(CELL_M2 * 0.045, rel=1e-3)


def test_a_duplicate_a_nested_and_an_outside_cell() -> None:
    duplicate = only(check_tiling(np.append(city(), city()[4]), whole()), DefectKind.DUPLICATE)
    assert duplicate.cells == (4, 20)
    nested = only(check_tiling(np.append(city(), square(1.5, 1.5, 0.4)), whole()), DefectKind.NESTED)
    assert nested.cells == (20, 6)
    outside = only(check_tiling(np.append(city(), square(9, 9, 1)), whole()), DefectKind.OUTSIDE)
    assert outside.cells == (20,)
    assert outside.area_m2 == pytest.approx(CELL_M2, rel=1e-2)


def test_a_cell_that_reaches_over_its_area() -> None:
    cells = city()
    cells[19] = cells[19].union(box(121.0 + 5 * STEP, 30.8 + 3 * STEP, 121.0 + 5.1 * STEP, 30.8 + 4 * STEP))
    outside = only(check_tiling(cells, whole()), DefectKind.OUTSIDE)
    assert outside.cells == (19,)
    assert outside.area_m2 == pytest.approx(CELL_M2 / 10, rel=1e-2)


def test_a_bow_tie_is_invalid_where_it_crosses() -> None:
    cells = city()
    (w, s, e, n) = cells[0].bounds
    cells[0] = Polygon([(w, s), (e, n), (e, s), (w, n)])
    report = check_tiling(cells, whole())
    (invalid,) = report.of(DefectKind.INVALID)
    assert invalid.cells == (0,)
    assert invalid.reason == "Self-intersection"
    assert invalid.point.distance(Point((w + e) / 2, (s + n) / 2)) < 1e-9
    assert {defect.kind for defect in report.defects} == {DefectKind.INVALID, DefectKind.GAP}
    assert sum(gap.area_m2 for gap in report.gaps) == pytest.approx(CELL_M2 / 2, rel=1e-3)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (None, ""),
        (Polygon(), ""),
        (LineString([(121, 30.8), (121.01, 30.8)]), "LineString"),
        (
            shapely.transform(box(121, 30.8, 121.01, 30.81), lambda at: np.where(at < 30.805, at, np.inf)),
            "Polygon",
        ),
    ],
    ids=["none", "empty", "line", "not finite"],
)
def test_a_cell_without_surface_is_empty(broken: Any, reason: str) -> None:
    empty = only(check_tiling([*city(), broken], whole()), DefectKind.EMPTY)
    assert empty.cells == (20,)
    assert empty.reason == reason
    assert empty.geometry is None


def test_a_detached_part() -> None:
    cells = city()
    part = square(0.5, 3.5, 0.2)
    cells[2] = MultiPolygon([cells[2], part])
    cells[15] = cells[15].difference(part)
    detached = only(check_tiling(cells, whole()), DefectKind.DETACHED)
    assert detached.cells == (2,)
    assert detached.geometry.equals(part)


def test_many_defects_at_once_are_all_found_the_largest_first() -> None:
    cells = city()
    cells[7] = cells[7].difference(square(2.5, 1.5, 0.25))
    cells[13] = cells[13].difference(square(3.5, 2.5, 0.5))
    cells[1] = cells[1].union(square(1, 0.5, 0.2))
    report = check_tiling([*cells, None, cells[19]], whole())
    assert [defect.kind.value for defect in report.defects] == ["gap", "gap", "overlap", "duplicate", "empty"]
    assert [gap.cells for gap in report.gaps] == [(13,), (7,)]
    assert len(report.overlaps) == 2


def test_holes_and_islands_of_the_area_are_no_defects() -> None:
    lake = square(2.5, 1.5, 0.25)
    cells = city()
    cells[7] = cells[7].difference(lake)
    island = square(2.5, 1.5, 0.1)
    assert check_tiling([*cells, island], whole().difference(lake).union(island)).clean
    (gap,) = check_tiling([*cells, island]).defects
    assert gap.kind is DefectKind.GAP
    assert set(gap.cells) == {7, 20}


def test_a_long_parallel_is_no_gap_although_it_is_bent_in_metres() -> None:
    cells = [box(121, 30, 121.1, 30.1), box(121.1, 30, 121.2, 30.1)]
    assert check_tiling(cells, box(121, 30, 121.2, 30.1)).clean


def test_nothing_is_clean_and_bare_ground_is_one_gap() -> None:
    assert check_tiling([]).clean
    gap = only(check_tiling([], whole()), DefectKind.GAP)
    assert gap.cells == ()


@pytest.mark.parametrize(
    ("cells", "area", "options"),
    [
        (city(), Polygon(), {}),
        (city(), Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), {}),
        (city(), LineString([(0, 0), (1, 1)]), {}),
        (city(), None, {"tolerance_m2": -1}),
        (city(), None, {"sliver_width_m": 0}),
        ([box(350000, 3400000, 350100, 3400100)], None, {}),
    ],
)
def test_bad_questions(cells: Any, area: Any, options: dict[str, float]) -> None:
    with pytest.raises(GeometryError, match="Expected"):
        check_tiling(cells, area, **options)


def test_polygonal_keeps_valid_cells_and_flattens() -> None:
    flat = city()
    high = shapely.force_3d(flat, 5)
    assert (polygonal(flat) == flat).all()
    assert not shapely.has_z(polygonal(high)).any()


def test_one_hole_among_five_thousand_cells() -> None:
    cells = shapely.segmentize(city(100, 50), STEP / 8)
    holed = cells.copy()
    holed[2525] = cells[2525].difference(square(25.5, 25.5, 0.3))
    report = check_tiling(holed, whole(100, 50))
    assert only(report, DefectKind.GAP).cells == (2525,)


@settings(max_examples=60, deadline=None)
@given(
    x=st.floats(0.3, 4.7), y=st.floats(0.3, 3.7), size=st.floats(0.03, 0.4), angle=st.floats(0, 90),
    keeper=st.integers(0, 19),
)  # fmt: skip
def test_ground_taken_from_all_is_a_gap_and_given_to_another_an_overlap(
    x: float, y: float, size: float, angle: float, keeper: int
) -> None:
    cells = city()
    patch = shapely.affinity.rotate(square(x, y, size), angle)
    projection = LocalProjection.around(cells)
    expected = projection.forward([patch])[0].area
    gaps = check_tiling(shapely.difference(cells, patch), whole()).gaps
    assert sum(gap.area_m2 for gap in gaps) == pytest.approx(expected, rel=1e-3, abs=1)
    grabbing = cells.copy()
    grabbing[keeper] = shapely.union(cells[keeper], patch)
    held_by_others = projection.forward([patch.difference(cells[keeper])])[0].area
    report = check_tiling(grabbing, whole())
    assert sum(over.area_m2 for over in report.overlaps) == pytest.approx(held_by_others, rel=1e-3, abs=4)
    assert not report.gaps
