"""Bringing an older store up never looks like tampering, and hides none."""

from __future__ import annotations

import itertools
import os
import uuid
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from geoalchemy2 import Geometry
from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Uuid,
    column,
    func,
    insert,
    select,
    table,
    text,
)

from gridmap.store.engine import open_engine, reading
from gridmap.store.schema import migrate, revisions
from gridmap.store.tables import metadata
from gridmap.trail.decisions import is_audited
from gridmap.trail.images import slices
from gridmap.trail.keeper import append, many
from gridmap.trail.models import Deed
from gridmap.trail.upgrade import bring_up
from gridmap.trail.verify import verify

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Engine, Table

BEGUN = "0008"
"""With it stores have a trail."""
AT_ONCE = 3
HELD = frozenset({"area_id", "point_id", "road_id", "shop_id"})
"""Of the places that a duty can be on it is on one: here always a cell."""
NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
SHAPES = {
    "POINT": "POINT(121 31)",
    "LINESTRING": "LINESTRING(121 31,121.1 31.1)",
    "MULTILINESTRING": "MULTILINESTRING((121 31,121.1 31.1))",
    "MULTIPOLYGON": "MULTIPOLYGON(((121 31,121.1 31,121.1 31.1,121 31)))",
}


class OlderStore:
    """A store of an older version, with rows as that version may have written them."""

    def __init__(self, engine: Engine, keeper: Any) -> None:
        self.engine, self.keeper = engine, keeper
        self._numbers = itertools.count(1)

    def fill(self) -> None:
        """Put some rows into every audited table, and into the trail."""
        with self.engine.execution_options(gridmap_write=True).begin() as connection:
            there = MetaData()
            there.reflect(connection, only=lambda name, _: name in metadata.tables)
            new: dict[str, list[int]] = {}
            lines = []
            for known in metadata.sorted_tables:
                # Shares have had an id, by which the trail names them, only later.
                if is_audited(known) and known.name in there.tables and "id" in there.tables[known.name].c:
                    present = frozenset(there.tables[known.name].c.keys())
                    new[known.name] = self._add(connection, known, present, new)
                    lines += [
                        many(known.name, Deed.CREATED, ids[ids >= first], digests[ids >= first])
                        for first in [new[known.name][0]]
                        for ids, digests in slices(connection, known, only=present)
                    ]
            append(connection, self.keeper.key, lines)

    def sql(self, statement: str) -> int:
        """Change something outside the trail."""
        with self.engine.execution_options(gridmap_write=True).begin() as connection:
            return connection.execute(text(statement)).rowcount

    def findings(self) -> list[tuple[str, str]]:
        with reading(self.engine) as session:
            found = verify(session, [self.keeper.key], self.keeper.anchors).findings
        return [(one.kind.value, one.where) for one in found]

    def _add(
        self, connection: Connection, known: Table, present: frozenset[str], new: dict[str, list[int]]
    ) -> list[int]:
        columns = [one for one in known.columns if one.name in present]
        form = table(known.name, *(column(one.name, one.type) for one in columns))
        last = connection.execute(select(func.coalesce(func.max(form.c.id), 0))).scalar_one()
        ids = [last + 1 + k for k in range(AT_ONCE)]
        rows = [
            {one.name: identity if one.name == "id" else self._value(one, k, new) for one in columns}
            for k, identity in enumerate(ids)
        ]
        connection.execute(insert(form), rows)
        return ids

    def _value(self, of: Column[Any], k: int, new: dict[str, list[int]]) -> Any:  # noqa: PLR0911 - one per kind
        if of.table.name == "responsibility" and of.name in HELD:
            return None
        for key in of.foreign_keys:
            return new[key.column.table.name][k] if key.column.table is not of.table else None
        kind, n = of.type, next(self._numbers)
        if members := list(getattr(kind, "enum_class", None) or ()):
            return members[k % len(members)]
        if isinstance(kind, Geometry):
            return f"SRID=4326;{SHAPES.get(kind.geometry_type, SHAPES['POINT'])}"
        if isinstance(kind, String):
            return str(n)
        if isinstance(kind, JSON):
            return {"n": n}
        if isinstance(kind, Boolean):
            return k % 2 == 0
        if isinstance(kind, Uuid):
            return uuid.uuid4()
        if isinstance(kind, LargeBinary):
            return n.to_bytes(8)
        if isinstance(kind, Date):
            return date(2026, 5, 9)
        return NOW if isinstance(getattr(kind, "impl", kind), DateTime) else n


@pytest.fixture(params=["spatialite", pytest.param("postgis", marks=pytest.mark.postgis)])
def bare_url(request, tmp_path):
    """A database without tables."""
    if request.param == "spatialite":
        yield f"sqlite:///{tmp_path / 'old.sqlite'}"
        return
    server, name = request.getfixturevalue("postgis_server"), f"bare_{os.getpid()}"
    with psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield server.url(name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def older(bare_url, keeper):
    engine = open_engine(bare_url, keeper=keeper)
    yield OlderStore(engine, keeper)
    engine.dispose()


def test_rows_of_every_earlier_revision_are_as_the_trail_says_after_an_upgrade(older):
    migrate(older.engine, BEGUN)
    for revision in revisions()[revisions().index(BEGUN) + 1 :]:
        older.fill()
        bring_up(older.engine, older.keeper, revision)
    older.fill()
    assert older.findings() == []


def test_an_upgrade_does_not_excuse_what_was_changed_outside_the_trail_before(older):
    migrate(older.engine, "0026")
    older.fill()
    assert older.sql("UPDATE publication SET text = 'x' WHERE state = 'published'") == 1
    assert older.sql("DELETE FROM resident_note WHERE state = 'held'") == 1
    bring_up(older.engine, older.keeper)
    published, held = 2, 1
    assert older.findings() == [
        ("row_changed", f"publication {published}"),
        ("row_missing", f"resident_note {held}"),
    ]
