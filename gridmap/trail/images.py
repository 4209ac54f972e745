"""Rows as the store holds them, for the trail."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import bindparam, select

from gridmap.store.base import Base
from gridmap.store.extract import driver_of
from gridmap.trail.batches import array_of, digests_of_arrays
from gridmap.trail.canon import form_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select, Table

__all__ = ["Image", "images", "slices"]

Image = tuple[Any, ...]
"""Values of a row as `gridmap.trail.canon.Form.raw` selects them, without the id."""
_AT_ONCE = 500
_SLICE = 50_000


def images(
    connection: Connection, table: Table, ids: Collection[int], *, lock: bool = False
) -> dict[int, Image]:
    """Read rows by their ids; those that do not exist are left out.

    Parameters
    ----------
    connection, table, ids
        Where, what and which.
    lock
        Whether nobody else is to change them until this transaction ends; in the order of ids.
    """
    dialect = connection.dialect.name
    query = _query(table.name, dialect, lock=lock and dialect == "postgresql")
    found: dict[int, Image] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        for row in connection.execute(query, {"ids": wanted[start : start + _AT_ONCE]}):
            found[row[0]] = tuple(row[1:])
    return found


@cache
def _query(name: str, dialect: str, *, lock: bool) -> Select[*tuple[Any, ...]]:
    """One statement per table: making it takes longer than running it."""
    table = Base.metadata.tables[name]
    query = select(*form_of(name).raw(dialect)).select_from(table)
    query = query.where(table.c.id.in_(bindparam("ids", expanding=True)))
    return query.order_by(table.c.id).with_for_update(key_share=True) if lock else query


def slices(
    connection: Connection, table: Table, *, only: frozenset[str] | None = None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.void]]]:
    """Read a whole table in the order of ids, as ids and digests of some ten thousand rows at a time.

    Parameters
    ----------
    connection, table
        Where and what.
    only
        Columns that the database has, where it is older than the models; None: all.
    """
    form, dialect = form_of(table.name), connection.dialect.name
    query = select(*form.raw(dialect, only)).select_from(table).order_by(table.c.id)
    text = str(query.compile(dialect=connection.dialect))
    for rows in _fetched(connection, text):
        ids, *columns = zip(*rows, strict=True)
        arrays = {
            field.name: array_of(field.kind, values, dialect)
            for field, values in zip(form.fields, columns, strict=True)
        }
        yield np.array(ids, dtype=np.int64), digests_of_arrays(form, arrays, len(rows))


def _fetched(connection: Connection, statement: str) -> Iterator[list[tuple[Any, ...]]]:
    driver = driver_of(connection)
    if connection.dialect.name == "postgresql":
        with driver.cursor("gridmap_trail", binary=True) as cursor:
            cursor.execute(statement)
            yield from iter(lambda: cursor.fetchmany(_SLICE), [])
    else:
        cursor = driver.execute(statement)
        yield from iter(lambda: cursor.fetchmany(_SLICE), [])
