"""Planning the patrols of a shift: reading what there is to do, searching, and keeping the plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import select

from geodata.travel import Profile
from gridmap.errors import InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.hours import parse_hours
from gridmap.language import N_, explain, gettext
from gridmap.patrols.models import PatrolPlan, PatrolRoute, PatrolVisit, VisitKind
from gridmap.patrols.planning import Break, Reason, Stop, Window, solve
from gridmap.patrols.posing import Posed, pose
from gridmap.patrols.targets import Roads, read_roads, read_spots, walkers
from gridmap.people.permissions import Permission
from gridmap.places.models import Area, InspectionPoint, PriorityRoad
from gridmap.places.queries import areas_below
from gridmap.problems.models import Problem
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable
    from datetime import date
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from gridmap.patrols.network import Network
    from gridmap.patrols.planning import Plan, Progress
    from gridmap.people.permissions import Actor

__all__ = [
    "MOST_PEOPLE",
    "REASONS",
    "Asked",
    "Found",
    "Wish",
    "ask",
    "check",
    "keep",
    "remove_plan",
    "search",
]

MOST_PEOPLE = 60
LONGEST_SEARCH_S = 600
REASONS = {
    Reason.NOBODY: N_("nobody may do it"),
    Reason.CLOSED: N_("its hours are in nobody's shift"),
    Reason.UNREACHABLE: N_("there is no way there"),
    Reason.TOO_LONG: N_("it takes longer than a shift"),
    Reason.FULL: N_("the shifts are full"),
    Reason.NOT_WORTH: N_("the way there costs more time than it is worth"),
}
_PAUSE_AFTER = 0.35
_PAUSE_BEFORE = 0.65


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be planned.

    Parameters
    ----------
    area
        With everything below it.
    hours
        One span of the day, such as ``19:00-23:00``; past midnight where it ends before it begins.
    people
        Who can be sent.
    points, problems, roads
        What they are sent to.
    minutes_at_point, minutes_at_problem, rest_minutes
        Of each; a rest falls into the middle of the shift, 0 for none.
    search_seconds
        How long to search.
    seed
        Another one gives another plan of about the same quality: nobody can tell the rounds beforehand.
    """

    area: uuid.UUID
    day: date
    hours: str
    people: tuple[uuid.UUID, ...]
    profile: Profile = Profile.FOOT
    points: bool = True
    problems: bool = True
    roads: bool = True
    minutes_at_point: int = 5
    minutes_at_problem: int = 8
    rest_minutes: int = 0
    search_seconds: int = 20
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question that can be searched without the store."""

    wish: Wish
    area_id: int
    people: tuple[int, ...]
    midnight: datetime
    shift: Window
    posed: Posed


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
    people = tuple(dict.fromkeys(ids[uid] for uid in wish.people))
    spots = read_spots(session, areas, day=wish.day, now=now, points=wish.points, problems=wish.problems)
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
        people=[str(person) for person in people],
        shift=shift,
        pause=_pause(wish, shift),
        stay={
            VisitKind.POINT: wish.minutes_at_point * 60,
            VisitKind.PROBLEM: wish.minutes_at_problem * 60,
        },
    )
    midnight = datetime.combine(wish.day, time(), zone).astimezone(UTC)
    return Asked(wish, area.id, people, midnight, shift, posed)


def check(wish: Wish) -> Window:
    """Return the shift of a wish, in seconds from midnight, if it makes sense by itself.

    Raises
    ------
    InvalidValueError
        If it does not.
    """
    if not 1 <= len(set(wish.people)) <= MOST_PEOPLE:
        raise InvalidValueError(
            "Expected 1 to {most} people; found {found}.",
            parameter="people",
            most=MOST_PEOPLE,
            found=len(set(wish.people)),
        )
    for name in ("minutes_at_point", "minutes_at_problem", "rest_minutes"):
        _within(name, getattr(wish, name), 0, 240)
    _within("search_seconds", wish.search_seconds, 1, LONGEST_SEARCH_S)
    _within("seed", wish.seed, 0, 2**31 - 1)
    spans = parse_hours(wish.hours)
    if len(spans) != 1:
        raise InvalidValueError(
            "Expected the hours of one shift such as 08:00-12:00; found {found!r}.",
            parameter="hours",
            found=wish.hours,
        )
    begin, end = spans[0]
    return Window(begin * 60, (end if end > begin else end + 24 * 60) * 60)


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidValueError(
            "Expected a whole number from {least} to {most}; found {found}.",
            parameter=name,
            least=least,
            most=most,
            found=value,
        )


def _pause(wish: Wish, shift: Window) -> Break | None:
    if not wish.rest_minutes:
        return None
    length = shift.closes - shift.opens
    window = Window(shift.opens + round(_PAUSE_AFTER * length), shift.opens + round(_PAUSE_BEFORE * length))
    return Break(window=window, seconds=wish.rest_minutes * 60)


def search(asked: Asked, watch: Callable[[Progress], bool] | None = None) -> Found:
    """Search for as long as the wish says, or until `watch` returns True."""
    found = solve(
        asked.posed.problem, Stop(seconds=asked.wish.search_seconds, watch=watch), seed=asked.wish.seed
    )
    return Found(asked, found.plan, found.seconds)


def keep(session: Session, actor: Actor, found: Found, *, now: datetime) -> PatrolPlan:
    """Keep a plan with its rounds.

    Parameters
    ----------
    session
        Of a writing transaction.
    """
    asked = found.asked

    def at(seconds: int) -> datetime:
        return asked.midnight + timedelta(seconds=seconds)

    plan = PatrolPlan(
        area_id=asked.area_id,
        day=asked.wish.day,
        opens_at=at(asked.shift.opens),
        closes_at=at(asked.shift.closes),
        profile=asked.wish.profile,
        seed=asked.wish.seed,
        searched_s=round(found.seconds),
        unfitted=_left_out(session, found),
        actor=actor.name,
        at=now,
    )
    session.add(plan)
    session.flush()
    for route in found.plan.routes:
        line, metres = asked.posed.draw(route)
        row = PatrolRoute(
            plan_id=plan.id,
            person_id=asked.people[route.worker],
            leaves_at=at(route.span.opens),
            returns_at=at(route.span.closes),
            rests_at=at(route.pause.starts) if route.pause else None,
            rests_until=at(route.pause.finishes) if route.pause else None,
            metres=round(metres),
            geometry=f"SRID=4326;{shapely.to_wkt(line, rounding_precision=7)}",
        )
        session.add(row)
        session.flush()
        lon, lat = asked.posed.places([visit.task for visit in route.visits])
        for position, visit in enumerate(route.visits):
            target = asked.posed.targets[visit.task]
            session.add(
                PatrolVisit(
                    route_id=row.id,
                    position=position,
                    kind=target.kind,
                    point_id=target.id if target.kind is VisitKind.POINT else None,
                    problem_id=target.id if target.kind is VisitKind.PROBLEM else None,
                    road_id=target.id if target.kind is VisitKind.ROAD else None,
                    arrives_at=at(visit.arrives),
                    starts_at=at(visit.starts),
                    finishes_at=at(visit.finishes),
                    metres=asked.posed.problem.tasks[visit.task].modes[visit.mode].metres,
                    lon=float(lon[position]),
                    lat=float(lat[position]),
                )
            )
    session.flush()
    return plan


def _left_out(session: Session, found: Found) -> list[dict[str, Any]]:
    """What is in no round, a road with the metres of it, and why, in the language of whoever plans."""
    posed = found.asked.posed
    said: dict[tuple[VisitKind, int], str] = {
        (target.kind, target.id): explain(fault) for target, fault in posed.lost
    }
    metres: dict[tuple[VisitKind, int], int] = {}
    for one in found.plan.unfitted:
        target = posed.targets[one.task]
        key = (target.kind, target.id)
        said.setdefault(key, gettext(REASONS[one.reason]))
        metres[key] = metres.get(key, 0) + posed.problem.tasks[one.task].modes[0].metres
    uids: dict[tuple[VisitKind, int], str] = {}
    for kind, model in (
        (VisitKind.POINT, InspectionPoint),
        (VisitKind.PROBLEM, Problem),
        (VisitKind.ROAD, PriorityRoad),
    ):
        ids = [row for one, row in said if one is kind]
        for start in range(0, len(ids), 500):
            rows = session.execute(select(model.id, model.uid).where(model.id.in_(ids[start : start + 500])))
            uids |= {(kind, row): str(uid) for row, uid in rows}
    return [
        {"kind": key[0].value, "uid": uids[key], "why": why, "metres": metres.get(key, 0)}
        for key, why in sorted(said.items())
    ]


def remove_plan(session: Session, actor: Actor, uid: uuid.UUID) -> None:
    """Remove a plan with its rounds.

    Raises
    ------
    NotFoundError
        If there is none whose area the actor plans.
    """
    plan = session.scalar(select(PatrolPlan).where(PatrolPlan.uid == uid))
    if plan is None or not actor.scope(Permission.PATROL_PLAN).covers(plan.area_id, None):
        raise NotFoundError("There is no such plan, or it lies outside what you may see.")
    routes = session.scalars(select(PatrolRoute).where(PatrolRoute.plan_id == plan.id)).all()
    for route in routes:
        for visit in session.scalars(select(PatrolVisit).where(PatrolVisit.route_id == route.id)):
            session.delete(visit)
        session.flush()
        session.delete(route)
    session.flush()
    session.delete(plan)
    session.flush()
