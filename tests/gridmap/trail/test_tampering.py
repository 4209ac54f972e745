"""What is changed in the database past the service is found, and named."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from gridmap.problems.models import Event
from gridmap.store.engine import reading
from gridmap.trail.keeper import TrailKeeper
from gridmap.trail.models import TrailEntry, TrailLine

_SMUGGLE = (
    "INSERT INTO category"
    " (uid, code, name, name_en, severity, time_allowed, time_unit, after_photo, valid_from)"
    " SELECT '9e6dfb6d53184e5ca55c5b0d9b4a7e11', 'x', name, name_en, severity, time_allowed, time_unit,"
    " after_photo, valid_from FROM category"
)


def test_what_the_service_did_is_as_the_trail_says(history, tampering):
    verdict = tampering.verdict()
    assert verdict.findings == []
    assert (verdict.entries, verdict.seq) == (5, 5)
    assert verdict.rows == 300 + 301 + 5 + 1


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE problem SET description = 'x' WHERE id = :one", ("row_changed", "problem {one}")),
        ("UPDATE problem SET lon = lon + 0.0000001 WHERE id = :one", ("row_changed", "problem {one}")),
        ("UPDATE problem SET state = 'closed' WHERE id = :touched", ("row_changed", "problem {touched}")),
        ("UPDATE event SET details = '{{}}' WHERE problem_id = :one", ("row_changed", "event {event}")),
        ("DELETE FROM event WHERE problem_id = :one", ("row_missing", "event {event}")),
        ("UPDATE login SET password_hash = 'mine'", ("row_changed", "login 1")),
        ("UPDATE person SET phone = '1'", ("row_changed", "person 1")),
        (
            _SMUGGLE,
            ("row_unknown", "category 2"),
        ),
    ],
)
def test_a_changed_deleted_or_smuggled_row_is_named(history, tampering, statement, found):
    one, touched = history.ids[3], history.ids[7]
    with reading(tampering.engine) as session:
        event = session.scalar(select(Event.id).where(Event.problem_id == one))
    values = {name: value for name, value in (("one", one), ("touched", touched)) if f":{name}" in statement}
    assert tampering.sql(statement.replace("{{}}", "{}"), **values) == 1
    assert tampering.findings() == [(found[0], found[1].format(one=one, touched=touched, event=event))]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail_entry SET actor = '李四' WHERE seq = 3",
        "UPDATE trail_entry SET origin = 'command' WHERE seq = 3",
        "UPDATE trail_entry SET login_id = NULL WHERE seq = 3",
        "UPDATE trail_line SET count = 7 WHERE seq = 3 AND number = 0",
        "UPDATE trail_line SET digest = NULL, number = 5 WHERE seq = 3 AND number = 1",
        "DELETE FROM trail_line WHERE seq = 3 AND table_name = 'nothing' OR seq = 3 AND number = 1",
    ],
)
def test_a_changed_entry_or_line_is_named(history, tampering, statement):
    assert tampering.sql(statement) == 1
    assert ("entry_changed", "entry 3") in tampering.findings()


def test_a_changed_value_in_a_line_is_named(history, tampering):
    assert (
        tampering.sql("UPDATE trail_line SET after = replace(after, 'checked', 'closed') WHERE seq = 4") == 2
    )
    assert tampering.findings() == [("entry_changed", "entry 4")]


def test_a_row_and_its_digest_changed_together_are_found(history, tampering):
    """Whoever writes both still lacks the key."""
    touched = history.ids[7]
    tampering.sql("UPDATE problem SET state = 'closed' WHERE id = :id", id=touched)
    found = tampering.verdict().findings[0].found
    tampering.sql(
        "UPDATE trail_line SET digest = :digest WHERE table_name = 'problem' AND row_id = :id",
        digest=found,
        id=touched,
    )
    assert tampering.findings() == [("entry_changed", "entry 4")]


def test_a_removed_entry_is_named(history, tampering):
    tampering.sql("DELETE FROM trail_line WHERE seq = 2")
    tampering.sql("DELETE FROM trail_entry WHERE seq = 2")
    found = tampering.findings()
    assert ("entry_missing", "entry 2") in found
    assert ("row_unknown", "area 1") in found


def test_two_entries_that_changed_places_are_found(history, tampering):
    for old, new in ((2, 99), (4, 2), (99, 4)):
        with tampering.engine.execution_options(gridmap_write=True).begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            else:
                connection.exec_driver_sql("SET session_replication_role = replica")
            for table in ("trail_entry", "trail_line"):
                connection.execute(
                    text(f"UPDATE {table} SET seq = :new WHERE seq = :old"),  # noqa: S608 - of the two above
                    {"new": new, "old": old},
                )
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET session_replication_role = DEFAULT")
    found = tampering.findings()
    assert {("entry_changed", "entry 2"), ("entry_changed", "entry 4")} <= set(found)
    assert {("anchor_differs", "entry 2"), ("anchor_differs", "entry 4")} <= set(found)


def test_a_cut_tail_is_found_even_where_the_head_was_set_back(history, tampering):
    with reading(tampering.engine) as session:
        end = session.get_one(TrailEntry, 4)
    tampering.sql('DELETE FROM "grant"')
    tampering.sql("DELETE FROM login")
    tampering.sql("DELETE FROM trail_line WHERE seq = 5")
    tampering.sql("DELETE FROM trail_entry WHERE seq = 5")
    assert ("head_differs", "head") in tampering.findings()
    tampering.sql("UPDATE trail_head SET seq = 4, hash = :hash", hash=end.hash)
    assert tampering.findings() == [("tail_missing", "anchor 5")]


def test_another_key_is_told_apart_from_tampering(history, tampering, tmp_path):
    tampering.keeper = TrailKeeper("another key", tmp_path)
    assert {kind for kind, _ in tampering.findings()} == {"other_key"}


def test_lines_name_who_did_what_and_hide_secrets(history, engine):
    with reading(engine) as session:
        entry = session.get_one(TrailEntry, 4)
        assert (entry.actor, entry.login_id, entry.origin) == (
            "张三",
            5,
            "web 10.0.0.7 POST /api/v1/problems",
        )
        lines = session.scalars(select(TrailLine).where(TrailLine.seq == 4)).all()
        changed = next(line for line in lines if line.table_name == "problem")
        assert (changed.before, changed.after) == ('{"state":"recorded"}', '{"state":"checked"}')
        everything = " ".join(
            f"{line.before}{line.after}" for line in session.scalars(select(TrailLine)).all()
        )
    assert "13900001111" not in everything
    assert "argon2" not in everything
    assert "甲" in everything
