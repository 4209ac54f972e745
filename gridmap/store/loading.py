"""Arrow columns into a table: PostGIS takes them by binary COPY, SpatiaLite by one prepared statement."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from geoalchemy2 import Geometry
from pgpq import ArrowToPostgresBinaryEncoder

from gridmap.store.extract import driver_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from sqlalchemy import Connection, Table

__all__ = ["load_postgis", "load_spatialite", "texts"]

_UUID_BYTES = 16
_NOTHING = bytearray()
"""Stands for NULL on its way to SQLite: the driver looks for an adapter for each None, which takes longer
than writing the rest of the row. No column holds an empty blob."""


def load_postgis(connection: Connection, table: Table, batches: Iterator[pa.RecordBatch]) -> Iterator[int]:
    """Write batches of one schema, and yield after each how many rows there are so far.

    The next batch is made while the server stores the last one.
    """
    preparer = connection.dialect.identifier_preparer
    first = next(batches)
    into = f"{preparer.format_table(table)} ({', '.join(map(preparer.quote, first.schema.names))})"
    encoder = ArrowToPostgresBinaryEncoder(first.schema)

    def encoded() -> Iterator[tuple[bytes, int]]:
        yield encoder.write_header(), 0
        for batch in chain((first,), batches):
            yield encoder.write_batch(batch), batch.num_rows
        yield encoder.finish(), 0

    done = 0
    with (
        driver_of(connection).cursor() as cursor,
        cursor.copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy,
        closing(_one_ahead(encoded())) as parts,
    ):
        for part, rows in parts:
            copy.write(part)
            done += rows
            if rows:
                yield done


def _one_ahead(items: Iterator[tuple[bytes, int]]) -> Generator[tuple[bytes, int], None, None]:
    """The same items, each made in a thread while the one before is used."""
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = worker.submit(next, items, None)
            yield item


def load_spatialite(connection: Connection, table: Table, batches: Iterator[pa.RecordBatch]) -> Iterator[int]:
    """Write batches, and yield after each how many rows there are so far.

    What is the same in all rows of a batch is written into the statement: binding a value takes longer than
    storing it.
    """
    driver, preparer = driver_of(connection), connection.dialect.identifier_preparer
    done = 0
    for batch in batches:
        places, values = [], []
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            place = _literal(driver, column)
            if place is None:
                place = "nullif(?, x'')" if column.null_count else "?"
                if isinstance(kind := table.columns[name].type, Geometry) and pa.types.is_binary(column.type):
                    place = f"GeomFromWKB({place}, {kind.srid})"
                values.append(_bound(column))
            places.append(place)
        statement = (
            f"INSERT INTO {preparer.format_table(table)}"  # noqa: S608 - names of the model's columns
            f" ({', '.join(map(preparer.quote, batch.schema.names))}) VALUES ({', '.join(places)})"
        )
        driver.executemany(statement, zip(*values, strict=True))
        done += batch.num_rows
        yield done


def _literal(driver: Any, column: pa.Array) -> str | None:
    """SQL for the value that all rows have; none if they differ."""
    if column.null_count == len(column):
        return "NULL"
    if len(column) == 1 or column.null_count or pa.types.is_binary(column.type):
        return None
    first = column[0]
    if pa.types.is_fixed_size_binary(column.type) or not pc.all(pc.equal(column, first)).as_py():
        return None
    value = texts(column[:1])[0].as_py()
    # Text with a zero character has no literal.
    if isinstance(value, str) and "\0" in value:
        return None
    literal: str = driver.execute("SELECT quote(?)", (value,)).fetchone()[0]
    return literal


def texts(column: pa.Array) -> pa.Array:
    """Times and dates as SQLAlchemy writes them."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us")).cast(pa.string())
    return column.cast(pa.string()) if pa.types.is_date(column.type) else column


def _bound(column: pa.Array) -> list[Any]:
    """Values in the types that the driver takes without looking for an adapter; UUIDs as 32 digits."""
    if pa.types.is_fixed_size_binary(column.type):
        width = column.type.byte_width
        raw = column.buffers()[1][column.offset * width : (column.offset + len(column)) * width]
        if width == _UUID_BYTES:
            digits = raw.to_pybytes().hex()
            return [digits[start : start + 2 * width] for start in range(0, len(digits), 2 * width)]
        blobs = bytearray(raw)
        return [blobs[start : start + width] for start in range(0, len(blobs), width)]
    values: list[Any] = texts(column).to_pylist()
    if pa.types.is_binary(column.type):
        return [_NOTHING if value is None else bytearray(value) for value in values]
    return [_NOTHING if value is None else value for value in values] if column.null_count else values
