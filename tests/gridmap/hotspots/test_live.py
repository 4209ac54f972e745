from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from geodata.point_columns import NEVER, PointFilter
from gridmap.figures.counting import Lives, medians
from gridmap.hotspots.life import COUNTS, count_of, late, on_time, recurring
from gridmap.hotspots.live import LiveSnapshot
from gridmap.hotspots.loading import SOURCES, STATES, read_problems
from gridmap.hotspots.snapshot import Snapshot
from gridmap.people.models import Organisation
from gridmap.places.models import Area
from gridmap.problems.models import Category, Problem, Source, State
from gridmap.store.clock import next_change, read_clock
from gridmap.store.engine import reading, writing

START = datetime(2026, 3, 1, tzinfo=UTC)
SQUARE = "SRID=4326;MULTIPOLYGON(((0 0,1 0,1 1,0 0)))"


@pytest.fixture
def ground(engine):
    """Three categories, areas and organisations."""
    with writing(engine) as session:
        rows = [
            kind
            for i in range(3)
            for kind in (
                Category(code=str(i), name=str(i)),
                Area(code=str(i), name=str(i), level="community", geometry=SQUARE),
                Organisation(name=str(i)),
            )
        ]
        session.add_all(rows)
        session.flush()
        return {
            kind: [row.id for row in rows if isinstance(row, kind)] for kind in (Category, Area, Organisation)
        }


