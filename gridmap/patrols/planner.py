"""Planning patrols: reading what there is to do, and searching for rounds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from gridmap.errors import NotFoundError, PermissionDeniedError
from gridmap.patrols.frequency import Frequency
from gridmap.patrols.models import VisitKind
from gridmap.patrols.people import Team, Unit, assemble_team
from gridmap.patrols.planning import Stop, Window, solve, solve_by_day
from gridmap.patrols.posing import Posed, pose
from gridmap.patrols.targets import Roads, read_roads, read_spots, walkers, with_corners
from gridmap.patrols.wishes import LEDGER, check, detail_of, rhythm_of, units_of
from gridmap.people.models import Person
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.places.queries import areas_below
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable
    from datetime import date
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from gridmap.patrols.network import Network
    from gridmap.patrols.planning import DayNote, Plan, Problem, Progress
    from gridmap.patrols.wishes import Wish
    from gridmap.people.permissions import Actor

__all__ = ["Asked", "Found", "Unit", "ask", "search", "solved"]


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
    absent: frozenset[int] = frozenset()
    """Units of which nobody can be sent any more."""
    left: frozenset[uuid.UUID] = frozenset()
    """People of the wish who cannot be sent any more."""

    @property
    def days(self) -> list[list[int]]:
        """Workers of each day."""
        found: dict[date, list[int]] = {}
        for number, unit in enumerate(self.units):
            found.setdefault(unit.day, []).append(number)
        return list(found.values())

    def at(self, seconds: int) -> datetime:
        """Return the moment that the problem's seconds mean."""
        return self.midnight + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A plan that is not kept yet.

    Attributes
    ----------
    notes
        How each day differs from those before, where it was planned by days.
    """

    asked: Asked
    plan: Plan
    seconds: float
    notes: tuple[DayNote, ...] = ()


def ask(
    session: Session,
    actor: Actor,
    wish: Wish,
    *,
    network: Network,
    zone: ZoneInfo,
    now: datetime,
    again: bool = False,
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
    again
        Whether the wish is that of a plan: whoever has left since is counted as before, and given nothing.

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
    check(wish)
    areas = areas_below(session, area.id)
    known = actor.scope(Permission.PERSON_READ)
    ids = {person.uid: person.id for person in walkers(session, areas, known, day=wish.day)}
    absent: frozenset[uuid.UUID] = frozenset()
    if again:
        gone = [uid for uid in wish.people if uid not in ids]
        found = session.execute(select(Person.uid, Person.id).where(Person.uid.in_(gone)))
        ids |= {row.uid: row.id for row in found}
        absent = frozenset(gone)
    if missing := [uid for uid in wish.people if uid not in ids]:
        raise NotFoundError(
            "{n} of the people chosen cannot be sent on patrol in this area on this day.", n=len(missing)
        )
    team = assemble_team(session, wish, ids, areas, absent=absent)
    spots = read_spots(session, areas, day=wish.day, now=now, points=wish.points, problems=wish.problems)
    spots = with_corners(spots, wish.corners)
    none = np.zeros(0, dtype=np.int64)
    roads = Roads(none, none, none.astype(object), none.astype(object), none)
    if wish.roads:
        roads = read_roads(session, areas, day=wish.day)
    shape = read_columns(session, select(Area.geometry).where(Area.id == area.id))["geometry"][0]
    middle = shapely.point_on_surface(shape)
    posed = pose(
        [network.router(profile) for profile in team.profiles],
        spots,
        roads,
        starts=[(middle.x, middle.y), *team.starts],
        workers=team.workers,
        limits=team.limits,
        frequency=Frequency(
            days=_open_days(team),
            rhythms={
                VisitKind.POINT: rhythm_of(wish, "point_rhythm"),
                VisitKind.PROBLEM: rhythm_of(wish, "problem_rhythm"),
                VisitKind.ROAD: rhythm_of(wish, "road_rhythm"),
            },
            ledger=wish.road_rhythm == LEDGER,
            sides=wish.sides,
        ),
        stay={
            VisitKind.POINT: wish.minutes_at_point * 60,
            VisitKind.PROBLEM: wish.minutes_at_problem * 60,
            VisitKind.CORNER: wish.minutes_at_point * 60,
        },
    )
    midnight = datetime.combine(wish.day, time(), zone).astimezone(UTC)
    return Asked(wish, area.id, team.units, midnight, posed, _away(wish, absent), absent)


def _away(wish: Wish, absent: frozenset[uuid.UUID]) -> frozenset[int]:
    """Units of which nobody is left."""
    return frozenset(
        n
        for n, (person, _) in enumerate(units_of(wish))
        if person in absent and detail_of(wish, person).partner in {None, *absent}
    )


def _open_days(team: Team) -> tuple[tuple[int, Window], ...]:
    """Number of each day, and from when to when somebody is out on it."""
    found: dict[int, Window] = {}
    for unit, worker in zip(team.units, team.workers, strict=True):
        day = unit.day.toordinal()
        known = found.get(day, worker.shift)
        found[day] = Window(min(known.opens, worker.shift.opens), max(known.closes, worker.shift.closes))
    return tuple(found.items())


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
    return solved(asked, Stop(seconds=asked.wish.search_seconds, watch=watch), problem=problem, start=start)


def solved(asked: Asked, stop: Stop, *, problem: Problem | None = None, start: Plan | None = None) -> Found:
    """Search within bounds; several days one after the other."""
    wish, whole = asked.wish, problem or asked.posed.problem
    if len(asked.days) == 1 and not wish.vary_percent and not wish.balance:
        found = solve(whole, stop, seed=wish.seed, start=start)
        return Found(asked, found.plan, found.seconds)
    by_day = solve_by_day(
        whole,
        asked.days,
        asked.posed.home,
        stop,
        wish.seed,
        start=start,
        vary_by=wish.vary_percent / 100,
        balance=wish.balance,
    )
    return Found(asked, by_day.plan, by_day.seconds, by_day.notes)
