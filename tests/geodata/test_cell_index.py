from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.cell_index import OUTSIDE, CellIndex
from geodata.errors import GeometryError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

seeds = st.integers(0, 2**32 - 1)


def sjoin(cells: NDArray[Any], lon: NDArray[Any], lat: NDArray[Any]) -> NDArray[Any]:
    """The same question put to geopandas, the lowest cell taken."""
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs=4326)
    areas = gpd.GeoDataFrame(geometry=gpd.GeoSeries(list(cells), crs=4326))
    joined = gpd.sjoin(points, areas, predicate="covered_by", how="inner")["index_right"]
    answer = np.full(len(lon), OUTSIDE)
    lowest = joined.groupby(level=0).min()
    answer[lowest.index] = lowest
    return answer


def voronoi(rng: np.random.Generator, count: int) -> NDArray[Any]:
    points = shapely.MultiPoint(rng.uniform(0, 1, (count, 2)))
    pieces = shapely.voronoi_polygons(points, extend_to=shapely.box(0, 0, 1, 1)).geoms
    pieces = shapely.intersection(np.array(pieces), shapely.box(0, 0, 1, 1))
    return np.array(pieces)


def scattered(rng: np.random.Generator, count: int) -> NDArray[Any]:
    """Overlapping pieces with holes and several parts."""
    discs = shapely.buffer(
        shapely.points(rng.uniform(0, 1, (count, 2))), rng.uniform(0.02, 0.3, count), quad_segs=3
    )
    holes = shapely.buffer(shapely.points(rng.uniform(0, 1, (count, 2))), 0.1, quad_segs=2)
    return np.array(shapely.union(shapely.difference(discs, holes), np.roll(discs, 1)))


