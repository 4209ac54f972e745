"""Problems out of the store, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from gridmap.hotspots.life import packed
from gridmap.problems.models import Source, State
from gridmap.store.bulk import read_columns

# All tables at once: a foreign key has no type of its own until the table it points to is there.
from gridmap.store.tables import problems

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

__all__ = ["LAST_SECOND", "SOURCES", "STATES", "UNRESOLVED", "read_problems"]

STATES = tuple(State)
"""Position of a state in columns."""
SOURCES = tuple(source.value for source in Source)
"""Position of a source in columns."""
UNRESOLVED = frozenset(position for position, state in enumerate(STATES) if not state.resolved)
LAST_SECOND = 2**32 - 2
"""Largest time that columns hold, in 2106; later ones are as good as never."""

_Problem = problems.Problem
_READ = {
    "number": _Problem.id,
    "lon": _Problem.lon,
    "lat": _Problem.lat,
    "category": _Problem.category_id,
    "state": _Problem.state,
    "source": _Problem.source,
    "severity": _Problem.severity,
    "flags": _Problem.flags,
    "opened": _Problem.found_at,
    "due": _Problem.due_at,
    "closed": _Problem.closed_at,
    "area": _Problem.area_id,
    "organisation": _Problem.organisation_id,
    "cell": _Problem.cell_id,
    "road": _Problem.road_id,
    "person": _Problem.person_id,
    "checked": _Problem.checked_at,
    "dispatched": _Problem.dispatched_at,
    "fixed": _Problem.fixed_at,
    "fix_due": _Problem.fix_due_at,
    "life": packed(_Problem),
}


_TIMES = ("opened", "due", "closed", "checked", "dispatched", "fixed", "fix_due")


def read_problems(session: Session, *, after: int | None = None) -> dict[str, NDArray[Any]]:
    """Read problems, all of them or those touched after a change.

    A resolved problem without a closing time was open at no moment, as if closed the second before it was
    found; so it took no time that could be measured. An unresolved one is not closed, whatever an earlier
    closing left behind.

    Returns
    -------
    dict
        Columns of shape (n,). `number` is the case number; `category`, `area`, `organisation`, `cell`, `road`
        and `person` are database ids, -1 for none; `state` and `source` positions in `STATES` and `SOURCES`;
        `opened`, `due`, `closed`, `checked`, `dispatched`, `fixed` and `fix_due` int64 seconds since 1970
        UTC, -1 for never; `life` as `gridmap.hotspots.life` packs it; `lon` and `lat` degrees, EPSG:4326.
    """
    columns_read: list[Any] = [column.label(name) for name, column in _READ.items()]
    query: Select[Any] = select(*columns_read)
    if after is not None:
        query = query.where(_Problem.change > after)
    columns = read_columns(session, query)
    for name in _TIMES:
        columns[name] = _seconds(columns[name])
    np.maximum(columns["opened"], 0, out=columns["opened"])
    resolved = ~np.isin(columns["state"], list(UNRESOLVED))
    undated = resolved & (columns["closed"] < 0)
    columns["closed"][undated] = np.maximum(columns["opened"][undated] - 1, 0)
    columns["closed"][~resolved] = -1
    return columns


def _seconds(times: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Whole seconds, rounded down; NaT is -1, a time before 1970 is 0."""
    seconds = times.astype("datetime64[s]").astype(np.int64)
    return np.where(np.isnat(times), -1, np.clip(seconds, 0, LAST_SECOND))
