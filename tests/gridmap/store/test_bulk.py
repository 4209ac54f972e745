from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from geoalchemy2.shape import to_shape
from sqlalchemy import func, select, text

from gridmap.places.models import Area, AreaLevel
from gridmap.problems.models import Category, Event, EventKind, Problem, Source, State
from gridmap.store.bulk import insert_rows, read_columns, reserve_ids
from gridmap.store.columns import random_uids
from gridmap.store.engine import open_engine, reading, writing

NOW = datetime(2026, 3, 1, 8, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture
def category(engine):
    with writing(engine) as session:
        category = Category(code="0101", name="占道经营")
        session.add(category)
        session.flush()
        return category.id


def columns(count, category, **more):
    rng = np.random.default_rng(count)
    return {
        "category_id": category,
        "found_at": (np.datetime64("2026-01-01", "us") + rng.integers(0, 10**12, count)),
        "geometry": np.column_stack([rng.uniform(121, 122, count), rng.uniform(31, 32, count)]),
        "lon": 121.5,
        "lat": 31.5,
        "change": 1,
        **more,
    }


@pytest.mark.parametrize("count", [3, 21_000])
def test_rows_come_back_as_they_went_in(engine, category, count):
    rng = np.random.default_rng(1)
    states = rng.choice(list(State), count)
    given = columns(
        count,
        category,
        state=states,
        source=rng.integers(0, len(Source), count),
        description=[f"第{n}号“问题”, 100%\t\\N" for n in range(count)],
        due_at=pd.Series(pd.date_range("2026-02-01 08:00:00.5", periods=count, freq="s", tz="Asia/Shanghai")),
        closed_at=np.where(
            np.arange(count) % 2, np.datetime64("NaT"), np.datetime64(NOW.replace(tzinfo=None), "us")
        ),
        external_id=pa.array([None if n % 3 else str(n) for n in range(count)]),
        area_id=np.full(count, -1),
    )
    with writing(engine) as session:
        assert insert_rows(session, Problem, given) == count
    with reading(engine) as session:
        rows = session.scalars(select(Problem).order_by(Problem.id)).all()
    assert len(rows) == count
    assert len({row.uid for row in rows}) == count
    for n in (0, 1, count - 1):
        row = rows[n]
        assert row.uid.version == 4
        assert row.state is State(states[n])
        assert row.source is list(Source)[given["source"][n]]
        assert row.description == given["description"][n]
        assert row.found_at == given["found_at"][n].astype(datetime).replace(tzinfo=UTC)
        assert row.due_at == given["due_at"][n]
        assert row.closed_at == (None if n % 2 else NOW)
        assert row.external_id == (None if n % 3 else str(n))
        assert row.area_id is None
        assert row.severity == 2
        assert shapely.get_coordinates(to_shape(row.geometry)).tolist() == [given["geometry"][n].tolist()]


def test_columns_read_are_what_the_mapper_reads(engine, category):
    count = 25_000
    given = columns(
        count,
        category,
        state=np.resize(list(State), count),
        due_at=np.where(
            np.arange(count) % 2, np.datetime64("NaT"), np.datetime64("1999-12-31T23:59:59.000001")
        ),
        external_id=[None if n % 2 else f"编号{n}%" for n in range(count)],
    )
    with writing(engine) as session:
        insert_rows(session, Problem, given)
    fields = (
        "id",
        "uid",
        "state",
        "severity",
        "found_at",
        "due_at",
        "lon",
        "area_id",
        "external_id",
        "geometry",
    )
    with reading(engine) as session:
        query = select(*(getattr(Problem, name) for name in fields)).where(
            Problem.found_at < NOW, Problem.external_id.is_(None) | Problem.external_id.like("编%")
        )
        read = read_columns(session, query)
        expected = sorted(session.execute(query).all())
        nothing = read_columns(session, query.where(Problem.lon > 200))
    assert list(read) == list(nothing) == list(fields)
    assert {name: array.dtype for name, array in nothing.items()} == {
        name: array.dtype for name, array in read.items()
    }
    assert {len(array) for array in nothing.values()} == {0}
    order = np.argsort(read["id"])
    assert len(order) == len(expected) > 1000
    for place, row in zip(order[:50], expected[:50], strict=True):
        assert read["id"][place] == row.id
        assert uuid.UUID(bytes=read["uid"][place].tobytes()) == row.uid
        assert list(State)[read["state"][place]] is row.state
        assert read["severity"][place] == 2
        assert read["found_at"][place] == np.datetime64(row.found_at.replace(tzinfo=None), "us")
        assert np.isnat(read["due_at"][place]) == (row.due_at is None)
        if row.due_at:
            assert read["due_at"][place] == np.datetime64("1999-12-31T23:59:59.000001")
        assert read["lon"][place] == row.lon
        assert read["area_id"][place] == -1
        assert read["external_id"][place] == row.external_id
        assert shapely.equals(read["geometry"][place], to_shape(row.geometry))
    assert read["severity"].dtype == np.int16


def test_polygons_dates_and_words_that_need_quoting(engine):
    squares = shapely.multipolygons([[shapely.box(n, 0, n + 1, 1)] for n in range(5)])
    with writing(engine) as session:
        ids = reserve_ids(session, Area, 5)
        insert_rows(
            session,
            Area,
            {
                "id": ids,
                "code": [str(n) for n in range(5)],
                "name": "社区",
                "level": AreaLevel.COMMUNITY,
                "parent_id": np.array([-1, *ids[:-1]]),
                "geometry": squares,
                "valid_to": [None, date(2026, 1, 2), None, None, None],
            },
        )
    with reading(engine) as session:
        areas = session.scalars(select(Area).order_by(Area.id)).all()
        assert [area.parent_id for area in areas] == [None, *ids[:-1]]
        assert [area.valid_to for area in areas] == [None, date(2026, 1, 2), None, None, None]
        assert areas[0].valid_from == date(2000, 1, 1)
        assert areas[0].level is AreaLevel.COMMUNITY
        assert all(to_shape(area.geometry) == square for area, square in zip(areas, squares, strict=True))
        read = read_columns(session, select(Area.valid_to, Area.level, Area.code))
        assert np.isnat(read["valid_to"]).sum() == 4
        assert np.datetime64("2026-01-02") in read["valid_to"]


def described(engine):
    """Everything the database says about the table `problem`."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            return sorted(
                connection.execute(text("SELECT type, name, sql FROM sqlite_master")).all(), key=str
            )
        return sorted(
            [
                *connection.execute(
                    text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")
                ).scalars(),
                *connection.execute(
                    text(
                        "SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint"
                    )
                ).scalars(),
            ]
        )


def test_a_large_load_leaves_every_index_key_and_trigger_in_place(engine, category):
    before = described(engine)
    with writing(engine) as session:
        insert_rows(session, Problem, columns(10, category))
    with writing(engine) as session:
        insert_rows(session, Problem, columns(30_000, category))
        session.add(Problem(**columns(1, category) | {"geometry": "SRID=4326;POINT(1 2)", "found_at": NOW}))
    assert described(engine) == before
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            assert connection.scalar(text("SELECT CheckSpatialIndex('problem', 'geometry')")) == 1
            assert connection.scalar(text("SELECT count(*) FROM idx_problem_geometry")) == 30_011
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


@pytest.mark.parametrize("count", [10, 30_000])
def test_a_reference_to_nothing_is_refused_and_nothing_stays(engine, category, count):
    before = described(engine)
    references = np.full(count, category)
    references[count // 2] = 999
    with pytest.raises(Exception, match=r"(?i)foreign key"), writing(engine) as session:
        insert_rows(session, Problem, columns(count, references))
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(Problem)) == 0
    assert described(engine) == before


@pytest.mark.parametrize("count", [10, 30_000])
def test_a_name_given_twice_is_refused_and_nothing_stays(engine, category, count):
    before = described(engine)
    names = np.arange(count).astype(str).astype(object)
    names[-1] = names[0]
    with pytest.raises(Exception, match=r"(?i)unique"), writing(engine) as session:
        insert_rows(session, Problem, columns(count, category, external_source="热线", external_id=names))
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(Problem)) == 0
    assert described(engine) == before


def test_what_is_the_same_in_all_rows_comes_back_as_it_went_in(engine, category):
    said = 'it\'s 100% "好" ? ; --\n'
    given = columns(
        100, category, description=said, address=np.full(100, said, dtype=object), severity=4, found_at=NOW
    )
    with writing(engine) as session:
        insert_rows(session, Problem, given)
    with reading(engine) as session:
        rows = session.scalars(select(Problem)).all()
    assert {(row.description, row.address, row.severity, row.found_at) for row in rows} == {
        (said, said, 4, NOW)
    }


def test_points_are_stored_as_the_store_itself_would(engine, category):
    shapes = shapely.points([[121.5, 31.25], [-71.0587, 42.3594]])
    with writing(engine) as session:
        insert_rows(session, Problem, columns(2, category, geometry=shapes))
        made = func.ST_GeomFromText("POINT(121.5 31.25)", 4326, type_=None)
        same = select(func.count()).where(func.hex(Problem.__table__.c.geometry) == func.hex(made))
        if engine.dialect.name == "postgresql":
            same = select(func.count()).where(func.ST_AsEWKB(Problem.geometry) == func.ST_AsEWKB(made))
        assert session.scalar(same) == 1


def test_a_reader_in_the_way_does_not_stop_a_load(postgis_url, keeper):
    engine = open_engine(postgis_url, keeper=keeper)
    with writing(engine) as session:
        session.add(Category(code="1", name="一"))
    with reading(engine) as reader, writing(engine) as session:
        assert reader.scalar(select(Category.id)) == 1
        assert insert_rows(session, Problem, columns(20_000, 1)) == 20_000
        assert reader.scalar(select(func.count()).select_from(Problem)) == 0
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(Problem)) == 20_000
    engine.dispose()


def test_events_keep_their_details(engine, category):
    with writing(engine) as session:
        ids = reserve_ids(session, Problem, 2)
        insert_rows(session, Problem, columns(2, category, id=ids))
        insert_rows(
            session,
            Event,
            {
                "problem_id": ids,
                "kind": EventKind.IMPORTED,
                "at": NOW,
                "recorded_at": NOW,
                "actor": "张三",
                "details": [{"依据": "网格员"}, json.dumps({"by": 1})],
            },
        )
        insert_rows(
            session,
            Event,
            {"problem_id": ids, "kind": EventKind.STATE, "at": NOW, "recorded_at": NOW, "actor": "x"},
        )
    with reading(engine) as session:
        assert [event.details for event in session.scalars(select(Event).order_by(Event.id))] == [
            {"依据": "网格员"},
            {"by": 1},
            {},
            {},
        ]


def test_ids_are_never_given_twice(engine, category):
    with writing(engine) as session:
        insert_rows(session, Problem, columns(5, category))
        one = Problem(**columns(1, category) | {"geometry": "SRID=4326;POINT(1 2)", "found_at": NOW})
        session.add(one)
        session.flush()
        ids = reserve_ids(session, Problem, 3)
        assert ids.tolist() == sorted(set(ids.tolist()))
        assert one.id < ids[0]
        insert_rows(session, Problem, columns(3, category, id=ids))
        insert_rows(session, Problem, columns(2, category))


def test_a_wrong_column_or_length_is_a_mistake(engine, category):
    with writing(engine) as session:
        with pytest.raises(ValueError, match="nonsense"):
            insert_rows(session, Problem, columns(2, category, nonsense=1))
        with pytest.raises(ValueError, match="one length"):
            insert_rows(session, Problem, columns(2, category, severity=[1, 2, 3]))
        assert insert_rows(session, Problem, columns(0, category)) == 0


def test_random_uids_are_of_version_4_and_in_order():
    uids = [uuid.UUID(bytes=raw) for raw in random_uids(10_000).to_pylist()]
    assert {uid.version for uid in uids} == {4}
    assert {uid.variant for uid in uids} == {uuid.RFC_4122}
    assert len(set(uids)) == 10_000
    assert [uid.int >> 64 for uid in uids] == sorted(uid.int >> 64 for uid in uids)
