"""A line or polygon belongs to every cell it touches by share: against plain measuring and by properties."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.cell_index import CellIndex
from geodata.projection import LocalProjection
from gridmap.problems.shares import share_out, stand_for

WEST, SOUTH, SIDE = 121.0, 31.0, 0.01
CELLS = np.array(
    [
        shapely.box(WEST + i * SIDE, SOUTH + j * SIDE, WEST + (i + 1) * SIDE, SOUTH + (j + 1) * SIDE)
        for i in range(3)
        for j in range(3)
    ],
    dtype=object,
)
degrees = st.integers(-10, 40).map(lambda k: k * SIDE / 10)
places = st.tuples(degrees, degrees).map(lambda at: (WEST + at[0], SOUTH + at[1]))
lines = st.lists(places, min_size=2, max_size=5, unique=True).map(shapely.LineString)
polygons = (
    st.lists(places, min_size=3, max_size=6, unique=True)
    .map(lambda points: shapely.MultiPoint(points).convex_hull)
    .filter(lambda hull: hull.geom_type == "Polygon")
)
shapes = st.lists(lines | polygons, min_size=1, max_size=6).map(lambda found: np.array(found, dtype=object))


def at(*points):
    return shapely.LineString([(WEST + x * SIDE, SOUTH + y * SIDE) for x, y in points])


def plain(shape):
    """Metres of a shape in each cell, one by one."""
    projection = LocalProjection.around([shape])
    sizes = {}
    for position, cell in enumerate(CELLS):
        part = projection.forward([shape.intersection(cell)])[0]
        size = part.area if shape.geom_type == "Polygon" else part.length
        if size > 1e-6:
            sizes[position] = size
    return sizes


@settings(deadline=None, max_examples=150)
@given(shapes)
def test_as_measured_one_by_one(found):
    shares = share_out(CELLS, found)
    for position, shape in enumerate(found):
        mine = shares.shape == position
        sizes = plain(shape)
        assert set(shares.cell[mine].tolist()) == set(sizes)
        total = sum(sizes.values())
        for cell, share in zip(shares.cell[mine], shares.share[mine], strict=True):
            assert share == pytest.approx(sizes[cell] / total, rel=1e-4)
        if sizes:
            assert shares.share[mine].sum() == pytest.approx(1.0)
            assert shares.leads[mine].sum() == 1
            best = shares.share[mine].max()
            first = shares.cell[mine][shares.share[mine] > best - 1e-6].min()
            assert shares.cell[mine][shares.leads[mine]].tolist() == [first]
        else:
            assert shares.outside[position] == pytest.approx(1.0)


@settings(deadline=None, max_examples=150)
@given(shapes)
def test_the_point_that_stands_for_it_lies_in_the_cell_that_leads(found):
    standing = stand_for(CELLS, found)
    assert np.isfinite(standing.lon).all()
    index = CellIndex(CELLS).assign(standing.lon, standing.lat)
    led = standing.cell >= 0
    covered = shapely.covers(CELLS[standing.cell[led]], shapely.points(standing.lon[led], standing.lat[led]))
    assert covered.all()
    # Where it lies strictly inside, the index agrees.
    strictly = shapely.contains_properly(
        CELLS[standing.cell[led]], shapely.points(standing.lon[led], standing.lat[led])
    )
    assert (index[led][strictly] == standing.cell[led][strictly]).all()


def test_a_ribbon_across_three_cells():
    shares = share_out(CELLS, np.array([at((0.5, 0.5), (2.2, 0.5))], dtype=object))
    assert shares.cell.tolist() == [0, 3, 6]
    assert shares.share.tolist() == pytest.approx([0.5 / 1.7, 1 / 1.7, 0.2 / 1.7], rel=1e-6)
    assert shares.leads.tolist() == [False, True, False]
    assert shares.outside.tolist() == [0.0]


def test_equal_shares_the_lowest_code_leads():
    shares = share_out(
        CELLS, np.array([at((0.5, 0.5), (1.5, 0.5)), at((1.0, 0.2), (1.0, 0.8))], dtype=object)
    )
    assert shares.cell[shares.leads].tolist() == [0, 0]
    assert shares.share.tolist() == pytest.approx([0.5] * 4)


def test_what_lies_outside_is_told_apart():
    shares = share_out(CELLS, np.array([at((-1, 0.5), (1, 0.5)), at((-1, 0.5), (-0.5, 0.5))], dtype=object))
    assert shares.shape.tolist() == [0]
    assert shares.share.tolist() == [1.0]
    assert shares.outside.tolist() == pytest.approx([0.5, 1.0], rel=1e-6)


def test_points_have_no_shares_and_stand_for_themselves():
    geometry = np.array([shapely.Point(WEST, SOUTH), at((0.2, 0.5), (0.4, 0.5))], dtype=object)
    standing = stand_for(CELLS, geometry)
    assert (standing.lon[0], standing.lat[0]) == (WEST, SOUTH)
    assert standing.extended.tolist() == [1]
    assert standing.cell.tolist() == [-1, 0]
    assert standing.lon[1] == pytest.approx(WEST + 0.3 * SIDE)


def test_no_cells_and_no_shapes():
    nothing = np.zeros(0, dtype=object)
    assert stand_for(nothing, np.array([at((0, 0), (1, 1))], dtype=object)).cell.tolist() == [-1]
    assert len(stand_for(CELLS, nothing).lon) == 0
