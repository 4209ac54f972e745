from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely

from geodata import morton
from geodata.errors import GeometryError
from geodata.vector_tiles import FeatureLayer

if TYPE_CHECKING:
    from pathlib import Path

TILE = (14, *morton.tile_of(int(morton.encode([121.4], [31.2])[0]), 14))


def decoded(tile: bytes) -> list[dict[str, Any]]:
    layers = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})
    return [feature for layer in layers.values() for feature in layer["features"]]


def on_ground(x: float, y: float) -> tuple[float, float]:
    """Degrees of a place in tile units, by the textbook inverse."""
    u, v = ((TILE[1] + x / 4096) / 2**14, (TILE[2] + y / 4096) / 2**14)
    return u * 360 - 180, float(np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * v)))))


def drawn(*rings: list[tuple[float, float]]) -> shapely.Polygon:
    """Polygon given in tile units."""
    shell, *holes = [[on_ground(*point) for point in ring] for ring in rings]
    return shapely.Polygon(shell, holes)


def square(x: float, y: float, side: float) -> list[tuple[float, float]]:
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]


def test_polygons_come_back_with_holes_parts_ids_and_attributes() -> None:
    ring = drawn(square(100, 100, 1000), square(300, 300, 200), square(700, 700, 100))
    twins = shapely.MultiPolygon([drawn(square(2000, 100, 300)), drawn(square(2600, 100, 300))])
    layer = FeatureLayer("cells", [ring, None, twins, shapely.Polygon()], ids=[7, 8, 9, 10])
    features = decoded(
        layer.tile(*TILE, {"code": np.array(["甲", "x", "乙", "y"]), "load": np.array([3, 0, -2, 0])})
    )
    assert [f["id"] for f in features] == [7, 9]
    assert [f["properties"] for f in features] == [{"code": "甲", "load": 3}, {"code": "乙", "load": -2}]
    shapes = [shapely.geometry.shape(f["geometry"]) for f in features]
    assert all(shape.is_valid for shape in shapes)
    assert shapes[0].area == pytest.approx(1000**2 - 200**2 - 100**2, abs=3000)
    assert len(shapes[0].interiors) == 2
    assert shapes[1].geom_type == "MultiPolygon"
    assert shapes[1].area == pytest.approx(2 * 300**2, abs=2000)


@pytest.mark.parametrize("turn", [1, -1])
def test_exterior_rings_run_clockwise_on_the_screen(turn: int) -> None:
    """Specification 4.3.3.3: the exterior's area by the surveyor's formula, in tile units, is positive."""
    polygon = drawn(square(100, 100, 1000)[::turn], square(300, 300, 200)[::turn])
    feature = decoded(FeatureLayer("cells", [polygon]).tile(*TILE))[0]
    exterior, hole = (np.array(ring) for ring in feature["geometry"]["coordinates"])

    def area(ring: Any) -> float:
        x, y = ring[:-1].T if (ring[0] == ring[-1]).all() else ring.T
        return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2

    assert area(exterior) > 0 > area(hole)


def test_what_reaches_beyond_is_cut_just_outside_the_tile() -> None:
    layer = FeatureLayer("cells", [drawn(square(-9000, -9000, 30000)), drawn(square(5000, 0, 100))])
    (feature,) = decoded(layer.tile(*TILE))
    assert shapely.geometry.shape(feature["geometry"]).bounds == (-64, -64, 4160, 4160)


def test_lines_are_cut_into_parts() -> None:
    points = [(-500, 100), (500, 100), (500, -900), (900, -900), (900, 200)]
    street = shapely.LineString([on_ground(*p) for p in points])
    (feature,) = decoded(FeatureLayer("roads", [street]).tile(*TILE, {"name": np.array(["中山路"])}))
    assert feature["geometry"]["type"] == "MultiLineString"
    assert feature["geometry"]["coordinates"][0] == [[-64, 100], [500, 100], [500, -64]]
    assert feature["properties"] == {"name": "中山路"}


