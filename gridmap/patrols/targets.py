"""What a patrol of an area may be sent to: its inspection points, open problems and priority roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import select

from gridmap.deadlines.calendar import as_stamp
from gridmap.patrols.models import VisitKind
from gridmap.patrols.visiting import visiting_of
from gridmap.people.models import Grant, Login, Organisation, Person
from gridmap.people.permissions import Role
from gridmap.places.models import (
    GridCell,
    InspectionPoint,
    PriorityRoad,
    Responsibility,
    ResponsibilityRole,
)
from gridmap.places.queries import VISITS
from gridmap.problems.models import Problem, State
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.patrols.corners import Corner
    from gridmap.patrols.visiting import Visiting
    from gridmap.people.permissions import Scope

__all__ = ["Roads", "Spots", "read_roads", "read_spots", "walkers", "with_corners"]

_WALKING = (ResponsibilityRole.GRID_WORKER, ResponsibilityRole.GRID_LEADER, ResponsibilityRole.ENFORCEMENT)
_POINT_WORTH = np.array([0, 5400, 1800, 900])
"""Of a point by its priority, in seconds of somebody's time."""
_PROBLEM_WORTH = 900
"""Of a problem, times its severity; twice that when it is overdue or waits to be verified."""


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Places to stop at.

    Attributes
    ----------
    kind
        Of each, in a tuple of n.
    id
        Row of the inspection point or the problem, int64, shape (n,).
    lon, lat
        Degrees, EPSG:4326, shape (n,).
    worth
        Seconds of somebody's time that may be spent to get there, int64, shape (n,).
    """

    kind: tuple[VisitKind, ...]
    id: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    worth: NDArray[np.int64]
    own: tuple[Visiting | None, ...] = ()
    """What each has of its own; nothing at all where none has."""

    def own_of(self, place: int) -> Visiting | None:
        """Return what a place has of its own."""
        return self.own[place] if self.own else None

    def __len__(self) -> int:
        """Count the places."""
        return len(self.id)


@dataclass(frozen=True, slots=True, eq=False)
class Roads:
    """Priority roads in force.

    Attributes
    ----------
    id, level
        Shape (n,).
    hours
        In which they matter, as written; shape (n,).
    per_day
        How often a day they are to be patrolled, as entered; shape (n,).
    geometry
        Lines, EPSG:4326, shape (n,).
    """

    id: NDArray[np.int64]
    level: NDArray[np.int64]
    hours: NDArray[np.object_]
    geometry: NDArray[np.object_]
    per_day: NDArray[np.int64]


def read_spots(
    session: Session, areas: frozenset[int], *, day: date, now: datetime, points: bool, problems: bool
) -> Spots:
    """Read the points in force on a day and the problems that are open, in some areas.

    Parameters
    ----------
    areas
        Ids.
    points, problems
        Which of them are wanted.
    """
    parts = []
    own: tuple[Visiting | None, ...] = ()
    if points:
        found = read_columns(
            session,
            select(
                InspectionPoint.id,
                InspectionPoint.priority,
                InspectionPoint.geometry,
                *(getattr(InspectionPoint, name) for name in VISITS),
            )
            .where(InspectionPoint.in_force(day), InspectionPoint.area_id.in_(areas))
            .order_by(InspectionPoint.id),
        )
        centre = shapely.point_on_surface(found["geometry"])
        worth = _POINT_WORTH[np.clip(found["priority"], 1, 3)]
        parts.append((VisitKind.POINT, found["id"], shapely.get_x(centre), shapely.get_y(centre), worth))
        own = tuple(map(visiting_of, *(found[name].tolist() for name in VISITS)))
    if problems:
        found = read_columns(
            session,
            select(Problem.id, Problem.lon, Problem.lat, Problem.severity, Problem.state, Problem.due_at)
            .where(
                Problem.area_id.in_(areas), Problem.state.not_in([state for state in State if state.resolved])
            )
            .order_by(Problem.id),
        )
        urgent = (found["due_at"] < as_stamp(now)) | (found["state"] == list(State).index(State.FIXED))
        worth = _PROBLEM_WORTH * found["severity"].astype(np.int64) * np.where(urgent, 2, 1)
        parts.append((VisitKind.PROBLEM, found["id"], found["lon"], found["lat"], worth))
    kinds = tuple(part[0] for part in parts for _ in range(len(part[1])))
    joined: list[NDArray[Any]] = [
        np.concatenate([np.asarray(part[n], dtype=float if n in {2, 3} else np.int64) for part in parts])
        if parts
        else np.zeros(0)
        for n in range(1, 5)
    ]
    row, lon, lat, value = joined
    return Spots(kinds, row, lon, lat, value, (*own, *[None] * (len(kinds) - len(own))))


def with_corners(spots: Spots, corners: Sequence[Corner]) -> Spots:
    """Add hot corners to the places; their ids are the numbers of their squares."""
    return Spots(
        (*spots.kind, *(VisitKind.CORNER for _ in corners)),
        np.append(spots.id, np.array([one.square for one in corners], dtype=np.int64)).astype(np.int64),
        np.append(spots.lon, [one.lon for one in corners]),
        np.append(spots.lat, [one.lat for one in corners]),
        np.append(spots.worth, np.array([one.worth for one in corners], dtype=np.int64)).astype(np.int64),
        (*spots.own, *[None] * len(corners)) if spots.own else (),
    )


def read_roads(session: Session, areas: frozenset[int], *, day: date) -> Roads:
    """Read the priority roads in force on a day in some areas."""
    found = read_columns(
        session,
        select(
            PriorityRoad.id,
            PriorityRoad.level,
            PriorityRoad.hours,
            PriorityRoad.geometry,
            PriorityRoad.patrols_per_day,
        )
        .where(PriorityRoad.in_force(day), PriorityRoad.area_id.in_(areas))
        .order_by(PriorityRoad.id),
    )
    return Roads(found["id"], found["level"], found["hours"], found["geometry"], found["patrols_per_day"])


def walkers(session: Session, areas: frozenset[int], scope: Scope, *, day: date) -> list[Person]:
    """People who can be sent on patrol in some areas on a day, by name.

    Those who hold a cell, a point or a road there as grid worker, grid leader or for enforcement, and those
    whose login is a grid worker's or a patrol member's there.

    Parameters
    ----------
    areas
        Ids.
    scope
        Where whoever asks may know people.
    """
    held = [
        select(Responsibility.person_id)
        .join(model, model.id == column)
        .where(Responsibility.in_force(day), Responsibility.role.in_(_WALKING), model.area_id.in_(areas))
        for model, column in (
            (GridCell, Responsibility.cell_id),
            (InspectionPoint, Responsibility.point_id),
            (PriorityRoad, Responsibility.road_id),
        )
    ]
    sent = (
        select(Login.person_id)
        .join(Grant, Grant.login_id == Login.id)
        .where(
            Login.disabled.is_(False),
            Grant.role.in_((Role.GRID_WORKER, Role.PATROL_MEMBER)),
            Grant.area_id.in_(areas),
        )
    )
    query = (
        select(Person, Organisation.area_id)
        .outerjoin(Organisation, Organisation.id == Person.organisation_id)
        .where(Person.in_force(day), Person.id.in_(held[0].union(*held[1:], sent)))
        .order_by(Person.name, Person.id)
    )
    return [
        person
        for person, area in session.execute(query)
        if scope.everywhere or scope.covers(area, person.organisation_id)
    ]
