from __future__ import annotations

import gzip
import shutil
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import func, select

from gridmap.config import Settings
from gridmap.deadlines.calendar import load_calendar
from gridmap.errors import InvalidValueError
from gridmap.places.models import Area
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Category, Event, Flag, Problem, State
from gridmap.store.engine import reading, writing
from gridmap.workflow.clock import put_off
from gridmap.workflow.lives import read_lives

HEAD = "案件编号,问题类别,发现时间,结案时间,状态,地址,经度,纬度\n"


@pytest.fixture
def ready(importer):
    with writing(importer.engine) as session:
        ensure_categories(session)
    return importer


def table(path, *rows):
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def one(engine, *columns):
    with reading(engine) as session:
        return session.execute(select(*columns).order_by(Problem.id)).all()


def test_problems_come_in_with_times_of_their_zone(ready, tmp_path):
    file = table(
        tmp_path / "p.csv",
        "A1,占道经营,2026-04-01 08:30,2026-04-01 10:00,已结案,临江北路1号,121.01,31.01",
        "A2,0404,2026年4月2日 9时05分,,处置中,临江北路2号,121.01,31.02",
    )
    ready.apply("problems", file)
    rows = one(
        ready.engine, Problem.external_id, Problem.state, Problem.found_at, Problem.closed_at, Problem.flags
    )
    assert [(r[0], r[1], r[2].isoformat()) for r in rows] == [
        ("A1", State.CLOSED, "2026-04-01T00:30:00+00:00"),
        ("A2", State.ACCEPTED, "2026-04-02T01:05:00+00:00"),
    ]
    assert {r[4] for r in rows} == {Flag.OUTSIDE_CELLS.value}
    assert ready.plan("problems", file).counts.unchanged == 2


def test_a_later_table_moves_the_state_and_undo_moves_it_back(ready, tmp_path):
    ready.apply("problems", table(tmp_path / "p.csv", "A1,占道经营,2026-04-01 08:30,,处置中,甲,121.01,31.01"))
    later = table(
        tmp_path / "q.csv",
        "A1,占道经营,2026-04-01 08:30,2026-04-03 10:00,已结案,甲,121.01,31.01",
        "A2,占道经营,2026-04-02 08:30,,处置中,乙,121.01,31.01",
    )
    plan = ready.plan("problems", later)
    assert (plan.counts.created, plan.counts.changed) == (1, 1)
    uid = ready.apply("problems", later)
    assert [r[0] for r in one(ready.engine, Problem.state)] == [State.CLOSED, State.ACCEPTED]
    with reading(ready.engine) as session:
        kinds = session.execute(select(Event.kind, Event.state).order_by(Event.id)).all()
    assert [(k.value, s.value) for k, s in kinds] == [
        ("imported", "accepted"),
        ("imported", "accepted"),
        ("state", "closed"),
    ]
    ready.undo(uid)
    assert one(ready.engine, Problem.state, Problem.closed_at) == [(State.ACCEPTED, None)]
    with reading(ready.engine) as session:
        told = session.execute(select(Event.kind, Event.state).order_by(Event.id)).all()
    # A2 goes with its history; of A1 nothing is forgotten.
    assert [(k.value, s.value) for k, s in told] == [
        ("imported", "accepted"),
        ("state", "closed"),
        ("undone", "accepted"),
    ]


STEPS = ("checked_at", "dispatched_at", "fixed_at", "fix_due_at", "clock_since", "on_time")


def steps_of(engine):
    columns = [getattr(Problem, name) for name in STEPS]
    rows = one(engine, Problem.external_id, *columns)
    return {
        row[0]: [at.isoformat()[:16] if hasattr(at, "isoformat") else at for at in row[1:]] for row in rows
    }


