"""Rows named by many ids at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import ColumnElement, func, literal_column, select

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sqlalchemy.orm import Session

__all__ = ["among"]


def among(session: Session, column: Any, ids: ArrayLike) -> ColumnElement[bool]:
    """SQL condition: an integer column has one of these values.

    The ids travel as one text, so that their number is not limited by that of a statement's parameters.

    Parameters
    ----------
    session
        Tells which store it is for.
    column
        A column with an index.
    ids
        Integers, shape (n,).
    """
    text = ",".join(np.asarray(ids, dtype=np.int64).astype(str).tolist())
    condition: ColumnElement[bool]
    if session.get_bind().dialect.name == "postgresql":
        condition = column == func.any(func.string_to_array(text, ",").op("::")(literal_column("bigint[]")))
        return condition
    each = func.json_each(f"[{text}]").table_valued("value")
    condition = column.in_(select(each.c.value).correlate(None))
    return condition
