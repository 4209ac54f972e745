"""A view against the same question asked of a data frame, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import InvalidValueError
from gridmap.hotspots.counts import cell_loads, summarise, tally
from gridmap.hotspots.listing import Sort, in_box, page_of
from gridmap.hotspots.loading import SOURCES, STATES, UNRESOLVED
from gridmap.hotspots.snapshot import DOUBTFUL, Snapshot
from gridmap.hotspots.view import ViewFilter, open_view
from gridmap.people.models import OrganisationKind
from gridmap.people.permissions import Holding, Role, Scope
from gridmap.places.directory import (
    AreaEntry,
    CategoryEntry,
    Directory,
    OrganisationEntry,
    Table,
    everything_below,
)
from gridmap.places.models import AreaLevel
from gridmap.problems.models import Source, State

NOW = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NEVER = 2**32 - 1
HEADQUARTERS = Scope((Holding(Role.HEADQUARTERS),))

AREAS = {1: None, 2: 1, 3: 1, 4: 2}
CATEGORIES = {1: None, 2: 1, 3: 1, 4: None}


@pytest.fixture(scope="module")
def directory():
    nothing = Table(())
    categories = [
        CategoryEntry(id=i, uid=f"c{i}", name=f"c{i}", code=f"C{i}", name_en="", parent=up, severity=2)
        for i, up in CATEGORIES.items()
    ]
    return Directory(
        ground=1,
        areas=Table(
            AreaEntry(id=i, uid=f"a{i}", name=f"a{i}", code="", level=AreaLevel.COMMUNITY, parent=up)
            for i, up in AREAS.items()
        ),
        cells=nothing,
        points=nothing,
        roads=nothing,
        persons=nothing,
        organisations=Table(
            OrganisationEntry(id=i, uid=f"o{i}", name=f"o{i}", kind=OrganisationKind.SQUAD, area=None)
            for i in (1, 2, 3)
        ),
        categories=Table(categories),
        _below=everything_below(AREAS),
        _codes={c.code: c for c in categories},
    )


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(5)
    n = 3000
    opened = int(NOW.timestamp()) - rng.integers(-3600, 90 * 86400, n)
    state = rng.integers(0, len(STATES), n)
    resolved = ~np.isin(state, list(UNRESOLVED))
    columns = {
        "number": rng.permutation(n) + 1,
        "lon": 121.4 + rng.random(n) / 10,
        "lat": 31.2 + rng.random(n) / 10,
        "category": rng.integers(1, 5, n),
        "state": state.astype(np.int16),
        "source": rng.integers(0, len(SOURCES), n).astype(np.int16),
        "severity": rng.integers(1, 6, n).astype(np.int16),
        "flags": rng.choice([0, 0, 0, 1, 2, 4, 6], n).astype(np.int16),
        "opened": opened,
        "due": np.where(rng.random(n) < 0.2, -1, opened + rng.integers(0, 20 * 86400, n)),
        "closed": np.where(resolved, opened + rng.integers(0, 20 * 86400, n), -1),
        "area": rng.choice([-1, 1, 2, 3, 4], n),
        "organisation": rng.choice([-1, 1, 2, 3], n),
        "cell": rng.integers(-1, 40, n),
        "road": rng.integers(-1, 10, n),
        "person": rng.integers(-1, 10, n),
        "life": np.zeros(n, dtype=np.int64),
        **{name: np.full(n, -1) for name in ("checked", "dispatched", "fixed", "fix_due")},
    }
    return SimpleNamespace(
        frame=pd.DataFrame(columns), snapshot=Snapshot.build(dict(columns), change=1, rebuild=0)
    )


def allowed(frame, scope):
    pairs = zip(frame["area"], frame["organisation"], strict=True)
    none = {-1: None}
    return [scope.covers(none.get(a, a), none.get(o, o)) for a, o in pairs]


def plain(frame, f, scope, directory):  # noqa: PLR0912 - one line per parameter
    """The filter said again in pandas."""
    moment = f.at.timestamp() if f.at else NOW.replace(second=0).timestamp()
    unresolved = frame["state"].isin(UNRESOLVED)
    ok = pd.Series(allowed(frame, scope), index=frame.index)
    if f.categories is not None:
        ids = {c.id for c in directory.categories if c.code in f.categories}
        ok &= frame["category"].isin(ids | {c.id for c in directory.categories if c.parent in ids})
    if f.states:
        ok &= frame["state"].isin([STATES.index(s) for s in f.states])
    elif f.states is not None and f.at is None:
        ok &= unresolved
    closed = frame["closed"].where(frame["closed"] >= 0, np.inf)
    if f.at is not None:
        ok &= (frame["opened"] <= moment) & (closed > moment)
    if f.overdue:
        ok &= (frame["due"] >= 0) & (frame["due"] < moment)
        if f.at is None:
            ok &= unresolved
    age = (moment - frame["opened"]) / 86400
    if f.age_min is not None:
        ok &= age >= f.age_min
    if f.age_max is not None:
        ok &= age <= f.age_max
    if f.sources is not None:
        ok &= frame["source"].isin([SOURCES.index(s.value) for s in f.sources])
    if f.area is not None:
        ok &= frame["area"].isin(directory.below(int(f.area[1:])))
    if f.organisation is not None:
        ok &= frame["organisation"] == int(f.organisation[1:])
    if f.since is not None:
        ok &= frame["opened"] >= f.since.timestamp()
    if f.until is not None:
        ok &= frame["opened"] < f.until.timestamp()
    if not f.doubtful:
        ok &= (frame["flags"] & DOUBTFUL) == 0
    return frame[ok]


def some(values):
    return st.none() | st.frozensets(st.sampled_from(values), min_size=1, max_size=3)


TIMES = st.none() | st.integers(0, 100).map(lambda days: (NOW - timedelta(days=days)).replace(second=7))
AGES = st.none() | st.sampled_from([0.0, 0.5, 3.0, 30.0, 400.0])
FILTERS = st.builds(
    ViewFilter,
    categories=some(["C1", "C2", "C3", "C4"]),
    states=st.sampled_from([frozenset(), None]) | some(list(State)),
    overdue=st.booleans(),
    age_min=AGES,
    age_max=AGES,
    sources=some(list(Source)),
    area=st.none() | st.sampled_from(["a1", "a2", "a4"]),
    organisation=st.none() | st.sampled_from(["o1", "o3"]),
    since=TIMES,
    until=TIMES,
    at=TIMES,
    doubtful=st.booleans(),
)
LIMITS = st.none() | st.frozensets(st.sampled_from([1, 2, 3, 4]), max_size=3)
SCOPES = st.lists(st.tuples(LIMITS, LIMITS), min_size=1, max_size=3).map(
    lambda holdings: Scope(tuple(Holding(Role.AREA_MANAGER, *limits) for limits in holdings))
)


def hidden(f, scope, frame):
    """Which filter names something that the reader may not know of; None: none does."""
    if f.area is not None and scope.areas is not None and int(f.area[1:]) not in scope.areas:
        return "area"
    if f.organisation is None or scope.everywhere:
        return None
    body = int(f.organisation[1:])
    own = any(
        holding.organisations is not None and body in holding.organisations for holding in scope.holdings
    )
    seen = (frame["organisation"][allowed(frame, scope)] == body).any()
    return None if own or seen or scope.covers(None, body) else "organisation"


@settings(max_examples=120, deadline=None)
@given(f=FILTERS, scope=SCOPES)
def test_a_view_is_what_pandas_says(world, directory, f, scope):
    if (what := hidden(f, scope, world.frame)) is not None:
        with pytest.raises(InvalidValueError, match=what):
            open_view(f, snapshot=world.snapshot, directory=directory, scope=scope, now=NOW)
        return
    view = open_view(f, snapshot=world.snapshot, directory=directory, scope=scope, now=NOW)
    expected = plain(world.frame, f, scope, directory)
    assert sorted(world.snapshot.number[view.rows]) == sorted(expected["number"])

    moment = f.at.timestamp() if f.at else NOW.replace(second=0).timestamp()
    closed = expected["closed"].where(expected["closed"] >= 0, np.inf)
    still_open = closed > (moment if f.at else 10**11)
    late = expected[(expected["due"] >= 0) & (expected["due"] < moment) & still_open]
    everything = plain(world.frame, ViewFilter(**{**_fields(f), "doubtful": True}), scope, directory)
    doubtful = everything[(everything["flags"] & DOUBTFUL) > 0]
    total = tally(view)
    assert (total.matching, total.overdue, total.doubtful) == (len(expected), len(late), len(doubtful))

    loads, outside = cell_loads(view)
    by_cell = {cell: load.matching for cell, load in loads.items() if load.matching}
    counts = expected["cell"].value_counts().to_dict()
    assert outside.matching == counts.pop(-1, 0)
    assert by_cell == counts
    assert sum(load.overdue for load in loads.values()) + outside.overdue == len(late)


def _fields(f):
    return {name: getattr(f, name) for name in ViewFilter.__dataclass_fields__}


@settings(max_examples=50, deadline=None)
@given(f=FILTERS, scope=SCOPES)
def test_each_group_is_counted_with_the_other_filters(world, directory, f, scope):
    if hidden(f, scope, world.frame) is not None:
        return
    view = open_view(f, snapshot=world.snapshot, directory=directory, scope=scope, now=NOW)
    summary = summarise(view, directory, SHANGHAI)

    def frame(**changes):
        return plain(world.frame, ViewFilter(**{**_fields(f), **changes}), scope, directory)

    states = frame(states=None)["state"].value_counts()
    assert summary.states == {STATES[k].value: v for k, v in states.items()}
    sources = frame(sources=None)["source"].value_counts()
    assert summary.sources == {SOURCES[k]: v for k, v in sources.items()}
    organisations = frame(organisation=None)["organisation"].value_counts()
    assert summary.organisations == {None if k < 0 else k: v for k, v in organisations.items()}
    areas = frame(area=None)["area"]
    for area in AREAS:
        assert summary.areas.get(area, 0) == areas.isin(directory.below(area)).sum()
    categories = frame(categories=None)["category"]
    for category in CATEGORIES:
        below = [category, *(i for i, up in CATEGORIES.items() if up == category)]
        assert summary.categories.get(category, 0) == categories.isin(below).sum()


def test_days_are_those_of_the_time_zone(world, directory):
    view = open_view(
        ViewFilter(since=NOW), snapshot=world.snapshot, directory=directory, scope=HEADQUARTERS, now=NOW
    )
    for zone in (SHANGHAI, ZoneInfo("Europe/Lisbon")):
        days = summarise(view, directory, zone).days
        good = world.frame[(world.frame["flags"] & DOUBTFUL) == 0]
        for name, got in (("opened", days.found), ("closed", days.closed)):
            seconds = good.loc[good[name] >= 0, name]
            expected = (
                pd.to_datetime(seconds, unit="s", utc=True).dt.tz_convert(str(zone)).dt.date.value_counts()
            )
            assert {
                days.first + timedelta(days=i): count for i, count in enumerate(got.tolist()) if count
            } == expected.to_dict()


@settings(max_examples=40, deadline=None)
@given(sort=st.sampled_from(list(Sort)), limit=st.sampled_from([1, 7, 100, 999, 5000]), f=FILTERS)
def test_pages_hold_every_problem_once_and_in_order(world, directory, sort, limit, f):
    view = open_view(f, snapshot=world.snapshot, directory=directory, scope=HEADQUARTERS, now=NOW)
    frame = world.frame.assign(due=world.frame["due"].where(world.frame["due"] >= 0, NEVER))
    frame = frame[frame["number"].isin(world.snapshot.number[view.rows])]
    closed = frame["closed"].where(frame["closed"] >= 0, np.inf)
    late = (frame["due"] < view.moment) & (closed > (view.moment if f.at else 10**11))
    frame["late"] = frame["due"] + np.where(late, 0, 10**10)
    by, ascending = {
        Sort.NEWEST: ("opened", False),
        Sort.OLDEST: ("opened", True),
        Sort.DUE: ("due", True),
        Sort.OVERDUE: ("late", True),
        Sort.SEVERITY: ("severity", False),
        Sort.NUMBER: ("number", True),
    }[sort]
    expected = frame.sort_values([by, "number"] if by != "number" else ["number"], ascending=ascending)
    seen: list[int] = []
    cursor = None
    for _ in range(min(len(frame) // limit + 2, 40)):
        page = page_of(view, view.rows, sort=sort, limit=limit, cursor=cursor)
        assert page.total == len(frame)
        seen += page.numbers.tolist()
        cursor = page.next
        if cursor is None:
            break
    assert seen == expected["number"].tolist()[: len(seen)]
    assert cursor is not None or len(seen) == len(frame)


def test_a_problem_that_comes_in_meanwhile_doubles_nothing(world, directory):
    def view_of(snapshot):
        return open_view(ViewFilter(), snapshot=snapshot, directory=directory, scope=HEADQUARTERS, now=NOW)

    view = view_of(world.snapshot)
    first = page_of(view, view.rows, sort=Sort.NEWEST, limit=10)
    row = {name: values[:1].copy() for name, values in world.frame.to_dict("series").items()}
    newer = {name: values.to_numpy() for name, values in row.items()}
    newer |= {"number": np.array([9999]), "opened": np.array([int(NOW.timestamp())])}
    newer |= {"state": np.array([0], np.int16), "flags": np.array([0], np.int16), "closed": np.array([-1])}
    later = view_of(world.snapshot.advanced(newer, change=2, rebuild=0))
    assert 9999 in later.snapshot.number[later.rows]
    second = page_of(later, later.rows, sort=Sort.NEWEST, limit=10, cursor=first.next)
    expected = page_of(view, view.rows, sort=Sort.NEWEST, limit=20).numbers[10:]
    assert second.numbers.tolist() == expected.tolist()


@pytest.mark.parametrize("cursor", ["", "x", "WyJuZXdlc3QiXQ==", "é"])
def test_a_strange_cursor_is_refused(world, directory, cursor):
    view = open_view(ViewFilter(), snapshot=world.snapshot, directory=directory, scope=HEADQUARTERS, now=NOW)
    with pytest.raises(InvalidValueError) as caught:
        page_of(view, view.rows, sort=Sort.DUE, limit=5, cursor=cursor)
    assert caught.value.parameter == "cursor"


def test_a_box_holds_its_border(world, directory):
    view = open_view(ViewFilter(), snapshot=world.snapshot, directory=directory, scope=HEADQUARTERS, now=NOW)
    box = (121.42, 31.21, 121.47, 31.26)
    rows = in_box(view, view.rows, box)
    frame = world.frame.set_index("number").loc[world.snapshot.number[view.rows]]
    inside = frame[frame["lon"].between(box[0], box[2]) & frame["lat"].between(box[1], box[3])]
    assert sorted(world.snapshot.number[rows]) == sorted(inside.index)


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"categories": frozenset({"C9"})}, "category"),
        ({"area": "a9"}, "area"),
        ({"organisation": "o9"}, "organisation"),
    ],
)
def test_what_there_is_not_is_named(world, directory, fields, parameter):
    with pytest.raises(InvalidValueError) as caught:
        open_view(
            ViewFilter(**fields), snapshot=world.snapshot, directory=directory, scope=HEADQUARTERS, now=NOW
        )
    assert caught.value.parameter == parameter