def test_a_closed_record_tells_whether_it_was_fixed_in_time_and_undo_forgets_it(ready, tmp_path):
    head = "案件编号,问题类别,发现时间,处置时限,结案时间,状态,地址,经度,纬度\n"
    place = ",甲,121.01,31.01\n"
    first, later = tmp_path / "p.csv", tmp_path / "q.csv"
    rows = [
        "A1,占道经营,2026-04-01 08:00,2026-04-02 08:00,2026-04-02 08:00,已结案",
        "A2,占道经营,2026-04-01 08:00,2026-04-02 08:00,2026-04-02 08:01,已结案",
        "A3,占道经营,2026-04-01 08:00,2026-04-02 08:00,,处置中",
        "A4,占道经营,2026-04-01 08:00,2026-04-02 08:00,,已上报",
        "A5,占道经营,2026-04-01 08:00,2026-04-02 08:00,2026-04-02 07:00,作废",
    ]
    first.write_text(head + "".join(row + place for row in rows), encoding="utf-8")
    ready.apply("problems", first)
    found, limit = "2026-04-01T00:00", "2026-04-02T00:00"
    before = {
        "A1": [found, found, limit, limit, None, True],
        "A2": [found, found, "2026-04-02T00:01", limit, None, False],
        "A3": [found, found, None, limit, found, None],
        "A4": [None] * 6,
        "A5": [None] * 6,
    }
    assert steps_of(ready.engine) == before
    rows[2] = "A3,占道经营,2026-04-01 08:00,2026-04-03 08:00,2026-04-02 20:00,已结案"
    rows[3] = "A4,占道经营,2026-04-01 08:00,2026-04-02 08:00,2026-04-02 20:00,已结案"
    later.write_text(head + "".join(row + place for row in rows), encoding="utf-8")
    uid = ready.apply("problems", later)
    assert steps_of(ready.engine) == before | {
        "A3": [found, found, "2026-04-02T12:00", "2026-04-03T00:00", None, True],
        "A4": [found, found, "2026-04-02T12:00", limit, None, False],
    }
    ready.undo(uid)
    assert steps_of(ready.engine) == before


def test_a_moved_limit_moves_the_clock_and_more_time_counts_from_it(ready, tmp_path):
    head = "案件编号,问题类别,发现时间,处置时限,状态,地址,经度,纬度\n"

    def told(name, *rows):
        file = tmp_path / name
        lines = (f"{number},占道经营,2026-04-01 08:30,{rest},甲,121.01,31.01\n" for number, rest in rows)
        file.write_text(head + "".join(lines), encoding="utf-8")
        return file

    def clocks():
        with reading(ready.engine) as session:
            return read_lives(session, [1, 2, 3]).clocks

    ready.apply(
        "problems",
        told(
            "p.csv", ("A1", "2026-04-03 11:13,处置中"), ("A2", ",已上报"), ("A3", "2026-04-03 11:13,处置中")
        ),
    )
    before = clocks()
    uid = ready.apply(
        "problems",
        told(
            "q.csv",
            ("A1", "2026-04-20 16:07,处置中"),
            ("A2", "2026-04-21 09:01,已派遣"),
            ("A3", "2026-04-03 11:13,挂账"),
        ),
    )
    now, calendar = clocks(), load_calendar(Settings())
    assert np.datetime_as_string(now.due[:2], "m").tolist() == ["2026-04-20T08:07", "2026-04-21T01:01"]
    again = calendar.due(now.since[:2], now.allowed[:2], now.unit[:2], now.used[:2])
    assert (again == now.due[:2]).all()
    assert (put_off(now, 5, calendar).due[:2] > now.due[:2]).all()
    assert np.isnat(now.since[2])
    assert now.used[2] > 0
    ready.undo(uid)
    after = clocks()
    for name in ("allowed", "unit", "since", "used", "due"):
        assert np.array_equal(getattr(after, name), getattr(before, name), equal_nan=name in {"since", "due"})


