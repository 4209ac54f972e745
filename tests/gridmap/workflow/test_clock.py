"""The clock of fixing through whole lives, against plain sums."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.config import Settings
from gridmap.deadlines.calendar import load_calendar
from gridmap.problems.models import TimeUnit
from gridmap.workflow.clock import Clocks, put_off, run_clocks
from gridmap.workflow.transitions import Run

UNITS = tuple(TimeUnit)
NEVER = np.datetime64("NaT", "us")
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def calendar(tmp_path_factory):
    return load_calendar(Settings(data_dir=tmp_path_factory.mktemp("data")))


def moment(time):
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")


def fresh(allowed, unit):
    return Clocks(
        allowed=np.array([allowed]),
        unit=np.array([UNITS.index(unit)]),
        since=np.array([NEVER]),
        used=np.array([0]),
        due=np.array([NEVER]),
    )


@given(
    unit=st.sampled_from(UNITS),
    allowed=st.integers(1, 40),
    turns=st.lists(st.tuples(st.integers(1, 4000), st.integers(0, 4000)), min_size=1, max_size=6),
)
def test_what_is_used_is_the_sum_of_the_runs(calendar, unit, allowed, turns):
    now = START
    clocks = run_clocks(Run.START, fresh(allowed, unit), moment(now), calendar)
    spent = 0
    for run, pause in turns:
        began, now = now, now + timedelta(minutes=run)
        spent += int(calendar.used(moment(began), moment(now), UNITS.index(unit)))
        clocks = run_clocks(Run.STOP, clocks, moment(now), calendar)
        assert clocks.used.tolist() == [spent]
        now += timedelta(minutes=pause)
        clocks = run_clocks(Run.GO_ON, clocks, moment(now), calendar)
        assert clocks.due[0] >= moment(now)


@given(unit=st.sampled_from(UNITS), allowed=st.integers(1, 40), minutes=st.integers(0, 20_000))
def test_a_pause_of_no_length_changes_nothing(calendar, unit, allowed, minutes):
    clocks = run_clocks(Run.START, fresh(allowed, unit), moment(START), calendar)
    at = moment(START + timedelta(minutes=minutes))
    paused = run_clocks(Run.GO_ON, run_clocks(Run.STOP, clocks, at, calendar), at, calendar)
    assert paused.due[0] == max(clocks.due[0], at)


@given(unit=st.sampled_from(UNITS), allowed=st.integers(1, 40), more=st.integers(1, 40))
def test_more_time_is_never_less(calendar, unit, allowed, more):
    clocks = run_clocks(Run.START, fresh(allowed, unit), moment(START), calendar)
    longer = put_off(clocks, more, calendar)
    assert longer.due[0] > clocks.due[0]
    whole = run_clocks(Run.START, fresh(allowed + more, unit), moment(START), calendar)
    assert longer.due[0] == whole.due[0]


def test_a_clock_that_never_ran_can_be_stopped_and_goes_on_with_the_whole_time(calendar):
    clocks = run_clocks(Run.STOP, fresh(2, TimeUnit.URGENT_HOUR), moment(START), calendar)
    assert clocks.used.tolist() == [0]
    again = run_clocks(Run.GO_ON, clocks, moment(START), calendar)
    assert again.due[0] - moment(START) == np.timedelta64(2, "h")
    assert np.isnat(replace(clocks).since[0])
