"""Indices, foreign keys and triggers set aside while a table is filled.

Keeping a dozen indices and foreign keys up to date row by row costs several times what the rows do.
Where a load is larger than what the table holds, they are built from all rows afterwards, within the same
transaction: it either ends with all of them or changes nothing.

On PostGIS nobody can read the table and those it refers to until the transaction ends; where a reader is in
the way for half a second, the load goes on with everything in place. On SpatiaLite readers go on undisturbed.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from geoalchemy2 import Geometry
from sqlalchemy import func, literal, select, text
from sqlalchemy.exc import OperationalError

from gridmap.store.extract import driver_of
from gridmap.store.rtree import pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

__all__ = ["relieved"]

_WORTH_IT = 20_000
_MEMORY = "256MB"
"""For each index that PostGIS builds."""
_CACHE = -262_144
"""256 MiB of pages for a load into SpatiaLite."""


@contextmanager
def relieved(session: Session, table: Table, columns: Mapping[str, Any], rows: int) -> Iterator[None]:
    """Set a table's burdens aside for the block, if that pays for this many new rows, given by columns."""
    present = select(literal(1)).select_from(table).limit(rows).subquery()
    if rows < _WORTH_IT or session.scalars(select(func.count()).select_from(present)).one() >= rows:
        yield
        return
    on_postgis = session.get_bind().dialect.name == "postgresql"
    with (_relieved_postgis if on_postgis else _relieved_spatialite)(session, table, columns):
        yield


@contextmanager
def _relieved_postgis(session: Session, table: Table, _columns: Mapping[str, Any]) -> Iterator[None]:
    """Without indices, unique constraints and foreign keys; with all of them if a reader is in the way."""
    name = session.connection().dialect.identifier_preparer.format_table(table)
    touched = {table, *(key.column.table for key in table.foreign_keys)}
    quoted = ", ".join(sorted(map(session.connection().dialect.identifier_preparer.format_table, touched)))
    keys = session.execute(
        text(
            "SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype IN ('f', 'u') AND conrelid = CAST(:name AS regclass)"
            " ORDER BY contype DESC"
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
        yield
        return
    yield
    session.execute(text(f"SET LOCAL maintenance_work_mem = '{_MEMORY}'"))
    for _, make in indices:
        session.connection().exec_driver_sql(make)
    for key, make in keys:
        session.connection().exec_driver_sql(f"ALTER TABLE {name} ADD CONSTRAINT {key} {make}")


@contextmanager
def _relieved_spatialite(session: Session, table: Table, columns: Mapping[str, Any]) -> Iterator[None]:
    """Without indices and triggers, those that fill the spatial index too, and with more memory."""
    driver = driver_of(session.connection())
    made = driver.execute(
        "SELECT type, name, sql FROM sqlite_master"
        " WHERE type IN ('index', 'trigger') AND tbl_name = ? AND sql IS NOT NULL ORDER BY type",
        (table.name,),
    ).fetchall()
    usual = driver.execute("PRAGMA cache_size").fetchone()[0]
    driver.execute(f"PRAGMA cache_size = {_CACHE}")
    try:
        for kind, name, _ in made:
            driver.execute(f'DROP {kind} "{name}"')
        yield
        for column in table.columns:
            if isinstance(column.type, Geometry) and column.type.spatial_index:
                pack(driver, f"idx_{table.name}_{column.name}", columns["id"], _bounds(columns[column.name]))
        for _, _, make in made:
            driver.execute(make)
    finally:
        driver.execute(f"PRAGMA cache_size = {usual}")


def _bounds(geometry: Any) -> NDArray[np.float64]:
    """West, south, east and north of each shape."""
    if np.ndim(geometry) == 2:  # coordinates of points
        return np.asarray(geometry, dtype=np.float64)[:, [0, 1, 0, 1]]
    return np.asarray(shapely.bounds(np.asarray(geometry, dtype=object)))
