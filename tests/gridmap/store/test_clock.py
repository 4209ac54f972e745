from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import delete, insert, select, text, update

from gridmap.people.models import Login, Organisation, Person
from gridmap.places.models import InspectionPoint, Street
from gridmap.problems.models import Category
from gridmap.store.clock import next_change, read_clocks
from gridmap.store.engine import reading, writing
from gridmap.store.tables import metadata

CLOCKED = {
    "ground": {"area", "category", "grid_cell", "inspection_point", "organisation", "person", "priority_road"}
    | {"dispatch_rule", "responsibility"},
    "base": {"area", "building", "inspection_point", "street", "road_rule", "surface"},
    "access": {"credential", "grant", "login", "person"},
    "shops": {"offence", "offence_photo", "pledge", "shopfront"},
}
UNCLOCKED = {
    "api_key",
    "public_photo",
    "publication",
    "reporter",
    "resident_note",
    "resident_report",
    "accountability",
    "escalation",
    "escalation_step",
    "notice",
    "notice_item",
    "reminder",
    "time_limit",
    "attachment",
    "attempts",
    "batch",
    "change_clock",
    "delivery",
    "credential_use",
    "check_task",
    "event",
    "ground_clock",
    "import",
    "import_change",
    "one_time_code",
    "outside_identity",
    "joint_change",
    "joint_operation",
    "joint_participant",
    "joint_problem",
    "joint_result",
    "look_back_sample",
    "ledger_choice",
    "ledger_note",
    "ledger_revision",
    "inspection_post",
    "inspection_route",
    "inspection_stop",
    "patrol_plan",
    "patrol_route",
    "patrol_visit",
    "removed_round",
    "problem",
    "problem_cell",
    "problem_link",
    "recovery_code",
    "request",
    "track",
    "track_visit",
    "trail_entry",
    "trail_head",
    "trail_line",
    "webhook",
}


def read(engine):
    with reading(engine) as session:
        return read_clocks(session)


def moved(before, after):
    names = ("change", "rebuild", "ground", "base", "access", "shops")
    return {name for name in names if getattr(after, name) > getattr(before, name)}


def test_every_table_is_on_a_clock_or_said_not_to_be():
    """A new table fails here until somebody decides which remembered answers depend on it."""
    assert set(metadata.tables) == set().union(*CLOCKED.values()) | UNCLOCKED


@pytest.mark.parametrize("hand", CLOCKED)
def test_every_statement_on_a_clocked_table_moves_its_hand(engine, hand):
    for table in CLOCKED[hand]:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                found = connection.execute(
                    text(
                        "SELECT count(*) FROM sqlite_master WHERE type='trigger' AND tbl_name = :table"
                        " AND name LIKE :name"
                    ),
                    {"table": table, "name": f"move_{hand}_clock_{table}_%"},
                ).scalar_one()
            else:
                found = connection.execute(
                    text(
                        "SELECT count(DISTINCT event_manipulation) FROM information_schema.triggers "
                        "WHERE event_object_table = :table AND trigger_name = :name"
                    ),
                    {"table": table, "name": f"move_{hand}_clock"},
                ).scalar_one()
        assert found == 3, table


def test_inserts_updates_and_deletes_move_the_clock(engine):
    start = read(engine)
    with writing(engine) as session:
        session.execute(insert(Category).values(code="1", name="market"))
    inserted = read(engine)
    assert moved(start, inserted) == {"ground"}
    with writing(engine) as session:
        session.execute(update(Category).values(name="road"))
    updated = read(engine)
    assert moved(inserted, updated) == {"ground"}
    with writing(engine) as session:
        session.execute(delete(Category))
    assert moved(updated, read(engine)) == {"ground"}


def test_each_hand_moves_for_its_own_tables(engine):
    start = read(engine)
    with writing(engine) as session:
        session.add(
            Street(source_ref="w1", road_class="residential", geometry="SRID=4326;LINESTRING(0 0,1 1)")
        )
    street = read(engine)
    assert moved(start, street) == {"base"}
    with writing(engine) as session:
        session.add(Organisation(name="squad"))
        session.add(Login(person=Person(name="a"), username="a", password_hash="x"))  # noqa: S106 - no login
    people = read(engine)
    assert moved(street, people) == {"ground", "access"}
    with writing(engine) as session:
        next_change(session)
    assert moved(people, read(engine)) == {"change"}


@pytest.mark.parametrize(
    ("changed", "hands"),
    [
        ({"visit_hours": "18:00-21:00", "visit_rhythm": "2/1", "visit_minutes": 10}, {"ground"}),
        ({"geometry": "SRID=4326;POINT(121.1 31)"}, {"ground", "base"}),
        ({"valid_to": date(2026, 5, 9)}, {"ground", "base"}),
        ({"name": "西门市场"}, {"ground", "base"}),
    ],
)
def test_the_base_map_is_drawn_anew_for_what_it_shows_of_a_point(engine, changed, hands):
    place = {"code": "p", "name": "东门市场", "site_type": "market", "geometry": "SRID=4326;POINT(121 31)"}
    with writing(engine) as session:
        session.add(InspectionPoint(**place))
    before = read(engine)
    with writing(engine) as session:
        point = session.scalars(select(InspectionPoint)).one()
        for name, value in changed.items():
            setattr(point, name, value)
    assert moved(before, read(engine)) == hands


def test_an_undone_transaction_leaves_the_clock(engine):
    start = read(engine)
    with pytest.raises(RuntimeError), writing(engine) as session:
        session.add(Organisation(name="squad"))
        session.flush()
        raise RuntimeError
    assert read(engine) == start
