"""Those who are sent: their own hours, start, end, ground and way of moving, and who goes together."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import select

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.patrols.planning import Worker
from gridmap.patrols.wishes import Detail, detail_of, pause_in, shift_for, shifts
from gridmap.places.models import Area, InspectionPoint
from gridmap.places.queries import areas_below
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from geodata.travel import Profile
    from gridmap.patrols.network import Network
    from gridmap.patrols.wishes import Wish

__all__ = ["START_REACH_M", "Team", "Unit", "assemble_team", "check_places"]

START_REACH_M = 1500.0
"""How far from a street somebody may start or end, metres."""
_NOWHERE = shapely.Polygon()
_PLACE = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*[,，\s]\s*(-?\d{1,2}(?:\.\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Unit:
    """Who goes out once: somebody on a day, perhaps together with somebody else.

    Parameters
    ----------
    person, partner
        Rows.
    """

    person: int
    day: date
    partner: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Team:
    """Everybody who is sent.

    Attributes
    ----------
    units, workers, limits
        Of each: who it is, what the planner is told, and the ground to which they are sent (None: all).
    profiles
        Ways of moving, in the order of `Worker.travel`.
    starts
        Longitudes and latitudes of the nodes where they start and end, after the common one, which is node 0.
    """

    units: tuple[Unit, ...]
    workers: tuple[Worker, ...]
    limits: tuple[Any, ...]
    profiles: tuple[Profile, ...]
    starts: tuple[tuple[float, float], ...]


def check_places(session: Session, wish: Wish, areas: frozenset[int], network: Network | None = None) -> None:
    """Refuse starts and ends of somebody's own that are no places, or far from every street.

    Parameters
    ----------
    network
        Whose streets; None: they are not looked at.

    Raises
    ------
    InvalidValueError
        With ``start-`` or ``end-`` and the person as its parameter.
    """
    for person in wish.leading:
        own = detail_of(wish, person)
        for name, text in (("start", own.start), ("end", own.end)):
            if text:
                parameter = f"{name}-{person}"
                lon, lat = _place(session, areas, text, day=wish.day, parameter=parameter)
                if network is not None:
                    far = network.router(own.profile or wish.profile).snap(lon, lat, limit_m=START_REACH_M)
                    for fault in far.faults().values():
                        raise InvalidValueError(fault.message, parameter=parameter, **fault.params)


def assemble_team(
    session: Session,
    wish: Wish,
    ids: Mapping[uuid.UUID, int],
    areas: frozenset[int],
    *,
    absent: frozenset[uuid.UUID] = frozenset(),
) -> Team:
    """Read what a wish says of its people.

    Parameters
    ----------
    ids
        Rows of the people.
    areas
        In which the patrols are.
    absent
        Who cannot be sent any more. The other of two goes alone; a unit of which nobody is left keeps its
        place, and nothing may be given to it.

    Raises
    ------
    InvalidValueError
        If a start or an end is no place, or hours make no sense.
    NotFoundError
        If somebody is sent to an area that is not there.
    """
    own_ways = (detail_of(wish, person).profile for person in wish.leading)
    profiles = list(dict.fromkeys([wish.profile, *(one for one in own_ways if one)]))
    nodes: dict[tuple[float, float], int] = {}
    grounds: dict[str, Any] = {}
    units, workers, limits = [], [], []
    for day, usual in shifts(wish):
        for person in wish.leading:
            own = detail_of(wish, person)
            together = [one for one in (person, own.partner) if one is not None and one not in absent]
            away = not together
            if away:
                # Nothing of theirs is read: it may be gone with them.
                own = Detail()
            shift = shift_for(wish, person, day, usual)
            ends = []
            for name, text in (("start", own.start), ("end", own.end) if own.end else ("start", own.start)):
                parameter = f"{name}-{person}"
                place = _place(session, areas, text, day=wish.day, parameter=parameter) if text else None
                ends.append(0 if place is None else nodes.setdefault(place, len(nodes) + 1))
            first, *second = [ids[one] for one in together or [person]]
            units.append(Unit(first, day, second[0] if second else None))
            workers.append(
                Worker(
                    start=ends[0],
                    end=ends[1],
                    shift=shift,
                    pause=pause_in(wish, shift),
                    travel=profiles.index(own.profile or wish.profile),
                    name=str(ids[person]),
                )
            )
            if own.area and own.area not in grounds:
                grounds[own.area] = _ground(session, areas, own.area)
            limits.append(_NOWHERE if away else grounds[own.area] if own.area else None)
    return Team(tuple(units), tuple(workers), tuple(limits), tuple(profiles), tuple(nodes))


def _place(
    session: Session, areas: frozenset[int], text: str, *, day: date, parameter: str
) -> tuple[float, float]:
    """Longitude and latitude of a place given by them or by the code of a point."""
    if found := _PLACE.fullmatch(text):
        lon, lat = map(float, found.groups())
        if abs(lon) <= 180 and abs(lat) <= 90:
            return lon, lat
    query = (
        select(InspectionPoint.geometry)
        .where(
            InspectionPoint.code == text.strip(),
            InspectionPoint.area_id.in_(areas),
            InspectionPoint.in_force(day),
        )
        .order_by(InspectionPoint.id)
    )
    shapes = read_columns(session, query)["geometry"]
    if not len(shapes):
        raise InvalidValueError(
            "Expected longitude and latitude such as 121.47,31.23, or the code of a point in this area; "
            "found {found!r}.",
            parameter=parameter,
            found=text[:60],
        )
    middle = shapely.point_on_surface(shapes[0])
    return float(middle.x), float(middle.y)


def _ground(session: Session, areas: frozenset[int], text: str) -> Any:
    """The shape of an area in which somebody patrols."""
    area = session.scalar(select(Area).where(Area.uid == uuid.UUID(text), Area.id.in_(areas)))
    if area is None:
        raise NotFoundError("The area to which somebody is sent is not in the area that is planned.")
    below: Sequence[int] = sorted(areas_below(session, area.id) | {area.id})
    shapes = read_columns(session, select(Area.geometry).where(Area.id.in_(below)))["geometry"]
    ground = shapely.union_all([shape for shape in shapes if shape is not None])
    shapely.prepare(ground)
    return ground
