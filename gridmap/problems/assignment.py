"""Whose a problem is.

The **cell** is the one that covers the place; on a shared border the one with the lowest code; of a line or
polygon the one in which most of it lies (see `gridmap.problems.shares`). The **area**
is the cell's own, or the smallest that covers the place. The **road** is the nearest priority road in reach.

Person and organisation are each taken from the first row of this table that has one; an organisation is the
one named with the responsibility, or else the person's own:

==================  ==================================================  ==========================
what decides        person                                              organisation
==================  ==================================================  ==========================
category            –                                                   the one that normally fixes it
cell grid_worker    grid worker (网格员) of the cell                    theirs
cell grid_leader    grid leader (网格长) of the cell                    theirs
cell                leader in charge (包挂领导) of the cell             theirs
leader_in_charge
road road_owner     who holds the priority road                         theirs
area                leader in charge of the area, or of the next above  theirs
leader_in_charge
area office         –                                                   the community or subdistrict
                                                                        office of the area, or of
                                                                        the next above
headquarters        –                                                   the headquarters
==================  ==================================================  ==========================

What decided is kept in the problem's history.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from gridmap.errors import InvalidValueError
from gridmap.places.models import ResponsibilityRole
from gridmap.problems.models import Category, Flag
from gridmap.store.extract import read_columns
from gridmap.store.remembered import Remembered

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy.orm import Session

    from gridmap.deadlines.limits import Limits
    from gridmap.places.ground import Ground

__all__ = ["HOLDERS", "REASONS", "Assignment", "Categories", "assign", "load_categories"]

HOLDERS = (
    ("cell", ResponsibilityRole.GRID_WORKER),
    ("cell", ResponsibilityRole.GRID_LEADER),
    ("cell", ResponsibilityRole.LEADER_IN_CHARGE),
    ("road", ResponsibilityRole.ROAD_OWNER),
    ("area", ResponsibilityRole.LEADER_IN_CHARGE),
)
"""Kinds of place and roles that answer for a problem, in the order in which they are asked."""

REASONS = ("category", *(f"{place} {role.value}" for place, role in HOLDERS), "area office", "headquarters")
"""What may decide, in the order of the table above; `Assignment` counts positions here."""
_NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """What a category gives a problem, arrays of shape (k,) in ascending order of ids."""

    ids: NDArray[np.int64]
    severity: NDArray[np.int16]
    time_allowed: NDArray[np.int64]
    time_unit: NDArray[np.int16]
    """Positions in `TimeUnit`."""
    organisation: NDArray[np.int64]
    """-1: the place decides."""

    def positions(self, ids: ArrayLike) -> NDArray[np.intp]:
        """Position of each id, shape (n,).

        Raises
        ------
        InvalidValueError
            If there is no such category.
        """
        wanted = np.asarray(ids, dtype=np.int64)
        if not self.ids.size and wanted.size:
            raise InvalidValueError("There is no category yet.", parameter="category")
        at = np.minimum(np.searchsorted(self.ids, wanted), max(self.ids.size - 1, 0))
        unknown = self.ids[at] != wanted
        if unknown.any():
            raise InvalidValueError(
                "There is no category with the id {found}.",
                parameter="category",
                found=int(wanted[unknown][0]),
            )
        return at


_remembered: Remembered[Categories] = Remembered(4)


def load_categories(session: Session) -> Categories:
    """Return what every category gives a problem, from memory while nothing on the ground has changed."""
    return _remembered.get(session, (), lambda: _load_categories(session))


def _load_categories(session: Session) -> Categories:
    rows = read_columns(
        session,
        select(
            Category.id,
            Category.severity,
            Category.time_allowed,
            Category.time_unit,
            Category.organisation_id,
        ),
    )
    order = np.argsort(rows["id"])
    return Categories(*(values[order] for values in rows.values()))


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """Whose problems are and until when, arrays of shape (n,); an id of -1 is none."""

    area_id: NDArray[np.int64]
    cell_id: NDArray[np.int64]
    road_id: NDArray[np.int64]
    person_id: NDArray[np.int64]
    organisation_id: NDArray[np.int64]
    severity: NDArray[np.int16]
    due_at: NDArray[np.datetime64]
    time_allowed: NDArray[np.int64]
    time_unit: NDArray[np.int64]
    """Position in `TimeUnit`."""
    flags: NDArray[np.int16]
    """`Flag.OUTSIDE_CELLS` where it applies."""
    person_by: NDArray[np.int8]
    organisation_by: NDArray[np.int8]

    def columns(self) -> dict[str, NDArray[Any]]:
        """What the table `problem` keeps of it."""
        names = (
            "area_id",
            "cell_id",
            "road_id",
            "person_id",
            "organisation_id",
            "severity",
            "due_at",
            "flags",
        )
        return {name: getattr(self, name) for name in names}

    def reasons(self) -> NDArray[np.object_]:
        """What decided, for the history: JSON text with ``person_by`` and ``organisation_by``, shape (n,)."""
        names = (*REASONS, None)  # -1 is the last
        pairs = np.stack([self.person_by, self.organisation_by], axis=1) % len(names)
        codes = pairs[:, 0].astype(np.int64) * len(names) + pairs[:, 1]
        texts = np.array(
            [json.dumps({"person_by": who, "organisation_by": which}) for who in names for which in names],
            dtype=object,
        )
        return np.asarray(texts[codes])


def assign(
    ground: Ground,
    categories: Categories,
    limits: Limits,
    lon: ArrayLike,
    lat: ArrayLike,
    *,
    category_ids: ArrayLike,
    found_at: ArrayLike,
    leading: NDArray[np.int64] | None = None,
) -> Assignment:
    """Find area, cell, road, person, organisation, severity and limit of many problems at once.

    Parameters
    ----------
    ground, categories, limits
        In force.
    lon, lat
        Degrees, EPSG:4326, shape (n,).
    category_ids
        Integers, shape (n,).
    found_at
        datetime64, UTC, shape (n,).
    leading
        Position of the cell that leads, of a problem that is no point, shape (n,); -1 elsewhere. See
        `gridmap.problems.shares`.

    Raises
    ------
    InvalidValueError
        If there is no such category.
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    kind = categories.positions(category_ids)
    cell, area = _cells_and_areas(ground, x, y, leading)
    road = ground.roads.nearest(x, y)
    places: dict[str, NDArray[Any]] = {"area": area, "cell": cell, "road": road}
    held = [(place, ground.held[place, role]) for place, role in HOLDERS]
    nobody = np.full(x.size, _NOBODY)
    person, person_by = _first_of([nobody, *(_taken(holder.person, places[place]) for place, holder in held)])
    organisation, organisation_by = _first_of(
        [
            categories.organisation[kind],
            *(_taken(holder.organisation, places[place]) for place, holder in held),
            _taken(ground.office, area),
            np.full(x.size, ground.headquarters),
        ]
    )
    area_id, road_id = _taken(ground.area_ids, area), _taken(ground.road_ids, road)
    allowed, unit, _ = limits.allowed(
        categories.time_allowed[kind],
        categories.time_unit[kind],
        category=categories.ids[kind],
        area=area_id,
        road=road_id,
        severity=categories.severity[kind],
        found_at=found_at,
    )
    return Assignment(
        area_id=area_id,
        cell_id=_taken(ground.cell_ids, cell),
        road_id=road_id,
        person_id=person,
        organisation_id=organisation,
        severity=categories.severity[kind],
        due_at=limits.calendar.due(found_at, allowed, unit),
        time_allowed=allowed.astype(np.int64),
        time_unit=unit.astype(np.int64),
        flags=np.where(cell < 0, Flag.OUTSIDE_CELLS.value, 0).astype(np.int16),
        person_by=person_by,
        organisation_by=organisation_by,
    )


