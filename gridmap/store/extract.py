"""Millions of rows out of the store, as one numpy array per column.

PostGIS joins each column's binary form on the server (``string_agg(int8send(…), '')``), so that a column
arrives as one buffer; SpatiaLite runs in this process and its rows are gathered in slices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from geoalchemy2 import Geometry
from sqlalchemy import (
    Boolean,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    func,
    literal_column,
    select,
)

from gridmap.store.base import UTCDateTime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select
    from sqlalchemy.orm import Session
    from sqlalchemy.types import TypeEngine

__all__ = ["driver_of", "read_by_ids", "read_columns", "read_sorted"]

_SLICE = 250_000
"""Rows in one answer: a field of PostGIS's is limited to 1 GB."""
_LISTED, _SPARSE = 10_000, 3
"""Ids named one by one in a query; and how many rows may be read for one wanted, to read a whole range."""
_EPOCH = np.datetime64("2000-01-01", "us") - np.datetime64(0, "us")
"""PostgreSQL counts from 2000; its -infinity is numpy's NaT."""
_FAMILIES: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (Geometry, "geometry"),
    (Enum, "enum"),
    (Uuid, "uuid"),
    (UTCDateTime, "time"),
    (DateTime, "time"),
    (Date, "time"),
    (Boolean, "bool"),
    (SmallInteger, "small"),
    (Integer, "integer"),
    (Float, "float"),
    (Text, "text"),
)
_SENT = {
    "uuid": ("uuid_send(coalesce({0}, '00000000-0000-0000-0000-000000000000'))", "V16"),
    "time": ("timestamptz_send(coalesce({0}::timestamptz, '-infinity'))", ">i8"),
    "bool": ("boolsend(coalesce({0}, false))", "?"),
    "small": ("int2send(coalesce({0}::int2, -1::int2))", ">i2"),
    "integer": ("int8send(coalesce({0}::int8, -1))", ">i8"),
    "float": ("float8send(coalesce({0}::float8, 'NaN'))", ">f8"),
    "enum": ("convert_to({0}, 'UTF8')", ""),
    "text": ("convert_to({0}::text, 'UTF8')", ""),
    "geometry": ("ST_AsBinary({0})", ""),
}
"""How PostgreSQL sends a value, and numpy's name for that; none: of any length."""
_COUNTED = {"integer": pa.int64(), "small": pa.int16()}


def read_columns(session: Session, query: Select[*tuple[Any, ...]]) -> dict[str, NDArray[Any]]:
    """Run a query and return each of its columns, under its name there, as an array of shape (n,).

    ========================  =======================  ==================
    column                    array                    NULL
    ========================  =======================  ==================
    integer                   int64; SmallInteger      -1
                              int16
    float                     float64                  NaN
    boolean                   bool                     False
    time, date                datetime64[us], UTC      NaT
    enum                      int16, the position in   -1
                              its list of members
    UUID                      V16, its bytes           zeros
    geometry                  object, shapely          None
    text, JSON                object, str              None
    ========================  =======================  ==================

    Parameters
    ----------
    session
        Of a reading or writing transaction; it sees its own changes.
    query
        A select of columns or labelled expressions. Its order is not kept: the arrays agree with each other.
    """
    session.flush()
    kinds = {column.key: column.type for column in query.subquery().columns}
    on_postgis = session.get_bind().dialect.name == "postgresql"
    parts = list((_from_postgis if on_postgis else _from_spatialite)(session, query, kinds))
    return {name: np.concatenate([part[name] for part in parts]) for name in kinds}


