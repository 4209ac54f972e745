from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from geoalchemy2 import alembic_helpers
from sqlalchemy import text

from gridmap.errors import StoreError
from gridmap.store.clock import next_change, read_clock
from gridmap.store.engine import open_engine, reading, writing
from gridmap.store.schema import check_schema, migrate, revisions
from gridmap.store.tables import metadata

SPATIALITE = {"data_licenses", "knn", "knn2", "sql_statements_log", "spatialindex", "elementarygeometries"}


def test_the_migrated_database_is_what_the_models_say(engine):
    def include(thing, name, kind, reflected, compare_to):
        if kind == "table" and name.lower() in SPATIALITE:
            return False
        return alembic_helpers.include_object(thing, name, kind, reflected, compare_to)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": include})
        assert compare_metadata(context, metadata) == []


def test_a_second_start_changes_nothing(engine):
    migrate(engine)
    check_schema(engine)


def test_an_unprepared_database_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(StoreError, match="gridmap store prepare"):
        check_schema(open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}"))


def test_a_newer_database_is_refused(engine):
    with engine.execution_options(gridmap_write=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        migrate(engine)


@pytest.mark.parametrize("revision", revisions())
def test_every_earlier_revision_can_be_brought_up(revision, tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate(engine, revision)
    migrate(engine)
    check_schema(engine)


def test_an_unknown_kind_of_database_is_refused():
    with pytest.raises(StoreError, match="sqlite:///"):
        open_engine("mysql://localhost/x")


def test_the_clock_counts_commits_only(engine):
    with writing(engine) as session:
        assert next_change(session) == 1
    with pytest.raises(RuntimeError), writing(engine) as session:
        next_change(session)
        raise RuntimeError
    with writing(engine) as session:
        assert next_change(session, rebuild=True) == 2
    with reading(engine) as session:
        assert (read_clock(session).change, read_clock(session).rebuild) == (2, 2)
