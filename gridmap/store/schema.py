"""Bringing a database to the revision this version needs."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gridmap.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager

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


def migrate(
    engine: Engine,
    target: str = "head",
    *,
    around: Callable[[Connection, AbstractSet[str]], AbstractContextManager[None]] | None = None,
) -> str | None:
    """Create the tables, or bring them up to `target`, all in one transaction; return where they stood.

    Parameters
    ----------
    engine
        The store.
    target
        A revision.
    around
        Entered before and left after, within the transaction; told the tables in whose rows the migrations
        that are to come change something, as each of these says in `CHANGES_ROWS_OF`.

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
            tables = _changed(ScriptDirectory.from_config(config), found, target)
            with nullcontext() if around is None else around(connection, tables):
                command.upgrade(config, target)
    return found


def _changed(scripts: ScriptDirectory, found: str | None, target: str) -> AbstractSet[str]:
    """Tables in whose rows the migrations between two revisions change something."""
    return {
        name
        for script in scripts.iterate_revisions(target, found)
        for name in getattr(script.module, "CHANGES_ROWS_OF", ())
    }


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
