"""The ground in force on a day, as arrays and indices for working out whose a place is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import and_, func, select

from geodata.cell_index import OUTSIDE, CellIndex
from geodata.projection import LocalProjection
from gridmap.people.models import Organisation, OrganisationKind, Person
from gridmap.places.models import Area, AreaLevel, GridCell, PriorityRoad, Responsibility, ResponsibilityRole
from gridmap.store.extract import read_columns
from gridmap.store.remembered import Remembered

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

__all__ = [
    "Ground",
    "Held",
    "Roads",
    "cells_on",
    "first_at",
    "ground_on",
    "ground_with",
    "inherited",
]

_OFFICES = (OrganisationKind.COMMUNITY, OrganisationKind.SUBDISTRICT_OFFICE)

_remembered: Remembered[Ground] = Remembered(3)


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds each place of a kind in one role, arrays of shape (k,) in the order of the places.

    Of several the one who has held it longest counts, then the one written down first.
    """

    person: NDArray[np.int64]
    """Person's id, or -1."""
    organisation: NDArray[np.int64]
    """Id of the organisation named in the responsibility or else the person's own, or -1."""


class Roads:
    """Priority roads, to find the one a place lies at.

    Parameters
    ----------
    lines
        LineStrings or MultiLineStrings, EPSG:4326, shape (k,). Of two equally near roads the first counts.
    reach_metres
        A place farther than this from every road lies at none.
    """

    def __init__(self, lines: NDArray[Any], reach_metres: float) -> None:
        self._reach = reach_metres
        if not len(lines):
            return
        self._projection = LocalProjection.around(lines)
        metric = self._projection.forward(lines)
        parts, road = shapely.get_parts(metric, return_index=True)
        ends, part = shapely.get_coordinates(parts, return_index=True)
        # The tree holds single segments, so that a long road is not measured whole for every place near it.
        joined = np.flatnonzero(part[1:] == part[:-1])
        segments: Any = shapely.linestrings(np.stack([ends[joined], ends[joined + 1]], axis=1))
        self._segments, self._road = shapely.STRtree(segments), road[part[joined]].astype(np.int32)
        # A little wider, as the corners of a buffer cut inside the circle.
        self._near = CellIndex(self._projection.inverse(shapely.buffer(metric, reach_metres * 1.02)))

    def nearest(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int32]:
        """Position of the nearest road within reach of each place; degrees, shape (n,); -1: none."""
        found = np.full(len(lon), OUTSIDE, dtype=np.int32)
        if not hasattr(self, "_near"):
            return found
        near = np.flatnonzero(self._near.assign(lon, lat) != OUTSIDE)
        places = shapely.points(*self._projection.forward_xy(lon[near], lat[near]))
        place, segment = self._segments.query_nearest(places, max_distance=self._reach)
        first = np.full(len(near), np.iinfo(np.int32).max, dtype=np.int32)
        np.minimum.at(first, place, self._road[segment])
        found[near[place]] = first[place]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Areas, cells, priority roads and who holds them, in force on one day.

    Positions count from 0 in the order of ``area_ids``, ``cell_ids`` and ``road_ids``; -1 is none.
    """

    area_ids: NDArray[np.int64]
    """Smallest area first, so that of those that cover a place the smallest is found."""
    area_parent: NDArray[np.int64]
    """Position of the area above."""
    areas: CellIndex
    cell_ids: NDArray[np.int64]
    """By code, so that a place on a shared border belongs to the cell with the lowest code."""
    cell_area: NDArray[np.int64]
    """Position of the area that a cell says it lies in."""
    cells: CellIndex
    road_ids: NDArray[np.int64]
    """By code."""
    roads: Roads
    office: NDArray[np.int64]
    """Id of the community's or subdistrict's own office for each area, its own or of the next area above."""
    headquarters: int
    """Id of the organisation that takes what is nobody's, or -1."""
    held: dict[tuple[str, ResponsibilityRole], Held]
    """By kind of place, ``area``, ``cell`` or ``road``, and role. Areas inherit from above."""


def ground_on(session: Session, day: date, *, reach_metres: float) -> Ground:
    """Load the ground in force on a day, or return it from memory while nothing has changed.

    Parameters
    ----------
    session
        Any; within a transaction that changes the ground its own changes count.
    day
        In the installation's time zone.
    reach_metres
        How far from a priority road a place lies at it.
    """
    return _remembered.get(session, (day, reach_metres), lambda: _load(session, day, reach_metres))


def cells_on(session: Session, day: date) -> dict[str, NDArray[Any]]:
    """Cells in force on a day: ``id``, ``area_id`` (-1: none), ``code`` and ``geometry``."""
    return read_columns(
        session,
        select(GridCell.id, GridCell.area_id, GridCell.code, GridCell.geometry).where(GridCell.in_force(day)),
    )


