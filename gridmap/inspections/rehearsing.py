"""Rehearsing an assessment on what is open now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from geodata.projection import LocalProjection
from gridmap.errors import InvalidValueError
from gridmap.inspections.corridor import SEEN_M
from gridmap.inspections.rehearsal import Exposed, Rehearsed, rehearse
from gridmap.inspections.tour import MOST_STOPS, strata
from gridmap.people.permissions import Permission
from gridmap.places.models import Area, InspectionPoint, Street
from gridmap.problems.models import Problem, State
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.inspections.deduction_table import DeductionTable
    from gridmap.people.permissions import Actor

__all__ = ["DRAWS", "Hurting", "Rehearsal", "RehearsalWish", "hold_rehearsal"]

DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalWish:
    """How samples are drawn.

    Parameters
    ----------
    size, seed, site_types
        As of `gridmap.inspections.tour.TourWish`.
    table
        What a problem costs.
    limit
        The most points that one place loses.
    """

    table: DeductionTable
    limit: float
    size: int = 12
    seed: int = 0
    site_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hurting:
    """A point or a street that costs points.

    Parameters
    ----------
    drawn
        Share of the samples that it is in; of a street, that some of its problems are near.
    lost
        Points where it is drawn, on average; of a street the same as `costs`.
    costs
        Points of the mean score.
    """

    name: str
    code: str
    area: str
    problems: int
    drawn: float
    lost: float
    costs: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsal:
    """What came out, for a page."""

    found: Rehearsed
    among: int
    points: tuple[Hurting, ...]
    streets: tuple[Hurting, ...]


def hold_rehearsal(
    session: Session, actor: Actor, wish: RehearsalWish, *, day: date, most: int = 15
) -> Rehearsal:
    """Draw a thousand samples and say what score to expect, and which points and streets hurt the most.

    Parameters
    ----------
    day
        On which the points must be in force.
    most
        How many points and streets are named.

    Raises
    ------
    InvalidValueError
        If there are not two points to draw from, or a number makes no sense.
    """
    actor.scope_everywhere(Permission.INSPECTION_PLAN)
    for name, value, least, greatest in (
        ("size", wish.size, 2, MOST_STOPS),
        ("seed", wish.seed, 0, 2**31 - 1),
        ("limit", wish.limit, 0.1, 100),
    ):
        if not least <= value <= greatest:
            raise InvalidValueError(
                "Expected a number from {least} to {most}; found {found}.",
                parameter=name,
                least=least,
                most=greatest,
                found=value,
            )
    places = _places(session, wish, day)
    problems = _problems(session, actor)
    projection = LocalProjection.around(places["geometry"].tolist())
    exposed = _exposed(places, problems, projection, wish.table)
    found = rehearse(strata(places), exposed, size=wish.size, draws=DRAWS, seed=wish.seed, limit=wish.limit)
    return Rehearsal(
        found=found,
        among=len(places["id"]),
        points=tuple(_points(session, places, exposed, found)[:most]),
        streets=tuple(_streets(session, problems, exposed, found, projection)[:most]),
    )


def _places(session: Session, wish: RehearsalWish, day: date) -> dict[str, NDArray[np.object_]]:
    columns = (InspectionPoint.code, InspectionPoint.name, InspectionPoint.site_type, InspectionPoint.area_id)
    found = read_columns(
        session,
        select(InspectionPoint.id, *columns, InspectionPoint.geometry).where(InspectionPoint.in_force(day)),
    )
    order = np.argsort(found["id"])
    if wish.site_types:
        order = order[np.isin(found["site_type"][order].astype(str), wish.site_types)]
    if len(order) < 2:
        raise InvalidValueError(
            "Expected at least two inspection points to draw from; found {found}.",
            parameter="site_types",
            found=len(order),
        )
    return {name: values[order] for name, values in found.items()}


def _problems(session: Session, actor: Actor) -> dict[str, NDArray[np.object_]]:
    columns = (Problem.lon, Problem.lat, Problem.severity, Problem.state)
    found = read_columns(
        session,
        select(Problem.id, *columns, Problem.area_id, Problem.organisation_id).where(
            Problem.state.not_in([state for state in State if state.resolved])
        ),
    )
    inside = actor.scope(Permission.PROBLEM_READ).covers_each(found["area_id"], found["organisation_id"])
    order = np.flatnonzero(inside)[np.argsort(found["id"][inside])]
    return {name: values[order] for name, values in found.items()}


def _exposed(
    places: dict[str, NDArray[np.object_]],
    problems: dict[str, NDArray[np.object_]],
    projection: LocalProjection,
    table: DeductionTable,
) -> Exposed:
    spots = _spots(problems, projection)
    row, near = shapely.STRtree(spots).query(
        projection.forward(places["geometry"]), predicate="dwithin", distance=SEEN_M
    )
    order = np.lexsort((near, row))
    row, near = row[order].astype(np.int64), near[order].astype(np.int64)
    done = [list(State).index(one) for one in (State.FIXED, State.VERIFIED)]
    severity = np.clip(problems["severity"][near].astype(np.int64), 0, len(table.points) - 1)
    return Exposed(
        point=row,
        problem=near,
        points=table.points[severity],
        chance=table.at_stop
        * np.where(np.isin(problems["state"][near].astype(np.int64), done), table.still_there, 1.0),
    )


def _spots(problems: dict[str, NDArray[np.object_]], projection: LocalProjection) -> NDArray[np.object_]:
    x, y = projection.forward_xy(problems["lon"].astype(float), problems["lat"].astype(float))
    spots: NDArray[np.object_] = np.atleast_1d(np.asarray(shapely.points(x, y), dtype=object))
    return spots


def _points(
    session: Session, places: dict[str, NDArray[np.object_]], exposed: Exposed, found: Rehearsed
) -> list[Hurting]:
    areas = dict(session.execute(select(Area.id, Area.name)).all())
    near = np.bincount(exposed.point, minlength=len(found.drawn))
    costs = found.lost * found.drawn / DRAWS
    return [
        Hurting(
            name=str(places["name"][n]),
            code=str(places["code"][n]),
            area=areas.get(places["area_id"][n], ""),
            problems=int(near[n]),
            drawn=float(found.drawn[n]) / DRAWS,
            lost=float(found.lost[n]),
            costs=float(costs[n]),
        )
        for n in _worst(costs)
    ]


def _streets(
    session: Session,
    problems: dict[str, NDArray[np.object_]],
    exposed: Exposed,
    found: Rehearsed,
    projection: LocalProjection,
) -> list[Hurting]:
    """Named streets by what the problems nearest to them cost over all samples."""
    named = read_columns(session, select(Street.name, Street.geometry).where(Street.name != ""))
    hurting = np.unique(exposed.problem[found.hurt > 0])
    if not len(named["name"]) or not len(hurting):
        return []
    spots = _spots({name: values[hurting] for name, values in problems.items()}, projection)
    (row, street), _ = shapely.STRtree(projection.forward(named["geometry"])).query_nearest(
        spots, all_matches=False, return_distance=True
    )
    of = np.full(len(problems["id"]), -1, dtype=np.int64)
    names, number = np.unique(named["name"].astype(str), return_inverse=True)
    of[hurting[row]] = number[street]
    mine = of[exposed.problem]
    known = mine >= 0
    costs = np.bincount(mine[known], weights=found.hurt[known], minlength=len(names)) / DRAWS
    count = np.bincount(of[hurting], minlength=len(names))
    return [
        Hurting(
            name=str(names[n]),
            code="",
            area="",
            problems=int(count[n]),
            drawn=0.0,
            lost=float(costs[n]),
            costs=float(costs[n]),
        )
        for n in _worst(costs)
    ]


def _worst(costs: NDArray[np.float64]) -> Sequence[int]:
    order: list[int] = np.argsort(-costs, kind="stable").tolist()
    return [n for n in order if costs[n] > 0]