def delicate_places(rng: np.random.Generator, cells: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Corners, points on borders, neighbours of borders at the last bit, and places anywhere."""
    corners = shapely.get_coordinates(cells)
    share = rng.choice([0.5, 0.25, rng.random()], (len(corners) - 1, 1))
    on_border = corners[:-1] * (1 - share) + corners[1:] * share
    bits = np.nextafter(on_border, rng.choice([-np.inf, np.inf], on_border.shape))
    level = np.column_stack((rng.uniform(-0.1, 1.1, len(corners)), corners[:, 1]))
    anywhere = rng.uniform(-0.1, 1.1, (300, 2))
    return tuple(np.vstack((corners, on_border, bits, level, anywhere)).T)  # type: ignore[return-value]


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 40), st.sampled_from([None, 1, 7, 64]))
def test_bordering_cells_agree_with_geopandas(seed: int, count: int, side: int | None) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.permutation(voronoi(rng, count))
    lon, lat = delicate_places(rng, cells)
    np.testing.assert_array_equal(CellIndex(cells, side=side).assign(lon, lat), sjoin(cells, lon, lat))


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 25), st.sampled_from([None, 1, 13]))
def test_overlaps_holes_and_parts_agree_with_geopandas(seed: int, count: int, side: int | None) -> None:
    rng = np.random.default_rng(seed)
    cells = scattered(rng, count)
    lon, lat = delicate_places(rng, cells)
    np.testing.assert_array_equal(CellIndex(cells, side=side).assign(lon, lat), sjoin(cells, lon, lat))


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_corners_on_a_small_lattice_agree_with_geopandas(seed: int) -> None:
    """Many exact coincidences: everything sits on multiples of 1/8."""
    rng = np.random.default_rng(seed)
    triangles = shapely.polygons(rng.integers(0, 9, (12, 3, 2)) / 8)
    cells = triangles[shapely.is_valid(triangles)]
    if not len(cells):
        return
    lon, lat = (axis.ravel() for axis in np.meshgrid(np.arange(-2, 19) / 16, np.arange(-2, 19) / 16))
    np.testing.assert_array_equal(CellIndex(cells, side=9).assign(lon, lat), sjoin(cells, lon, lat))


def test_a_shared_border_goes_to_the_first_cell() -> None:
    west, east = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
    assert CellIndex([west, east]).assign([1.0], [0.5]).tolist() == [0]
    assert CellIndex([east, west]).assign([1.0], [0.5]).tolist() == [0]
    assert CellIndex([east, west]).assign([0.5, 1.5, 1.0, 2.0, 0.0], [0.5, 0.5, 1.0, 1.0, 0.0]).tolist() == [
        1,
        0,
        0,
        0,
        1,
    ]


def test_points_that_float_rounding_cannot_place_are_decided_exactly() -> None:
    below = shapely.Polygon([(0, 0), (3, 0), (3, 1)])
    above = shapely.Polygon([(0, 0), (3, 1), (0, 1)])
    x = np.linspace(0.1, 2.9, 5000)
    y = x / 3  # on the slanted border but for the last bit
    cells = np.array([below, above])
    found = CellIndex(cells).assign(x, y)
    np.testing.assert_array_equal(found, sjoin(cells, x, y))
    assert set(found) == {0, 1}


def test_nothing_and_nowhere() -> None:
    cells = [None, shapely.Polygon(), shapely.box(0, 0, 1, 1), shapely.MultiPolygon()]
    index = CellIndex(cells)
    assert len(index) == 4
    assert index.assign([0.5, np.nan, 0.5, np.inf, 1e300, 2], [0.5, 0.5, np.nan, 0.5, 0.5, 2]).tolist() == [
        2,
        *[-1] * 5,
    ]
    assert index.assign([], []).tolist() == []
    assert CellIndex([]).assign([0.5], [0.5]).tolist() == [-1]
    assert CellIndex([None]).assign([0.5], [0.5]).dtype == np.int32


def test_a_cell_far_away_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    cells = np.append(voronoi(rng, 50), shapely.box(170, 80, 171, 81))
    lon, lat = delicate_places(rng, cells)
    np.testing.assert_array_equal(CellIndex(cells).assign(lon, lat), sjoin(cells, lon, lat))


def test_threads_answer_like_one() -> None:
    rng = np.random.default_rng(6)
    cells = voronoi(rng, 30)
    lon, lat = rng.uniform(-0.1, 1.1, (2, 250_000))
    whole = CellIndex(cells).assign(lon, lat)
    parts = [CellIndex(cells).assign(lon[i : i + 1000], lat[i : i + 1000]) for i in range(0, 250_000, 50_000)]
    for i, part in zip(range(0, 250_000, 50_000), parts, strict=True):
        np.testing.assert_array_equal(whole[i : i + 1000], part)


def test_what_is_no_polygon_is_refused() -> None:
    with pytest.raises(GeometryError, match="LineString at position 1"):
        CellIndex([shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)])])
    with pytest.raises(GeometryError, match="finite"):
        CellIndex([shapely.Polygon([(0, 0), (np.inf, 0), (1, 1)])])
    with pytest.raises(GeometryError, match="one shape"):
        CellIndex([shapely.box(0, 0, 1, 1)]).assign([0], [0, 1])


@pytest.mark.real
def test_zhubei_units_agree_with_geopandas(real_data: Path) -> None:
    file = real_data / "grid_zhubei_units/zhubei_base_units.geojson"
    features = json.loads(file.read_text())["features"]
    cells = np.array([shapely.geometry.shape(feature["geometry"]) for feature in features])
    assert len(cells) == 1033
    rng = np.random.default_rng(8)
    corners = shapely.get_coordinates(cells)
    middles = (corners[1:] + corners[:-1]) / 2
    west, south, east, north = shapely.total_bounds(cells)
    anywhere = rng.uniform((west, south), (east, north), (50_000, 2))
    lon, lat = np.vstack((corners, middles, anywhere)).T
    found = CellIndex(cells).assign(lon, lat)
    np.testing.assert_array_equal(found, sjoin(cells, lon, lat))
    assert (found[: len(corners)] >= 0).all()
