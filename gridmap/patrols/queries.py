"""Reads of patrol plans: by whoever plans an area all of its rounds, by everybody else their own."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import exists, false, func, or_, select, true
from sqlalchemy.orm import aliased

from gridmap.errors import NotFoundError
from gridmap.language import N_, gettext
from gridmap.patrols.keeping import versions
from gridmap.patrols.leaving_out import tell_why
from gridmap.patrols.models import PatrolPlan, PatrolRoute, PatrolVisit, VisitKind
from gridmap.patrols.wishes import from_json, units_of
from gridmap.people.models import Person
from gridmap.people.permissions import Permission
from gridmap.places.models import Area, InspectionPoint, PriorityRoad, Street
from gridmap.problems.models import Category, Problem
from gridmap.store.extract import read_columns
from gridmap.store.spatial import in_box

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session
    from sqlalchemy.sql import ColumnElement

    from gridmap.people.permissions import Actor

__all__ = ["Round", "Shown", "Stage", "read_plan", "read_plans"]

_CORNER = N_("Hot corner")
_BESIDE = 0.0015
"""How far a street may lie to name a corner, degrees of latitude: a square is as wide."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stop of a round, or a walk along one road; stretches of the same road one after the other are one.

    Parameters
    ----------
    uid
        Of the point, the problem or the road; of a hot corner that of the visit.
    number
        Case number of a problem, else None.
    keys
        Of the tasks that it consists of.
    lon, lat
        Degrees, EPSG:4326.
    """

    kind: VisitKind
    uid: uuid.UUID
    name: str
    address: str
    number: int | None
    starts_at: datetime
    finishes_at: datetime
    metres: int
    lon: float
    lat: float
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """What one person walks.

    Attributes
    ----------
    names
        Of who walks it: one or two.
    line
        Longitudes and latitudes, in order.
    lead
        Who leads it as the wish has it, even if they have left since and the other goes alone.
    day
        On which the shift begins.
    colour
        Number of the person among those of the plan.
    """

    route: PatrolRoute
    person: Person
    names: str
    lead: uuid.UUID
    stages: tuple[Stage, ...]
    line: list[list[float]]
    day: date
    colour: int


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A plan as far as a reader may know it.

    Attributes
    ----------
    whole
        Whether all rounds are there, and not only the reader's own.
    unfitted
        Kind, uid, name and reason of what is in no round; none to whoever does not plan.
    versions
        All of the plan, the first one first; whoever does not plan is only told of the newest.
    first
        Identifier of the first version, which all share.
    opens_newest
        Whether the reader may open the newest version: whoever does not plan has a round in it.
    """

    plan: PatrolPlan
    area: Area
    whole: bool
    rounds: tuple[Round, ...]
    unfitted: tuple[dict[str, Any], ...]
    versions: tuple[PatrolPlan, ...]
    first: uuid.UUID
    opens_newest: bool

    @property
    def days(self) -> list[date]:
        """Days with a shift, in order."""
        wish = self.plan.wish
        return list(dict.fromkeys(day for _, day in units_of(from_json(wish)))) if wish else [self.plan.day]

    @property
    def newest(self) -> PatrolPlan:
        """The newest version."""
        return self.versions[-1]


def _planned_by(actor: Actor) -> ColumnElement[bool]:
    """Plans of areas whose patrols the actor plans."""
    if not actor.may(Permission.PATROL_PLAN):
        return false()
    limits = [h.areas for h in actor.scope(Permission.PATROL_PLAN).holdings if h.organisations is None]
    if any(areas is None for areas in limits):
        return true()
    return PatrolPlan.area_id.in_(frozenset().union(*(areas or frozenset() for areas in limits)))


def _own(actor: Actor) -> ColumnElement[bool]:
    return or_(PatrolRoute.person_id == actor.person_id, PatrolRoute.partner_id == actor.person_id)


