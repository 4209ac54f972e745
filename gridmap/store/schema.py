"""Bringing a database to the revision this version needs."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gridmap.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

__all__ = ["check_schema", "migrate", "revisions"]


def _config(folder: str) -> Config:
    config = Config()
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def revisions() -> tuple[str, ...]:
    """Every revision, oldest first."""
    with as_file(files("gridmap") / "store" / "migrations") as folder:
        scripts = ScriptDirectory.from_config(_config(str(folder)))
        return tuple(script.revision for script in scripts.walk_revisions())[::-1]


def _at(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine, target: str = "head") -> str | None:
    """Create the tables, or bring them up to `target`, all in one transaction; return where they stood.

    Raises
    ------
    StoreError
        If the database was made by a newer version.
    """
    with engine.execution_options(gridmap_write=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            # Two servers that start together must not both create the tables.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(8330)")
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS postgis")
        found = _at(connection)
        if found is not None and found not in revisions():
            raise StoreError(
                "The database is of revision {found}, which this version does not know.", found=found
            )
        if found == revisions()[-1] and target == "head":
            return found
        with as_file(files("gridmap") / "store" / "migrations") as folder:
            config = _config(str(folder))
            config.attributes["connection"] = connection
            command.upgrade(config, target)
    return found


def check_schema(engine: Engine) -> None:
    """Raise StoreError unless the database is of the revision this version needs."""
    with engine.connect() as connection:
        found = _at(connection)
    expected = revisions()[-1]
    if found != expected:
        raise StoreError(
            "Expected a database of revision {expected}; found {found}. Run: gridmap store prepare",
            expected=expected,
            found=found or "-",
        )
