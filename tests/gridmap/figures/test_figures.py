"""Figures of random lives against the same counted by pandas, row by row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.config import Settings
from gridmap.errors import InvalidValueError, PermissionDeniedError, SettingError
from gridmap.figures.formulas import COUNTS, RATES, TIMES, Basis, chosen_rates
from gridmap.figures.grouping import By
from gridmap.figures.queries import Period, Question, read_figures, rows_behind, seconds_of
from gridmap.hotspots.life import COUNTS as TURNS
from gridmap.hotspots.life import life_of
from gridmap.hotspots.loading import SOURCES, STATES, UNRESOLVED
from gridmap.hotspots.snapshot import DOUBTFUL, Snapshot
from gridmap.hotspots.view import ViewFilter, open_view
from gridmap.people.models import OrganisationKind
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.cards import Faces
from gridmap.places.directory import (
    AreaEntry,
    CategoryEntry,
    Directory,
    OrganisationEntry,
    PersonEntry,
    PlaceEntry,
    Table,
    everything_below,
)
from gridmap.places.models import AreaLevel

NOW = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
MOMENT = int(NOW.replace(second=0).timestamp())
SHANGHAI = ZoneInfo("Asia/Shanghai")
AREAS = {1: None, 2: 1, 3: 1, 4: 2, 5: 2, 6: 3}
LEVELS = {1: "district", 2: "subdistrict", 3: "subdistrict", 4: "community", 5: "community", 6: "community"}
MAJORS = {1: 1, 2: 1, 3: 1, 4: 4}
SOME = Actor(name="some", holdings=(Holding(Role.AREA_MANAGER, frozenset({2, 4, 5})),))
ALL = Actor.owner()


@pytest.fixture(scope="module")
def directory():
    day = date(2026, 1, 1)

    def places(kind, count):
        return Table(
            PlaceEntry(
                id=i, uid=f"{kind}{i}", name=f"{kind}{i}", code="", area=None, valid_from=day, valid_to=None
            )
            for i in range(count)
        )

    categories = [
        CategoryEntry(
            id=i,
            uid=f"c{i}",
            name=f"c{i}",
            code=f"C{i}",
            name_en="",
            parent=None if up == i else up,
            severity=2,
        )
        for i, up in MAJORS.items()
    ]
    return Directory(
        ground=1,
        areas=Table(
            AreaEntry(id=i, uid=f"a{i}", name=f"a{i}", code="", level=AreaLevel(LEVELS[i]), parent=up)
            for i, up in AREAS.items()
        ),
        cells=places("cell", 40),
        points=Table(()),
        roads=places("road", 10),
        persons=Table(
            PersonEntry(id=i, uid=f"p{i}", name=f"p{i}", phone=None, organisation=i % 4 or None)
            for i in range(10)
        ),
        organisations=Table(
            OrganisationEntry(id=i, uid=f"o{i}", name=f"o{i}", kind=OrganisationKind.SQUAD, area=1 + i)
            for i in (1, 2, 3)
        ),
        categories=Table(categories),
        _below=everything_below(AREAS),
        _codes={c.code: c for c in categories},
    )


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(7)
    n = 4000
    opened = MOMENT - rng.integers(-3600, 90 * 86400, n)

    def later(base, share, days):
        return np.where((rng.random(n) < share) & (base >= 0), base + rng.integers(0, days * 86400, n), -1)

    checked = later(opened, 0.9, 2)
    dispatched = later(checked, 0.9, 1)
    state = rng.integers(0, len(STATES), n).astype(np.int16)
    turns = {name: rng.choice([0, 0, 0, 1, 2, 300], n) for name in TURNS}
    columns = {
        "number": rng.permutation(n) + 1,
        "lon": 121.4 + rng.random(n) / 10,
        "lat": 31.2 + rng.random(n) / 10,
        "category": rng.integers(1, 5, n),
        "state": state,
        "source": rng.integers(0, len(SOURCES), n).astype(np.int16),
        "severity": np.full(n, 2, dtype=np.int16),
        "flags": rng.choice([0, 0, 0, 1, 2, 4, 6], n).astype(np.int16),
        "opened": opened,
        "due": later(opened, 0.8, 20),
        "closed": np.where(np.isin(state, list(UNRESOLVED)), -1, opened + rng.integers(0, 20 * 86400, n)),
        "area": rng.choice([-1, 1, 2, 3, 4, 5, 6], n),
        "organisation": rng.choice([-1, 1, 2, 3], n),
        "cell": rng.integers(-1, 40, n),
        "road": rng.integers(-1, 10, n),
        "person": rng.integers(-1, 10, n),
        "checked": checked,
        "dispatched": dispatched,
        "fixed": later(dispatched, 0.7, 10),
        "fix_due": later(dispatched, 0.9, 10),
    }
    on_time, recurrence = rng.integers(-1, 2, n), rng.random(n) < 0.1
    frame = pd.DataFrame({**columns, **turns, "on_time": on_time, "recurrence": recurrence})
    columns["life"] = life_of(on_time=on_time, recurrence=recurrence, **turns)
    return SimpleNamespace(frame=frame, snapshot=Snapshot.build(columns, change=1, rebuild=0))


def counted(frame):
    """Every count said again, over a data frame."""
    state = frame["state"].map(lambda i: STATES[i].value)
    real = ~state.isin(["rejected", "merged"])
    fixed = state.isin(["fixed", "verified", "closed"])
    past = (frame["fix_due"] >= 0) & (frame["fix_due"] < MOMENT)
    work = state.isin(["dispatched", "accepted", "sent_back"])
    late = frame["on_time"] == 0
    filed = real & (frame["checked"] >= 0)
    rows = {
        "found": real | ~real,
        "void": ~real,
        "filed": filed,
        "dispatched": filed & (frame["dispatched"] >= 0),
        "fixed": fixed,
        "fixed_on_time": fixed & ~late,
        "due": (state == "closed") | (past & (work | state.isin(["fixed", "verified"]))),
        "closed": state == "closed",
        "on_time": (state == "closed") & ~late,
        "overdue": past & work,
        "open": ~state.isin(["closed", "rejected", "merged"]),
        "rework": real & (frame["rework"] > 0),
        "extended": real & (frame["extensions"] > 0),
        "suspended": real & (frame["suspensions"] > 0),
        "returned": real & (frame["returns"] > 0),
        "recurring": real & frame["recurrence"],
        "looked_back": real & (frame["look_backs"] + frame["reopened"] > 0),
        "reopened": real & (frame["reopened"] > 0),
    }
    return pd.DataFrame(rows)


def spanned(frame, each, name):
    """Seconds of those that a median is of, said again; what ends before it begins was recorded wrongly."""
    of, begin, end = {"to_fix": ("fixed", "dispatched", "fixed"), "to_close": ("closed", "opened", "closed")}[
        name
    ]
    taken = frame[each[of] & (frame[begin] >= 0) & (frame[end] >= frame[begin])]
    return taken[end] - taken[begin]


def in_period(frame, basis, period):
    never = np.inf
    closed = frame["closed"].where(frame["closed"] >= 0, never)
    limit = frame["fix_due"].where(frame["fix_due"] >= 0, never)
    day = {"found": frame["opened"], "closed": closed, "due": np.minimum(closed, limit)}[basis.value]
    local = pd.to_datetime(day.replace(never, -1), unit="s", utc=True).dt.tz_convert("Asia/Shanghai").dt.date
    inside = (local >= period.first) & (local <= period.last) & (day < never)
    return frame[inside].assign(day=local[inside].map(lambda d: d.isoformat()))


def level(area, wanted):
    while area > 0 and LEVELS[area] != wanted:
        area = AREAS[area] or -1
    return f"a{area}" if area > 0 else ""


def keys(frame, by):
    if by in {By.DISTRICT, By.SUBDISTRICT, By.COMMUNITY}:
        return frame["area"].map(lambda a: level(a, by.value))
    if by is By.DAY:
        return frame["day"]
    if by is By.SOURCE:
        return frame["source"].map(lambda i: SOURCES[i])
    if by is By.MAJOR:
        return frame["category"].map(lambda i: f"C{MAJORS[i]}")
    if by is By.CATEGORY:
        return frame["category"].map(lambda i: f"C{i}")
    prefix = {By.PERSON: "p", By.ORGANISATION: "o", By.CELL: "cell", By.ROAD: "road"}[by]
    return frame[by.value].map(lambda i: f"{prefix}{i}" if i >= 0 else "")


DAYS = st.integers(0, 95).map(lambda days: NOW.date() - timedelta(days=days))
PERIODS = st.tuples(DAYS, DAYS).map(lambda days: Period(min(days), max(days)))


def view_of(world, directory, actor, *, doubtful=False):
    scope = actor.scope("problem:read")
    asked = ViewFilter(states=None, doubtful=doubtful)
    return open_view(asked, snapshot=world.snapshot, directory=directory, scope=scope, now=NOW)


def seen_by(frame, actor, *, doubtful):
    if actor is SOME:
        frame = frame[frame["area"].isin([2, 4, 5])]
    return frame if doubtful else frame[(frame["flags"] & DOUBTFUL) == 0]


CASES = st.tuples(
    st.sampled_from(list(Basis)),
    st.sampled_from(list(By)),
    PERIODS,
    st.sampled_from([ALL, SOME]),
    st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(case=CASES)
def test_figures_are_what_pandas_counts(world, directory, case):
    basis, by, period, actor, doubtful = case
    question = Question(period=period, basis=basis, by=by, sort="", limit=100_000)
    view = view_of(world, directory, actor, doubtful=doubtful)
    faces = Faces(directory, actor)
    got = read_figures(view, question, faces=faces, zone=SHANGHAI, rates=RATES)
    frame = in_period(seen_by(world.frame, actor, doubtful=doubtful), basis, period)
    key = keys(frame, by)
    if by is By.PERSON and actor is SOME:
        hidden = {f"p{i}" for i in range(10) if i % 4 not in {1, 3}}
        key = key.map(lambda k: "unseen" if k in hidden else k)
    each = counted(frame)
    expected = each.groupby(key).sum()
    lines = {line.key: line for line in got.lines if line.counts["found"]}
    assert {k: line.counts for k, line in lines.items()} == {
        k: {name: int(v) for name, v in row.items()} for k, row in expected.iterrows()
    }
    assert got.total.counts == {name: int(v) for name, v in each.sum().items()}
    spans = {name: spanned(frame, each, name) for name in TIMES}
    hours = {name: (span / 3600).groupby(key).median() for name, span in spans.items()}
    for k, line in lines.items():
        for name, middle in hours.items():
            assert line.times[name] == (pytest.approx(middle[k]) if k in middle.index else None)
        for name, rate in RATES.items():
            above, below = line.counts[rate.numerator], line.counts[rate.denominator]
            assert line.rates[name] == (pytest.approx(above / below) if below else None)
    assert sum(got.total.days) == got.total.counts["found"]
    assert [sum(column) for column in zip(*(line.days for line in got.lines), strict=True)] == (
        got.total.days if got.lines else []
    )
    for name in COUNTS:
        rows = rows_behind(view, question, name, None, faces=faces, zone=SHANGHAI)
        assert sorted(world.snapshot.number[rows]) == sorted(frame["number"][each[name]])
    for name, span in spans.items():
        rows = rows_behind(view, question, name, None, faces=faces, zone=SHANGHAI)
        found = dict(zip(world.snapshot.number[rows], seconds_of(view, rows, name), strict=True))
        assert found == dict(zip(frame["number"][span.index], span, strict=True))
    for k in list(lines)[:3]:
        rows = rows_behind(view, question, "due", k, faces=faces, zone=SHANGHAI)
        assert sorted(world.snapshot.number[rows]) == sorted(frame["number"][each["due"] & (key == k)])


@pytest.mark.parametrize("basis", list(Basis))
def test_days_add_up_to_months(world, directory, basis):
    view, faces = view_of(world, directory, ALL), Faces(directory, ALL)

    def counts(first, last):
        question = Question(period=Period(first, last), basis=basis)
        return read_figures(view, question, faces=faces, zone=SHANGHAI, rates=RATES).total.counts

    first = date(2026, 3, 1)
    month = counts(first, date(2026, 3, 31))
    days = [counts(first + timedelta(days=i), first + timedelta(days=i)) for i in range(31)]
    assert month["found"] > 100
    assert {name: sum(day[name] for day in days) for name in COUNTS} == month


def test_lines_are_sorted_with_nothing_to_divide_by_last(world, directory):
    view, faces = view_of(world, directory, ALL), Faces(directory, ALL)

    def sorted_by(sort):
        question = Question(period=Period(date(2026, 4, 29), NOW.date()), by=By.CELL, sort=sort, limit=50)
        lines = read_figures(view, question, faces=faces, zone=SHANGHAI, rates=RATES).lines
        return [line.rates["look_back_rate"] for line in lines]

    down, up = sorted_by("-look_back_rate"), sorted_by("look_back_rate")
    known = [share for share in down if share is not None]
    assert None in down
    assert down[: len(known)] == sorted(known, reverse=True)
    assert up[: len(known)] == sorted(known)
    assert set(up[len(known) :]) == {None}
    with pytest.raises(InvalidValueError, match="best"):
        sorted_by("best")


def test_a_city_divides_by_what_it_chooses(world, directory):
    rates = chosen_rates("rectification_rate = dispatched, rework_rate=closed")
    view, faces = view_of(world, directory, ALL), Faces(directory, ALL)
    question = Question(period=Period(date(2026, 3, 1), NOW.date()))
    total = read_figures(view, question, faces=faces, zone=SHANGHAI, rates=rates).total
    assert total.rates["rectification_rate"] == total.counts["fixed"] / total.counts["dispatched"]
    assert total.rates["rework_rate"] == total.counts["rework"] / total.counts["closed"]
    for wrong in ("best=found", "rework_rate=best", "rework_rate"):
        with pytest.raises(SettingError, match=f"GRIDMAP_FIGURE_DENOMINATORS .*{wrong}"):
            Settings.from_environment({"GRIDMAP_FIGURE_DENOMINATORS": wrong})


def test_who_may_see_no_people_gets_no_figures_of_them(world, directory):
    actor = Actor(name="assessor", holdings=(Holding(Role.ASSESSOR),))
    view = view_of(world, directory, ALL)
    question = Question(period=Period(date(2026, 3, 1), NOW.date()), by=By.PERSON)
    with pytest.raises(PermissionDeniedError, match="person:read"):
        read_figures(view, question, faces=Faces(directory, actor), zone=SHANGHAI, rates=RATES)


@pytest.mark.parametrize(("first", "last"), [("2026-03-02", "2026-03-01"), ("2010-01-01", "2026-03-01")])
def test_a_period_has_a_last_day_within_ten_years(first, last):
    with pytest.raises(InvalidValueError, match=last):
        Period(date.fromisoformat(first), date.fromisoformat(last))


def test_every_formula_is_made_of_counts_that_there_are():
    for rate in RATES.values():
        assert {rate.numerator, rate.denominator} <= set(COUNTS)
        assert rate.name not in COUNTS
    assert {figure.chinese for figure in RATES.values()} >= {
        "立案率",
        "派遣率",
        "结案率",
        "按期结案率",
        "返工率",
        "延期率",
        "整改率",
    }
