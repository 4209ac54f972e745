from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

from geodata.map_matching import Match, Matching, match_track
from geodata.osm import read_osm
from geodata.street_graph import StreetGraph, build_street_graph
from geodata.street_places import Stops
from geodata.street_router import Router
from geodata.travel import Profile

if TYPE_CHECKING:
    from pathlib import Path

STEP = 1e-3  # about 95 m east, 111 m north


def block() -> Router:
    """A net of six by six crossings; every street is named."""
    lines, names = [], []
    for i in range(6):
        for along, name in (([(i, j) for j in range(6)], f"n{i}"), ([(j, i) for j in range(6)], f"e{i}")):
            lines.append(shapely.linestrings(np.array(along) * STEP + (121.4, 31.2)))
            names.append(name)
    graph = build_street_graph(
        lines, road_class=["residential"] * len(lines), oneway=[0] * len(lines), name=names
    )
    return Router(graph, Profile.FOOT, by_length=True)


def walked(*corners: tuple[float, float], every_m: float = 10.0) -> tuple[Any, Any]:
    """Longitudes and latitudes along straight lines between places of the net."""
    line = shapely.linestrings(np.array(corners) * STEP + (121.4, 31.2))
    count = int(line.length / STEP * 100 / every_m) + 1
    xy = shapely.get_coordinates(
        shapely.line_interpolate_point(line, np.linspace(0, 1, count), normalized=True)
    )
    return xy[:, 0], xy[:, 1]


def named(router: Router, match: Match) -> list[str]:
    sure = match.sure & (match.end > match.begin)
    names = router.graph.name[router.graph.street[match.edge[sure]]].tolist()
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def metres(router: Router, match: Match) -> float:
    length = router.graph.length_m[match.edge] * (match.end - match.begin)
    return float(length[match.sure].sum())


def noisy(lon: Any, lat: Any, metres_off: float) -> tuple[Any, Any]:
    random = np.random.default_rng(3)
    off = random.normal(0, metres_off, (2, len(lon)))
    return lon + off[0] / 95_300, lat + off[1] / 110_900


def test_a_walk_is_found_street_by_street_and_as_long_as_it_was() -> None:
    router = block()
    lon, lat = noisy(*walked((0, 0), (0, 2), (3, 2), (3, 5)), 5)
    match = match_track(router, lon, lat, seconds=np.arange(len(lon)) * 8.0)
    assert named(router, match) == ["n0", "e2", "n3"]
    assert metres(router, match) == pytest.approx(2 * 110.9 + 3 * 95.3 + 3 * 110.9, rel=0.05)
    assert len(match.gaps) == len(match.astray) == 0
    assert (np.diff(match.at) >= 0).all()


def test_a_gap_in_the_recording_is_a_gap_and_not_covered() -> None:
    router = block()
    lon, lat = walked((0, 0), (0, 5))
    seconds = np.arange(len(lon)) * 8.0
    broken = (np.arange(len(lon)) < 12) | (np.arange(len(lon)) > 38)
    match = match_track(router, lon[broken], lat[broken], seconds=seconds[broken])
    assert match.gaps.tolist() == [12]
    assert set(match.run.tolist()) == {0, 1}
    whole = match_track(router, lon, lat, seconds=seconds)
    assert metres(router, whole) == pytest.approx(5 * 110.9, rel=0.05)
    assert metres(router, match) < 0.55 * metres(router, whole)


def test_one_stray_fix_does_not_make_a_side_street_covered() -> None:
    router = block()
    lon, lat = walked((0, 2.05), (5, 2.05), every_m=30)
    middle = len(lon) // 2
    lat = lat.copy()
    lat[middle] += 0.35 * STEP
    match = match_track(router, lon, lat, seconds=np.arange(len(lon)) * 25.0)
    assert named(router, match) == ["e2"]


def test_inaccurate_fixes_are_not_used_and_said() -> None:
    router = block()
    lon, lat = walked((0, 2), (3, 2), (3, 4))
    accuracy = np.full(len(lon), 5.0)
    worse = np.arange(len(lon)) % 5 == 2
    accuracy[worse] = 300.0
    far = lon + np.where(worse, 2.5 * STEP, 0)
    match = match_track(router, far, lat, accuracy_m=accuracy)
    assert match.unused.tolist() == np.flatnonzero(worse).tolist()
    assert named(router, match) == ["e2", "n3"]
    assert len(match_track(router, lon, lat, accuracy_m=np.full(len(lon), 500.0)).edge) == 0


def test_what_lies_away_from_streets_is_said() -> None:
    router = block()
    lon, lat = walked((0, 0), (0, 3))
    match = match_track(router, np.append(lon, 121.45), np.append(lat, 31.25))
    assert match.astray.tolist() == [len(lon)]
    assert named(router, match) == ["n0"]


def test_standing_still_is_no_walk() -> None:
    router = block()
    lon, lat = noisy(np.full(200, 121.402), np.full(200, 31.2015), 3)
    match = match_track(router, lon, lat, seconds=np.arange(200) * 5.0)
    assert metres(router, match) < 25


