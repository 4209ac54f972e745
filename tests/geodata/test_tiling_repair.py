from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from geodata.errors import GeometryError
from geodata.tiling import DefectKind, check_tiling
from geodata.tiling_repair import OverlapRule, Repair, repair

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = 0.002


def city(columns: int = 5, rows: int = 4) -> np.ndarray:
    row, column = (index.ravel() for index in np.mgrid[:rows, :columns])
    corners = 121.0 + STEP * column, 30.8 + STEP * row, 121.0 + STEP * (column + 1), 30.8 + STEP * (row + 1)
    return np.asarray(shapely.box(*corners))


AREA = box(121.0, 30.8, 121.0 + 5 * STEP, 30.8 + 4 * STEP)


def square(x: float, y: float, size: float) -> Polygon:
    half, cx, cy = size * STEP / 2, 121.0 + x * STEP, 30.8 + y * STEP
    return box(cx - half, cy - half, cx + half, cy + half)


def mended(cells: NDArray[np.object_], offer: Repair) -> NDArray[np.object_]:
    return np.delete(offer.apply(cells), offer.emptied)


def test_a_clean_tiling_needs_no_change() -> None:
    cells = city()
    offer = repair(cells, check_tiling(cells, AREA))
    assert offer.changes == ()
    assert (offer.apply(cells) == cells).all()


def test_a_gap_goes_to_the_longest_border_or_where_the_planner_wants_it() -> None:
    gap = box(121.0 + 1.9 * STEP, 30.8 + 1.2 * STEP, 121.0 + 2.3 * STEP, 30.8 + 1.8 * STEP)
    cells = shapely.difference(city(), gap)
    report = check_tiling(cells, AREA)
    offer = repair(cells, report)
    (change,) = offer.changes
    assert change.cell == 7
    assert change.before.equals(cells[7])
    assert change.change_m2 == pytest.approx(report.gaps[0].area_m2, rel=1e-6)
    assert check_tiling(mended(cells, offer), AREA).clean
    chosen = repair(cells, report, give={0: 6})
    assert [change.cell for change in chosen.changes] == [6]
    assert check_tiling(mended(cells, chosen), AREA).clean


def test_an_overlap_goes_by_the_rule_or_the_planner() -> None:
    cells = city()
    cells[3] = cells[3].union(square(3, 0.5, 0.3))
    report = check_tiling(cells, AREA)
    lowest = repair(cells, report, overlaps_to=OverlapRule.LOWEST)
    assert [(change.cell, change.change_m2 < 0) for change in lowest.changes] == [(3, True)]
    assert [change.cell for change in repair(cells, report).changes] == [3]
    stated = repair(cells, report, give={0: 3})
    assert [(change.cell, change.change_m2 < 0) for change in stated.changes] == [(2, True)]
    for offer in (lowest, stated):
        assert check_tiling(mended(cells, offer), AREA).clean


def test_a_nested_cell_stays_whole_and_a_duplicate_is_given_up() -> None:
    cells = np.array([*city(), square(1.5, 1.5, 0.4), city()[4]])
    offer = repair(cells, check_tiling(cells, AREA))
    assert [change.cell for change in offer.changes] == [6, 21]
    assert offer.emptied == (21,)
    assert check_tiling(mended(cells, offer), AREA).clean


def test_detached_outside_invalid_and_empty_cells() -> None:
    cells = np.append(city(), np.array([None, Polygon()], dtype=object))
    part = square(0.5, 3.5, 0.2)
    cells[2] = MultiPolygon([cells[2], part])
    cells[15] = cells[15].difference(part)
    cells[19] = cells[19].union(square(5, 3.5, 0.4))
    w, s, e, n = cells[0].bounds
    cells[0] = Polygon([(w, s), (e, n), (e, s), (w, n)])
    report = check_tiling(cells, AREA)
    offer = repair(cells, report)
    assert offer.unrepaired == ()
    assert offer.emptied == (20, 21)
    assert check_tiling(mended(cells, offer), AREA).clean
    changed = {change.cell for change in offer.changes}
    untouched = [i for i in range(22) if i not in changed]
    assert all(offer.apply(cells)[i] is cells[i] for i in untouched)
    assert {2, 15, 19, 0} <= changed


def test_only_the_defects_given_are_mended() -> None:
    cells = city()
    cells[7] = cells[7].difference(square(2.5, 1.5, 0.25))
    cells[3] = cells[3].union(square(3, 0.5, 0.3))
    report = check_tiling(cells, AREA)
    offer = repair(cells, report.overlaps)
    assert [change.cell for change in offer.changes] == [3]
    left = check_tiling(mended(cells, offer), AREA)
    assert [defect.kind for defect in left.defects] == [DefectKind.GAP]


def test_a_lonely_gap_and_a_lonely_island_stay() -> None:
    far = box(122, 31, 122.001, 31.001)
    cells = city()
    report = check_tiling(cells, MultiPolygon([AREA, far]))
    assert repair(cells, report).unrepaired == report.gaps
    cells[0] = MultiPolygon([cells[0], far])
    report = check_tiling(cells, MultiPolygon([AREA, far]))
    assert repair(cells, report).unrepaired == report.defects


def test_bad_orders() -> None:
    cells = city()
    cells[7] = cells[7].difference(square(2.5, 1.5, 0.25))
    report = check_tiling(cells, AREA)
    with pytest.raises(GeometryError, match="found cell 3"):
        repair(cells, report, give={0: 3})
    with pytest.raises(GeometryError, match="position 5"):
        repair(cells, report, give={5: 7})
    with pytest.raises(GeometryError, match="these 2 cells"):
        repair(cells[:2], report)


patches = st.tuples(
    st.floats(0.1, 4.9), st.floats(0.1, 3.9), st.floats(0.05, 0.9), st.floats(0, 90), st.integers(0, 19),
    st.booleans(),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(patches, min_size=1, max_size=6), st.sampled_from(OverlapRule), st.integers(0, 2))
def test_after_every_repair_the_tiling_is_clean(
    plan: list[tuple[float, float, float, float, int, bool]], rule: OverlapRule, copies: int
) -> None:
    cells = city()
    for x, y, size, angle, cell, grab in plan:
        patch = shapely.affinity.rotate(square(x, y, size), angle).intersection(AREA.buffer(STEP / 3))
        cells[cell] = shapely.union(cells[cell], patch) if grab else shapely.difference(cells[cell], patch)
    cells = np.append(cells, cells[:copies])
    offer = repair(cells, check_tiling(cells, AREA), overlaps_to=rule)
    after = check_tiling(mended(cells, offer), AREA)
    assert after.clean, after.defects
    assert offer.unrepaired == ()
    repaired = offer.apply(cells)
    changed = {change.cell for change in offer.changes}
    assert all(repaired[i] is cells[i] for i in range(len(cells)) if i not in changed)
