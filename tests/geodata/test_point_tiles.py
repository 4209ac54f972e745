from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest

from geodata import morton
from geodata.errors import GeometryError
from geodata.point_columns import PointColumns, PointFilter
from geodata.point_tiles import CLUSTERS_ACROSS, point_tile

TILE = (12, *morton.tile_of(int(morton.encode([121.4], [31.2])[0]), 12))


def decoded(tile: bytes) -> list[dict[str, Any]]:
    layers = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})
    return [feature for layer in layers.values() for feature in layer["features"]]


def places(count: int) -> tuple[PointColumns, dict[str, Any]]:
    rng = np.random.default_rng(0)
    lon, lat = rng.normal(121.4, 0.05, count), rng.normal(31.2, 0.05, count)
    columns = {
        "state": rng.integers(0, 4, count),
        "severity": rng.integers(0, 4, count),
        "area": rng.integers(0, 3, count),
    }
    points, order = PointColumns.build(lon, lat, **columns)
    values = {name: column[order] for name, column in columns.items()}
    return points, {"lon": lon[order], "lat": lat[order], **values}


def where(lon: Any, lat: Any, tile: tuple[int, int, int]) -> tuple[Any, Any]:
    z, x, y = tile
    phi = np.radians(lat)
    column = ((lon + 180) / 360 * 2**z - x) * 4096
    return column, ((1 - np.log(np.tan(phi) + 1 / np.cos(phi)) / np.pi) / 2 * 2**z - y) * 4096


def test_few_places_are_shown_one_by_one() -> None:
    points, values = places(1500)
    chosen = PointFilter(states=frozenset({1, 2}))
    names = np.array([f"案件{i}" for i in range(1500)])
    features = decoded(point_tile(points, TILE, chosen, describe=lambda rows: {"uid": names[rows]}))
    px, py = where(values["lon"], values["lat"], TILE)
    inside = (px >= 0) & (px < 4096) & (py >= 0) & (py < 4096) & np.isin(values["state"], [1, 2])
    assert [f["properties"]["uid"] for f in features] == names[inside].tolist()
    at = np.array([f["geometry"]["coordinates"] for f in features])
    assert abs(at - np.column_stack((px, py))[inside]).max() <= 1.5
    assert inside.sum() > 100


def test_many_places_become_clusters_that_count_right() -> None:
    points, values = places(60_000)
    chosen = PointFilter(states=frozenset({0, 1, 2}), allowed_areas=frozenset({0, 1}))
    features = decoded(point_tile(points, TILE, chosen, groups={"open": {0, 1}, "overdue": {2}}))
    px, py = where(values["lon"], values["lat"], TILE)
    counts = np.isin(values["state"], [0, 1, 2]) & (values["area"] < 2)
    step = 4096 // CLUSTERS_ACROSS
    assert 30 < len(features) <= CLUSTERS_ACROSS**2
    for feature in features:
        x, y = feature["geometry"]["coordinates"]
        column, row = x // step, y // step
        mine = counts & (px // step == column) & (py // step == row)
        found = feature["properties"]
        assert found["count"] == mine.sum()
        assert found["open"] == (mine & (values["state"] < 2)).sum()
        assert found["overdue"] == (mine & (values["state"] == 2)).sum()
        assert found["worst"] == values["severity"][mine].max()
        assert abs(x - px[mine].mean()) < 2
        assert abs(y - py[mine].mean()) < 2
        assert (found["z"], found["x"], found["y"]) == (15, TILE[1] * 8 + column, TILE[2] * 8 + row)


def test_a_filter_that_leaves_few_shows_them_one_by_one() -> None:
    points, _ = places(60_000)
    rare = PointFilter(states=frozenset({3}), severities=frozenset({0}), areas=frozenset({2}))
    features = decoded(point_tile(points, TILE, rare, most_single=1000))
    assert 100 < len(features) <= 1000
    assert all("count" not in f["properties"] for f in features)


def test_coinciding_places_stay_apart_until_there_are_too_many() -> None:
    points, _ = PointColumns.build([121.4] * 300, [31.2] * 300)
    rows = decoded(point_tile(points, TILE, describe=lambda rows: {"row": rows}))
    assert [f["properties"]["row"] for f in rows] == list(range(300))
    code = int(points.rows.code[0])
    for z in (12, 22, 24):
        (stack,) = decoded(point_tile(points, (z, *morton.tile_of(code, z)), most_single=100))
        assert stack["properties"]["count"] == 300


def test_a_busy_tile_is_small_and_the_bytes_repeat() -> None:
    points, _ = places(200_000)
    tile = point_tile(points, TILE, groups={"open": {0, 1}})
    assert len(tile) < 8000
    assert tile == point_tile(points, TILE, groups={"open": {0, 1}})


def test_an_empty_tile_is_no_bytes() -> None:
    points, _ = places(100)
    assert point_tile(points, (12, 0, 0)) == b""
    assert point_tile(PointColumns.build([], [])[0], TILE) == b""
    with pytest.raises(GeometryError):
        point_tile(points, (12, -1, 0))
