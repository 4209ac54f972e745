"""No writer can forget the trail, and none has to think of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from gridmap.imports.models import Import, ImportChange
from gridmap.people.models import Grant, Login, Organisation, Person
from gridmap.problems.models import Category, Event, Problem
from gridmap.store.engine import open_engine, reading, writing
from gridmap.store.schema import migrate
from gridmap.trail import keeper as keeping
from gridmap.trail import recorder as recording
from gridmap.trail.decisions import audited_tables
from gridmap.trail.genesis import begin_trail
from gridmap.trail.models import TrailEntry, TrailLine

NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)


def lines(engine):
    """Of the newest entry: table, deed, row, how many, before and after."""
    with reading(engine) as session:
        newest = session.scalar(select(TrailEntry.seq).order_by(TrailEntry.seq.desc()).limit(1))
        found = session.scalars(
            select(TrailLine).where(TrailLine.seq == newest).order_by(TrailLine.table_name, TrailLine.row_id)
        )
        return [
            (one.table_name, one.deed.value, one.row_id, one.count, one.before, one.after) for one in found
        ]


def test_statements_on_many_rows_are_told_row_by_row(history, tampering):
    with writing(tampering.engine) as session:
        session.execute(update(Problem).where(Problem.id.in_(history.ids[:3])).values(address="人民路"))
    assert lines(tampering.engine) == [
        ("problem", "changed", one, 1, '{"address":""}', '{"address":"人民路"}') for one in history.ids[:3]
    ]
    with writing(tampering.engine) as session:
        session.execute(update(Category), [{"id": history.category.id, "name": "占道"}])
        session.execute(delete(Event).where(Event.problem_id == history.ids[0]))
    found = [line[:4] for line in lines(tampering.engine)]
    assert found == [("category", "changed", 1, 1), ("event", "deleted", 1, 1)]
    assert tampering.findings() == []


def test_inserts_by_statement_are_seen(history, tampering):
    with writing(tampering.engine) as session:
        record = Import(
            kind="roads", file_name="x", sha256="", options={}, counts={}, actor="甲", applied_at=NOW
        )
        session.add(record)
        session.flush()
        rows = [
            {
                "import_id": record.id,
                "table_name": "problem",
                "row_uid": history.person.uid,
                "before": {"n": n},
            }
            for n in range(3)
        ]
        session.execute(insert(ImportChange), rows)
        session.execute(insert(Category).values(code="7", name="七").returning(Category.id))
        session.execute(insert(Category.__table__), [{"code": "8", "name": "8"}, {"code": "9", "name": "9"}])
    assert [line[:2] for line in lines(tampering.engine)] == [("category", "created")] * 3 + [
        ("import", "created")
    ] + [("import_change", "created")] * 3
    assert tampering.findings() == []


def test_rows_that_the_database_deletes_with_others_are_seen(history, tampering):
    with writing(tampering.engine) as session:
        session.execute(delete(Login))
    assert [line[:2] for line in lines(tampering.engine)] == [("grant", "deleted"), ("login", "deleted")]
    assert tampering.findings() == []


def test_orphans_are_seen(history, tampering):
    with writing(tampering.engine) as session:
        login = session.scalars(select(Login)).one()
        login.grants.clear()
    assert [line[:2] for line in lines(tampering.engine)] == [("grant", "deleted")]
    with reading(tampering.engine) as session:
        assert session.scalars(select(Grant)).all() == []
    assert tampering.findings() == []


def test_very_many_rows_are_told_by_digests(history, tampering, monkeypatch):
    monkeypatch.setattr(recording, "WITH_VALUES", 50)
    monkeypatch.setattr(keeping, "_MANY", 100)
    with writing(tampering.engine) as session:
        session.execute(update(Problem).values(address="人民路"))
    assert [line[:4] for line in lines(tampering.engine)] == [("problem", "changed", None, 100)] * 3
    assert tampering.findings() == []
    with writing(tampering.engine) as session:
        session.execute(delete(Event))
        session.execute(delete(Problem).where(Problem.id > history.ids[10]))
    assert [line[1:4] for line in lines(tampering.engine) if line[0] == "problem"] == [
        ("deleted", None, 100), ("deleted", None, 100), ("deleted", None, 89)
    ]  # fmt: skip
    assert tampering.findings() == []
    tampering.sql("UPDATE problem SET address = 'x' WHERE id = :one", one=history.ids[3])
    assert tampering.findings() == [("row_changed", f"problem {history.ids[3]}")]


def test_what_changed_back_or_nothing_leaves_no_entry(history, tampering):
    with writing(tampering.engine) as session:
        problem = session.get_one(Problem, history.ids[0])
        problem.address = "人民路"
        session.flush()
        problem.address = ""
        session.get_one(Problem, history.ids[1]).change = 99
        session.add(made := Organisation(name="一时"))
        session.flush()
        session.delete(made)
    assert tampering.verdict().seq == 5
    assert tampering.findings() == []


def test_a_savepoint_taken_back_leaves_nothing(history, tampering):
    with writing(tampering.engine) as session:
        session.add(Organisation(name="留"))
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(Organisation(name="去"))
            session.flush()
            session.add(Organisation(name="去"))
            session.flush()
    assert [line[:2] for line in lines(tampering.engine)] == [("organisation", "created")]
    assert tampering.findings() == []


def test_an_undone_transaction_leaves_no_entry(history, tampering):
    with pytest.raises(RuntimeError, match="no"), writing(tampering.engine) as session:
        session.add(Organisation(name="去"))
        session.flush()
        raise RuntimeError("no")
    assert tampering.verdict().seq == 5


@pytest.mark.parametrize(
    "write",
    [
        lambda session: session.execute(text("UPDATE person SET name = 'x'")),
        lambda session: session.connection().execute(update(Person).values(name="x")),
        lambda session: session.connection().exec_driver_sql('DELETE FROM "person"'),
        lambda session: session.connection().exec_driver_sql("INSERT INTO organisation (name) VALUES ('x')"),
    ],
)
def test_a_statement_past_the_session_is_refused(history, tampering, write):
    with pytest.raises(RuntimeError, match="through the session"), writing(tampering.engine) as session:
        write(session)
    assert tampering.findings() == []


def test_a_use_case_that_commits_is_refused(history, tampering):
    with pytest.raises(RuntimeError, match="the edge to commit"), writing(tampering.engine) as session:
        session.add(Organisation(name="x"))
        session.commit()
    assert tampering.findings() == []


def test_a_store_without_a_keeper_is_not_written(store_url):
    engine = open_engine(store_url)
    with pytest.raises(RuntimeError, match="keeper"), writing(engine):
        pass
    engine.dispose()


def test_a_store_that_was_there_before_begins_with_its_rows(engine, tampering):
    with engine.execution_options(gridmap_write=True).begin() as connection:
        connection.execute(insert(Organisation.__table__), [{"name": "甲"}, {"name": "乙"}])
    assert [kind for kind, _ in tampering.findings()] == ["row_unknown"] * 2
    assert begin_trail(engine) == 2
    assert begin_trail(engine) == 0
    assert tampering.findings() == []
    tampering.sql("UPDATE organisation SET name = '丙' WHERE name = '乙'")
    assert tampering.findings() == [("row_changed", "organisation 2")]


def test_every_audited_table_has_an_id(engine):
    migrate(engine)
    for table in audited_tables():
        assert [column.name for column in table.primary_key] == ["id"], table.name
