"""Indices, foreign keys and triggers set aside while a table is filled.

Keeping a dozen indices and foreign keys up to date row by row costs several times what the rows do.
Where a load is larger than what the table holds, they are built from all rows afterwards, within the same
transaction: it either ends with all of them or changes nothing.

On PostGIS nobody can read the table and those it refers to until the transaction ends; where a reader is in
the way for half a second, the load goes on with everything in place. On SpatiaLite readers go on undisturbed.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from geoalchemy2 import Geometry
from sqlalchemy import func, literal, select, text
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

__all__ = ["relieved"]

_WORTH_IT = 20_000


@contextmanager
def relieved(session: Session, table: Table, rows: int) -> Iterator[None]:
    """Set a table's burdens aside for the block, if that pays for this many new rows."""
    present = select(literal(1)).select_from(table).limit(rows).subquery()
    if rows < _WORTH_IT or session.scalars(select(func.count()).select_from(present)).one() >= rows:
        yield
    else:
        on_postgis = session.get_bind().dialect.name == "postgresql"
        again = (_relieve_postgis if on_postgis else _relieve_spatialite)(session, table)
        yield
        for statement in again:
            session.connection().exec_driver_sql(statement)


def _relieve_postgis(session: Session, table: Table) -> list[str]:
    """Drop what slows down and return how to make it again; nothing if a reader is in the way."""
    name = session.connection().dialect.identifier_preparer.format_table(table)
    touched = {table, *(key.column.table for key in table.foreign_keys)}
    quoted = ", ".join(sorted(map(session.connection().dialect.identifier_preparer.format_table, touched)))
    keys = session.execute(
        text(
            "SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = CAST(:name AS regclass)"
        ),
        {"name": name},
    ).all()
    indices = session.execute(
        text(
            "SELECT CAST(indexrelid AS regclass), pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE NOT indisunique AND indrelid = CAST(:name AS regclass)"
        ),
        {"name": name},
    ).all()
    try:
        with session.begin_nested():
            # Shorter than the second after which the server looks for deadlocks: this side gives way.
            session.execute(text("SET LOCAL lock_timeout = '500ms'"))
            session.execute(text(f"LOCK TABLE {quoted} IN ACCESS EXCLUSIVE MODE"))
            for key, _ in keys:
                session.execute(text(f"ALTER TABLE {name} DROP CONSTRAINT {key}"))
            for index, _ in indices:
                session.execute(text(f"DROP INDEX {index}"))
            session.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    except OperationalError:
        return []
    return [make for _, make in indices] + [
        f"ALTER TABLE {name} ADD CONSTRAINT {key} {make}" for key, make in keys
    ]


def _relieve_spatialite(session: Session, table: Table) -> list[str]:
    """Drop indices and triggers, those that fill the spatial index too; return how to make them again."""
    made = session.execute(
        text(
            "SELECT type, name, sql FROM sqlite_master"
            " WHERE type IN ('index', 'trigger') AND tbl_name = :table AND sql IS NOT NULL ORDER BY type"
        ),
        {"table": table.name},
    ).all()
    for kind, name, _ in made:
        session.execute(text(f'DROP {kind} "{name}"'))
    again = [make for _, _, make in made]
    for column in table.columns:
        if isinstance(column.type, Geometry) and column.type.spatial_index:
            index, shape = f'"idx_{table.name}_{column.name}"', f'"{column.name}"'
            again.insert(
                0,
                f"INSERT INTO {index} SELECT rowid, MbrMinX({shape}), MbrMaxX({shape}), MbrMinY({shape}),"  # noqa: S608 - names of the model's
                f' MbrMaxY({shape}) FROM "{table.name}" WHERE rowid NOT IN (SELECT pkid FROM {index})',
            )
    return again
