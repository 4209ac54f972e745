"""Other tours through the same points, or through others: what if they go differently."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from gridmap.errors import InvalidValueError
from gridmap.inspections.models import InspectionRoute, InspectionStop
from gridmap.inspections.preparing import expect
from gridmap.inspections.queries import Passed, see
from gridmap.inspections.tour import Tour, TourWish, check, trace
from gridmap.places.models import Area, InspectionPoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from gridmap.inspections.deduction_table import DeductionTable
    from gridmap.inspections.queries import Seen
    from gridmap.patrols.network import Network
    from gridmap.people.permissions import Actor

__all__ = ["MOST_TRIED", "Alternative", "Laid", "Way", "alternatives"]

MOST_TRIED = 40
"""Points for which an answer comes at once."""


_SAME_WAY = 2e-5
"""Degrees, some two metres."""


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A tour as it is kept."""

    line: shapely.LineString
    stops: tuple[Passed, ...]
    metres: float


class Way(StrEnum):
    """How a tour goes through its points."""

    GIVEN = "given"
    QUICKEST = "quickest"
    REVERSED = "reversed"
    SHORTEST = "shortest"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alternative:
    """A tour that is not kept.

    Attributes
    ----------
    stops
        With their points, in order; not of the store.
    ends_at
        When the assessors leave the last one.
    in_sight
        Open problems that would be seen.
    deductions
        To expect if they came now.
    """

    way: Way
    tour: Tour
    stops: tuple[Passed, ...]
    ends_at: datetime
    in_sight: int
    deductions: float


def alternatives(
    session: Session,
    actor: Actor,
    wish: TourWish,
    *,
    network: Network,
    day: date,
    now: datetime,
    table: DeductionTable,
    laid: Laid | None = None,
) -> list[Alternative]:
    """Lay several tours through named points: as given, the quickest, the other way round, the shortest.

    The quickest one is left out where it is the one given.

    Parameters
    ----------
    wish
        With codes; the first one is where it starts.
    day
        On which the points must be in force.
    table
        What a problem costs.
    laid
        The tour that is laid. One that goes the same way is told along its line: found anew, the line differs
        by centimetres, and what lies on the edge of a place would count in another one.

    Raises
    ------
    InvalidValueError, geodata.errors.GeometryError
        If the wish cannot be met.
    """
    if not 2 <= len(wish.codes) <= MOST_TRIED:
        raise InvalidValueError(
            "Expected from {least} to {most} different points; found {found}.",
            parameter="codes",
            least=2,
            most=MOST_TRIED,
            found=len(wish.codes),
        )
    check(session, wish, day=day)
    found = [(Way.GIVEN, trace(session, actor, replace(wish, keep_order=True), network=network, day=day))]
    quickest = trace(session, actor, wish, network=network, day=day)
    if quickest.points.tolist() != found[0][1].points.tolist():
        found.append((Way.QUICKEST, quickest))
    points = _points(session, quickest)
    codes = tuple(points[one][0].code for one in quickest.points.tolist())
    for way, order, shortest in ((Way.REVERSED, codes[::-1], False), (Way.SHORTEST, codes, True)):
        other = replace(wish, codes=order, keep_order=True, shortest=shortest)
        tour = trace(session, actor, other, network=network, day=day)
        if all(tour.line != known.line for _, known in found):
            found.append((way, tour))
    return [
        _told(
            session,
            actor,
            (way, _as_laid(tour, laid)),
            points,
            lambda seen: expect(seen, wish.profile, table),
            now=now,
        )
        for way, tour in found
    ]


def _as_laid(tour: Tour, laid: Laid | None) -> Tour:
    """The tour on the line that was laid, where it goes the same way."""
    if laid is None or tour.points.tolist() != [one.point.id for one in laid.stops]:
        return tour
    if shapely.hausdorff_distance(tour.line, laid.line) > _SAME_WAY:
        return tour
    along = np.array([one.stop.along_m for one in laid.stops], dtype=float)
    return replace(tour, line=laid.line, along_m=along, metres=float(laid.metres))


def _points(session: Session, tour: Tour) -> dict[int, tuple[InspectionPoint, str]]:
    rows = session.execute(
        select(InspectionPoint, Area.name)
        .outerjoin(Area, Area.id == InspectionPoint.area_id)
        .where(InspectionPoint.id.in_(tour.points.tolist()))
    )
    return {point.id: (point, area or "") for point, area in rows}


def _told(
    session: Session,
    actor: Actor,
    laid: tuple[Way, Tour],
    points: dict[int, tuple[InspectionPoint, str]],
    costs: Callable[[Seen], float],
    *,
    now: datetime,
) -> Alternative:
    way, tour = laid
    stay, begins = timedelta(minutes=tour.wish.minutes_at_stop), tour.wish.starts_at
    stops = []
    for position, (point, seconds, along) in enumerate(
        zip(tour.points.tolist(), tour.arrives_s.tolist(), tour.along_m.tolist(), strict=True)
    ):
        at = begins + timedelta(seconds=seconds)
        stop = InspectionStop(position=position, arrives_at=at, leaves_at=at + stay, along_m=round(along))
        stops.append(Passed(stop, *points[point]))
    route = InspectionRoute(starts_at=begins, profile=tour.wish.profile)
    seen = see(session, actor, route, tour.line, tuple(stops), now=now)
    return Alternative(
        way=way,
        tour=tour,
        stops=tuple(stops),
        ends_at=stops[-1].stop.leaves_at,
        in_sight=int((~seen.corridor.hidden).sum()),
        deductions=costs(seen),
    )
