"""Planning patrols: reading what there is to do, and searching for rounds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from gridmap.errors import NotFoundError, PermissionDeniedError
from gridmap.patrols.models import VisitKind
from gridmap.patrols.planning import Stop, Worker, solve
from gridmap.patrols.posing import Posed, pose
from gridmap.patrols.targets import Roads, read_roads, read_spots, walkers, with_corners
from gridmap.patrols.wishes import check, pause_in, units_of
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.places.queries import areas_below
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from gridmap.patrols.network import Network
    from gridmap.patrols.planning import Plan, Problem, Progress
    from gridmap.patrols.wishes import Wish
    from gridmap.people.permissions import Actor

__all__ = ["Asked", "Found", "Unit", "ask", "search"]


@dataclass(frozen=True, slots=True)
class Unit:
    """Who goes out once: somebody on a day.

    Parameters
    ----------
    person
        Row.
    """

    person: int
    day: date


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question that can be searched without the store.

    Attributes
    ----------
    units
        Of each worker of the problem.
    midnight
        From which the problem's seconds count.
    """

    wish: Wish
    area_id: int
    units: tuple[Unit, ...]
    midnight: datetime
    posed: Posed

    def at(self, seconds: int) -> datetime:
        """Return the moment that the problem's seconds mean."""
        return self.midnight + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A plan that is not kept yet."""

    asked: Asked
    plan: Plan
    seconds: float


def ask(
    session: Session, actor: Actor, wish: Wish, *, network: Network, zone: ZoneInfo, now: datetime
) -> Asked:
    """Read what a wish is about.

    Parameters
    ----------
    session
        Any.
    actor
        Who plans.
    wish
        What is to be planned.
    network
        Of the store.
    zone
        Of the installation; its midnight begins the day.
    now
        Decides what is overdue.

    Raises
    ------
    PermissionDeniedError
        If the actor does not plan the patrols of this area.
    NotFoundError
        If there is no such area, or somebody does not hold a place in it.
    InvalidValueError, geodata.errors.GeometryError
        If the wish cannot be met.
    """
    scope = actor.scope(Permission.PATROL_PLAN)
    area = session.scalar(select(Area).where(Area.uid == wish.area, Area.in_force(wish.day)))
    if area is None:
        raise NotFoundError("There is no such area.")
    if not scope.covers(area.id, None):
        raise PermissionDeniedError("This area lies outside those whose patrols you plan.")
    shift = check(wish)
    areas = areas_below(session, area.id)
    known = actor.scope(Permission.PERSON_READ)
    ids = {person.uid: person.id for person in walkers(session, areas, known, day=wish.day)}
    if missing := [uid for uid in wish.people if uid not in ids]:
        raise NotFoundError(
            "{n} of the people chosen cannot be sent on patrol in this area on this day.", n=len(missing)
        )
    units = tuple(Unit(ids[uid], day) for uid, day in units_of(wish))
    spots = read_spots(session, areas, day=wish.day, now=now, points=wish.points, problems=wish.problems)
    spots = with_corners(spots, wish.corners)
    none = np.zeros(0, dtype=np.int64)
    roads = Roads(none, none, none.astype(object), none.astype(object))
    if wish.roads:
        roads = read_roads(session, areas, day=wish.day)
    shape = read_columns(session, select(Area.geometry).where(Area.id == area.id))["geometry"][0]
    middle = shapely.point_on_surface(shape)
    posed = pose(
        network.router(wish.profile),
        spots,
        roads,
        start=(middle.x, middle.y),
        workers=[
            Worker(start=0, end=0, shift=shift, pause=pause_in(wish, shift), name=str(unit.person))
            for unit in units
        ],
        stay={
            VisitKind.POINT: wish.minutes_at_point * 60,
            VisitKind.PROBLEM: wish.minutes_at_problem * 60,
            VisitKind.CORNER: wish.minutes_at_point * 60,
        },
    )
    midnight = datetime.combine(wish.day, time(), zone).astimezone(UTC)
    return Asked(wish, area.id, units, midnight, posed)


def search(
    asked: Asked,
    watch: Callable[[Progress], bool] | None = None,
    *,
    problem: Problem | None = None,
    start: Plan | None = None,
) -> Found:
    """Search for as long as the wish says, or until `watch` returns True.

    Parameters
    ----------
    problem
        The question with what was set by hand; as it was posed by default.
    start
        Plan to start from.
    """
    stop = Stop(seconds=asked.wish.search_seconds, watch=watch)
    found = solve(problem or asked.posed.problem, stop, seed=asked.wish.seed, start=start)
    return Found(asked, found.plan, found.seconds)
