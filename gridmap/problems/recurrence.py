"""Problems that come back: the same kind at the same place after the earlier one was closed.

That is another thing than a duplicate, which doubles one that is still open. A problem comes back after the
latest one of its category that was closed before it was found, not longer ago than a number of days, within
a number of metres. Both are settings. What stands on a default coordinate or has impossible times is left
out, as neither its place nor its order can be trusted.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Float, bindparam, func, select

from geodata.latest_near import NONE, latest_near
from geodata.projection import LocalProjection
from gridmap.problems.limits import inside
from gridmap.problems.models import Flag, LinkKind, Problem, ProblemLink, State
from gridmap.store.bulk import insert_rows
from gridmap.store.extract import read_columns
from gridmap.store.spatial import box_condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Scope

__all__ = ["find_earlier", "link_recurrences", "times_come_back"]

_FEW = 50
"""Up to so many places the spatial index is asked; for more, what was closed lately is read as a whole."""
_METRES_PER_DEGREE = 111_000.0
_CLOSED = list(State).index(State.CLOSED)


def find_earlier(
    session: Session, ids: NDArray[np.int64], columns: dict[str, NDArray[Any]], *, settings: Settings
) -> NDArray[np.int64]:
    """Find the closed problem after which each one has come back; ids, shape (n,), -1: it has not.

    Parameters
    ----------
    session
        Any; the problems need not be in the store yet.
    ids
        Of the problems, shape (n,).
    columns
        ``lon``, ``lat`` (degrees), ``category_id``, ``found_at`` and ``closed_at`` (datetime64, UTC),
        ``state`` (positions in `State`) and ``flags``, arrays of shape (n,). They may come back after each
        other.
    settings
        How near and how soon.
    """
    found = np.full(len(ids), NONE, dtype=np.int64)
    asked = np.flatnonzero((columns["flags"] & Flag.DOUBTFUL.value) == 0)
    if not asked.size:
        return found
    own = asked[(columns["state"][asked] == _CLOSED) & ~np.isnat(columns["closed_at"][asked])]
    closed = _closed_lately(session, columns, asked, settings)
    names = ("lon", "lat", "category_id", "closed_at")
    others = {name: np.concatenate([closed[name], columns[name][own]]) for name in names}
    other_ids = np.concatenate([closed["id"], ids[own]])
    lon, lat = columns["lon"][asked], columns["lat"][asked]
    projection = LocalProjection(*(round(float(v.min() + v.max()) / 2, 2) for v in (lon, lat)))
    x, y = projection.forward_xy(lon, lat)
    of_x, of_y = projection.forward_xy(others["lon"], others["lat"])
    at = latest_near(
        x,
        y,
        columns["category_id"][asked],
        # Closed before it was found, not at the same moment.
        _microseconds(columns["found_at"][asked]) - 1,
        of_x=of_x,
        of_y=of_y,
        of_kind=others["category_id"],
        of_time=_microseconds(others["closed_at"]),
        reach=settings.recurrence_metres,
        span=settings.recurrence_days * 86_400_000_000,
    )
    there = at != NONE
    found[asked[there]] = other_ids[at[there]]
    return found


def _closed_lately(
    session: Session, columns: dict[str, NDArray[Any]], asked: NDArray[np.intp], settings: Settings
) -> dict[str, NDArray[Any]]:
    """Problems in the store that one of those asked about may come back after."""
    found_at = columns["found_at"][asked]
    first, last = (
        edge.astype("datetime64[us]").item().replace(tzinfo=UTC) for edge in (found_at.min(), found_at.max())
    )
    since = _earliest(first, settings)
    if len(asked) > _FEW:
        return read_columns(session, _lately(since, last))
    lon, lat = columns["lon"][asked], columns["lat"][asked]
    up = 1.01 * settings.recurrence_metres / _METRES_PER_DEGREE
    across = up / max(float(np.cos(np.radians(lat)).min()), 0.01)
    box = (lon.min() - across, lat.min() - up, lon.max() + across, lat.max() + up)
    sides = dict(zip(("west", "south", "east", "north"), map(float, box), strict=True))
    kinds = np.unique(columns["category_id"][asked]).tolist()
    near = _lately_in_box(session.get_bind().dialect.name)
    return _few_columns(
        session.connection().execute(near, {"since": since, "until": last, **sides, "kinds": kinds}).all()
    )


def _lately(since: Any, until: Any) -> Select[*tuple[Any, ...]]:
    """What was closed within a span of time."""
    table = Problem.__table__.c
    return select(table.id, table.lon, table.lat, table.category_id, table.closed_at).where(
        table.state == State.CLOSED,
        table.closed_at >= since,
        table.closed_at < until,
        table.flags.op("&")(Flag.DOUBTFUL.value) == 0,
    )


@cache
def _lately_in_box(dialect: str) -> Select[*tuple[Any, ...]]:
    """What of some categories was closed within a box; made once, as that takes longer than asking it."""
    sides = tuple(bindparam(side, type_=Float) for side in ("west", "south", "east", "north"))
    kinds = Problem.__table__.c.category_id.in_(bindparam("kinds", expanding=True))
    span = _lately(bindparam("since"), bindparam("until"))
    return span.where(box_condition(dialect, Problem, sides), kinds)


def _few_columns(rows: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """As `read_columns`, which writes its statement anew each time: most of the work for few rows."""
    number, lon, lat, category_id, closed_at = list(zip(*rows, strict=True)) or [()] * 5
    return {
        "id": np.array(number, dtype=np.int64),
        "lon": np.array(lon, dtype=float),
        "lat": np.array(lat, dtype=float),
        "category_id": np.array(category_id, dtype=np.int64),
        "closed_at": np.array(
            [at.astimezone(UTC).replace(tzinfo=None) for at in closed_at], dtype="datetime64[us]"
        ),
    }


def _earliest(first: datetime, settings: Settings) -> datetime:
    return first - timedelta(days=settings.recurrence_days)


def _microseconds(times: NDArray[np.datetime64]) -> NDArray[np.int64]:
    return times.astype("datetime64[us]").astype(np.int64)


def link_recurrences(
    session: Session, ids: NDArray[np.int64], earlier: NDArray[np.int64], *, now: datetime
) -> None:
    """Link problems, which are in the store by now, to those after which they came back.

    Parameters
    ----------
    session
        Of a writing transaction.
    ids, earlier
        As `find_earlier` takes and returns them.
    now
        Time of the change.
    """
    back = earlier != NONE
    insert_rows(
        session,
        ProblemLink,
        {
            "problem_id": ids[back],
            "other_id": earlier[back],
            "kind": LinkKind.RECURRENCE,
            "made_at": now,
        },
    )


def times_come_back(session: Session, number: int, scope: Scope) -> int:
    """How often the same problem had come back up to this one, itself included; 0: it is a first one.

    Parameters
    ----------
    session
        Any.
    number
        Id of the problem.
    scope
        Only earlier ones inside it are counted.
    """
    chain = (
        select(ProblemLink.other_id)
        .where(
            ProblemLink.problem_id == number,
            ProblemLink.kind == LinkKind.RECURRENCE,
            ProblemLink.ended_at.is_(None),
        )
        .cte(recursive=True)
    )
    chain = chain.union(
        select(ProblemLink.other_id).where(
            ProblemLink.problem_id == chain.c.other_id,
            ProblemLink.kind == LinkKind.RECURRENCE,
            ProblemLink.ended_at.is_(None),
        )
    )
    earlier = select(func.count()).select_from(chain).join(Problem, Problem.id == chain.c.other_id)
    return session.scalar(earlier.where(inside(scope))) or 0
