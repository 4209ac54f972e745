"""The table of steps: what follows for a limit, when, and in which order."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmap.deadlines.calendar import UNITS
from gridmap.deadlines.models import StepKind
from gridmap.deadlines.steps import Wait, horizon, next_steps
from gridmap.problems.models import TimeUnit

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR, DAY = UNITS[TimeUnit.WORKING_HOUR], UNITS[TimeUnit.WORKING_DAY]
STEPS = [
    Wait(StepKind.REMIND, 4, HOUR),
    Wait(StepKind.NOTICE, 0, HOUR),
    Wait(StepKind.LEADER, 1, DAY),
    Wait(StepKind.ACCOUNTABILITY, 2, DAY),
]
DUE = "2026-09-30 16:00"
TABLE = [
    # a limit that ends on Wednesday 30 September at 16:00, before a week of holidays
    ("2026-09-30 09:59", [None, None, None, None], None),
    ("2026-09-30 10:00", [None, None, None, None], "remind"),
    ("2026-09-30 15:59", ["2026-09-30 10:00", None, None, None], None),
    ("2026-09-30 16:00", ["2026-09-30 10:00", None, None, None], None),
    ("2026-09-30 16:01", ["2026-09-30 10:00", None, None, None], "notice"),
    ("2026-10-08 16:00", ["2026-09-30 10:00", "2026-09-30 16:01", None, None], None),
    ("2026-10-08 16:02", ["2026-09-30 10:00", "2026-09-30 16:01", None, None], "leader"),
    ("2026-10-10 16:01", [None, "2026-09-30 16:01", "2026-10-08 16:02", None], None),
    ("2026-10-10 16:03", [None, "2026-09-30 16:01", "2026-10-08 16:02", None], "accountability"),
    ("2027-03-01 10:00", [None, "2026-09-30 16:01", "2026-10-08 16:02", "2026-10-10 16:03"], None),
    # found overdue by months: no reminder any more, and nobody is called to account unwarned
    ("2026-12-01 10:00", [None, None, None, None], "notice"),
    ("2026-12-02 09:59", [None, "2026-12-01 10:00", None, None], None),
    ("2026-12-02 10:01", [None, "2026-12-01 10:00", None, None], "leader"),
]


def local(text: str | None) -> datetime | None:
    return text and datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(("now", "taken", "kind"), TABLE)
def test_the_table_of_steps(calendar, stamp, now, taken, kind):
    times = [np.datetime64("NaT", "us") if one is None else stamp(local(one)) for one in taken]
    found = next_steps(STEPS, np.array([stamp(local(DUE))]), np.array([times]), stamp(local(now)), calendar)
    assert [STEPS[at].kind.value if at >= 0 else None for at in found] == [kind]


SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@SHARED
@given(hours=st.lists(st.integers(0, 400), min_size=1, max_size=30).map(sorted))
def test_followed_over_time_every_step_comes_once_and_in_order(calendar, stamp, hours):
    due = np.array([stamp(local(DUE))])
    taken = np.full((1, len(STEPS)), np.datetime64("NaT"), dtype="datetime64[us]")
    order = []
    for hour in hours:
        now = stamp(local("2026-09-29 10:00") + timedelta(hours=hour))
        at = next_steps(STEPS, due, taken, now, calendar)[0]
        if at >= 0:
            order.append(int(at))
            assert np.isnat(taken[0, at])
            taken[0, at] = now
        assert next_steps(STEPS, due, taken, now, calendar)[0] == -1, "at the same moment nothing is left"
    assert order == sorted(set(order))
    assert order in ([], *([0, 1, 2, 3][:n] for n in range(1, 5)), *([1, 2, 3][:n] for n in range(1, 4)))


@SHARED
@given(days=st.integers(-30, 60), hour=st.integers(0, 23))
def test_nothing_beyond_the_horizon_is_due(calendar, stamp, days, hour):
    now = stamp(local("2026-09-20 00:00") + timedelta(days=days, hours=hour))
    beyond = np.array([horizon(STEPS, now, calendar) + np.timedelta64(1, "us")])
    taken = np.full((1, len(STEPS)), np.datetime64("NaT"), dtype="datetime64[us]")
    assert next_steps(STEPS, beyond, taken, now, calendar)[0] == -1


def test_an_empty_table_does_nothing(calendar, stamp):
    due = np.array([stamp(local(DUE))])
    none = np.zeros((1, 0), dtype="datetime64[us]")
    assert next_steps([], due, none, stamp(local("2027-01-01")), calendar).tolist() == [-1]
    assert horizon([], due[0], calendar) > due[0]