def _walked_by(actor: Actor) -> ColumnElement[bool]:
    own = select(PatrolRoute.plan_id).where(_own(actor))
    return PatrolPlan.id.in_(own) if actor.person_id is not None else false()


def _superseded() -> ColumnElement[bool]:
    """Plans of which there is a later version."""
    later = aliased(PatrolPlan)
    same = func.coalesce(later.first_id, later.id) == func.coalesce(PatrolPlan.first_id, PatrolPlan.id)
    return exists().where(same, later.version > PatrolPlan.version)


def read_plans(session: Session, actor: Actor, *, limit: int = 100) -> list[dict[str, Any]]:
    """Return the newest plans that the actor may see, with the number of rounds and the metres in each."""
    routes = (
        select(
            PatrolRoute.plan_id, func.count().label("rounds"), func.sum(PatrolRoute.metres).label("metres")
        )
        .group_by(PatrolRoute.plan_id)
        .subquery()
    )
    planned, walked = _planned_by(actor), _walked_by(actor)
    rows = session.execute(
        select(PatrolPlan, Area.name, routes.c.rounds, routes.c.metres, planned.label("whole"))
        .join(Area, Area.id == PatrolPlan.area_id)
        .outerjoin(routes, routes.c.plan_id == PatrolPlan.id)
        .where(or_(planned, walked), ~_superseded())
        .order_by(PatrolPlan.day.desc(), PatrolPlan.id.desc())
        .limit(limit)
    )
    return [
        {"plan": plan, "area": area, "rounds": rounds or 0, "metres": int(metres or 0), "whole": bool(whole)}
        for plan, area, rounds, metres, whole in rows
    ]


def read_plan(session: Session, actor: Actor, uid: uuid.UUID) -> Shown:
    """Return a plan.

    Raises
    ------
    NotFoundError
        If there is none, or the actor neither plans this area nor walks a round of it.
    """
    row = session.execute(
        select(PatrolPlan, Area, _planned_by(actor).label("whole"))
        .join(Area, Area.id == PatrolPlan.area_id)
        .where(PatrolPlan.uid == uid, or_(_planned_by(actor), _walked_by(actor)))
    ).first()
    if row is None:
        raise NotFoundError("There is no such plan, or it lies outside what you may see.")
    plan, area, whole = row
    partner = aliased(Person)
    query = (
        select(PatrolRoute, Person, partner.name, func.ST_AsBinary(PatrolRoute.geometry))
        .join(Person, Person.id == PatrolRoute.person_id)
        .outerjoin(partner, partner.id == PatrolRoute.partner_id)
        .where(PatrolRoute.plan_id == plan.id)
        .order_by(PatrolRoute.id)
    )
    if not whole:
        query = query.where(_own(actor))
    found = session.execute(query).all()
    units = units_of(from_json(plan.wish)) if plan.wish else []
    colours: dict[int, int] = {}
    stages = _stages(session, [route.id for route, *_ in found])
    rounds = tuple(
        Round(
            route,
            person,
            gettext("{one} and {other}", one=person.name, other=other) if other else person.name,
            units[route.unit][0] if route.unit < len(units) else person.uid,
            tuple(stages[route.id]),
            shapely.get_coordinates(shapely.from_wkb(bytes(line))).tolist(),
            units[route.unit][1] if route.unit < len(units) else plan.day,
            colours.setdefault(person.id, len(colours)),
        )
        for route, person, other, line in found
    )
    unfitted = tuple(_named(session, plan.unfitted)) if whole else ()
    known = versions(session, plan)
    mine = select(PatrolRoute.id).where(PatrolRoute.plan_id == known[-1].id, _own(actor)).limit(1)
    return Shown(
        plan,
        area,
        bool(whole),
        rounds,
        unfitted,
        tuple(known if whole else known[-1:]),
        known[0].uid,
        bool(whole) or session.scalar(mine) is not None,
    )


