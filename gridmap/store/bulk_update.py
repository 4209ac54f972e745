"""Many rows changed at once, within the session's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from gridmap.store.columns import as_arrow
from gridmap.store.extract import driver_of
from gridmap.store.loading import texts
from gridmap.store.witness import about_to_change

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from gridmap.store.base import Base

__all__ = ["update_rows"]


def update_rows(
    session: Session, model: type[Base], ids: NDArray[np.int64], columns: Mapping[str, Any]
) -> None:
    """Give columns new values in the rows with these ids.

    Parameters
    ----------
    session
        Of a writing transaction. Objects that it holds are flushed first and read anew afterwards.
    model
        Model of the table, with an integer ``id``.
    ids
        Which rows, shape (n,).
    columns
        By column name, one value for all rows or an array-like with an element per row, as
        `gridmap.store.columns.as_arrow` takes them.

    Raises
    ------
    sqlite3.IntegrityError, psycopg.IntegrityError
        If a row breaks a constraint. The transaction is lost.
    """
    if not len(ids) or not columns:
        return
    session.flush()
    table = cast("Table", model.__table__)
    about_to_change(session, table, ids.tolist())
    connection = session.connection()
    on_postgis = connection.dialect.name == "postgresql"
    place = "%s" if on_postgis else "?"
    quote = connection.dialect.identifier_preparer.quote
    rows = slice(0, len(ids))
    arrays = [
        as_arrow(given, table.columns[name], rows, postgis=on_postgis) for name, given in columns.items()
    ]
    values = [(array if on_postgis else texts(array)).to_pylist() for array in arrays]
    assignments = ", ".join(f"{quote(name)} = {place}" for name in columns)
    statement = f"UPDATE {quote(table.name)} SET {assignments} WHERE id = {place}"  # noqa: S608 - names of the model's columns
    parameters = zip(*values, ids.tolist(), strict=True)
    driver = driver_of(connection)
    if on_postgis:
        with driver.cursor() as cursor:
            cursor.executemany(statement, parameters)
    else:
        driver.executemany(statement, parameters)
    session.expire_all()
