from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata import morton
from geodata.errors import GeometryError
from geodata.point_columns import PointColumns, PointFilter, PointWeights

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NOW = 1_700_000_000
DAY = 86400


def scatter(count: int = 3000, seed: int = 0) -> tuple[dict[str, NDArray[Any]], NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(seed)
    opened = rng.integers(NOW - 90 * DAY, NOW, count)
    columns = {
        "category": rng.integers(0, 12, count),
        "state": rng.integers(0, 6, count),
        "severity": rng.integers(0, 4, count),
        "source": rng.integers(0, 5, count),
        "flags": rng.choice([0, 0, 0, 1, 2, 3], count),
        "area": rng.integers(-1, 9, count),
        "cell": rng.integers(-1, 40, count),
        "organisation": rng.integers(-1, 7, count),
        "opened": opened,
        "closed": np.where(rng.random(count) < 0.5, -1, opened + rng.integers(0, 30 * DAY, count)),
        "due": np.where(rng.random(count) < 0.2, -1, opened + rng.integers(0, 20 * DAY, count)),
    }
    return columns, rng.normal(121.4, 0.05, count), rng.normal(31.2, 0.05, count)


def plain_weights(columns: dict[str, Any], f: PointFilter, w: PointWeights) -> NDArray[Any]:
    """The same rule written down place by place."""
    weights = []
    for i in range(len(columns["state"])):
        row = {name: int(values[i]) for name, values in columns.items()}
        due = row["due"] if row["due"] >= 0 else float("inf")
        closed = row["closed"] if row["closed"] >= 0 else float("inf")
        counts = (
            (f.categories is None or row["category"] in f.categories)
            and (f.states is None or row["state"] in f.states)
            and (f.severities is None or row["severity"] in f.severities)
            and (f.sources is None or row["source"] in f.sources)
            and (f.areas is None or row["area"] in f.areas)
            and (f.allowed_areas is None or row["area"] in f.allowed_areas)
            and (f.cells is None or row["cell"] in f.cells)
            and (f.organisations is None or row["organisation"] in f.organisations)
            and not row["flags"] & f.excluded_flags
            and (f.opened_from is None or row["opened"] >= f.opened_from)
            and (f.opened_until is None or row["opened"] < f.opened_until)
            and (f.open_at is None or row["opened"] <= f.open_at < closed)
            and (f.overdue_at is None or due < f.overdue_at)
        )
        severity = w.by_severity[min(row["severity"], len(w.by_severity) - 1)] if w.by_severity else 1.0
        age = 1 + w.growth_per_day * max(w.now - row["opened"], 0) / DAY
        weights.append(severity * (min(age, w.largest_factor) if w.growth_per_day else 1.0) * counts)
    return np.array(weights)


def some(limit: int) -> st.SearchStrategy[frozenset[int] | None]:
    return st.none() | st.frozensets(st.integers(0, limit), max_size=limit)


moments = st.none() | st.integers(NOW - 100 * DAY, NOW + DAY)
filters = st.builds(
    PointFilter,
    categories=some(13),
    states=some(6),
    severities=some(4),
    sources=some(5),
    areas=some(10),
    allowed_areas=some(10),
    cells=some(41),
    organisations=some(7),
    excluded_flags=st.integers(0, 3),
    opened_from=moments,
    opened_until=moments,
    open_at=moments,
    overdue_at=moments,
)
one_criterion = st.sampled_from(
    ["categories", "areas", "cells", "organisations", "opened_from", "opened_until", "open_at", "overdue_at"]
).flatmap(lambda name: filters.map(lambda f: PointFilter(**{name: getattr(f, name)})))
weightings = st.builds(
    PointWeights,
    by_severity=st.sampled_from([(), (1.0, 2.0, 4.0), (0.5,)]),
    growth_per_day=st.sampled_from([0.0, 0.1]),
    largest_factor=st.just(3.0),
    now=st.just(NOW),
)


@settings(deadline=None, max_examples=60)
@given(filters | one_criterion, weightings)
def test_weights_follow_the_rule_place_by_place(chosen: PointFilter, weights: PointWeights) -> None:
    columns, lon, lat = scatter(400)
    points, order = PointColumns.build(lon, lat, **columns)
    expected = plain_weights(columns, chosen, weights)[order]
    np.testing.assert_allclose(points.weigh(chosen, weights), expected, rtol=1e-5)


def test_rows_are_in_morton_order_and_remember_where_they_stood() -> None:
    columns, lon, lat = scatter()
    points, order = PointColumns.build(lon, lat, **columns)
    np.testing.assert_array_equal(points.rows.code, np.sort(morton.encode(lon, lat)))
    np.testing.assert_array_equal(points.rows.cell, columns["cell"][order])
    np.testing.assert_array_equal(points.kinds["state"][points.rows.kind], columns["state"][order])
    assert len(points) == 3000


def test_a_slice_weighs_like_the_whole() -> None:
    columns, lon, lat = scatter()
    points, _ = PointColumns.build(lon, lat, **columns)
    chosen = PointFilter(states=frozenset({1, 2}))
    np.testing.assert_array_equal(points.weigh(chosen, start=700, stop=900), points.weigh(chosen)[700:900])


def test_dates_are_seconds_since_1970_and_nat_is_never() -> None:
    opened = np.array(["2024-01-01T00:00:00", "NaT"], dtype="datetime64[us]")
    points, _ = PointColumns.build([121, 122], [31, 31], opened=opened)
    assert points.rows.opened.tolist() == [1704067200, 2**32 - 1]


def test_flagged_places_are_left_out_unless_told() -> None:
    points, _ = PointColumns.build([121, 122], [31, 31], flags=[0, 4])
    assert points.weigh(PointFilter()).sum() == 1
    assert points.weigh(replace(PointFilter(), excluded_flags=3)).sum() == 2


def test_mass_multiplies() -> None:
    points, order = PointColumns.build([122, 121], [31, 31], mass=[2.5, 0.5])
    assert points.weigh(PointFilter()).tolist() == np.array([2.5, 0.5])[order].tolist()


def test_many_combinations_of_classes_are_kept_apart() -> None:
    rng = np.random.default_rng(1)
    columns = {
        "category": rng.integers(0, 65536, 100_000),
        "state": rng.integers(0, 256, 100_000),
        "source": rng.integers(0, 256, 100_000),
    }
    points, order = PointColumns.build(
        rng.uniform(120, 121, 100_000), rng.uniform(30, 31, 100_000), **columns
    )
    assert points.rows.kind.dtype == np.uint32
    for name, values in columns.items():
        np.testing.assert_array_equal(points.kinds[name][points.rows.kind], values[order])


def test_saved_columns_come_back(tmp_path: Path) -> None:
    columns, lon, lat = scatter()
    points, _ = PointColumns.build(lon, lat, **columns)
    points.save(tmp_path)
    back = PointColumns.load(tmp_path)
    chosen = PointFilter(categories=frozenset({1, 2}), overdue_at=NOW)
    np.testing.assert_array_equal(back.weigh(chosen), points.weigh(chosen))
    assert isinstance(back.rows.code, np.memmap)


def test_no_places_at_all(tmp_path: Path) -> None:
    points, order = PointColumns.build([], [])
    assert len(points) == len(order) == 0
    assert points.weigh(PointFilter(areas=frozenset({1}), overdue_at=NOW)).shape == (0,)
    points.save(tmp_path)
    assert len(PointColumns.load(tmp_path)) == 0


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"state": [300]}, "state in \\[0, 256\\)"),
        ({"category": [-1]}, "category"),
        ({"area": [-2]}, "area positions"),
        ({"due": [2**33]}, "2106"),
        ({"colour": [1]}, "colour"),
        ({"state": [1, 2]}, "shape"),
    ],
)
def test_values_out_of_range_are_refused(columns: dict[str, list[int]], message: str) -> None:
    with pytest.raises(GeometryError, match=message):
        PointColumns.build([121], [31], **columns)


def test_a_filter_on_a_missing_column_is_refused() -> None:
    points, _ = PointColumns.build([121], [31])
    with pytest.raises(GeometryError, match="column due"):
        points.weigh(PointFilter(overdue_at=NOW))
