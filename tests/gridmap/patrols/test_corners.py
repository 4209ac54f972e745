"""Hot corners: what is expected times how long nobody was there, and their way through a plan's wish."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np

from gridmap.forecast.service import Forecast
from gridmap.forecast.squares import Grid, Ground
from gridmap.forecast.windows import Window
from gridmap.patrols.corners import Corner, days_unseen, hot_corners

AT = 1_780_000_000.0
DAY = 86_400


def forecast(expected):
    """Four squares in a row; the last has had nothing, its neighbour two finds."""
    lat = np.array([31.2005, 31.2005, 31.2005, 31.2005])
    grid = Grid.at(lat)
    lon = np.array([121.4000, 121.4016, 121.4032, 121.4033])
    key = grid.keys(lon, lat)
    ground = Ground(np.unique(np.append(key, key.max() + (1 << 24))))
    row = np.arange(4)
    zero = np.zeros(len(ground))
    made = Forecast(
        window=Window(date(2026, 5, 11), 1, 8 * 3600, 12 * 3600),
        grid=grid,
        ground=ground,
        choice=None,
        all_days=False,
        expected=np.array(expected, dtype=float),
        past=zero,
        near=zero,
        weeks=20,
        found=4,
        row=row,
        square=ground.rows(key),
    )
    return made, SimpleNamespace(lon=lon, lat=lat)


def test_the_worth_is_what_is_expected_times_how_long_nobody_was_there():
    made, snapshot = forecast([0.5, 0.5, 1.0, 9.0])
    fresh, stale, other = 0.0, 7.0, np.inf
    plain = hot_corners(made, snapshot)
    assert [one.worth for one in plain] == [2700, 1350, 1350]
    assert plain[0].lon == 121.40325
    weighed = hot_corners(made, snapshot, np.array([fresh, stale, fresh, other]))
    assert sorted(one.worth for one in weighed) == [1350, 2700, 2700]
    never = hot_corners(made, snapshot, np.array([other, fresh, fresh, fresh]))
    assert never[0].worth == 3 * 1350
    assert hot_corners(forecast([0.01, 0, 0, 0.5])[0], snapshot) == ()


def test_a_square_was_seen_when_any_street_in_it_was_walked_as_far_as_the_reader_may_know():
    made, snapshot = forecast([1, 1, 1, 1])
    coverage = SimpleNamespace(
        ground=SimpleNamespace(lon=np.append(snapshot.lon, 121.0), lat=np.append(snapshot.lat, 31.0)),
        shown=np.array([True, False, True, True, True]),
        last=np.array([AT - 3 * DAY, AT, AT - 9 * DAY, AT - 2 * DAY, AT]),
    )
    assert days_unseen(made, coverage, AT).tolist() == [3, np.inf, 2, np.inf]


def test_a_corner_is_written_and_read():
    corner = Corner(123456789, 121.400123, 31.2, 900)
    assert Corner.parse(str(corner)) == corner