def record(session, ground, change, *, lon=121.0, lat=31.0, pick=0, state=State.RECORDED, **more):
    problem = Problem(
        category_id=ground[Category][pick % 3],
        area_id=[*ground[Area], None][pick % 4],
        organisation_id=[*ground[Organisation], None][pick // 4 % 4],
        state=state,
        source=list(Source)[pick % 7],
        severity=1 + pick % 5,
        flags=pick % 8,
        found_at=START + timedelta(hours=pick),
        lon=lon,
        lat=lat,
        geometry=f"SRID=4326;POINT({lon} {lat})",
        change=change,
        **life(pick),
        **more,
    )
    session.add(problem)
    session.flush()
    return problem


def life(pick):
    """Steps and counts, some of them not taken, some too often to count."""
    steps = ("checked_at", "dispatched_at", "fixed_at", "fix_due_at")
    return {
        **{
            name: START + timedelta(hours=i, minutes=pick % 59)
            for i, name in enumerate(steps)
            if pick >> i & 1
        },
        **{name: 300 * (pick % 50 == i) + pick // 7 % (i + 3) for i, name in enumerate(COUNTS)},
        "on_time": (None, True, False)[pick % 3],
        "recurrence": pick % 5 == 1,
    }


def told(snapshot):
    """What a snapshot says, as rows by case number."""
    names = ("lon", "lat", "category", "state", "source", "severity", "flags", "opened", "due", "closed")
    names += ("area", "organisation", "cell", "road", "person")
    names += ("checked", "dispatched", "fixed", "fix_due")
    assert np.all(np.diff(snapshot.points.rows.code.astype(np.int64)) >= 0)
    columns = [snapshot.values(name).tolist() for name in names]
    life = snapshot.values("life")
    columns += [count_of(life, name).tolist() for name in COUNTS]
    columns += [on_time(life).tolist(), late(life).tolist(), recurring(life).tolist()]
    return dict(zip(snapshot.number.tolist(), zip(*columns, strict=True), strict=True))


def truth(engine):
    """The same, read row by row and worked out by plain Python."""
    never = 2**32 - 1
    rows = {}
    with reading(engine) as session:
        for p in session.scalars(select(Problem)):
            opened = int(p.found_at.timestamp())
            closed = int(p.closed_at.timestamp()) if p.closed_at else opened - 1
            rows[p.id] = (
                p.lon,
                p.lat,
                p.category_id,
                STATES.index(p.state),
                SOURCES.index(p.source),
                p.severity,
                p.flags,
                opened,
                int(p.due_at.timestamp()) if p.due_at else never,
                closed if p.state.resolved else never,
                *(-1 if v is None else v for v in (p.area_id, p.organisation_id)),
                *(-1 if v is None else v for v in (p.cell_id, p.road_id, p.person_id)),
                *(
                    int(at.timestamp()) if at else never
                    for at in (p.checked_at, p.dispatched_at, p.fixed_at, p.fix_due_at)
                ),
                *(min(getattr(p, name), 255) for name in COUNTS),
                p.on_time is True,
                p.on_time is False,
                p.recurrence,
            )
    return rows


def test_a_closing_at_an_unknown_time_is_in_no_median_and_open_at_no_moment(engine, ground):
    with writing(engine) as session:
        for hours in (None, 5, 7):
            at = None if hours is None else START + timedelta(hours=hours)
            record(session, ground, next_change(session), state=State.CLOSED, closed_at=at)
    with reading(engine) as session:
        snapshot = Snapshot.build(read_problems(session), change=1, rebuild=0)
    lives, later = Lives.of(snapshot, slice(None)), START + timedelta(days=1)
    found = medians(lives, np.zeros(3, dtype=np.int64), 1, int(later.timestamp()))
    assert found["to_close"].tolist() == [6.0]
    assert (lives.closed != NEVER).all()
    unresolved = snapshot.points.weigh(PointFilter(open_at=int(START.timestamp())))
    assert unresolved.sum() == 2


def at_clock(engine, live):
    with reading(engine) as session:
        return live.at(read_clock(session).change)


STEP = st.tuples(
    st.sampled_from(["insert", "insert", "update", "delete", "restart", "ask"]),
    st.integers(0, 2**20),
    st.integers(1, 6),
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEP, min_size=1, max_size=12))
def test_no_change_is_ever_lost(engine, ground, tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("snapshot")
    with writing(engine) as session:
        session.execute(delete(Problem))
        next_change(session, rebuild=True)
    live = LiveSnapshot(engine, folder)
    for what, seed, count in steps:
        rng = np.random.default_rng(seed)
        with writing(engine) as session:
            known = session.scalars(select(Problem.id).order_by(Problem.id)).all()
            chosen = rng.choice(known, min(count, len(known)), replace=False).tolist() if known else []
            if what == "insert":
                change = next_change(session)
                for _ in range(count):
                    lon, lat = 121 + rng.random(2)
                    record(
                        session,
                        ground,
                        change,
                        lon=float(lon),
                        lat=float(lat - 90),
                        pick=int(rng.integers(1000)),
                        state=list(State)[int(rng.integers(12))],
                    )
            elif what == "update":
                values = {
                    "state": list(State)[seed % 12],
                    "lon": 120.0 + seed % 7,
                    "area_id": ground[Area][seed % 3],
                    "closed_at": START + timedelta(days=seed % 50),
                    "due_at": None if seed % 2 else START,
                    "change": next_change(session),
                }
                session.execute(update(Problem).where(Problem.id.in_(chosen)).values(values))
            elif what == "delete":
                session.execute(delete(Problem).where(Problem.id.in_(chosen)))
                next_change(session, rebuild=True)
        if what == "restart":
            live = LiveSnapshot(engine, folder)
        if what == "ask":
            assert told(at_clock(engine, live)) == truth(engine)
    assert told(at_clock(engine, live)) == truth(engine)
    assert told(at_clock(engine, LiveSnapshot(engine, folder))) == truth(engine)


def test_a_reader_keeps_the_snapshot_it_has(engine, ground, tmp_path):
    live = LiveSnapshot(engine, tmp_path / "snapshot")
    with writing(engine) as session:
        record(session, ground, next_change(session))
    before = at_clock(engine, live)
    said = told(before)
    with writing(engine) as session:
        session.execute(update(Problem).values(state=State.CLOSED, change=next_change(session)))
    after = at_clock(engine, live)
    assert told(before) == said != told(after)
    assert (before.change, after.change) == (1, 2)
    assert at_clock(engine, live) is after


def test_the_copy_of_another_database_is_not_believed(engine, ground, tmp_path):
    folder = tmp_path / "snapshot"
    with writing(engine) as session:
        record(session, ground, next_change(session), pick=1)
    at_clock(engine, LiveSnapshot(engine, folder))
    with writing(engine) as session:  # as if the database were made anew, or brought back from a backup
        session.execute(delete(Problem))
        record(session, ground, 1, pick=2)
    assert told(at_clock(engine, LiveSnapshot(engine, folder))) == truth(engine)


def test_a_backup_that_was_brought_back_is_noticed(engine, ground, tmp_path):
    folder = tmp_path / "snapshot"
    with writing(engine) as session:
        record(session, ground, next_change(session))
    with writing(engine) as session:
        session.execute(update(Problem).values(severity=5, change=next_change(session)))
    at_clock(engine, LiveSnapshot(engine, folder))
    with writing(engine) as session:  # back to change 1, then another change 2 and 3 of nothing
        session.execute(update(Problem).values(severity=1, change=1))
        next_change(session)
    assert told(at_clock(engine, LiveSnapshot(engine, folder))) == truth(engine)


@pytest.mark.parametrize("damage", ["identity.json", "code.npy", "plain_lon.npy"])
def test_a_damaged_copy_is_made_again(engine, ground, tmp_path, damage):
    folder = tmp_path / "snapshot"
    with writing(engine) as session:
        record(session, ground, next_change(session))
    at_clock(engine, LiveSnapshot(engine, folder))
    (folder / "1" / damage).write_bytes(b"{")
    assert told(at_clock(engine, LiveSnapshot(engine, folder))) == truth(engine)


def test_old_copies_are_removed_and_stay_readable(engine, ground, tmp_path, monkeypatch):
    monkeypatch.setattr("gridmap.hotspots.live._WORTH_SAVING", 1)
    folder = tmp_path / "snapshot"
    live = LiveSnapshot(engine, folder)
    with writing(engine) as session:
        record(session, ground, next_change(session))
    first = at_clock(engine, live)
    said = told(first)
    for _ in range(3):
        with writing(engine) as session:
            record(session, ground, next_change(session))
        at_clock(engine, live)
    assert sorted(path.name for path in folder.iterdir()) == ["4", "lock"]
    assert told(first) == said


def test_readers_and_writers_at_once_see_every_own_write(engine, ground, tmp_path):
    live = LiveSnapshot(engine, tmp_path / "snapshot")
    lost: list[int] = []

    def work(seed: int) -> None:
        for i in range(5):
            with writing(engine) as session:
                number = record(session, ground, next_change(session), pick=seed + i).id
            if number not in at_clock(engine, live).number:
                lost.append(number)

    threads = [threading.Thread(target=work, args=(10 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == []
    assert told(at_clock(engine, live)) == truth(engine)
    assert len(truth(engine)) == 20
