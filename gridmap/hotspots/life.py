"""How often each turn was taken in a problem's life, packed into one number per problem.

Eight bits for each count, which stops at 255, and two for whether it was handed back in time: a column of
eight bytes instead of nine columns, and one to read from the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import BigInteger, case, cast

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COUNTS", "RECURRENCE", "count_of", "late", "life_of", "on_time", "packed", "recurring"]

COUNTS = ("rework", "returns", "suspensions", "extensions", "look_backs", "reopened")
"""What is counted, from the lowest bits on; the columns of `Problem` of the same names."""
_MOST = 255
_ON_TIME, _LATE, RECURRENCE = 1 << 48, 1 << 49, 1 << 50


def packed(columns: Any) -> Any:
    """Return the number of a problem as an expression of SQL over the columns of `Problem`."""
    number: Any = case((columns.on_time.is_(None), 0), (columns.on_time, _ON_TIME), else_=_LATE)
    number = cast(number, BigInteger) + case((columns.recurrence, RECURRENCE), else_=0)
    for position, name in enumerate(COUNTS):
        column = getattr(columns, name)
        capped = case((column > _MOST, _MOST), else_=column)
        number = number + cast(capped, BigInteger) * (1 << 8 * position)
    return number


def life_of(
    *, on_time: NDArray[Any] | None = None, recurrence: NDArray[Any] | None = None, **counts: NDArray[Any]
) -> NDArray[np.int64]:
    """Pack columns of shape (n,): `on_time` 1, 0 or -1 for not known; counts by the names in `COUNTS`."""
    given = [np.asarray(values) for values in (on_time, recurrence, *counts.values()) if values is not None]
    number = np.zeros(len(given[0]), dtype=np.int64)
    if on_time is not None:
        number |= np.choose(np.asarray(on_time) + 1, [0, _LATE, _ON_TIME])
    if recurrence is not None:
        number |= np.where(recurrence, RECURRENCE, 0)
    for name, values in counts.items():
        number |= np.minimum(values, _MOST).astype(np.int64) << 8 * COUNTS.index(name)
    return number


def count_of(life: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    """How often something happened, shape of `life`."""
    return (life >> 8 * COUNTS.index(name)) & _MOST


def on_time(life: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which were handed back in time, shape of `life`."""
    return np.asarray((life & _ON_TIME) != 0)


def late(life: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which were handed back late, shape of `life`."""
    return np.asarray((life & _LATE) != 0)


def recurring(life: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which came up where another one of their kind had been closed, shape of `life`."""
    return np.asarray((life & RECURRENCE) != 0)
