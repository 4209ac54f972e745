from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, box

from geodata.block_work import Work
from geodata.blocks import Borders
from geodata.drawing import draw_cells
from geodata.main_roads import fields_between, firm_borders, least_across
from geodata.projection import LocalProjection

HOME = LocalProjection(121.47, 31.23)
PRIMARY, RESIDENTIAL = 6, 2


def tried_out(work: list[float], count: int, most: float) -> int:
    """Try every number of cells for every field: how few must remain for ground of several."""
    best = count
    for own in product(*(range(count + 1) for _ in work)):
        rest = sum(max(one - cells * most, 0) for one, cells in zip(work, own, strict=True))
        across = count - sum(own)
        if 0 <= across < best and rest <= across * most + 1e-9:
            best = across
    return best


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.floats(0.01, 3.5), min_size=1, max_size=4),
    st.integers(1, 6),
    st.sampled_from([1.0, 1.1, 1.5]),
)
def test_no_division_does_with_fewer(work: list[float], count: int, slack: float) -> None:
    most = sum(work) / count * slack
    assert least_across(np.array(work), count, most) == tried_out(work, count, most)


def test_the_counting_is_plain() -> None:
    assert least_across(np.array([2.0, 3.0]), 5, 1.0) == 0, "whole cells everywhere"
    assert least_across(np.array([1.5, 1.5]), 3, 1.0) == 1, "halves are left on both sides"
    assert least_across(np.array([1.5, 1.5]), 3, 1.5) == 0, "unless a cell may have more"
    assert least_across(np.full(10, 0.5), 5, 1.0) == 5, "too many pieces for the number of cells"
    assert least_across(np.array([9.0]), 3, 1.0) == 3, "what cannot be reached is not promised"


def borders(*rows: tuple[int, int, float, int]) -> Borders:
    first, second, length, rank = zip(*rows, strict=True)
    return Borders(np.array(first), np.array(second), np.array(length, float), np.array(rank))


def test_fields_end_at_main_roads_but_not_at_water() -> None:
    found = borders((0, 1, 90, RESIDENTIAL), (1, 2, 90, PRIMARY), (2, 3, 90, 0))
    nothing = np.zeros((0, 2), dtype=np.intp)
    assert fields_between(found, 5, nothing).tolist() == [0, 0, 1, 1, 2]
    assert fields_between(found, 5, np.array([[4, 3]])).tolist() == [0, 0, 1, 1, 1]


def test_a_corner_of_a_junction_holds_nothing_together() -> None:
    found = borders((0, 1, 80, PRIMARY), (0, 2, 10, PRIMARY), (1, 3, 12, PRIMARY), (2, 3, 5, RESIDENTIAL))
    work, field = np.ones(4), np.array([0, 1, 2, 2])
    firm = firm_borders(found, work, field, neck_m=30, light=0.1)
    assert firm.tolist() == [True, False, True, True], "the longer corner is all that ties the rest"
    assert firm_borders(found, work * 0.01, field, neck_m=30, light=0.1).all(), "traffic islands hang anyhow"


def town(east: tuple[float, ...], north: tuple[float, ...]) -> tuple[list[Any], list[str]]:
    """Streets every 100 m on 2,000 by 1,600 m; main roads at the distances given."""
    lines, classes = [], []
    for x in range(100, 2000, 100):
        lines.append(LineString([(x, -20), (x, 1620)]))
        classes.append("primary" if x in east else "residential")
    for y in range(100, 1600, 100):
        lines.append(LineString([(-20, y), (2020, y)]))
        classes.append("secondary" if y in north else "residential")
    return [HOME.inverse([line])[0] for line in lines], classes


@pytest.mark.parametrize(
    ("east", "north", "count", "across"),
    [
        ((500, 1000, 1500), (800,), 16, 0),
        ((700, 1300), (500, 1100), 18, 6),
        ((300, 600, 1100, 1500), (400, 1000), 12, 9),
    ],
)
def test_what_is_said_is_what_the_ground_shows(
    east: tuple[float, ...], north: tuple[float, ...], count: int, across: int
) -> None:
    streets, classes = town(east, north)
    area = HOME.inverse([box(0, 0, 2000, 1600)])[0]
    drawn = draw_cells(area, streets, classes, count=count, work=Work(per_km=0, per_km2=1))
    roads = shapely.union_all(
        [one for one, kind in zip(streets, classes, strict=True) if kind != "residential"]
    )
    inner = shapely.buffer(HOME.forward(drawn.cells), -3)
    inside = shapely.length(shapely.intersection(inner, HOME.forward([roads])[0]))
    assert [span.cell for span in drawn.spans] == np.flatnonzero(inside > 0).tolist()
    for span in drawn.spans:
        assert span.length_m == pytest.approx(inside[span.cell], abs=30)  # shrunk at each of its ends
    assert drawn.fields == (len(east) + 1) * (len(north) + 1)
    assert drawn.main_road_m == pytest.approx(1600 * len(east) + 2000 * len(north), rel=0.01)
    assert drawn.least_spans <= len(drawn.spans) <= across
    assert drawn.imbalance <= 1.11
