"""Laying an assessors' route: its points named or drawn, in the quickest order, with the time at each."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from geodata.errors import GeometryError
from geodata.travel import Profile
from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.inspections.models import InspectionPost, InspectionRoute, InspectionStop
from gridmap.language import explain, listed
from gridmap.look_back.rules import draw
from gridmap.patrols.planning import UNREACHABLE, Problem, Stop, Task, Travel, Window, Worker, solve
from gridmap.patrols.posing import SNAP_M
from gridmap.people.permissions import Permission
from gridmap.places.models import InspectionPoint
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geodata.street_places import Snapped
    from geodata.street_router import Router
    from gridmap.patrols.network import Network
    from gridmap.people.permissions import Actor

__all__ = ["MOST_STOPS", "Tour", "TourWish", "check", "lay", "remove_route", "strata", "trace"]

MOST_STOPS = 200
# Not bounded by the clock, so that a seed gives the same tour on every machine; 7 s for 200 points here.
_SEARCH = Stop(iterations=4000)


@dataclass(frozen=True, slots=True, kw_only=True)
class TourWish:
    """What is to be laid.

    Parameters
    ----------
    codes
        Of the points, the first one is where it starts; empty: they are drawn.
    size, seed, site_types
        How many to draw, with which seed, and of which types (empty: of all); every type and area gets its
        share, as assessors do it.
    starts_at
        When the assessors begin.
    minutes_at_stop
        How long they stay at each point.
    keep_order
        Go through the named points as they are given, not in the quickest order.
    shortest
        Go the shortest instead of the quickest ways.
    """

    name: str
    starts_at: datetime
    codes: tuple[str, ...] = ()
    size: int = 12
    seed: int = 0
    site_types: tuple[str, ...] = ()
    profile: Profile = Profile.CAR
    minutes_at_stop: int = 20
    keep_order: bool = False
    shortest: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Tour:
    """A route that is not kept yet.

    Attributes
    ----------
    points
        Ids in the order of the tour, shape (n,).
    arrives_s
        When each is reached, seconds from the start, shape (n,).
    along_m
        Where on the line each lies, shape (n,).
    line
        EPSG:4326.
    drawn_from
        How many points there were to draw from; None if they were named.
    """

    wish: TourWish
    points: NDArray[np.int64]
    arrives_s: NDArray[np.int64]
    along_m: NDArray[np.float64]
    line: shapely.LineString
    metres: float
    drawn_from: int | None


def trace(session: Session, actor: Actor, wish: TourWish, *, network: Network, day: date) -> Tour:
    """Choose the points and find the way through them.

    Parameters
    ----------
    session
        Any.
    actor
        Who plans.
    wish
        What is to be laid.
    network
        Of the store.
    day
        On which the points must be in force.

    Raises
    ------
    PermissionDeniedError
        If the actor may not plan assessors' routes for the whole city.
    InvalidValueError, geodata.errors.GeometryError
        If the wish cannot be met; a point that cannot be reached is named.
    """
    actor.scope_everywhere(Permission.INSPECTION_PLAN)
    _check(wish)
    found = read_columns(
        session,
        select(
            InspectionPoint.id,
            InspectionPoint.code,
            InspectionPoint.name,
            InspectionPoint.site_type,
            InspectionPoint.area_id,
            InspectionPoint.geometry,
        )
        .where(InspectionPoint.in_force(day))
        .order_by(InspectionPoint.id),
    )
    order = np.argsort(found["id"])
    found = {name: values[order] for name, values in found.items()}
    rows, drawn_from = _chosen(found, wish)
    middle = shapely.point_on_surface(found["geometry"][rows])
    router = network.router(wish.profile)
    snapped = router.snap(shapely.get_x(middle), shapely.get_y(middle), limit_m=SNAP_M)
    for i, fault in snapped.faults().items():
        raise GeometryError(
            "{name} cannot be reached: {reason}", name=str(found["name"][rows[i]]), reason=explain(fault)
        )
    sequence = np.arange(len(rows)) if wish.codes and wish.keep_order else _ordered(router, snapped, wish)
    ways = _ways(router, network.measure(wish.profile) if wish.shortest else router, snapped, sequence)
    hops = [round(seconds) + wish.minutes_at_stop * 60 for _, _, seconds in ways]
    along = np.r_[0.0, np.cumsum([metres for _, metres, _ in ways])]
    line = shapely.remove_repeated_points(shapely.LineString(np.concatenate([part for part, *_ in ways])))
    arrives = np.r_[0, np.cumsum(hops)].astype(np.int64)
    return Tour(wish, found["id"][rows[sequence]], arrives, along, line, float(along[-1]), drawn_from)


def check(session: Session, wish: TourWish, *, day: date) -> None:
    """Say at once whether a wish makes sense and all of its points are there, before a long search begins.

    Raises
    ------
    InvalidValueError
        If not; all unknown codes are named.
    """
    _check(wish)
    if wish.codes:
        query = select(InspectionPoint.code).where(InspectionPoint.in_force(day)).order_by(InspectionPoint.id)
        _chosen({"code": np.array(list(session.scalars(query)), dtype=object)}, wish)


def _check(wish: TourWish) -> None:
    if not wish.name.strip():
        raise InvalidValueError("Give the route a name.", parameter="name")
    named = len({_spelt(code) for code in wish.codes})
    if wish.codes and not 2 <= named <= MOST_STOPS:
        raise InvalidValueError(
            "Expected from {least} to {most} different points; found {found}.",
            parameter="codes",
            least=2,
            most=MOST_STOPS,
            found=named,
        )
    for name, value, least, most in (
        ("minutes_at_stop", wish.minutes_at_stop, 0, 240),
        ("size", wish.size, 2, MOST_STOPS),
        ("seed", wish.seed, 0, 2**31 - 1),
    ):
        if not least <= value <= most:
            raise InvalidValueError(
                "Expected a whole number from {least} to {most}; found {found}.",
                parameter=name,
                least=least,
                most=most,
                found=value,
            )


def _spelt(code: str) -> str:
    """Make codes equal that look alike: a Chinese keyboard may write them in full width."""
    return unicodedata.normalize("NFKC", code).casefold()


def _chosen(found: dict[str, NDArray[np.object_]], wish: TourWish) -> tuple[NDArray[np.int64], int | None]:
    if wish.codes:
        by_code = {_spelt(code): n for n, code in enumerate(found["code"].tolist())}
        typed = {_spelt(code): code for code in wish.codes}
        wanted_codes = list(typed)
        unknown = [code for key, code in typed.items() if key not in by_code]
        if unknown:
            raise InvalidValueError(
                "There are no inspection points with these codes: {codes}.",
                parameter="codes",
                codes=listed(unknown),
            )
        return np.array([by_code[code] for code in wanted_codes], dtype=np.int64), None
    wanted = np.isin(found["site_type"].astype(str), wish.site_types)
    among = np.flatnonzero(wanted) if wish.site_types else np.arange(len(found["id"]))
    if len(among) < 2:
        raise InvalidValueError(
            "Expected at least two inspection points to draw from; found {found}.",
            parameter="site_types",
            found=len(among),
        )
    stratum = strata({name: found[name][among] for name in ("site_type", "area_id")})
    return among[draw(stratum, min(wish.size, len(among)), wish.seed)], len(among)


def strata(points: dict[str, NDArray[np.object_]]) -> NDArray[np.int64]:
    """Number the stratum of each point, shape (n,): its type and area; columns ``site_type``, ``area_id``."""
    _, kind = np.unique(points["site_type"].astype(str), return_inverse=True)
    return kind.astype(np.int64) * (1 << 32) + points["area_id"].astype(np.int64) + 1


def _ordered(router: Router, snapped: Snapped, wish: TourWish) -> NDArray[np.int64]:
    """Order of the stops in which the tour is the quickest."""
    count = len(snapped)
    far = router.matrix(snapped)
    seconds = np.where(np.isfinite(far), np.rint(far), UNREACHABLE).astype(np.int64)
    # The tour ends wherever its last stop is: a node from nowhere to nowhere, as near to all.
    grown = np.zeros((count + 1, count + 1), dtype=np.int64)
    grown[:count, :count] = seconds
    travel = Travel(seconds=grown, metres=grown)
    stay = wish.minutes_at_stop * 60
    longest = int(np.where(seconds < UNREACHABLE, seconds, 0).max(axis=1).sum())
    day = Window(0, longest + count * stay)
    problem = Problem(
        travel=(travel,),
        tasks=tuple(Task.place(n, stay, name=str(n)) for n in range(1 if wish.codes else 0, count)),
        workers=(Worker(start=0 if wish.codes else count, end=count, shift=day),),
    )
    plan = solve(problem, _SEARCH, seed=wish.seed).plan
    if plan.unfitted or not plan.routes:
        raise GeometryError("There is no way through all of these points.")
    (route,) = plan.routes
    first = 1 if wish.codes else 0
    sequence = np.array([visit.task + first for visit in route.visits], dtype=np.int64)
    return np.r_[0, sequence] if wish.codes else sequence


def _ways(
    router: Router, finder: Router, snapped: Snapped, sequence: NDArray[np.int64]
) -> list[tuple[NDArray[np.float64], float, float]]:
    """Coordinates, metres and seconds of the way from each stop to the next.

    The ways are found by `finder`, perhaps the shortest, and timed by `router`.
    """
    found = []
    for start, end in zip(sequence[:-1].tolist(), sequence[1:].tolist(), strict=True):
        way = finder.path(snapped, snapped, start, end)
        seconds = way.seconds
        if finder is not router:
            taken = router.seconds[way.arcs]
            beyond = way.begin * taken[0] + (1.0 - way.end) * taken[-1]
            seconds = max(float(taken.sum() - beyond), 0.0)
        found.append((shapely.get_coordinates(way.line), way.metres, seconds))
    return found


def lay(session: Session, actor: Actor, tour: Tour, *, now: datetime) -> InspectionRoute:
    """Keep a route with its stops.

    Parameters
    ----------
    session
        Of a writing transaction.
    """
    wish, stay = tour.wish, timedelta(minutes=tour.wish.minutes_at_stop)
    route = InspectionRoute(
        name=wish.name.strip()[:200],
        profile=wish.profile,
        starts_at=wish.starts_at,
        ends_at=wish.starts_at + timedelta(seconds=int(tour.arrives_s[-1])) + stay,
        minutes_at_stop=wish.minutes_at_stop,
        drawn_from=tour.drawn_from,
        seed=None if tour.drawn_from is None else wish.seed,
        metres=round(tour.metres),
        geometry=f"SRID=4326;{shapely.to_wkt(tour.line, rounding_precision=7)}",
        actor=actor.name,
        at=now,
    )
    session.add(route)
    session.flush()
    stops: Sequence[tuple[int, int, float]] = list(
        zip(tour.points.tolist(), tour.arrives_s.tolist(), tour.along_m.tolist(), strict=True)
    )
    for position, (point, seconds, along) in enumerate(stops):
        at = wish.starts_at + timedelta(seconds=seconds)
        session.add(
            InspectionStop(
                route_id=route.id,
                position=position,
                point_id=point,
                arrives_at=at,
                leaves_at=at + stay,
                along_m=round(along),
            )
        )
    session.flush()
    return route


def remove_route(session: Session, actor: Actor, uid: uuid.UUID) -> None:
    """Remove a route with its stops and posts.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    actor.scope_everywhere(Permission.INSPECTION_PLAN)
    route = session.scalar(select(InspectionRoute).where(InspectionRoute.uid == uid).with_for_update())
    if route is None:
        raise NotFoundError("There is no such route.")
    for post in session.scalars(select(InspectionPost).where(InspectionPost.route_id == route.id)):
        session.delete(post)
    session.flush()
    for stop in session.scalars(select(InspectionStop).where(InspectionStop.route_id == route.id)):
        session.delete(stop)
    session.flush()
    session.delete(route)
    session.flush()