def test_the_side_is_known_where_somebody_keeps_to_it() -> None:
    router = block()
    lon, lat = walked((0, 2), (5, 2), every_m=8)
    right = match_track(router, lon, lat - 10 / 110_900)
    assert set(right.side[right.sure].tolist()) == {1}
    left = match_track(router, lon, lat + 10 / 110_900)
    assert set(left.side[left.sure].tolist()) == {-1}
    middle = match_track(router, lon, lat)
    assert set(middle.side[middle.sure].tolist()) == {0}


def test_a_quarter_of_a_million_fixes_are_matched() -> None:
    router = block()
    lon, lat = walked(*[(0, 0), (5, 0), (5, 5), (0, 5)] * 2)
    many = np.linspace(0, len(lon) - 1, 250_000)
    lon, lat = (np.interp(many, np.arange(len(lon)), values) for values in (lon, lat))
    match_track(router, lon[:100], lat[:100])
    match = match_track(router, lon, lat, seconds=np.arange(250_000) * 1.0)
    assert named(router, match)[:3] == ["e0", "n5", "e5"]


@pytest.mark.real
def test_real_vehicle_tracks_follow_their_ground_truth(real_data: Path) -> None:
    """Each edge of the file is one edge between two nodes; the truth is a list of nodes."""
    folder = real_data / "shenzhen_map_matching"
    features = json.loads((folder / "network_edges.geojson").read_text())["features"]
    edges = {(f["properties"]["src"], f["properties"]["dst"]): f for f in features}
    chosen = [
        f
        for (start, end), f in edges.items()
        if (end, start) not in edges or start < end or f["properties"]["oneway"]
    ]
    graph = build_street_graph(
        [shapely.geometry.shape(f["geometry"]) for f in chosen],
        road_class=[f["properties"]["road_type"].replace("living", "living_street") for f in chosen],
        oneway=[int(f["properties"]["oneway"]) for f in chosen],
        name=[f["properties"]["name"] or "" for f in chosen],
    )
    router = Router(graph, Profile.CAR, by_length=True)
    node = {}
    for (start, end), f in edges.items():
        line = np.rint(np.array(f["geometry"]["coordinates"]) * 1e7).astype(int)
        node[tuple(line[0])], node[tuple(line[-1])] = start, end
    at = [
        node.get((round(lon * 1e7), round(lat * 1e7)))
        for lon, lat in zip(graph.node_lon, graph.node_lat, strict=True)
    ]
    text = re.sub(r",\s*([\]}])", r"\1", (folder / "ground_truth_osm_nodes.json").read_text())
    hit = truths = 0
    for name, truth in json.loads(text).items():
        track = json.loads((folder / name).read_text())["features"]
        lon, lat = np.array([f["geometry"]["coordinates"] for f in track]).T
        wanted = [pair for pair in pairwise(truth) if pair in edges]
        match = match_track(router, lon, lat, matching=Matching(gap_m=2000))
        arcs = match.edge * 2 + ~match.forward
        found = {
            (at[a], at[b]) for a, b in zip(graph.tail(arcs).tolist(), graph.head(arcs).tolist(), strict=True)
        }
        hit += sum(pair in found for pair in wanted)
        truths += len(wanted)
    assert hit == truths >= 37


@pytest.mark.real
@pytest.mark.parametrize(
    ("noise", "recall", "precision"), [(5, 0.95, 0.96), (12, 0.93, 0.93), (20, 0.86, 0.85)]
)
def test_walks_in_a_real_city_are_found_in_spite_of_noise(
    real_data: Path, noise: float, recall: float, precision: float
) -> None:
    streets = read_osm(real_data / "osm_nanjing_xinjiekou/nanjing_xinjiekou.osm.pbf").streets
    graph: StreetGraph = build_street_graph(
        streets.geometry.to_numpy(),
        road_class=streets.road_class,
        oneway=streets.oneway,
        name=streets.name.fillna(""),
        tags=streets["tags"].tolist(),
    )
    router = Router(graph, Profile.FOOT, by_length=True)
    random = np.random.default_rng(4)
    main = np.flatnonzero(router.piece == 0)
    found, missed, wrong = 0.0, 0.0, 0.0
    for _ in range(6):
        arcs = 2 * random.choice(main, 5)
        ways = [router.path(Stops.heads(arcs[i : i + 1]), Stops.tails(arcs[i + 1 : i + 2])) for i in range(4)]
        x, y = graph.projection.forward_xy(
            *np.concatenate([shapely.get_coordinates(way.line) for way in ways]).T
        )
        line = shapely.linestrings(x, y)
        along = np.arange(0, line.length, 13.3)
        fixes = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
        error = random.normal(0, noise, fixes.shape)
        for i in range(1, len(error)):
            error[i] = 0.6 * error[i - 1] + 0.8 * error[i]
        match = match_track(
            router,
            *graph.projection.inverse_xy(*(fixes + error).T),
            seconds=along / 1.33,
            accuracy_m=np.full(len(along), noise),
        )
        share = np.zeros(len(graph))
        np.add.at(share, match.edge[match.sure], (match.end - match.begin)[match.sure])
        covered = np.minimum(share, 1) * graph.length_m
        true = np.zeros(len(graph), dtype=bool)
        true[np.concatenate([way.arcs for way in ways]) >> 1] = True
        found += covered[true].sum()
        missed += (graph.length_m - covered)[true].sum()
        wrong += covered[~true].sum()
    assert found / (found + missed) >= recall
    assert found / (found + wrong) >= precision
