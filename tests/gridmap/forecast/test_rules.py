"""The rules of forecasting: what they may look at, what does not matter to them, and how they are judged."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.forecast.candidates import SIMPLE, Way, features, fit
from gridmap.forecast.choosing import best, broadened, choose, enough, expected, trial_weeks
from gridmap.forecast.history import History
from gridmap.forecast.judging import Mark, hits, judge
from gridmap.forecast.squares import Grid, Ground
from gridmap.forecast.windows import DAY, WEEK, Window, local_seconds

SHIFT = Window(date(2026, 5, 11), 1, 19 * 3600, 23 * 3600)
NIGHT = Window(date(2026, 5, 11), 1, 22 * 3600, 26 * 3600)
SPAN = Window(date(2026, 5, 11), 7)
ORIGIN = SHIFT.day * DAY


def town(seed=1, count=3000, weeks=40):
    """Finds in 20 by 20 squares, a few of them bad, and bad in the evening."""
    chance = np.random.default_rng(seed)
    bad = chance.choice(400, 12, replace=False)
    at = np.sort(ORIGIN + 2 * WEEK - chance.integers(0, weeks * WEEK, count))
    place = np.where(chance.random(count) < 0.6, chance.choice(bad, count), chance.integers(0, 400, count))
    late = np.isin(place, bad[:6]) & (chance.random(count) < 0.8)
    at = np.where(late, at // DAY * DAY + 20 * 3600, at)
    order = np.argsort(at, kind="stable")
    return Grid.key(1000 + place // 20, 2000 + place % 20)[order], at[order]


def counted(key, at, window=SHIFT, origin=ORIGIN):
    known = at < origin
    return History.count(Ground.around(key[known]), key, at, window=window, origin=origin)


@pytest.mark.parametrize("window", [SHIFT, NIGHT, SPAN])
def test_the_same_window_of_earlier_weeks_holds_what_a_calendar_says(window):
    key, at = town()
    history = counted(key, at, window)
    for k in (history.lead, history.lead + 3):
        earlier = window.earlier(k)
        inside = np.zeros(len(at), dtype=bool)
        for day in range(earlier.days):
            begin = (earlier.day + day) * DAY
            inside |= (at >= begin + window.opens) & (at < begin + window.closes)
        assert history.found(k).sum() == inside.sum()
        assert earlier.end <= ORIGIN
    assert window.earlier(history.lead - 1).end > ORIGIN


@pytest.mark.parametrize("window", [SHIFT, SPAN])
def test_a_forecast_does_not_look_at_what_comes_after_its_origin(window):
    key, at = town()
    history = counted(key, at, window)
    other = np.where(at >= ORIGIN, key + 7, key)
    altered = counted(other, at, window)
    assert (choice := choose(history, history)).score(history) == pytest.approx(
        choose(altered, altered).score(altered), abs=0
    )
    assert choice.learned is None or choice.way is Way.LEARNED
    # A forecast as of four weeks ago does not see the last four weeks either.
    recent = at >= ORIGIN - 4 * WEEK
    moved = History.count(history.ground, np.where(recent, key[0], key), at, window=window, origin=ORIGIN)
    for score in SIMPLE.values():
        assert np.array_equal(score(history, 4), score(moved, 4))
    assert np.array_equal(features(history, 4), features(moved, 4))
    assert not np.array_equal(features(history, 0), features(moved, 0))


def test_a_forecast_made_earlier_is_that_of_an_earlier_day():
    key, at = town()
    history = counted(key, at)
    earlier = SHIFT.earlier(3)
    before = History.count(history.ground, key, at, window=earlier, origin=ORIGIN - 3 * WEEK)
    for score in SIMPLE.values():
        assert score(history, 3) == pytest.approx(score(before, 0))
    assert features(history, 3) == pytest.approx(features(before, 0))


@given(columns=st.integers(-900, 4000), rows=st.integers(-1900, 4000))
@settings(max_examples=8, deadline=None)
def test_a_shift_of_the_whole_town_changes_nothing(columns, rows):
    key, at = town(count=800)
    moved = Grid.key(key // (1 << 24) + columns, key % (1 << 24) + rows)
    here, there = counted(key, at), counted(moved, at)
    for score in SIMPLE.values():
        assert np.allclose(score(here, 0), score(there, 0), rtol=1e-12)
    assert np.allclose(features(here, 0), features(there, 0))


def test_a_place_lies_in_its_square_and_squares_are_of_the_size_that_is_said():
    chance = np.random.default_rng(3)
    lon, lat = chance.uniform(121.3, 121.6, 500), chance.uniform(31.1, 31.4, 500)
    grid = Grid.at(lat)
    west, south, east, north = grid.corners(grid.keys(lon, lat))
    assert ((west <= lon) & (lon < east) & (south < lat) & (lat <= north)).all()
    metres = (east - west) * 111_320 * np.cos(np.radians(lat))
    assert (abs(metres - 150) < 2).all()
    assert (abs((north - south) * 110_860 - 150) < 2).all()


def test_an_even_forecast_is_as_good_as_a_blind_one():
    found = np.random.default_rng(5).poisson(0.3, 997).astype(float)
    for mark in judge([(np.ones(997), found, 0.0)]).values():
        assert mark.pai == pytest.approx(1)
    perfect = judge([(found, found, 0.0)])[0.01]
    assert perfect.hit_rate == pytest.approx(np.sort(found)[-10:].sum() / found.sum())
    assert judge([(found, found, float(found.sum()))])[0.01].hit_rate == pytest.approx(perfect.hit_rate / 2)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=2, max_size=30), st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_squares_of_the_same_score_count_as_if_drawn_by_lot(pairs, squares):
    squares = min(squares, len(pairs))
    score, found = np.array(pairs, dtype=float).T
    chance = np.random.default_rng(1)
    drawn = [found[np.lexsort((chance.random(len(score)), -score))[:squares]].sum() for _ in range(300)]
    assert hits(score, found, squares) == pytest.approx(np.mean(drawn), abs=1.2)
    assert hits(score, found, len(pairs)) == found.sum()


def test_the_first_of_those_that_are_hardly_worse_is_used():
    def marks(**rates):
        return {Way(way): {s: Mark(s, rate) for s in (0.01, 0.05)} for way, rate in rates.items()}

    assert best(marks(month=0.4, recent=0.4, learned=0.403), 100_000) is Way.RECENT
    assert best(marks(month=0.4, recent=0.42, learned=0.45), 100_000) is Way.LEARNED
    assert best(marks(kernel=0.2, season=0.3), 100_000) is Way.SEASON
    # Of a few finds none tells one way from the other.
    assert best(marks(month=0.4, recent=0.42, learned=0.45), 17) is Way.RECENT


def test_a_weekday_with_few_finds_is_judged_by_all_days():
    assert broadened(counted(*town()))
    assert not broadened(counted(*town(count=40_000)))
    assert not broadened(counted(*town(), SPAN))
    assert SHIFT.every_day().holds(np.array([SHIFT.begin + 3 * DAY, SHIFT.end + 3 * DAY])).tolist() == [1, 0]


def test_hours_are_learned_where_they_matter():
    key, at = town(count=40_000)
    history = counted(key, at)
    earlier = at < ORIGIN - trial_weeks(history)[-1] * WEEK
    tested = History.count(Ground.around(key[earlier]), key, at, window=SHIFT, origin=ORIGIN)
    choice = choose(tested, history)
    assert choice.marks[Way.LEARNED][0.01].hit_rate > choice.marks[Way.MONTH][0.01].hit_rate
    assert choice.way is not Way.MONTH
    assert choice.tests == 8
    total = expected(choice.score(history), history).sum()
    assert total == pytest.approx(history.total(8))


def test_sites_that_matter_are_learned():
    key, at = town()
    history = counted(key, at)
    lessons = range(history.lead, history.lead + 8)
    # Sites stand where it happens in the weeks to learn from, whatever was there before.
    market = sum(history.found(k) for k in lessons) > 0
    assert fit(history, lessons, market[:, None].astype(float)).weight[-1] > 0.5


def test_too_little_is_not_forecast_from():
    key, at = town(count=50)
    assert not enough(counted(key, at))
    key, at = town(count=500, weeks=6)
    assert not enough(counted(key, at))
    assert enough(counted(*town()))


def test_clocks_on_the_wall_follow_summer_time():
    zone = ZoneInfo("America/New_York")
    moments = [
        datetime(2017, 3, 12, 1, 30, tzinfo=zone),
        datetime(2017, 3, 12, 3, 30, tzinfo=zone),
        datetime(2017, 7, 1, 12, tzinfo=zone),
    ]
    wall = local_seconds(np.array([int(one.timestamp()) for one in moments]), zone)
    assert np.array_equal(
        wall.astype("datetime64[s]"), [np.datetime64(one.replace(tzinfo=None)) for one in moments]
    )
