"""The canonical form is one, whoever makes it and on whichever store."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.places.models import Area
from gridmap.problems.models import Event, Problem
from gridmap.store.bulk import insert_rows
from gridmap.store.columns import as_arrow
from gridmap.store.engine import reading, writing
from gridmap.trail.batches import array_of, digests_of_arrays, digests_of_batch
from gridmap.trail.canon import encode, form_of
from gridmap.trail.decisions import SECRETS, audited_tables, is_secret
from gridmap.trail.images import images, slices
from gridmap.trail.packing import DIGEST, pack, unpack

_VALUES = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False),
    "bool": st.booleans(),
    "time": st.integers(-(10**15), 4 * 10**15),
    "date": st.integers(-100_000, 100_000),
    "uuid": st.uuids().map(lambda one: one.hex),
    "text": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
    "json": st.dictionaries(st.text(max_size=5), st.integers()).map(json.dumps),
    "geometry": st.binary(min_size=21, max_size=40).map(lambda raw: b"\1\1\0\0\0" + raw),
    "bytes": st.binary(max_size=40),
}


@pytest.mark.parametrize("kind", _VALUES)
@given(st.data())
def test_many_values_are_encoded_as_one_is(kind, data):
    values = data.draw(st.lists(st.none() | _VALUES[kind], max_size=20))
    one_by_one = [None if value is None else encode(kind, value) for value in values]
    assert array_of(kind, values, "postgresql").to_pylist() == one_by_one


@given(st.lists(st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), max_size=20))  # noqa: DTZ001 - as SQLite's text has it
def test_times_of_sqlite_are_encoded_as_those_of_postgresql(moments):
    text = [None if one is None else one.isoformat(" ", "microseconds") for one in moments]
    start, tick = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
    counted = [None if one is None else (one.replace(tzinfo=UTC) - start) // tick for one in moments]
    assert array_of("time", text, "sqlite").to_pylist() == array_of("time", counted, "postgresql").to_pylist()
    assert array_of("time", text, "sqlite").to_pylist() == [
        None if one is None else encode("time", one) for one in text
    ]


@given(st.data())
def test_a_row_has_one_digest(data):
    form = form_of("problem")
    rows = data.draw(
        st.lists(
            st.tuples(*(st.none() | _VALUES[field.kind] for field in form.fields)), min_size=1, max_size=5
        )
    )
    arrays = {
        field.name: array_of(field.kind, column, "postgresql")
        for field, column in zip(form.fields, zip(*rows, strict=True), strict=True)
    }
    together = digests_of_arrays(form, arrays, len(rows))
    assert [one.tobytes() for one in together] == [form.digest(row) for row in rows]


@given(st.text(max_size=9), st.text(max_size=9))
def test_no_two_rows_look_the_same(one, other):
    """Lengths stand before contents, so that no content can pass for another column."""
    form = form_of("category")
    at = {field.name: n for n, field in enumerate(form.fields)}

    def row(**values):
        return tuple(values.get(field.name) for field in form.fields)

    assert len(at) == len(form.fields)
    left, right = row(code=one, name=other), row(code=one + other, name="")
    assert (form.canonical(left) == form.canonical(right)) == (left == right)


def test_what_sqlite_lets_through_is_told_as_it_is():
    assert encode("integer", "7") != encode("integer", 7)
    assert array_of("integer", (7, "7"), "sqlite").to_pylist() == [b"7", b"!'7'"]
    assert array_of("time", ("x", "2026-01-01 00:00:00"), "sqlite").to_pylist()[0] == b"!'x'"


def test_what_goes_in_is_what_is_read_by_every_way(engine):
    shapes = shapely.multipolygons([[shapely.box(n / 3, 0, n + 1, 1.1)] for n in range(5)])
    given_columns = {
        "id": np.arange(1, 6),
        "code": ["1", "2", "3", "第四", "5"],
        "name": "名",
        "level": "community",
        "valid_to": [None, date(2026, 1, 1), None, None, None],
        "geometry": shapes,
    }
    with writing(engine) as session:
        insert_rows(session, Area, given_columns)
    with reading(engine) as session:
        connection = session.connection()
        one_by_one = images(connection, Area.__table__, [1, 2, 3, 4, 5])
        ((ids, digests),) = slices(connection, Area.__table__)
    form = form_of("area")
    assert ids.tolist() == [1, 2, 3, 4, 5]
    assert [one.tobytes() for one in digests] == [form.digest(one_by_one[i]) for i in ids.tolist()]


def test_digests_are_what_they_were():
    """A digest that comes out differently would make every older trail worthless."""
    table = Event.__table__
    columns = {
        "uid": [uuid.UUID(int=5)],
        "kind": "recorded",
        "at": [datetime(2026, 1, 1, 8, 30, 0, 5, tzinfo=UTC)],
        "actor": "甲",
        "details": [{"b": 1, "a": "二"}],
        "problem_id": [7],
    }
    arrays = [
        as_arrow(values, table.columns[name], slice(0, 1), postgis=False) for name, values in columns.items()
    ]
    batch = pa.RecordBatch.from_arrays(arrays, names=list(columns))
    assert digests_of_batch("event", batch)[0].tobytes().hex() == "a3403f21adc236a57542ef10358ad209"
    point = {"geometry": np.array([shapely.Point(121.5, 31.25)]), "lon": [121.5]}
    for postgis in (False, True):
        arrays = [
            as_arrow(values, Problem.__table__.columns[name], slice(0, 1), postgis=postgis)
            for name, values in point.items()
        ]
        batch = pa.RecordBatch.from_arrays(arrays, names=list(point))
        assert digests_of_batch("problem", batch)[0].tobytes().hex() == "5371c79a965757ae5e114b68ad2a017d"


@given(st.lists(st.integers(1, 2**60), unique=True, max_size=50))
def test_packing_is_undone_by_unpacking(ids):
    array = np.array(sorted(ids), dtype=np.int64)
    digests = np.frombuffer(np.random.default_rng(1).bytes(16 * len(ids)), dtype=DIGEST)
    back, theirs = unpack(pack(array, digests))
    assert back.tolist() == array.tolist()
    if ids:
        assert theirs.tobytes() == digests.tobytes()
    assert unpack(pack(array, None))[1] is None


def test_every_secret_is_a_column_and_new_ones_are_secret_by_their_name():
    columns = {(table.name, column.name) for table in audited_tables() for column in table.columns}
    assert columns >= SECRETS
    assert is_secret("api_client", "key_hash")
    assert is_secret("reporter", "phone")
    assert not is_secret("import", "sha256")
