"""The specification of limits, as a table of times in Shanghai."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gridmap.deadlines.calendar import UNITS
from gridmap.problems.models import TimeUnit

SHANGHAI = ZoneInfo("Asia/Shanghai")
TABLE = """
an ordinary week of May 2026: hours
    2026-05-11 08:00   4 working_hour     2026-05-11 12:00
    2026-05-11 09:30   4 working_hour     2026-05-11 15:30
    2026-05-11 16:00   4 working_hour     2026-05-12 10:00
    2026-05-15 16:00   4 working_hour     2026-05-18 10:00
    2026-05-11 08:00   8 working_hour     2026-05-11 18:00
    2026-05-11 08:00   9 working_hour     2026-05-12 09:00
    2026-05-11 08:00  40 working_hour     2026-05-15 18:00
urgent hours run day and night
    2026-05-11 17:30   2 urgent_hour      2026-05-11 19:30
    2026-05-16 23:00   2 urgent_hour      2026-05-17 01:00
    2026-02-17 10:00   4 urgent_hour      2026-02-17 14:00
urgent days and calendar days run through weekends and holidays
    2026-05-15 16:00   2 urgent_day       2026-05-17 16:00
    2026-09-30 16:00  15 calendar_day     2026-10-15 16:00
working days keep the hour
    2026-05-11 09:30   1 working_day      2026-05-12 09:30
    2026-05-15 16:00   1 working_day      2026-05-18 16:00
    2026-05-11 09:30  15 working_day      2026-06-01 09:30
start at night, before work, in the lunch break, at the end of the day
    2026-05-11 23:40   4 working_hour     2026-05-12 12:00
    2026-05-12 03:10   4 working_hour     2026-05-12 12:00
    2026-05-12 07:59   4 working_hour     2026-05-12 12:00
    2026-05-12 12:00   4 working_hour     2026-05-12 18:00
    2026-05-12 13:15   4 working_hour     2026-05-12 18:00
    2026-05-12 14:00   4 working_hour     2026-05-12 18:00
    2026-05-12 18:00   1 working_hour     2026-05-13 09:00
    2026-05-11 23:40   1 working_day      2026-05-12 18:00
    2026-05-12 13:15   1 working_day      2026-05-13 12:00
start on a weekend, on a make-up Saturday, on a holiday
    2026-05-16 10:00   2 working_hour     2026-05-18 10:00
    2026-05-09 10:00   2 working_hour     2026-05-09 12:00
    2026-05-08 16:00   1 working_day      2026-05-09 16:00
    2026-05-03 10:00   4 working_hour     2026-05-06 12:00
    2026-05-03 10:00   1 working_day      2026-05-06 18:00
National Day 2026: 1 to 7 October off, Saturday 10 October and Sunday 20 September worked
    2026-09-30 17:00   2 working_hour     2026-10-08 09:00
    2026-09-30 10:00   1 working_day      2026-10-08 10:00
    2026-09-18 10:00   1 working_day      2026-09-20 10:00
    2026-09-28 10:00  15 working_day      2026-10-23 10:00
    2026-10-09 16:00   1 working_day      2026-10-10 16:00
National Day 2024: 1 to 7 October off, 29 September and 12 October worked
    2024-09-27 10:00  15 working_day      2024-10-23 10:00
Spring Festival 2026: 15 to 23 February off, 14 and 28 February worked
    2026-02-13 17:00   1 working_day      2026-02-14 17:00
    2026-02-14 17:00   1 working_day      2026-02-24 17:00
    2026-02-14 17:00   5 working_day      2026-02-28 17:00
Spring Festival 2020, extended to 2 February
    2020-01-23 16:00   4 working_hour     2020-02-03 10:00
over the turn of a year
    2025-12-31 16:00   1 working_day      2026-01-04 16:00
    2025-12-31 16:00   2 urgent_day       2026-01-02 16:00
years nobody has a file for are worked from Monday to Friday
    2031-10-01 10:00   1 working_day      2031-10-02 10:00
    1998-10-02 16:00   4 working_hour     1998-10-05 10:00
    2077-01-01 16:00   4 working_hour     2077-01-04 10:00
"""


def rows(table: str):
    for line in table.splitlines():
        if line.startswith("    "):
            day, hour, allowed, unit, due_day, due_hour = line.split()
            yield (
                datetime.fromisoformat(f"{day} {hour}").replace(tzinfo=SHANGHAI),
                int(allowed),
                TimeUnit(unit),
                datetime.fromisoformat(f"{due_day} {due_hour}").replace(tzinfo=SHANGHAI),
            )


@pytest.mark.parametrize(("start", "allowed", "unit", "due"), list(rows(TABLE)))
def test_the_deadline_table(calendar, *, stamp, start, allowed, unit, due):
    found = calendar.due(stamp(start), allowed, UNITS[unit])
    assert found == stamp(due)


def test_the_table_again_in_one_call_and_walked_minute_by_minute(calendar, stamp, walker):
    table = list(rows(TABLE))
    starts, allowed, units, dues = zip(*table, strict=True)
    found = calendar.due([stamp(one) for one in starts], allowed, [UNITS[unit] for unit in units])
    assert found.tolist() == [stamp(one).item() for one in dues]
    walk = walker(calendar.is_worked, calendar.hours, SHANGHAI)
    assert [walk.due(*row[:3]) for row in table] == list(dues)