def _load(session: Session, day: date, reach_metres: float) -> Ground:
    return ground_with(session, day, cells_on(session, day), reach_metres=reach_metres)


def ground_with(
    session: Session,
    day: date,
    cells: dict[str, NDArray[Any]],
    *,
    reach_metres: float,
) -> Ground:
    """Put the ground together with cells that may only be thought of.

    Parameters
    ----------
    session
        Any.
    day
        Whose areas, roads, responsibilities and offices count.
    cells
        As `cells_on` returns them. For one whose id there is not nobody is responsible.
    reach_metres
        How far from a priority road a place lies at it.
    """
    areas = read_columns(
        session, select(Area.id, Area.parent_id, Area.code, Area.geometry).where(Area.in_force(day))
    )
    # Sizes in square degrees will do: they are compared only between areas that cover one place.
    areas = _sorted(areas, shapely.area(areas["geometry"]), areas["code"].astype(str), areas["id"])
    cells = _sorted(cells, cells["code"].astype(str), cells["id"])
    roads = read_columns(
        session,
        select(PriorityRoad.id, PriorityRoad.code, PriorityRoad.geometry).where(PriorityRoad.in_force(day)),
    )
    roads = _sorted(roads, roads["code"].astype(str), roads["id"])
    bodies = read_columns(session, select(Organisation.id, Organisation.kind, Organisation.area_id))
    bodies = _sorted(bodies, bodies["id"])
    area_at = pd.Index(areas["id"])
    parent = area_at.get_indexer(pd.Index(areas["parent_id"]))
    offices = np.where(_is_one_of(bodies["kind"], _OFFICES), bodies["id"], -1)
    office = first_at(len(area_at), area_at.get_indexer(pd.Index(bodies["area_id"])), offices)
    heads = bodies["id"][_is_one_of(bodies["kind"], (OrganisationKind.HEADQUARTERS,))]
    places = {"area": area_at, "cell": pd.Index(cells["id"]), "road": pd.Index(roads["id"])}
    return Ground(
        area_ids=areas["id"],
        area_parent=parent,
        areas=CellIndex(areas["geometry"]),
        cell_ids=cells["id"],
        cell_area=area_at.get_indexer(pd.Index(cells["area_id"])),
        cells=CellIndex(cells["geometry"]),
        road_ids=roads["id"],
        roads=Roads(roads["geometry"], reach_metres),
        office=inherited(office, parent),
        headquarters=int(heads[0]) if heads.size else -1,
        held=_holders(session, day, places, parent),
    )


def _holders(
    session: Session, day: date, places: dict[str, pd.Index[Any]], parent: NDArray[np.int64]
) -> dict[tuple[str, ResponsibilityRole], Held]:
    """Who holds what; a person no longer in force holds nothing, their organisation still may."""
    in_office = and_(Person.id == Responsibility.person_id, Person.in_force(day))
    rows = read_columns(
        session,
        select(
            Responsibility.id,
            Responsibility.role,
            Responsibility.valid_from,
            Responsibility.area_id.label("area"),
            Responsibility.cell_id.label("cell"),
            Responsibility.road_id.label("road"),
            Person.id.label("person"),
            func.coalesce(Responsibility.organisation_id, Person.organisation_id).label("organisation"),
        )
        .join(Person, in_office, isouter=True)
        .where(Responsibility.in_force(day)),
    )
    rows = _sorted(rows, rows["valid_from"], rows["id"])
    held = {}
    for kind, index in places.items():
        at = index.get_indexer(pd.Index(rows[kind]))
        for position, role in enumerate(ResponsibilityRole):
            here = np.where(rows["role"] == position, at, -1)
            both = (first_at(len(index), here, rows[who]) for who in ("person", "organisation"))
            held[kind, role] = Held(*(inherited(ids, parent) if kind == "area" else ids for ids in both))
    return held


def _sorted(rows: dict[str, NDArray[Any]], *keys: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Rows in the order of the first key, then of the second, and so on."""
    order = np.lexsort(keys[::-1])
    return {name: values[order] for name, values in rows.items()}


def _is_one_of(kinds: NDArray[np.int16], wanted: tuple[OrganisationKind, ...]) -> NDArray[np.bool_]:
    return np.isin(kinds, [list(OrganisationKind).index(kind) for kind in wanted])


def first_at(size: int, at: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Id that comes first for each of `size` positions; -1 where there is none."""
    found = np.full(size, -1, dtype=np.int64)
    there = np.flatnonzero((at >= 0) & (ids >= 0))[::-1]
    found[at[there]] = ids[there]
    return found


def inherited(ids: NDArray[np.int64], parent: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fill what is missing from the next area above that has it."""
    for _ in AreaLevel:
        missing = (ids < 0) & (parent >= 0)
        ids = np.where(missing, ids[parent], ids)
    return ids
