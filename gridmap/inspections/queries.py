"""Reads of assessors' routes: the minute plan, and what would be seen along it if they came now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.ops import substring
from sqlalchemy import func, select

from gridmap.errors import NotFoundError
from gridmap.inspections.corridor import SEEN_M, Corridor, Window, exposure, look, worst_window
from gridmap.inspections.models import InspectionRoute, InspectionStop
from gridmap.people.permissions import Permission
from gridmap.places.models import Area, Building, InspectionPoint
from gridmap.problems.models import Problem, State
from gridmap.store.extract import read_columns
from gridmap.store.spatial import Box, in_box

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["Passed", "Seen", "read_route", "read_routes", "see", "shapes_of"]

_DEGREE_M = 111_000.0
_PIECE_DEGREES = 0.005
_WINDOWS_M = (200.0, 500.0)


@dataclass(frozen=True, slots=True)
class Passed:
    """A stop of the minute plan."""

    stop: InspectionStop
    point: InspectionPoint
    area: str


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Open problems along a route, in the order in which they are passed.

    Attributes
    ----------
    numbers
        Case numbers, shape (k,).
    lon, lat
        Where they are, degrees, shape (k,).
    corridor
        Where and how each is seen.
    passes_at
        When the assessors pass each, datetime64[us] in UTC, shape (k,).
    due_before
        Whether each must be fixed before that and still can be in time, shape (k,): if its organisation keeps
        its time, it is gone.
    overdue
        Whether the time for fixing is over, shape (k,).
    fixed
        Whether each is reported as fixed and waits to be verified, shape (k,).
    severity, category, organisation
        Of each; rows of the store, -1 for none; shape (k,).
    exposure
        Severity in sight on each 100 m.
    windows
        The worst 200 m and 500 m; None where nothing is in sight.
    """

    numbers: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    corridor: Corridor
    passes_at: NDArray[np.datetime64]
    due_before: NDArray[np.bool_]
    overdue: NDArray[np.bool_]
    fixed: NDArray[np.bool_]
    severity: NDArray[np.int64]
    category: NDArray[np.int64]
    organisation: NDArray[np.int64]
    exposure: NDArray[np.float64]
    windows: dict[float, Window | None]


def read_routes(session: Session) -> list[tuple[InspectionRoute, int]]:
    """Return all routes with the number of their stops, the latest first."""
    count = (
        select(func.count()).where(InspectionStop.route_id == InspectionRoute.id).correlate(InspectionRoute)
    ).scalar_subquery()
    rows = session.execute(
        select(InspectionRoute, count).order_by(InspectionRoute.starts_at.desc(), InspectionRoute.id.desc())
    )
    return [(route, stops) for route, stops in rows]