def test_an_unknown_category_is_refused_or_made(ready, tmp_path):
    file = table(tmp_path / "p.csv", "A1,外星人着陆,2026-04-01 08:30,,处置中,甲,121.01,31.01")
    assert ready.plan("problems", file).counts.refused == 1
    with pytest.raises(InvalidValueError):
        ready.apply("problems", file)
    uid = ready.apply("problems", file, more={"create_categories": "1"})
    with reading(ready.engine) as session:
        assert session.scalar(select(Category.name).join(Problem)) == "外星人着陆"
    ready.undo(uid)
    with reading(ready.engine) as session:
        assert session.scalar(select(func.count()).where(Category.name == "外星人着陆")) == 0


def test_rows_without_a_number_are_the_same_rows_next_time(ready, tmp_path):
    rows = [",占道经营,2026-04-01 08:30,,处置中,甲,121.01,31.01"] * 2 + [
        ",占道经营,2026-04-01 08:31,,处置中,甲,121.01,31.01"
    ]
    file = table(tmp_path / "p.csv", *rows)
    ready.apply("problems", file)
    assert ready.plan("problems", file).counts.unchanged == 3


def test_bad_times_and_states_are_refused_by_row(ready, tmp_path):
    file = table(
        tmp_path / "p.csv",
        "A1,占道经营,昨天,,处置中,甲,121.01,31.01",
        "A2,占道经营,2026-04-01 08:30,,飞走了,甲,121.01,31.01",
        "A3,占道经营,2026-04-01 08:30,,处置中,甲,,",
        "A4,占道经营,2026-04-01 08:30,,处置中,甲,121.01,31.01",
        "A4,占道经营,2026-04-01 08:30,,处置中,甲,121.01,31.01",
    )
    plan = ready.plan("problems", file)
    reasons = dict(plan.reading.faults.explained(plan.reading.table.row_numbers))
    assert set(reasons) == {2, 3, 4, 6}
    assert "昨天" in reasons[2]
    assert "飞走了" in reasons[3]


@pytest.mark.real
def test_boston_comes_in_with_its_neighbourhoods_and_its_doubts(importer, real_data, tmp_path):
    folder = real_data / "boston_311"
    importer.apply("areas", folder / "boston_neighborhoods.geojson", mapping={"name": "Name"})
    file = tmp_path / "2015.csv"
    with file.open("wb") as out:
        for number, quarter in enumerate(("Q1", "Q2", "Q3")):
            with gzip.open(folder / f"boston_311_2015{quarter}.csv.gz") as part:
                if number:
                    part.readline()
                shutil.copyfileobj(part, out)
    options = {
        "zone": ZoneInfo("America/New_York"),
        "more": {"create_categories": "1", "source_name": "boston"},
    }
    importer.now = pd.Timestamp("2016-01-31T00:00Z").to_pydatetime()
    rows = pd.read_csv(file, parse_dates=["OPEN_DT", "CLOSED_DT"])
    plan = importer.plan("problems", file, **options)
    assert (plan.counts.read, plan.counts.refused) == (len(rows), 0)
    importer.apply("problems", file, **options)
    with reading(importer.engine) as session:
        flags = np.array(session.scalars(select(Problem.flags)).all())
        outside = session.scalar(select(func.count(Problem.id)).where(Problem.area_id.is_(None)))
        areas = session.scalar(select(func.count(Area.id)))
    city_hall = (rows["LATITUDE"] == 42.3594) & (rows["LONGITUDE"] == -71.0587)
    backwards = rows["CLOSED_DT"] < rows["OPEN_DT"]
    assert areas == 26
    assert ((flags & Flag.DEFAULT_COORDINATE.value) > 0).sum() == city_hall.sum() > 10_000
    assert ((flags & Flag.IMPOSSIBLE_TIMES.value) > 0).sum() == backwards.sum() > 100
    assert outside < 0.0005 * len(rows)
    assert importer.plan("problems", file, **options).counts.unchanged == len(rows)
