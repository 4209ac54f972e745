from __future__ import annotations

import csv
from datetime import timedelta
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.demo.ground import CENTRE
from gridmap.demo.habits import HABITS
from gridmap.demo.rhythm import DAYS, Problems, make_problems
from gridmap.problems.models import State
from gridmap.problems.rules import impossible_times, suspect_default_coordinates

COUNT = 20_000


@pytest.fixture(scope="module")
def made(district, now) -> Problems:
    return make_problems(district.spots, COUNT, now=now, seed=7)


@pytest.fixture(scope="module")
def moment(now) -> np.datetime64:
    return np.datetime64(now.replace(tzinfo=None), "us")


@pytest.fixture(scope="module")
def table(made, moment) -> pd.DataFrame:
    """Problems that nothing is wrong with, times as the district's clocks show them."""
    frame = pd.DataFrame(
        {
            "habit": np.array(list(HABITS), dtype=object)[made.habit],
            "state": np.array(list(State), dtype=object)[made.state],
            "found": pd.Series(made.found_at) + timedelta(hours=8),
            "lon": made.lon,
            "lat": made.lat,
            "address": made.address,
            "words": made.description,
        }
    )
    known = ~frame["address"].isin(["地址不详", "辖区外（坐标待核）"])
    return frame[known & ~impossible_times(made.found_at, made.closed_at, moment)]


def hours(table: pd.DataFrame, habit: str) -> pd.Series:
    found = table.loc[table["habit"] == habit, "found"]
    return found.dt.hour + found.dt.minute / 60


def test_every_habit_names_a_category(district) -> None:
    with (files("gridmap.problems") / "categories.csv").open(encoding="utf-8") as file:
        codes = {row["code"] for row in csv.DictReader(file)}
    assert {habit.code for habit in HABITS.values()} <= codes


def test_night_markets_live_between_seven_and_eleven(table) -> None:
    for habit in ("night_stalls", "night_barbecue"):
        assert hours(table, habit).between(19, 23).all()
    days = table.loc[table["habit"] == "night_stalls", "found"].dt.day_of_week.value_counts(normalize=True)
    assert days[[4, 5, 6]].mean() > 1.25 * days[[0, 1, 2, 3]].mean()


def test_schools_have_their_hours_and_no_weekend(table) -> None:
    at = hours(table, "school_parking")
    assert (at.between(7.3, 8.2) | at.between(16.5, 17.51)).all()
    assert (table.loc[table["habit"] == "school_parking", "found"].dt.day_of_week < 5).all()


def test_school_parking_is_at_schools(table, district) -> None:
    rows = table[table["habit"] == "school_parking"]
    schools = district.sites.points[district.sites.points["site_type"] == "school"]
    tree = shapely.STRtree(shapely.points(schools["x"], schools["y"]))
    spots = shapely.points(*CENTRE.forward_xy(rows["lon"], rows["lat"]))
    away = tree.query_nearest(spots, return_distance=True, all_matches=False)[1]
    assert np.quantile(away, 0.95) < 120


def test_hawkers_are_at_markets_in_the_morning(table) -> None:
    assert (hours(table, "hawkers") < 9.6).mean() > 0.7


def test_corners_recur(table) -> None:
    rows = table[table["habit"] == "corner_rubbish"]
    addresses = rows["address"].value_counts()
    assert len(addresses) <= 60 // 5
    days = rows[rows["address"] == addresses.index[0]]["found"].dt.date.nunique()
    assert days > 20


def test_trouble_is_uneven(table, district) -> None:
    cells = shapely.STRtree(district.plan.cells["geometry"].to_numpy())
    cell = cells.query(shapely.points(table["lon"], table["lat"]), predicate="intersects")[1]
    counts = np.sort(np.bincount(cell, minlength=60))[::-1]
    assert counts[:6].sum() > 0.25 * counts.sum()
    assert (counts > 0).all()


def test_all_but_the_planted_lie_in_the_district(table, district) -> None:
    inside = shapely.covers(
        district.plan.areas["geometry"].iloc[0], shapely.points(table["lon"], table["lat"])
    )
    assert inside.mean() > 0.999


def test_three_tenths_are_unresolved_and_half_of_those_have_a_later_limit(made) -> None:
    resolved = np.isin(made.state, [list(State).index(state) for state in State if state.resolved])
    assert (~resolved).mean() == pytest.approx(0.3, abs=0.005)
    assert not np.isnat(made.closed_at[resolved]).any()
    assert np.isnat(made.closed_at[~resolved]).all()
    late = ~np.isnat(made.due_at)
    assert not (late & resolved).any()
    assert 0.3 < late[~resolved].mean() < 0.55
    assert set(made.state) == {list(State).index(state) for state in State}


def test_times_are_within_three_months(table, now) -> None:
    local = pd.Timestamp(now).tz_localize(None) + timedelta(hours=8)
    assert table["found"].max() <= local
    assert table["found"].min() >= local.normalize() - timedelta(days=DAYS + 7)
    assert table["found"].is_monotonic_increasing


def test_doubtful_records_are_there_and_few(made, moment) -> None:
    wrong = impossible_times(made.found_at, made.closed_at, moment)
    assert 3 <= wrong.sum() < 0.003 * COUNT
    assert (made.found_at > moment).sum() == 1
    default = suspect_default_coordinates(made.lon, made.lat, made.habit)
    assert 0.01 < default.mean() < 0.015
    assert set(made.address[default]) == {"地址不详"}
    assert (made.address == "辖区外（坐标待核）").sum() == COUNT // 600


def test_words_are_many_and_filled(table) -> None:
    assert table["words"].nunique() > 600
    assert not table["words"].str.contains(r"[{}]|[A-Za-z]").any()
    assert table["address"].str.fullmatch(r".+\D\d+号").all()


def test_the_same_seed_and_moment_make_the_same_problems(district, now, made) -> None:
    again = make_problems(district.spots, COUNT, now=now, seed=7)
    for name in ("habit", "state", "source", "lon", "lat", "address", "description"):
        assert (getattr(again, name) == getattr(made, name)).all()
    for name in ("found_at", "closed_at", "due_at"):
        assert np.array_equal(getattr(again, name), getattr(made, name), equal_nan=True)
    other = make_problems(district.spots, COUNT, now=now, seed=8)
    assert not (other.lon == made.lon).all()


@pytest.mark.parametrize("count", [1, 49, 3000])
@pytest.mark.parametrize("cells", [1, 8])
def test_any_size_can_happen(build_district, now, cells: int, count: int) -> None:
    assert len(make_problems(build_district(cells, 3).spots, count, now=now, seed=1)) == count
