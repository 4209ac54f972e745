"""Millions of rows in, within the session's transaction.

See `gridmap.store.loading` for how each store takes them, and `gridmap.store.relief` for how indices are kept
from slowing it down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from sqlalchemy import BigInteger, Uuid, cast, func, select
from sqlalchemy.dialects.postgresql import REGCLASS

from gridmap.store.columns import as_arrow, is_single, random_uids
from gridmap.store.extract import read_columns
from gridmap.store.loading import load_postgis, load_spatialite
from gridmap.store.relief import relieved
from gridmap.store.witness import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray
    from sqlalchemy import Column, Table
    from sqlalchemy.orm import Session

    from gridmap.store.base import Base

__all__ = ["insert_rows", "read_columns", "reserve_ids"]

_SLICE = 65_536


def reserve_ids(session: Session, model: type[Base], count: int) -> NDArray[np.int64]:
    """Take ids that nobody else will get, ascending; shape (count,).

    Parameters
    ----------
    session
        Of a writing transaction: on SpatiaLite its write lock is what reserves.
    model
        Model of the table, with an integer ``id``.
    count
        How many.
    """
    if session.get_bind().dialect.name == "postgresql":
        name = func.pg_get_serial_sequence(f'"{model.__tablename__}"', "id")
        sequence = select(cast(name, REGCLASS)).scalar_subquery()
        number = func.generate_series(1, count).column_valued("number")
        taken = select(
            func.nextval(sequence, type_=BigInteger).label("id"), number.label("number")
        ).subquery()
        # As runs without a gap: nearly always one, where sending each id takes longer than taking it.
        query = select(func.min(taken.c.id), func.count()).group_by(taken.c.id - taken.c.number)
        runs = sorted(session.execute(query).all())
        return np.concatenate([np.arange(first, first + length) for first, length in runs])
    last = session.scalar(select(func.max(model.__table__.c.id))) or 0
    return np.arange(last + 1, last + 1 + count, dtype=np.int64)


def insert_rows(
    session: Session,
    model: type[Base],
    columns: Mapping[str, Any],
    *,
    step: Callable[[int], None] | None = None,
) -> int:
    """Insert rows given by columns, and return how many.

    Parameters
    ----------
    session
        Of a writing transaction. Objects that it holds are flushed first.
    model
        Model of the table.
    columns
        By column name, one value for all rows or an array-like with an element per row, as
        `gridmap.store.columns.as_arrow` takes them. A column that is left out has its model's default;
        ``uid`` is random and ``id`` reserved. At least one column has an element per row.
    step
        Called after every slice with the rows inserted so far.

    Raises
    ------
    ValueError
        If a column is not of the table, or lengths differ: a mistake in the program.
    sqlite3.IntegrityError, psycopg.IntegrityError, sqlalchemy.exc.IntegrityError
        If a row breaks a constraint. The transaction is lost.
    """
    session.flush()
    table: Any = model.__table__
    lengths = {len(values) for values in columns.values() if not is_single(values)}
    if len(lengths) != 1 or not set(columns) <= set(table.columns.keys()):
        message = f"Expected columns of {table.name} with one length; found {sorted(columns)} with {lengths}."
        raise ValueError(message)
    count = lengths.pop()
    if not count:
        return 0
    filled = dict(columns) | {
        column.name: _default(session, model, column, count)
        for column in table.columns
        if column.name not in columns and (column.primary_key or column.default is not None)
    }
    connection = session.connection()
    on_postgis = connection.dialect.name == "postgresql"
    batches = watched(session, table, _batches(table, filled, count, postgis=on_postgis))
    load = load_postgis if on_postgis else load_spatialite
    with relieved(session, table, filled, count):
        for done in load(connection, table, batches):
            if step is not None:
                step(done)
    return count


def _default(session: Session, model: type[Base], column: Column[Any], count: int) -> Any:
    if column.primary_key:
        return reserve_ids(session, model, count)
    if isinstance(column.type, Uuid):
        return random_uids(count)
    given: Any = column.default
    return given.arg(None) if given.is_callable else given.arg


def _batches(
    table: Table, columns: Mapping[str, Any], count: int, *, postgis: bool
) -> Iterator[pa.RecordBatch]:
    for start in range(0, count, _SLICE):
        rows = slice(start, min(start + _SLICE, count))
        arrays = {
            name: as_arrow(values, table.columns[name], rows, postgis=postgis)
            for name, values in columns.items()
        }
        yield pa.RecordBatch.from_pydict(arrays)
