from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, box

from geodata.block_work import Work, WorkSamples, cut_heavy, locate, sample_work
from geodata.errors import GeometryError
from geodata.projection import LocalProjection

HOME = LocalProjection(121.47, 31.23)


def test_a_street_on_a_border_belongs_half_to_each_side() -> None:
    blocks = np.array([box(0, 0, 1000, 500), box(0, 500, 1000, 1000)])
    lines = np.array(
        [LineString([(0, 500), (1000, 500)]), LineString([(100, 100), (100, 200)])], dtype=object
    )
    samples = sample_work(Work(per_km=2, per_km2=4), box(0, 0, 1000, 1000), lines, HOME)
    work, _ = samples.by_block(blocks)
    assert work == pytest.approx([1 + 0.2 + 2, 1 + 2])


def test_places_count_once_also_on_a_border_and_outside_not() -> None:
    blocks = np.array([box(0, 0, 100, 100), box(100, 0, 200, 100)])
    lon, lat = HOME.inverse_xy([100, 50, 150, 999], [50, 50, 50, 50])
    samples = sample_work(Work(lon, lat, [1, 2, 4, 8], per_km2=0), box(0, 0, 200, 100), np.array([]), HOME)
    assert samples.outside == 1
    assert samples.by_block(blocks)[0].sum() == pytest.approx(7)
    assert locate(blocks, np.array([[100.0, 50.0], [500, 0]])).tolist() == [0, -1]


def test_a_heavy_block_is_cut_into_equal_work_and_the_others_stay() -> None:
    blocks = np.array([box(0, 0, 400, 100), box(0, 100, 400, 200)])
    rng = np.random.default_rng(0)
    at = rng.random((500, 2)) ** [[3, 1]] * [[400, 100]]
    samples = WorkSamples(at, np.ones(500), 0.0, 0)
    pieces, parent = cut_heavy(blocks, samples, 125)
    assert parent.tolist().count(1) == 1
    assert sorted(samples.by_block(pieces)[0]) == pytest.approx([0, 125, 125, 125, 125], abs=2)
    assert shapely.coverage_is_valid(pieces)
    assert shapely.area(pieces).sum() == pytest.approx(80_000)


def test_ground_without_places_is_cut_by_surface() -> None:
    samples = WorkSamples(np.zeros((0, 2)), np.zeros(0), 1e-3, 0)
    pieces, _ = cut_heavy(np.array([box(0, 0, 400, 100)]), samples, 10)
    assert shapely.area(pieces).tolist() == pytest.approx([10_000] * 4, rel=0.06)


@pytest.mark.parametrize(
    "work",
    [
        Work([1, 2], [1]), Work([1, 2], [1, 2], [1, 2, 3]), Work([np.nan], [1]), Work([1], [1], [np.inf]),
        Work([1], [1], -1), Work(per_km=-1), Work(per_km2=float("nan")),
    ],
)  # fmt: skip
def test_bad_work(work: Any) -> None:
    with pytest.raises(GeometryError, match="Expected"):
        work.places()
