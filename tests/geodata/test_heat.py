from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata import heat, heat_bins, morton
from geodata.errors import GeometryError
from geodata.heat import Heat
from geodata.heat_bins import bins
from geodata.point_columns import PointColumns, PointFilter, PointWeights

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOW = 1_700_000_000


def places(count: int = 20_000, seed: int = 0) -> tuple[PointColumns, NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(seed)
    lon, lat = rng.normal(121.4, 0.05, count), rng.normal(31.2, 0.05, count)
    points, order = PointColumns.build(
        lon,
        lat,
        category=rng.integers(0, 5, count),
        state=rng.integers(0, 3, count),
        severity=rng.integers(0, 3, count),
        area=np.where(lon > 121.45, -1, (lat > 31.2).astype(int)),
        opened=rng.integers(NOW - 10**7, NOW, count),
        flags=rng.choice([0, 0, 0, 1], count),
    )
    return points, lon[order], lat[order]


def square(
    lon: NDArray[Any],
    lat: NDArray[Any],
    weight: NDArray[Any],
    at: tuple[int, int, int],
    *,
    side: int,
    margin: int = 0,
) -> NDArray[Any]:
    """Counts of a tile from the textbook formulas of web-mercator."""
    z, x, y = at
    phi = np.radians(lat)
    column = np.floor(((lon + 180) / 360 * 2**z - x) * side).astype(int) + margin
    row = (
        np.floor(((1 - np.log(np.tan(phi) + 1 / np.cos(phi)) / np.pi) / 2 * 2**z - y) * side).astype(int)
        + margin
    )
    picture = np.zeros((side + 2 * margin, side + 2 * margin))
    inside = (column >= 0) & (row >= 0) & (column < len(picture)) & (row < len(picture))
    np.add.at(picture, (row[inside], column[inside]), weight[inside])
    return picture


def tile(z: int, lon: float = 121.4, lat: float = 31.2) -> tuple[int, int, int]:
    return z, *morton.tile_of(int(morton.encode([lon], [lat])[0]), z)


@pytest.mark.parametrize("z", [8, 11, 13, 16])
@pytest.mark.parametrize(("side", "margin"), [(256, 0), (128, 18), (64, 40), (8, 3)])
def test_bins_are_sums_per_pixel(z: int, side: int, margin: int) -> None:
    points, lon, lat = places()
    chosen = PointFilter(states=frozenset({0, 2}))
    weights = PointWeights(by_severity=(1, 2, 5))
    made = bins(points, points.sieve(chosen, weights), *tile(z), side=side, margin=margin)
    expected = square(lon, lat, points.weigh(chosen, weights), tile(z), side=side, margin=margin)
    np.testing.assert_allclose(made, expected, rtol=1e-5)
    assert made.sum() > 0


def test_threads_sum_like_one(monkeypatch: pytest.MonkeyPatch) -> None:
    points, lon, lat = places()
    monkeypatch.setattr(heat_bins, "_WORTH_A_THREAD", 500)
    made = bins(points, points.sieve(PointFilter()), *tile(10), side=256)
    np.testing.assert_array_equal(made, square(lon, lat, points.weigh(PointFilter()), tile(10), side=256))


def test_the_edge_of_the_world_is_empty() -> None:
    points, _ = PointColumns.build([-180, 180], [0.1, 0.1])
    made = bins(points, points.sieve(PointFilter()), 1, 0, 0, side=64, margin=10)
    assert made.shape == (84, 84)
    assert made[:, :10].sum() == made[:10].sum() == 0
    assert made.sum() == 1


@pytest.mark.parametrize(("z", "side"), [(18, 128), (10, 100), (10, 0)])
def test_no_pixel_is_finer_than_a_code(z: int, side: int) -> None:
    points, _, _ = places(10)
    with pytest.raises(GeometryError, match="power of two"):
        bins(points, points.sieve(PointFilter()), z, 0, 0, side=side)


@settings(deadline=None, max_examples=40)
@given(
    st.none() | st.frozensets(st.integers(0, 5)),
    st.none() | st.frozensets(st.integers(0, 2)),
    st.none() | st.frozensets(st.integers(0, 2)),
    st.sampled_from([8, 10, 11]),
)
def test_condensed_sums_equal_sums_over_all_places(
    categories: frozenset[int] | None, areas: frozenset[int] | None, allowed: frozenset[int] | None, z: int
) -> None:
    points, _, _ = places(5000)
    unresolved, weights = PointFilter(states=frozenset({0, 1})), PointWeights(by_severity=(1, 2, 4))
    fast = Heat(points, resting=unresolved, weights=weights)
    chosen = PointFilter(states=frozenset({0, 1}), categories=categories, areas=areas, allowed_areas=allowed)
    source, _ = fast._source(z + 8, chosen, weights)
    assert source is not points
    expected = bins(points, points.sieve(chosen, weights), *tile(z))
    np.testing.assert_allclose(fast.bins(*tile(z), chosen, weights), expected, rtol=1e-5)


def test_other_filters_and_fine_zooms_count_all_places() -> None:
    points, _, _ = places(2000)
    fast = Heat(points)
    for level, chosen, weights in (
        (20, None, None),
        (18, PointFilter(states=frozenset({1})), None),
        (18, PointFilter(opened_from=NOW - 10**6), None),
        (18, PointFilter(excluded_flags=0), None),
        (18, None, PointWeights(growth_per_day=0.1, now=NOW)),
    ):
        assert fast._source(level, chosen, weights)[0] is points


@pytest.mark.parametrize("z", [9, 12, 15, 17, 19])
def test_tiles_meet_without_a_seam(z: int) -> None:
    """One kernel evaluated over the whole ground gives what the tiles give, also across their borders."""
    points, lon, lat = places()
    hot = Heat(points)
    _, x, y = tile(z)
    both = np.hstack([hot.surface(z, x, y), hot.surface(z, x + 1, y)])
    side, sigma = heat._resolution(z)
    margin = 3 * side
    ground = square(lon, lat, points.weigh(PointFilter()), (z, x, y), side=side, margin=margin)
    centre = (np.arange(512) + 0.5) * side / 256 + margin
    bin_centre = np.arange(len(ground)) + 0.5
    apart = (centre[:, None] - bin_centre) / sigma
    kernel = np.where(abs(apart) <= 3, np.exp(-(apart**2) / 2), 0) / (sigma * np.sqrt(2 * np.pi)) * side / 256
    np.testing.assert_allclose(both, kernel[:256] @ ground @ kernel.T, atol=1e-4 * both.max())
    assert both.max() > 0


def test_the_surface_holds_what_was_counted() -> None:
    """The kernel only moves weight: the sum over all tiles stays (the cut tail of the kernel is 0.5 %)."""
    points, _, _ = places()
    hot = Heat(points)
    total = sum(hot.surface(9, x, y).sum() for x in range(427, 432) for y in range(207, 212))
    assert total == pytest.approx(points.weigh(PointFilter()).sum(), rel=0.01)


def test_samples_do_not_change_the_level() -> None:
    points, _, _ = places()
    hot = Heat(points)
    coarse, fine = (hot.surface(*tile(13), pixels=n) for n in (256, 512))
    assert fine.shape == (512, 512)
    assert fine.mean() == pytest.approx(coarse.mean(), rel=1e-3)


def test_one_scale_for_all_tiles_of_a_zoom_and_filter() -> None:
    points, _, _ = places()
    hot = Heat(points)
    few = PointFilter(categories=frozenset({1}))
    assert hot.scale(13) == hot.scale(13)
    assert hot.scale(13, few) < hot.scale(13)
    peak = max(hot.surface(13, x, y).max() for x, y in hot._tiles(13, None, None))
    assert peak / 5 < hot.scale(13) <= peak


def test_a_lone_case_is_no_hot_spot() -> None:
    points, _ = PointColumns.build([121.4], [31.2])
    hot = Heat(points)
    assert hot.surface(*tile(15)).max() < hot.scale(15) / 2.5
    assert Heat(PointColumns.build([], [])[0]).scale(15) > 0
    assert not Heat(PointColumns.build([], [])[0]).surface(*tile(15)).any()


def test_dividing_by_the_streets_makes_equal_risk_equal() -> None:
    """Three times the streets and three times the cases: the same rate in both quarters."""
    rng = np.random.default_rng(2)

    def quarter(count: int, lon: float) -> NDArray[Any]:
        return np.column_stack((rng.uniform(lon, lon + 0.02, count), rng.uniform(31.19, 31.21, count)))

    cases, _ = PointColumns.build(*np.vstack((quarter(3000, 121.40), quarter(9000, 121.42))).T)
    streets = np.vstack((quarter(4000, 121.40), quarter(12000, 121.42)))
    length, _ = PointColumns.build(*streets.T, mass=np.full(len(streets), 0.01))
    hot, street = Heat(cases), Heat(length)

    def mean(lon: float, per: Heat | None) -> float:
        return float(hot.surface(*tile(15, lon, 31.2), per=per).mean())

    assert mean(121.43, None) / mean(121.41, None) > 2.5
    assert mean(121.43, street) / mean(121.41, street) == pytest.approx(1, rel=0.1)
    assert mean(121.43, street) == pytest.approx(75, rel=0.1)  # cases per km
    assert hot.scale(15, per=street) < 75 * 4


def test_a_case_without_any_street_does_not_explode() -> None:
    cases, _ = PointColumns.build([121.4, 121.6], [31.2, 31.2])
    length, _ = PointColumns.build([121.4], [31.2], mass=[1.0])
    surface = Heat(cases).surface(*tile(15, 121.6), per=Heat(length))
    assert np.isfinite(surface).all()
    on_street = Heat(cases).surface(*tile(15), per=Heat(length))
    assert surface.max() < 40 * on_street.max()
    nowhere = Heat(cases).surface(*tile(15), per=Heat(PointColumns.build([], [])[0]))
    assert not nowhere.any()