def test_what_vanishes_when_rounded_is_left_out() -> None:
    dot, hair = drawn(square(100.2, 100.2, 0.2)), drawn([(0, 0), (500, 0.1), (1000, 0)])
    pinhole = drawn(square(1000, 1000, 500), square(1200, 1200, 0.3))
    features = decoded(FeatureLayer("cells", [dot, hair, pinhole]).tile(*TILE))
    assert [f["id"] for f in features] == [2]
    assert len(features[0]["geometry"]["coordinates"]) == 1
    point_like = shapely.LineString([on_ground(5, 5), on_ground(5.1, 5.1)])
    assert FeatureLayer("roads", [point_like]).tile(*TILE) == b""


def test_missing_values_are_left_out_and_kinds_are_kept() -> None:
    layer = FeatureLayer("cells", [drawn(square(0, 0, 500))])
    columns = {
        "nothing": np.array([None]),
        "nan": np.array([np.nan]),
        "rate": np.array([0.25]),
        "late": np.array([True]),
        "one": np.array([1]),
        "text": np.array(["1"]),
    }
    properties = decoded(layer.tile(*TILE, columns))[0]["properties"]
    assert properties == {"rate": 0.25, "late": True, "one": 1, "text": "1"}
    assert properties["late"] is True


def test_only_what_may_be_seen_is_in_the_tile() -> None:
    layer = FeatureLayer("cells", [drawn(square(0, 0, 500)), drawn(square(600, 0, 500))])
    assert [f["id"] for f in decoded(layer.tile(*TILE, shown=np.array([False, True])))] == [1]
    assert layer.tile(*TILE, shown=np.array([False, False])) == b""


def test_layers_join_and_bytes_repeat() -> None:
    cells = FeatureLayer("cells", [drawn(square(0, 0, 500))])
    roads = FeatureLayer("roads", [shapely.LineString([on_ground(0, 0), on_ground(100, 100)])])
    both = cells.tile(*TILE) + roads.tile(*TILE)
    assert sorted(mapbox_vector_tile.decode(both)) == ["cells", "roads"]
    assert cells.tile(*TILE) == FeatureLayer("cells", [drawn(square(0, 0, 500))]).tile(*TILE)
    assert len(cells) == 1
    assert FeatureLayer("none", []).tile(*TILE) == b""


def test_mixed_kinds_and_wrong_columns_are_refused() -> None:
    with pytest.raises(GeometryError, match="lines only or polygons only"):
        FeatureLayer("x", [shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)])])
    with pytest.raises(GeometryError, match="Point"):
        FeatureLayer("x", [shapely.Point(0, 0)])
    with pytest.raises(GeometryError, match="zoom"):
        FeatureLayer("x", []).tile(30, 0, 0)


@pytest.mark.real
def test_zhubei_units_cover_their_tiles(real_data: Path) -> None:
    file = real_data / "grid_zhubei_units/zhubei_base_units.geojson"
    cells = [shapely.geometry.shape(f["geometry"]) for f in json.loads(file.read_text())["features"]]
    layer = FeatureLayer("cells", cells)
    z, x, y = 13, *morton.tile_of(int(morton.encode([121.0], [24.83])[0]), 13)
    features = decoded(layer.tile(z, x, y))
    shapes = shapely.make_valid(np.array([shapely.geometry.shape(f["geometry"]) for f in features]))
    frame = shapely.box(0, 0, 4096, 4096)
    west, north = (x / 2**z * 360 - 180, np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y / 2**z)))))
    east, south = (
        (x + 1) / 2**z * 360 - 180,
        np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (y + 1) / 2**z)))),
    )
    ground = shapely.box(west, south, east, north)
    covered = shapely.union_all(cells).intersection(ground).area / ground.area
    assert covered > 0.5
    assert shapely.union_all(shapes).intersection(frame).area / frame.area == pytest.approx(
        covered, abs=0.005
    )
    assert len(features) > 300
