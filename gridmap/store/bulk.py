"""Millions of rows in, within the session's transaction.

PostGIS takes them by binary COPY, SpatiaLite by one prepared statement; see `gridmap.store.relief` for how
indices are kept from slowing either down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
from geoalchemy2 import Geometry
from pgpq import ArrowToPostgresBinaryEncoder
from sqlalchemy import BigInteger, Uuid, func, select

from gridmap.store.columns import as_arrow, is_single, random_uids
from gridmap.store.extract import driver_of, read_columns
from gridmap.store.relief import relieved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray
    from sqlalchemy import Column, Connection, Table
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
        sequence = func.pg_get_serial_sequence(f'"{model.__tablename__}"', "id")
        number = func.nextval(sequence, type_=BigInteger).label("id")
        return np.sort(
            read_columns(session, select(number).select_from(func.generate_series(1, count)))["id"]
        )
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
    table = cast("Table", model.__table__)
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
    batches = _batches(table, filled, count, ewkb=on_postgis)
    load = _copy if on_postgis else _execute
    with relieved(session, table, count):
        for done in load(connection, table, list(filled), batches):
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


def _batches(table: Table, columns: Mapping[str, Any], count: int, *, ewkb: bool) -> Iterator[pa.RecordBatch]:
    for start in range(0, count, _SLICE):
        rows = slice(start, min(start + _SLICE, count))
        arrays = [as_arrow(values, table.columns[name], rows, ewkb=ewkb) for name, values in columns.items()]
        yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _copy(
    connection: Connection, table: Table, names: list[str], batches: Iterator[pa.RecordBatch]
) -> Iterator[int]:
    preparer = connection.dialect.identifier_preparer
    into = f"{preparer.format_table(table)} ({', '.join(map(preparer.quote, names))})"
    first = next(batches)
    encoder = ArrowToPostgresBinaryEncoder(first.schema)
    with (
        driver_of(connection).cursor() as cursor,
        cursor.copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(encoder.write_header())
        copy.write(encoder.write_batch(first))
        done = first.num_rows
        yield done
        for batch in batches:
            copy.write(encoder.write_batch(batch))
            done += batch.num_rows
            yield done
        copy.write(encoder.finish())


def _execute(
    connection: Connection, table: Table, names: list[str], batches: Iterator[pa.RecordBatch]
) -> Iterator[int]:
    preparer = connection.dialect.identifier_preparer
    places = [
        f"GeomFromWKB(?, {kind.srid})" if isinstance(kind := table.columns[name].type, Geometry) else "?"
        for name in names
    ]
    statement = (
        f"INSERT INTO {preparer.format_table(table)} ({', '.join(map(preparer.quote, names))})"  # noqa: S608 - names of the model's columns
        f" VALUES ({', '.join(places)})"
    )
    done = 0
    for batch in batches:
        values = [_for_sqlite(column) for column in batch.columns]
        driver_of(connection).executemany(statement, zip(*values, strict=True))
        done += batch.num_rows
        yield done


def _for_sqlite(column: pa.Array) -> list[Any]:
    """Values as SQLAlchemy writes them: times and dates as text, UUIDs as 32 digits."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.string())
    elif pa.types.is_date(column.type):
        column = column.cast(pa.string())
    elif pa.types.is_fixed_size_binary(column.type):
        digits = b"".join(column.to_pylist()).hex()
        return [digits[start : start + 32] for start in range(0, len(digits), 32)]
    values: list[Any] = column.to_pylist()
    return values