def areas_of(
    ground: Ground, lon: ArrayLike, lat: ArrayLike, *, leading: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Ids of the areas in which problems lie, -1 in none, shape (n,); parameters as for `assign`."""
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    return _taken(ground.area_ids, _cells_and_areas(ground, x, y, leading)[1])


def _cells_and_areas(
    ground: Ground, x: NDArray[np.float64], y: NDArray[np.float64], leading: NDArray[np.int64] | None
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    cell = ground.cells.assign(x, y)
    if leading is not None:
        cell = np.where(leading < 0, cell, leading)
    area = _taken(ground.cell_area, cell)
    homeless = np.flatnonzero(area < 0)
    area[homeless] = ground.areas.assign(x[homeless], y[homeless])
    return cell, area


def _taken(ids: NDArray[np.int64], at: NDArray[Any]) -> NDArray[np.int64]:
    """Ids at positions, -1 at -1."""
    return np.asarray(np.append(ids, _NOBODY)[at])


def _first_of(choices: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """First id that is one, and which choice it was; -1 and -1 if none is."""
    found = choices[-1].copy()
    by = np.where(found < 0, _NOBODY, len(choices) - 1).astype(np.int8)
    for position, ids in reversed(list(enumerate(choices[:-1]))):
        known = ids >= 0
        found[known], by[known] = ids[known], position
    return found, by
