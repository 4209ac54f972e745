#!/usr/bin/env python3
"""Forecast Boston's reports of illegal parking week by week, and print how good each way was.

scripts/bench_forecast.py FOLDER [--first 2017-07-03] [--weeks 26] [--hours 08:00-12:00]

FOLDER holds ``*.csv.gz`` with columns `requested_datetime`, `lat` and `long`. The forecasts of the weeks are
made one after another, each from what was reported before it. Which way is used was decided before the
first of them, on the eight weeks before it, and the learned one is fitted once, on what was known then.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from gridmap.forecast.candidates import SIMPLE, Way, features, fit
from gridmap.forecast.choosing import choose, trial_weeks
from gridmap.forecast.history import History
from gridmap.forecast.judging import SHARES, judge
from gridmap.forecast.squares import Grid, Ground
from gridmap.forecast.windows import DAY, Window
from gridmap.hours import parse_hours

MADE_UP = (42.3594, -71.0587)
"""Where cases without an address were put."""


def read(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return longitude, latitude and time by the clock on the wall, in seconds, by time."""
    columns = ["requested_datetime", "lat", "long"]
    frame = pd.concat([pd.read_csv(file, usecols=columns) for file in sorted(folder.glob("*.csv.gz"))])
    frame = frame.dropna()
    unknown = (frame["lat"].round(4) == MADE_UP[0]) & (frame["long"].round(4) == MADE_UP[1])
    frame = frame[~unknown]
    wall = pd.to_datetime(frame["requested_datetime"].str.slice(0, 19))
    frame["at"] = wall.to_numpy().astype("datetime64[s]").astype(np.int64)
    frame = frame.sort_values("at", kind="stable")
    return frame["long"].to_numpy(), frame["lat"].to_numpy(), frame["at"].to_numpy()


def window_of(first: date, hours: str | None) -> Window:
    """Return a week from a day on, or one shift of each of its days."""
    if hours is None:
        return Window(first, days=7)
    begin, end = parse_hours(hours)[0]
    return Window(first, 7, begin * 60, (end if end > begin else end + 24 * 60) * 60)


def bench(
    reports: tuple[np.ndarray, np.ndarray, np.ndarray], first: date, weeks: int, hours: str | None
) -> None:
    """Print a line for each way."""
    lon, lat, at = reports
    grid = Grid.at(lat)
    key = grid.keys(lon, lat)
    start = time.perf_counter()
    # Decided and learned with what was known on the first day.
    window = window_of(first, hours)
    origin = window.day * DAY
    ground = Ground.around(key[at < origin])
    history = History.count(ground, key, at, window=window, origin=origin)
    earlier = trial_weeks(history)[-1]
    before = Ground.around(key[at < origin - earlier * 7 * DAY])
    choice = choose(History.count(before, key, at, window=window, origin=origin), history)
    seconds = time.perf_counter() - start
    # The weeks that follow, told as so many weeks before the end of the last of them.
    last = window_of(first + timedelta(weeks=weeks), hours)
    later = History.count(ground, key, at, window=last, origin=last.day * DAY)
    tests = range(weeks, 0, -1)
    truth = [(later.found(k), float(later.missed[k])) for k in tests]
    tables = [features(later, k) for k in tests]
    lessons = range(weeks + later.lead, weeks + later.lead + 12)
    marks = {
        way: judge((score(later, k), *true) for k, true in zip(tests, truth, strict=True))
        for way, score in SIMPLE.items()
    }
    learned = fit(later, lessons)
    marks[Way.LEARNED] = judge(
        (learned.score(table), *true) for table, true in zip(tables, truth, strict=True)
    )
    found = sum(float(one.sum()) + missed for one, missed in truth)
    print(
        f"{first} and {weeks} weeks, {hours or 'all hours'}: {len(ground):,} squares of "
        f"{grid.pixels} pixels, {int((at < origin).sum()):,} reports before, {found:,.0f} in the weeks; "
        f"tried, chosen and fitted in {seconds:.1f} s"
    )
    for way, mark in marks.items():
        told = "  ".join(
            f"{share:.0%}: {mark[share].hit_rate:6.1%} PAI {mark[share].pai:5.1f}" for share in SHARES
        )
        tried = "  ".join(f"{choice.marks[way][share].hit_rate:6.1%}" for share in SHARES)
        print(f"  {way.value:8} {told}   before: {tried} {'<- used' if way is choice.way else ''}")


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first", type=date.fromisoformat, default=date(2017, 7, 3))
    parser.add_argument("--weeks", type=int, default=26)
    parser.add_argument("--hours")
    asked = parser.parse_args()
    bench(read(asked.folder), asked.first, asked.weeks, asked.hours)
    return 0


if __name__ == "__main__":
    sys.exit(main())