def read_by_ids(
    session: Session, query: Select[*tuple[Any, ...]], key: Any, ids: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    """Run a query for some rows and return its columns in the order of `ids`, as `read_columns` does.

    Parameters
    ----------
    session, query
        As there; one of the query's columns is `key`.
    key
        A column of unique integers.
    ids
        Values of `key`, shape (n,). What is not there is left out.
    """
    wanted = np.unique(ids)
    dense = wanted.size and (wanted[-1] - wanted[0]) < _SPARSE * wanted.size
    if dense:
        parts = [read_columns(session, query.where(key.between(int(wanted[0]), int(wanted[-1]))))]
    else:
        chunks = [wanted[start : start + _LISTED] for start in range(0, max(wanted.size, 1), _LISTED)]
        parts = [read_columns(session, query.where(key.in_(chunk.tolist()))) for chunk in chunks]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(rows[key.key], kind="stable")
    found = rows[key.key][order]
    at = np.searchsorted(found, ids)
    there = at < found.size
    there[there] = found[at[there]] == ids[there]
    picked = order[at[there]]
    return {name: values[picked] for name, values in rows.items()}


def read_sorted(session: Session, query: Select[*tuple[Any, ...]], key: Any) -> dict[str, NDArray[Any]]:
    """Run a query and return its columns in ascending order of one of them, as `read_columns` does."""
    rows = read_columns(session, query)
    order = np.argsort(rows[key.key], kind="stable")
    return {name: values[order] for name, values in rows.items()}


def driver_of(connection: Connection) -> Any:
    """Return the driver's own connection, of psycopg or sqlite3, within the same transaction."""
    return connection.connection.driver_connection


def _family(kind: TypeEngine[Any]) -> str:
    return next((name for sql, name in _FAMILIES if isinstance(kind, sql)), "text")


def _from_postgis(
    session: Session, query: Select[*tuple[Any, ...]], kinds: dict[str, TypeEngine[Any]]
) -> Iterator[dict[str, NDArray[Any]]]:
    inner = query.subquery("inner")
    rows = select(inner, ((func.row_number().over() - 1) // _SLICE).label("slice of rows")).subquery("rows")
    sent = []
    for name, kind in kinds.items():
        value, fixed = _SENT[_family(kind)]
        value = value.format(f'rows."{name}"')
        sent.append(f"coalesce(string_agg({value}, ''), '')")
        sent.append(
            "''::bytea" if fixed else f"string_agg(int4send(coalesce(octet_length({value}), -1)), '')"
        )
    outer: Any = select(*map(literal_column, sent)).select_from(rows).group_by(rows.c["slice of rows"])
    connection = session.connection()
    statement = outer.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    empty = True
    with driver_of(connection).cursor("gridmap_extract", binary=True) as cursor:
        cursor.itersize = 1
        for row in cursor.execute(str(statement), ()):
            empty = False
            fields = zip(row[::2], row[1::2], strict=True)
            yield {
                name: _decode(data, lengths, kind)
                for (name, kind), (data, lengths) in zip(kinds.items(), fields, strict=True)
            }
    if empty:
        yield {name: _decode(b"", b"", kind) for name, kind in kinds.items()}


def _decode(data: bytes, lengths: bytes, kind: TypeEngine[Any]) -> NDArray[Any]:
    """One column of one answer of PostGIS."""
    family = _family(kind)
    fixed = _SENT[family][1]
    if fixed:
        values = np.frombuffer(data, dtype=fixed)
        values = values.astype(values.dtype.newbyteorder("="))
        return values.view("datetime64[us]") + _EPOCH if family == "time" else values
    sizes = np.frombuffer(lengths, dtype=">i4")
    ends = np.concatenate([[0], np.maximum(sizes, 0).cumsum()])
    here = pa.py_buffer(np.packbits(sizes >= 0, bitorder="little"))
    plain = pa.large_binary() if family == "geometry" else pa.large_string()
    values = pa.Array.from_buffers(plain, len(sizes), [here, pa.py_buffer(ends), pa.py_buffer(data)])
    return _of_any_length(values, kind)


def _of_any_length(values: pa.Array, kind: TypeEngine[Any]) -> NDArray[Any]:
    if isinstance(kind, Geometry):
        return np.asarray(shapely.from_wkb(values.to_numpy(zero_copy_only=False)), dtype=object)
    if isinstance(kind, Enum):
        positions = pc.index_in(values, value_set=pa.array(kind.enums, type=values.type))
        return np.asarray(pc.fill_null(positions, -1).to_numpy(zero_copy_only=False), dtype=np.int16)
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=object)


def _from_spatialite(
    session: Session, query: Select[*tuple[Any, ...]], kinds: dict[str, TypeEngine[Any]]
) -> Iterator[dict[str, NDArray[Any]]]:
    rows = query.subquery("rows")
    shown = [
        func.AsBinary(column, type_=None) if isinstance(column.type, Geometry) else column
        for column in rows.columns
    ]
    connection = session.connection()
    statement = select(*shown).compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    cursor = driver_of(connection).execute(str(statement))
    slices = iter(lambda: cursor.fetchmany(_SLICE), [])
    empty = True
    for fetched in slices:
        empty = False
        columns = zip(*fetched, strict=True)
        yield {name: _gathered(values, kinds[name]) for name, values in zip(kinds, columns, strict=True)}
    if empty:
        yield {name: _gathered((), kind) for name, kind in kinds.items()}


def _gathered(values: tuple[Any, ...], kind: TypeEngine[Any]) -> NDArray[Any]:
    """One column of one slice of SpatiaLite's rows."""
    family = _family(kind)
    if family in _COUNTED:
        return np.asarray(pc.fill_null(pa.array(values, type=_COUNTED[family]), -1).to_numpy())
    if family == "float":
        return np.asarray(pa.array(values, type=pa.float64()).to_numpy(zero_copy_only=False))
    if family == "bool":
        return np.array(values, dtype=bool)
    if family == "uuid":
        return np.frombuffer(bytes.fromhex("".join(value or "0" * 32 for value in values)), dtype="V16")
    text = pa.array(values, type=pa.binary() if family == "geometry" else pa.string())
    if family == "time":
        return np.asarray(text.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False))
    return _of_any_length(text, kind)
