"""Open problems near a place that may be the same thing, offered to whoever is about to record it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from geodata.projection import LocalProjection
from gridmap.deadlines.calendar import as_stamp
from gridmap.people.permissions import Permission
from gridmap.problems.limits import inside
from gridmap.problems.models import Category, Problem, State
from gridmap.store.extract import read_columns
from gridmap.store.spatial import in_box

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor

__all__ = ["Similar", "find_similar", "score"]

_METRES_PER_DEGREE = 111_000.0
_FRESH_DAYS = 30.0
_LEAST = 0.4
_OPEN = tuple(state for state in State if not state.resolved)


@dataclass(frozen=True, slots=True)
class Similar:
    """One of them: how far away it is, and how likely the same thing, 0 to 1."""

    number: int
    metres: float
    score: float


def score(
    metres: NDArray[np.float64],
    kinship: NDArray[np.float64],
    days: NDArray[np.float64],
    *,
    reach: float,
) -> NDArray[np.float64]:
    """How likely open problems are the same thing as one that is being recorded, 0 to 1, shape (n,).

    Half of it is nearness, a third the category, the rest how lately it was found.

    Parameters
    ----------
    metres
        Distance, shape (n,).
    kinship
        1 of the same category, 0.5 of the same major one, 0 of another, shape (n,).
    days
        Since it was found, shape (n,).
    reach
        Distance in metres at which nearness counts for nothing.
    """
    nearness = np.clip(1.0 - metres / reach, 0.0, 1.0)
    freshness = np.exp(-np.maximum(days, 0.0) / _FRESH_DAYS)
    return np.asarray(0.5 * nearness + 0.35 * kinship + 0.15 * freshness)


def find_similar(
    session: Session,
    actor: Actor,
    lon: float,
    lat: float,
    *,
    category: Category | None,
    settings: Settings,
    now: datetime,
    limit: int = 5,
) -> list[Similar]:
    """Return open problems near a place that the actor may see, the likeliest first.

    Parameters
    ----------
    session
        Any.
    actor
        Who is about to record; sees only what lies in their scope.
    lon, lat
        Of the place, degrees, EPSG:4326.
    category
        Of what is to be recorded; None: not chosen yet, all count as kin.
    settings
        How near is near.
    now
        From which ages are counted.
    limit
        At most so many.

    Raises
    ------
    PermissionDeniedError
        If the actor may not read problems.
    """
    reach = settings.duplicate_metres
    up = 1.01 * reach / _METRES_PER_DEGREE
    across = up / max(float(np.cos(np.radians(lat))), 0.01)
    rows = read_columns(
        session,
        select(Problem.id, Problem.geometry, Problem.category_id, Problem.found_at, Category.parent_id)
        .join(Category, Category.id == Problem.category_id)
        .where(
            in_box(session, Problem, (lon - across, lat - up, lon + across, lat + up)),
            Problem.state.in_(_OPEN),
            inside(actor.scope(Permission.PROBLEM_READ)),
        ),
    )
    if not len(rows["id"]):
        return []
    projection = LocalProjection(round(lon, 2), round(lat, 2))
    here = shapely.Point(*(float(part[0]) for part in projection.forward_xy([lon], [lat])))
    metres = shapely.distance(projection.forward(rows["geometry"]), here)
    kinship = np.ones(len(metres))
    if category is not None:
        major = category.parent_id or category.id
        same_major = (rows["parent_id"] == major) | (rows["category_id"] == major)
        kinship = np.where(rows["category_id"] == category.id, 1.0, np.where(same_major, 0.5, 0.0))
    moment = as_stamp(now)
    days = (moment - rows["found_at"]).astype("timedelta64[s]").astype(np.float64) / 86_400.0
    scores = score(metres, kinship, days, reach=reach)
    likely = np.flatnonzero((metres <= reach) & (scores >= _LEAST))
    best = likely[np.lexsort((metres[likely], -scores[likely]))][:limit]
    return [
        Similar(int(rows["id"][row]), round(float(metres[row]), 1), round(float(scores[row]), 3))
        for row in best
    ]
