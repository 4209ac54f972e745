from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmap.config import Settings
from gridmap.deadlines.calendar import CONTINUOUS, UNITS, load_calendar
from gridmap.deadlines.days import listed_days
from gridmap.errors import SettingError
from gridmap.hours import parse_hours
from gridmap.problems.models import TimeUnit

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = 3_600_000_000


@pytest.mark.parametrize("year", range(2014, 2027))
def test_every_day_is_worked_where_an_independent_list_says_so(calendar, year):
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    wrong = [
        day
        for day in days
        if day.year == year and calendar.is_worked(day) != chinese_calendar.is_workday(day)
    ]
    assert wrong == []


def test_listed_days_matter(calendar):
    """Each make-up day is a weekend's and each week has a holiday that is not: no file says nothing."""
    days = calendar.listed.days
    assert all(day.weekday() >= 5 for day, worked in days.items() if worked)
    assert {day.year for day, worked in days.items() if not worked and day.weekday() < 5} == set(
        range(2014, 2027)
    )


def test_no_time_has_no_limit(calendar):
    found = calendar.due(np.array(["NaT", "2026-05-11T00:00"], "datetime64[us]"), 4, [0, 2])
    assert np.isnat(found).tolist() == [True, False]
    used = calendar.used(np.array(["NaT", "2026-05-11"], "datetime64[us]"), np.datetime64("NaT"), 0)
    assert used.tolist() == [0, 0]


def test_no_rows(calendar):
    assert calendar.due(np.zeros(0, "datetime64[us]"), np.zeros(0, int), np.zeros(0, int)).shape == (0,)


def test_a_clock_that_has_used_too_much_was_due_before(calendar, stamp):
    start = stamp(datetime(2026, 5, 12, 9, 0, tzinfo=SHANGHAI))
    assert calendar.due(start, 4, 0, used=6 * HOUR) == stamp(datetime(2026, 5, 11, 17, 0, tzinfo=SHANGHAI))


MOMENTS = st.datetimes(datetime(2013, 6, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001 - local, made aware
    lambda at: at.replace(second=0, microsecond=0, tzinfo=SHANGHAI)
)
ODD_MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001 - as above
    lambda at: at.replace(tzinfo=UTC)
)
PAUSE = st.timedeltas(timedelta(0), timedelta(days=90))
UNIT = st.sampled_from(list(TimeUnit))
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@settings(SHARED, max_examples=40)
@given(start=MOMENTS, allowed=st.integers(1, 12), unit=UNIT, minutes=st.integers(0, 15_000))
def test_a_second_way_to_count_agrees(calendar, *, start, allowed, unit, minutes, stamp, walker):
    walk = walker(chinese_or_weekday, [(480, 720), (840, 1080)], SHANGHAI)
    assert calendar.due(stamp(start), allowed, UNITS[unit]) == stamp(walk.due(start, allowed, unit))
    end = start + timedelta(minutes=minutes)
    assert calendar.used(stamp(start), stamp(end), UNITS[unit]) == walk.used(start, end, unit)


def chinese_or_weekday(day: date) -> bool:
    return chinese_calendar.is_workday(day) if 2014 <= day.year <= 2026 else day.weekday() < 5


@SHARED
@given(start=ODD_MOMENTS, allowed=st.integers(1, 2000), more=st.integers(0, 500), unit=UNIT)
def test_more_time_is_never_shorter_and_limits_lie_ahead(calendar, *, start, allowed, more, unit, stamp):
    due, later = calendar.due(stamp(start), [allowed, allowed + more], UNITS[unit])
    assert stamp(start) < due <= later
    assert (due < later) == (more > 0)


@SHARED
@given(start=ODD_MOMENTS, wait=st.timedeltas(timedelta(0), timedelta(days=400)), allowed=st.integers(1, 400))
@pytest.mark.parametrize("unit", list(TimeUnit))
def test_a_later_start_is_never_due_earlier(calendar, *, start, wait, allowed, unit, stamp):
    due, later = calendar.due([stamp(start), stamp(start + wait)], allowed, UNITS[unit])
    assert due <= later


@SHARED
@given(start=ODD_MOMENTS, allowed=st.integers(1, 400), unit=UNIT, share=st.floats(0, 1, exclude_max=True))
def test_a_pause_of_nothing_changes_nothing(calendar, *, start, allowed, unit, share, stamp):
    since = stamp(start)
    due = calendar.due(since, allowed, UNITS[unit])
    stopped = since + np.timedelta64(int((due - since) / np.timedelta64(1, "us") * share), "us")
    used = calendar.used(since, stopped, UNITS[unit])
    assert calendar.due(stopped, allowed, UNITS[unit], used=used) == due


@SHARED
@given(
    start=ODD_MOMENTS,
    allowed=st.integers(1, 400),
    unit=UNIT,
    pause=PAUSE,
)
def test_a_pause_never_shortens(calendar, *, start, allowed, unit, pause, stamp):
    since = stamp(start)
    due = calendar.due(since, allowed, UNITS[unit])
    stopped = since + (due - since) // 2
    used = calendar.used(since, stopped, UNITS[unit])
    assert calendar.due(stopped + np.timedelta64(pause, "us"), allowed, UNITS[unit], used=used) >= due


