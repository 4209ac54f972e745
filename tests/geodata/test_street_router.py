"""Against an independent shortest-path program, on made and on real networks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geodata.osm import read_osm
from geodata.street_graph import StreetGraph, build_street_graph
from geodata.street_places import Stops
from geodata.street_router import Router
from geodata.travel import Profile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

EXTRACTS = {
    "shanghai": ("osm_shanghai_center/shanghai_center.osm.pbf", 0.974),
    "nanjing": ("osm_nanjing_xinjiekou/nanjing_xinjiekou.osm.pbf", 0.9),
}


def between_arcs(router: Router, arcs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seconds from the end of each arc to the beginning of each, by walking from arc to arc.

    Arcs are the nodes here, so that a forbidden turn is a missing link: another model than the router's.
    """
    graph = router.graph
    count = 2 * len(graph)
    usable = np.flatnonzero(np.isfinite(router.seconds))
    head, tail = graph.head(np.arange(count)), graph.tail(np.arange(count))
    by_tail = usable[np.argsort(tail[usable], kind="stable")]
    low = np.searchsorted(tail[by_tail], head[usable], side="left")
    much = np.searchsorted(tail[by_tail], head[usable], side="right") - low
    start = np.repeat(usable, much)
    end = by_tail[np.arange(len(start)) - np.repeat(np.cumsum(much) - much, much) + np.repeat(low, much)]
    turns = router.graph.turns[router.profile]
    assert all(len(turn) == 2 for turn in turns)
    banned = {a * count + b for a, b in turns}
    kept = ~np.isin(start * count + end, list(banned))
    start, end = start[kept], end[kept]
    # Time along the arc one goes to; nothing takes no time here, as a stored nought would be no link.
    links = coo_array((router.seconds[end] + 1e-9, (start, end)), shape=(count, count)).tocsr()
    return dijkstra(links, indices=arcs)[:, arcs] - router.seconds[arcs]


def checked(graph: StreetGraph, profile: Profile, seed: int) -> None:
    router = Router(graph, profile)
    usable = np.flatnonzero(np.isfinite(router.seconds))
    arcs = np.random.default_rng(seed).choice(usable, min(60, len(usable)), replace=False)
    ours = router.matrix(Stops.heads(arcs), Stops.tails(arcs))
    theirs = between_arcs(router, arcs)
    # An arc is at its own beginning only after a way round, which theirs counts as being there.
    off = ~np.eye(len(arcs), dtype=bool)
    assert (np.isfinite(ours) == np.isfinite(theirs))[off].all()
    both = off & np.isfinite(ours)
    assert ours[both] == pytest.approx(theirs[both], abs=0.01)
    for i, j in np.argwhere(both)[:: max(int(both.sum()) // 40, 1)].tolist():
        route = router.path(Stops.heads(arcs), Stops.tails(arcs), i, j)
        assert route.seconds == pytest.approx(ours[i, j])
        inner = route.arcs[:-1], route.arcs[1:]
        assert (graph.head(inner[0]) == graph.tail(inner[1])).all()
        assert np.isfinite(router.seconds[route.arcs]).all()
        walked = router.seconds[route.arcs].sum() if route.metres else 0.0
        assert route.seconds == pytest.approx(walked, abs=0.01)


def net(seed: int) -> StreetGraph:
    """A net of crossings with streets missing, one-way streets and streets of several classes."""
    random = np.random.default_rng(seed)
    size = 12
    lines = []
    for i in range(size):
        for j in range(size):
            for to in ((i + 1, j), (i, j + 1)):
                if max(to) < size and random.random() < 0.8:
                    ends = np.array([(i, j), to], dtype=float) * 1e-3 + (121.4, 31.2)
                    lines.append(shapely.linestrings(ends))
    kinds = random.choice(["residential", "primary", "service", "footway"], len(lines))
    return build_street_graph(lines, road_class=kinds, oneway=random.integers(-1, 2, len(lines)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("profile", Profile)
def test_times_are_those_of_another_program(profile: Profile, seed: int) -> None:
    checked(net(seed), profile, seed)


def test_places_in_the_middle_of_streets_are_as_far_as_their_ends_say() -> None:
    graph = net(5)
    router = Router(graph, Profile.CAR)
    random = np.random.default_rng(5)
    usable = np.flatnonzero(np.isfinite(router.seconds))
    arc = random.choice(usable, 30)
    both = np.isfinite(router.seconds[arc ^ 1])
    stops = Stops(arc, random.random(30), both)
    matrix = router.matrix(stops)
    ends = router.matrix(Stops.heads(np.arange(2 * len(graph))), Stops.tails(np.arange(2 * len(graph))))
    _, ways, fraction = stops.ways()
    row = stops.ways()[0]
    for i in range(30):
        for j in range(30):
            best = np.inf
            for a, f in zip(ways[row == i], fraction[row == i], strict=True):
                for b, g in zip(ways[row == j], fraction[row == j], strict=True):
                    along = (1 - f) * router.seconds[a] + ends[a, b] + g * router.seconds[b]
                    if a == b and g >= f:
                        along = (g - f) * router.seconds[a]
                    best = min(best, along)
            assert matrix[i, j] == pytest.approx(best, abs=0.01)


def test_many_threads_may_ask_at_once() -> None:
    router = Router(net(7), Profile.FOOT)
    snapped = router.snap(*np.random.default_rng(1).uniform((121.4, 31.2), (121.41, 31.21), (20, 2)).T)
    alone = router.matrix(snapped)
    with ThreadPoolExecutor(4) as pool:
        for again in pool.map(lambda _: router.matrix(snapped), range(12)):
            assert (again == alone).all()


@pytest.mark.real
@pytest.mark.parametrize("city", EXTRACTS)
@pytest.mark.parametrize("profile", Profile)
def test_a_real_city_is_one_network_with_its_pieces_named(
    real_data: Path, city: str, profile: Profile
) -> None:
    file, share = EXTRACTS[city]
    graph = of_file(real_data / file)
    checked(graph, profile, 1)
    router = Router(graph, profile)
    opened = router.piece >= 0
    main = graph.length_m[router.piece == 0].sum()
    assert main >= share * 0.95 * graph.length_m[opened].sum()
    assert sum(p.metres for p in router.pieces) == pytest.approx(graph.length_m[opened].sum() - main)


@pytest.mark.real
def test_five_hundred_places_are_measured_at_once(real_data: Path) -> None:
    router = Router(of_file(real_data / EXTRACTS["shanghai"][0]), Profile.FOOT)
    random = np.random.default_rng(1)
    corner = random.choice(len(router.graph.lon), 500)
    snapped = router.snap(router.graph.lon[corner], router.graph.lat[corner])
    matrix = router.matrix(snapped)
    assert np.isfinite(matrix).mean() > 0.98


def of_file(file: Path) -> StreetGraph:
    streets = read_osm(file).streets
    return build_street_graph(
        streets.geometry.to_numpy(),
        road_class=streets.road_class,
        oneway=streets.oneway,
        ref=streets.osm_id,
        name=streets.name.fillna(""),
    )
