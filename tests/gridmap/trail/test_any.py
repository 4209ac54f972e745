"""Whatever is done through the service is clean, and whatever single value is changed past it is found."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError

from gridmap.people.logins import change_password, create_login
from gridmap.people.models import Login, Organisation, Person
from gridmap.people.permissions import Role
from gridmap.places.models import Responsibility, ResponsibilityRole
from gridmap.problems.models import Category, Event, EventKind, Problem, State
from gridmap.store.base import Base
from gridmap.store.bulk import insert_rows
from gridmap.store.bulk_update import update_rows
from gridmap.store.clock import next_change
from gridmap.store.engine import reading, writing
from gridmap.trail.canon import form_of
from gridmap.trail.decisions import audited_tables
from gridmap.trail.verify import _Verification

NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
OPERATIONS, TAMPERINGS = 40, 25


class Town:
    """Things that people do, at random."""

    def __init__(self, engine, seed):
        self.engine, self.numbers = engine, iter(range(10**6))
        self.random = random.Random(seed)  # noqa: S311 - deeds

    def some(self, session, model):
        return self.random.choice(session.scalars(select(model)).all())

    def person(self, session):
        body = Organisation(name=f"单位{next(self.numbers)}")
        session.add(Person(name=f"人{next(self.numbers)}", phone="13900000000", organisation=body))

    def login(self, session):
        create_login(
            session,
            person=self.some(session, Person),
            username=f"u{next(self.numbers)}",
            password="very secret",  # noqa: S106 - of a throwaway login
            role=self.random.choice(list(Role)),
        )

    def password(self, session):
        if logins := session.scalars(select(Login)).all():
            change_password(session, self.random.choice(logins), "another secret")

    def no_login(self, session):
        if logins := session.scalars(select(Login)).all():
            session.execute(delete(Login).where(Login.id == self.random.choice(logins).id))

    def category(self, session):
        session.add(Category(code=f"{next(self.numbers):06d}", name="占道", parent_id=None))

    def renamed(self, session):
        session.execute(update(Category).values(name=f"第{next(self.numbers)}类"))

    def loaded(self, session):
        count = self.random.randint(1, 30)
        rng = np.random.default_rng(next(self.numbers))
        insert_rows(
            session,
            Problem,
            {
                "category_id": self.some(session, Category).id,
                "found_at": np.datetime64("2026-01-01", "us") + rng.integers(0, 10**12, count),
                "geometry": np.column_stack([rng.uniform(121, 122, count), rng.uniform(31, 32, count)]),
                "lon": rng.uniform(121, 122, count),
                "lat": rng.uniform(31, 32, count),
                "external_id": [None if n % 2 else f"第{n}" for n in range(count)],
                "change": next_change(session),
            },
        )

    def reported(self, session):
        problem = Problem(
            category_id=self.some(session, Category).id,
            found_at=NOW - timedelta(seconds=next(self.numbers)),
            geometry="SRID=4326;LINESTRING(121.1 31.1,121.2 31.3)",
            lon=121.1,
            lat=31.1,
            description="“占道”\n",
            change=next_change(session),
        )
        session.add(problem)
        session.flush()
        session.add(
            Event(
                problem_id=problem.id,
                kind=EventKind.RECORDED,
                at=NOW,
                recorded_at=NOW,
                actor="甲",
                details={"因": [1, 2.5, None]},
            )
        )

    def moved(self, session):
        if problems := session.scalars(select(Problem)).all():
            problem = self.random.choice(problems)
            problem.state = self.random.choice(list(State))
            problem.due_at = NOW + timedelta(hours=next(self.numbers))
            problem.on_time = self.random.choice([True, False, None])

    def many_moved(self, session):
        ids = np.array(session.scalars(select(Problem.id)).all(), dtype=np.int64)
        if len(ids):
            some = self.random.sample(ids.tolist(), self.random.randint(1, len(ids)))
            update_rows(session, Problem, np.array(some), {"severity": self.random.randint(1, 5)})

    def held(self, session):
        session.add(
            Responsibility(
                role=ResponsibilityRole.GRID_LEADER,
                person_id=self.some(session, Person).id,
                area_id=1,
                valid_from=date(2026, 1, 1) + timedelta(days=next(self.numbers)),
            )
        )

    def forgotten(self, session):
        session.execute(delete(Event).where(Event.id % 3 == 0))
        session.execute(delete(Responsibility).where(Responsibility.id % 2 == 0))

    def failed(self, session):
        session.add(Organisation(name=f"一时{next(self.numbers)}"))
        session.flush()
        raise InterruptedError


OF_TOWN = [
    "person",
    "login",
    "password",
    "no_login",
    "category",
    "renamed",
    "loaded",
    "reported",
    "moved",
    "many_moved",
    "held",
    "forgotten",
    "failed",
]


@pytest.fixture(params=[1, 2])
def lived(request, engine, history):
    """A town after some dozen things were done in it."""
    town = Town(engine, request.param)
    for _ in range(OPERATIONS):
        deeds = town.random.choices(OF_TOWN, k=town.random.randint(1, 3))
        try:
            with writing(engine) as session:
                for deed in deeds:
                    getattr(town, deed)(session)
                    if town.random.random() < 0.5:
                        session.flush()
        except InterruptedError:
            pass
    return town


def findings(connection, keeper):
    verdict = _Verification(connection, [keeper.key], 1, lambda *_: None).run(list(keeper.anchors.read()))
    return {(one.kind.value, one.where) for one in verdict.findings}


def other(value, kind, chance):
    """Another value of this kind, as near as can be."""
    if value is None:
        return {"geometry": None, "uuid": uuid.UUID(int=1).hex, "json": "{}"}.get(kind, 1)
    if kind == "text":
        return (value[:-1] + ("a" if value[-1:] != "a" else "b")) if value else "a"
    if kind == "json":
        return value + " "
    if kind == "float":
        return value + chance.choice([1e-9, -1e-9])
    if kind == "bool":
        return not value
    return value + 1


CAST = {
    "time": ("{0} + interval '1 microsecond'", "strftime('%Y-%m-%d %H:%M:%f', {0}, '+1 second') || '000'"),
    "date": ("{0} + 1", "date({0}, '+1 day')"),
    "uuid": ("gen_random_uuid()", "lower(hex(randomblob(16)))"),
    "geometry": ("ST_Translate({0}, 1e-9, 0)", "ST_Translate({0}, 1e-9, 0, 0)"),
}


def tamper(connection, chance):
    """Change one value of one row of anything audited; return what was changed, none if nothing could be."""
    on_postgis = connection.dialect.name == "postgresql"
    table = chance.choice([t.name for t in audited_tables()])
    ids = connection.execute(text(f'SELECT id FROM "{table}"')).scalars().all()  # noqa: S608 - of the models
    if not ids:
        return None
    field, identity = chance.choice(form_of(table).fields), chance.choice(ids)
    where = f'"{table}" SET "{field.name}" ='
    if field.kind in CAST:
        how = CAST[field.kind][0 if on_postgis else 1].format(f'"{field.name}"')
        statement, values = f"UPDATE {where} {how} WHERE id = :id AND", {"id": identity}
        statement += f' "{field.name}" IS NOT NULL'
    else:
        column = Base.metadata.tables[table].c[field.name]
        shown = f'"{field.name}"' + ("::text" if on_postgis and field.kind == "json" else "")
        raw = text(f'SELECT {shown} FROM "{table}" WHERE id = :id')  # noqa: S608 - of the models
        value = other(connection.execute(raw, {"id": identity}).scalar_one(), field.kind, chance)
        if value == 1 and field.kind in {"text", "bool"}:
            value = "a" if field.kind == "text" else True
        cast = f"CAST(:value AS {column.type.compile(connection.dialect)})"
        statement, values = f"UPDATE {where} {cast} WHERE id = :id", {"id": identity, "value": value}
    changed = connection.execute(text(statement), values).rowcount
    return f"{table} {identity}", field.name, changed


def test_what_the_service_does_is_clean_and_any_value_changed_past_it_is_found(lived, engine, keeper):
    with reading(engine) as session:
        assert findings(session.connection(), keeper) == set()
    chance, found = lived.random, 0
    while found < TAMPERINGS:
        with engine.execution_options(gridmap_write=True).connect() as connection, connection.begin() as undo:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET session_replication_role = replica")
            else:
                connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            try:
                done = tamper(connection, chance)
            except IntegrityError:
                # The database itself does not take that one.
                continue
            if done is not None and done[2]:
                assert findings(connection, keeper) == {("row_changed", done[0])}, done
                found += 1
            undo.rollback()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("trail_entry", "actor = actor || 'x'"),
        ("trail_entry", "origin = origin || 'x'"),
        ("trail_entry", "login_id = coalesce(login_id, 0) + 1"),
        ("trail_entry", "lines = lines + 1"),
        ("trail_line", "table_name = 'street'"),
        ("trail_line", "deed = CASE deed WHEN 'created' THEN 'changed' ELSE 'created' END"),
        ("trail_line", "row_id = coalesce(row_id, 0) + 1"),
        ("trail_line", "row_uid = '0'"),
        ("trail_line", "count = count + 1"),
        ("trail_line", "before = coalesce(before, '') || ' '"),
        ("trail_line", "after = coalesce(after, '') || ' '"),
        ("trail_line", "digest = '00000000000000000000000000000001'"),
        ("trail_line", "rows = NULL, digest = NULL, row_id = NULL"),
        ("trail_line", "number = number + 1000"),
    ],
)
def test_any_value_of_the_trail_itself_that_is_changed_is_found(history, engine, keeper, table, change):
    for seq in (1, 3, 5):
        with engine.execution_options(gridmap_write=True).connect() as connection, connection.begin() as undo:
            which = "" if table == "trail_entry" else " AND number = 0"
            connection.execute(text(f"UPDATE {table} SET {change} WHERE seq = {seq}{which}"))  # noqa: S608 - above
            assert ("entry_changed", f"entry {seq}") in findings(connection, keeper)
            undo.rollback()