def _stages(session: Session, routes: list[int]) -> dict[int, list[Stage]]:
    query = (
        select(PatrolVisit, InspectionPoint, Problem, Category.name, PriorityRoad)
        .outerjoin(InspectionPoint, InspectionPoint.id == PatrolVisit.point_id)
        .outerjoin(Problem, Problem.id == PatrolVisit.problem_id)
        .outerjoin(Category, Category.id == Problem.category_id)
        .outerjoin(PriorityRoad, PriorityRoad.id == PatrolVisit.road_id)
        .where(PatrolVisit.route_id.in_(routes))
        .order_by(PatrolVisit.route_id, PatrolVisit.position)
    )
    found: dict[int, list[Stage]] = defaultdict(list)
    rows = session.execute(query).all()
    beside = _streets_beside(session, [row[0] for row in rows if row[0].kind is VisitKind.CORNER])
    for visit, point, problem, category, road in rows:
        thing = point or problem or road
        before = found[visit.route_id][-1] if found[visit.route_id] else None
        # A hot corner has no row of its own.
        uid = visit.uid if thing is None else thing.uid
        along = before is not None and visit.kind is VisitKind.ROAD and before.uid == uid
        stage = Stage(
            visit.kind,
            uid,
            category if problem is not None else thing.name if thing else gettext(_CORNER),
            getattr(thing, "address", "") or beside.get(visit.id, ""),
            None if problem is None else problem.id,
            before.starts_at if along and before else visit.starts_at,
            visit.finishes_at,
            visit.metres + (before.metres if along and before else 0),
            before.lon if along and before else visit.lon,
            before.lat if along and before else visit.lat,
            (*(before.keys if along and before else ()), visit.key),
        )
        if along:
            found[visit.route_id][-1] = stage
        else:
            found[visit.route_id].append(stage)
    return found


def _streets_beside(session: Session, corners: Sequence[PatrolVisit]) -> dict[int, str]:
    """Name of the nearest street of each hot corner, which has no address of its own, by the visit's id."""
    if not corners:
        return {}
    lon, lat = (np.array([getattr(visit, side) for visit in corners], dtype=float) for side in ("lon", "lat"))
    aside = _BESIDE / np.cos(np.radians(lat))
    sides = np.stack([lon - aside, lat - _BESIDE, lon + aside, lat + _BESIDE], axis=1)
    near = or_(
        *(in_box(session, Street, (west, south, east, north)) for west, south, east, north in sides.tolist())
    )
    streets = read_columns(session, select(Street.name, Street.geometry).where(near, Street.name != ""))
    corner, street = shapely.STRtree(streets["geometry"]).query(shapely.box(*sides.T))
    points: Any = shapely.points(lon, lat)
    away = shapely.distance(streets["geometry"][street], points[corner])
    order = np.lexsort((street, away, corner))
    which, first = np.unique(corner[order], return_index=True)
    nearest = street[order][first]
    return {
        corners[n].id: str(streets["name"][s]) for n, s in zip(which.tolist(), nearest.tolist(), strict=True)
    }


def _named(session: Session, unfitted: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in unfitted:
        by_kind[one["kind"]].append(one)
    told = []
    for kind, model, name in (
        (VisitKind.POINT, InspectionPoint, InspectionPoint.name),
        (VisitKind.ROAD, PriorityRoad, PriorityRoad.name),
        (VisitKind.PROBLEM, Problem, Category.name),
    ):
        ones = by_kind[kind]
        names: dict[str, str] = {}
        for start in range(0, len(ones), 500):
            query = select(model.uid, name).where(
                model.uid.in_([uuid.UUID(one["uid"]) for one in ones[start : start + 500]])
            )
            if model is Problem:
                query = query.join(Category, Category.id == Problem.category_id)
            names |= {str(uid): text for uid, text in session.execute(query)}
        told += [one | {"name": names.get(one["uid"], ""), "why": tell_why(one)} for one in ones]
    corners = by_kind[VisitKind.CORNER]
    return told + [one | {"name": gettext(_CORNER), "why": tell_why(one)} for one in corners]