@SHARED
@given(start=ODD_MOMENTS, wait=st.timedeltas(timedelta(0), timedelta(days=400)), unit=UNIT)
def test_a_limit_given_as_a_time_is_whole_units_and_a_rest(calendar, *, start, wait, unit, stamp):
    since, end = stamp(start), stamp(start + wait)
    allowed, used = calendar.granted(since, end, UNITS[unit])
    due = calendar.due(since, allowed, UNITS[unit], used)
    assert calendar.used(since, due, UNITS[unit]) == calendar.used(since, end, UNITS[unit])
    assert 0 <= used < {TimeUnit.WORKING_HOUR: HOUR, TimeUnit.URGENT_HOUR: HOUR}.get(unit, 24 * HOUR)
    assert unit not in CONTINUOUS or due == end


@SHARED
@given(start=ODD_MOMENTS, allowed=st.integers(1, 400), unit=UNIT)
def test_at_the_limit_exactly_what_is_allowed_is_used(calendar, *, start, allowed, unit, stamp):
    due = calendar.due(stamp(start), allowed, UNITS[unit])
    size = {TimeUnit.WORKING_HOUR: HOUR, TimeUnit.WORKING_DAY: 8 * HOUR, TimeUnit.URGENT_HOUR: HOUR}
    assert calendar.used(stamp(start), due, UNITS[unit]) == allowed * size.get(unit, 24 * HOUR)
    assert calendar.used(due, stamp(start), UNITS[unit]) == -allowed * size.get(unit, 24 * HOUR)


@SHARED
@given(
    times=st.lists(ODD_MOMENTS, min_size=3, max_size=3).map(sorted),
    unit=UNIT,
)
def test_time_used_adds_up(calendar, times, unit, stamp):
    a, b, c = map(stamp, times)
    whole = calendar.used(a, c, UNITS[unit])
    assert calendar.used(a, b, UNITS[unit]) + calendar.used(b, c, UNITS[unit]) == whole


def test_other_hours_and_another_zone_with_summer_time(tmp_path, stamp, walker):
    zone = ZoneInfo("America/New_York")
    calendar = load_calendar(
        Settings(data_dir=tmp_path, timezone="America/New_York", working_hours="09:00-17:30")
    )
    walk = walker(calendar.is_worked, [(540, 1050)], zone)
    assert calendar.day == 8.5 * HOUR
    for start in (datetime(2031, 3, 7, 16, 0, tzinfo=zone), datetime(2031, 10, 31, 16, 0, tzinfo=zone)):
        for allowed, unit in (
            (3, TimeUnit.WORKING_HOUR),
            (2, TimeUnit.WORKING_DAY),
            (2, TimeUnit.URGENT_DAY),
        ):
            found = calendar.due(stamp(start), allowed, UNITS[TimeUnit(unit)])
            assert found == stamp(walk.due(start, allowed, TimeUnit(unit))), (start, unit)


@pytest.mark.parametrize(
    "text", ["", "8-12", "14:00-12:00", "08:00-12:00,11:00-14:00", "22:00-06:00", "25:00-26:00"]
)
def test_hours_that_make_no_working_day_are_refused(text):
    with pytest.raises(SettingError, match="GRIDMAP_WORKING_HOURS"):
        Settings(working_hours=text).check()


def test_an_installation_adds_and_replaces_years(tmp_path):
    settings = Settings(data_dir=tmp_path)
    before = load_calendar(settings)
    assert before.unknown_years(date(2026, 5, 1)) == ()
    assert before.unknown_years(date(2026, 12, 1)) == (2027,)
    assert before.is_worked(date(2027, 1, 1))
    folder = tmp_path / "calendars"
    folder.mkdir()
    (folder / "2027.csv").write_text("日期,类型,名称\n2027/1/1,放假,元旦\n2027-01-09,上班,\n\n", "gbk")
    (folder / "2026.csv").write_text("date,day,name\n2026-05-12,holiday,day off\n", "utf-8-sig")
    after = load_calendar(settings)
    assert after.unknown_years(date(2026, 12, 1)) == ()
    assert not after.is_worked(date(2027, 1, 1))
    assert after.is_worked(date(2027, 1, 9))
    assert after.is_worked(date(2026, 10, 1)), "the year's file is replaced as a whole"
    assert not after.is_worked(date(2026, 5, 12))
    assert load_calendar(settings) is after


@pytest.mark.parametrize(
    "line", ["2026-13-01,holiday,", "2027-01-01,holiday,", "2026-01-01,perhaps,", "2026-01-02", "x"]
)
def test_a_file_with_a_fault_is_left_aside_and_named(tmp_path, line):
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / "2026.csv").write_text(f"date,day,name\n2026-01-08,holiday,\n{line}\n")
    calendar = load_calendar(Settings(data_dir=tmp_path))
    (fault,) = calendar.faults
    assert "line 3 of 2026.csv" in str(fault)
    assert calendar.is_worked(date(2026, 1, 8)), "nothing of a file with a fault counts"
    assert not calendar.is_worked(date(2026, 10, 1)), "the package's own year stands"


def test_a_day_listed_twice_is_a_fault(tmp_path):
    (tmp_path / "2026.csv").write_text("date,day\n2026-01-08,holiday\n2026-01-08,working\n")
    assert len(listed_days(tmp_path).faults) == 1


def test_hours_as_people_type_them():
    assert parse_hours("8:00—12:00，14：00至18:00") == ((480, 720), (840, 1080))
    assert parse_hours(" ") == ()


def test_a_million_limits_are_worked_out_together(calendar, stamp):
    rng = np.random.default_rng(0)
    start = stamp(datetime(2015, 1, 1, tzinfo=UTC)) + rng.integers(0, 11 * 365 * 24 * HOUR, 1_000_000)
    allowed, unit = rng.integers(1, 30, start.size), rng.integers(0, len(TimeUnit), start.size)
    due = calendar.due(start, allowed, unit)
    assert due.shape == start.shape
    assert (due > start).all()
