from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gridmap.problems.rules import impossible_times, suspect_default_coordinates

NOW = np.datetime64("2026-03-01T00:00", "us")


def test_times_that_cannot_be():
    found = np.array(["2026-01-02", "2026-01-02", "2026-01-02", "2026-03-02", "2026-01-02"], "datetime64[us]")
    closed = np.array(["2026-01-01", "2026-01-02", "NaT", "NaT", "2026-03-02"], "datetime64[us]")
    assert impossible_times(found, closed, NOW).tolist() == [True, False, False, True, True]


def test_one_towering_mixed_point_is_suspect():
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(121, 121.2, 3000).round(4), rng.uniform(31, 31.2, 3000).round(4)
    kind = rng.integers(0, 40, 3000)
    lon[:400], lat[:400] = 121.1, 31.1
    lon[400:550], lat[400:550] = 0, 0
    assert np.flatnonzero(suspect_default_coordinates(lon, lat, kind)).tolist() == list(range(550))


def test_a_night_market_with_thousands_of_cases_of_few_kinds_is_honest():
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(121, 121.2, 20_000).round(4), rng.uniform(31, 31.2, 20_000).round(4)
    kind = rng.integers(0, 40, 20_000)
    lon[:4000], lat[:4000], kind[:4000] = 121.1, 31.1, rng.integers(0, 3, 4000)
    assert not suspect_default_coordinates(lon, lat, kind).any()
    assert suspect_default_coordinates(lon, lat).sum() == 4000


def test_corners_where_it_recurs_are_honest():
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 0.1, (60, 2)).round(5)
    of = np.minimum(rng.zipf(1.6, 30_000) - 1, 59)
    place = np.where(rng.random((30_000, 1)) < 0.5, corners[of], rng.uniform(0, 0.1, (30_000, 2)).round(5))
    assert not suspect_default_coordinates(121 + place[:, 0], 31 + place[:, 1]).any()


@pytest.mark.parametrize("places", [0, 1, 99])
def test_few_places_are_never_suspect(places):
    lon = np.repeat(np.linspace(121, 122, places), 3)
    lon[: len(lon) // 2] = 121
    assert not suspect_default_coordinates(lon, np.full(len(lon), 31.0)).any()


@pytest.mark.real
@pytest.mark.parametrize("share", [1, 0.02])
def test_boston_has_one_default_point(real_data, share):
    cases = pd.concat([pd.read_csv(file) for file in sorted((real_data / "boston_311").glob("*.csv.gz"))])
    cases = cases.sample(frac=share, random_state=1)
    suspect = suspect_default_coordinates(
        cases["LONGITUDE"], cases["LATITUDE"], pd.factorize(cases["TYPE"])[0]
    )
    at_city_hall = (cases["LONGITUDE"] == -71.0587) & (cases["LATITUDE"] == 42.3594)
    assert at_city_hall.sum() > 200
    assert (suspect == at_city_hall.to_numpy()).all()
    if share == 1:
        times = [pd.to_datetime(cases[name]).to_numpy("datetime64[us]") for name in ("OPEN_DT", "CLOSED_DT")]
        assert impossible_times(*times, NOW).sum() == (cases["CLOSED_DT"] < cases["OPEN_DT"]).sum() > 100