def read_route(
    session: Session, uid: uuid.UUID
) -> tuple[InspectionRoute, shapely.LineString, tuple[Passed, ...]]:
    """Return a route, its line in EPSG:4326, and its stops in order.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = session.execute(
        select(InspectionRoute, func.ST_AsBinary(InspectionRoute.geometry)).where(InspectionRoute.uid == uid)
    ).first()
    if row is None:
        raise NotFoundError("There is no such route.")
    route, line = row
    stops = session.execute(
        select(InspectionStop, InspectionPoint, Area.name)
        .join(InspectionPoint, InspectionPoint.id == InspectionStop.point_id)
        .outerjoin(Area, Area.id == InspectionPoint.area_id)
        .where(InspectionStop.route_id == route.id)
        .order_by(InspectionStop.position)
    )
    passed = tuple(Passed(stop, point, area or "") for stop, point, area in stops)
    return route, shapely.LineString(shapely.get_coordinates(shapely.from_wkb(bytes(line)))), passed


def see(
    session: Session,
    actor: Actor,
    route: InspectionRoute,
    line: shapely.LineString,
    stops: tuple[Passed, ...],
    *,
    now: datetime,
) -> Seen:
    """Find what is open now and would be seen from a route.

    Parameters
    ----------
    actor
        Sees the problems in their scope.
    route, line, stops
        Of `read_route`.
    now
        In any zone.
    """
    points = shapes_of(session, [one.point.id for one in stops])
    box = _around(shapely.union_all([line, *(shapely.box(*one.bounds) for one in points)]))
    found = read_columns(
        session,
        select(
            Problem.id,
            Problem.lon,
            Problem.lat,
            Problem.severity,
            Problem.category_id,
            Problem.state,
            Problem.fix_due_at,
            Problem.area_id,
            Problem.organisation_id,
        ).where(in_box(session, Problem, box), Problem.state.not_in([s for s in State if s.resolved])),
    )
    inside = actor.scope(Permission.PROBLEM_READ).covers_each(found["area_id"], found["organisation_id"])
    found = {name: values[inside] for name, values in found.items()}
    corridor = look(line, found["lon"], found["lat"], _buildings(session, line), stops=points)
    near = corridor.near
    weight = np.where(corridor.hidden, 0.0, found["severity"][near].astype(float))
    passes = _passing(route, stops, corridor.along_m)
    at_stop = corridor.stop >= 0
    arrivals = np.array([_utc(one.stop.arrives_at) for one in stops], dtype="datetime64[us]")
    passes[at_stop] = np.minimum(passes[at_stop], arrivals[corridor.stop[at_stop]])
    due = found["fix_due_at"][near]
    moment = _utc(now)
    return Seen(
        found["id"][near],
        found["lon"][near],
        found["lat"][near],
        corridor,
        passes,
        ~np.isnat(due) & (moment <= due) & (due <= passes),
        ~np.isnat(due) & (due < moment),
        np.isin(found["state"][near], [list(State).index(one) for one in (State.FIXED, State.VERIFIED)]),
        found["severity"][near].astype(np.int64),
        found["category_id"][near].astype(np.int64),
        found["organisation_id"][near].astype(np.int64),
        exposure(corridor.along_m, weight, corridor.length_m),
        {span: worst_window(corridor.along_m, weight, span) for span in _WINDOWS_M},
    )


def shapes_of(session: Session, points: list[int]) -> NDArray[np.object_]:
    """Shapes of inspection points by their rows in the store, EPSG:4326, shape (n,)."""
    rows = read_columns(
        session, select(InspectionPoint.id, InspectionPoint.geometry).where(InspectionPoint.id.in_(points))
    )
    by_id = dict(zip(rows["id"].tolist(), rows["geometry"], strict=True))
    shapes: NDArray[np.object_] = np.array([by_id[one] for one in points], dtype=object)
    return shapes


def _around(line: BaseGeometry) -> Box:
    """Box with everything that can be seen from a line."""
    west, south, east, north = line.bounds
    up = SEEN_M / _DEGREE_M
    aside = float(up / np.cos(np.radians((south + north) / 2)))
    return west - aside, south - up, east + aside, north + up


def _buildings(session: Session, line: shapely.LineString) -> NDArray[np.object_]:
    """Buildings along a line, asked for piece by piece: the box of a long route holds the whole city."""
    pieces = max(1, round(line.length / _PIECE_DEGREES))
    ends = np.linspace(0.0, 1.0, pieces + 1)
    found: dict[int, Any] = {}
    for begin, end in pairwise(ends.tolist()):
        box = _around(substring(line, begin, end, normalized=True))
        rows = read_columns(
            session, select(Building.id, Building.geometry).where(in_box(session, Building, box))
        )
        found |= dict(zip(rows["id"].tolist(), rows["geometry"], strict=True))
    buildings: NDArray[np.object_] = np.array(list(found.values()), dtype=object)
    return buildings


def _utc(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def _passing(
    route: InspectionRoute, stops: tuple[Passed, ...], along_m: NDArray[np.float64]
) -> NDArray[np.datetime64]:
    """When places along the route are passed, between leaving one stop and reaching the next."""
    begin = route.starts_at

    def seconds(at: datetime) -> float:
        return (at - begin) / timedelta(seconds=1)

    known_m = np.repeat([float(one.stop.along_m) for one in stops], 2)
    known_s = np.array(
        [seconds(at) for one in stops for at in (one.stop.arrives_at, one.stop.leaves_at)], dtype=float
    )
    # A stop stands for two times at one metre; a hair between them keeps them in order.
    known_m[1::2] += 1e-6
    after = np.rint(np.interp(along_m, known_m, known_s) * 1e6).astype("timedelta64[us]")
    passes: NDArray[np.datetime64] = _utc(begin) + after
    return passes
