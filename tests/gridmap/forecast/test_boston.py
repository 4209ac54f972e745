"""Boston's illegal parking: hit rates and the index by other means, and what forecasts are worth there."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from gridmap.forecast.candidates import Way
from gridmap.forecast.choosing import choose, trial_weeks
from gridmap.forecast.history import History
from gridmap.forecast.squares import Grid, Ground
from gridmap.forecast.windows import DAY, WEEK, Window

FIRST = date(2017, 7, 3)
EVENINGS = Window(FIRST, 7, 19 * 3600, 23 * 3600)


@pytest.fixture(scope="module")
def reports(real_data):
    files = sorted((real_data / "boston_illegal_parking").glob("*.csv.gz"))
    columns = ["requested_datetime", "lat", "long"]
    frame = pd.concat([pd.read_csv(file, usecols=columns) for file in files]).dropna()
    frame["at"] = pd.to_datetime(frame["requested_datetime"].str.slice(0, 19))
    return frame.sort_values("at", kind="stable").reset_index(drop=True)


def counted(reports, key, window, origin, until):
    at = reports["at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    return History.count(Ground.around(key[at < until]), key, at, window=window, origin=origin)


@pytest.mark.real
@pytest.mark.parametrize("window", [Window(FIRST, 7), EVENINGS], ids=["weeks", "evenings"])
def test_hit_rate_and_index_are_what_a_data_frame_gives(reports, window):
    grid = Grid.at(reports["lat"].to_numpy())
    key = grid.keys(reports["long"].to_numpy(), reports["lat"].to_numpy())
    origin = window.day * DAY
    history = counted(reports, key, window, origin, origin)
    weeks = trial_weeks(history)
    before = counted(reports, key, window, origin, origin - weeks[-1] * WEEK)
    choice = choose(before, history)

    frame = reports.assign(key=key)
    first = pd.Timestamp(FIRST)
    seen = frame.loc[frame["at"] < first - pd.Timedelta(weeks=weeks[-1]), "key"].unique()
    ground = pd.Index(
        sorted({k + x * 2**24 + y for k in seen.tolist() for x in (-1, 0, 1) for y in (-1, 0, 1)})
    )
    assert len(ground) == len(before.ground)
    hour = frame["at"].dt.hour
    inside = (hour >= window.opens // 3600) & (hour < window.closes / 3600)
    hit, total = {0.01: 0.0, 0.05: 0.0}, 0
    for k in weeks:
        start = first - pd.Timedelta(weeks=k)
        month = frame[(frame["at"] >= start - pd.Timedelta(days=28)) & (frame["at"] < start)]
        score = month.groupby("key").size().reindex(ground, fill_value=0)
        later = frame[(frame["at"] >= start) & (frame["at"] < start + pd.Timedelta(days=7)) & inside]
        found = later.groupby("key").size().reindex(ground, fill_value=0)
        total += len(later)
        for share in hit:
            squares = round(share * len(ground))
            ranked = score.sort_values(ascending=False)
            limit = ranked.iloc[squares - 1]
            sure, tied = score > limit, score == limit
            hit[share] += found[sure].sum() + found[tied].sum() * (squares - sure.sum()) / tied.sum()
    assert choice.found == total
    for share, count in hit.items():
        mark = choice.marks[Way.MONTH][share]
        assert mark.hit_rate == pytest.approx(count / total)
        assert mark.pai == pytest.approx(count / total / (round(share * len(ground)) / len(ground)))
    # Recent counts are as good as what is learned, and better than the others, the more so in some hours.
    rates = {way: marks[0.05].hit_rate for way, marks in choice.marks.items()}
    assert choice.way is Way.RECENT
    assert rates[Way.RECENT] > rates[Way.LEARNED] * 0.94
    for way in (Way.MONTH, Way.KERNEL, Way.SEASON):
        assert rates[Way.RECENT] > rates[way] * (1.1 if window is EVENINGS else 1.05)
