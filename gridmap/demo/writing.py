"""Rows of the demo district: its ground, its base map, its people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.demo.presence import PASSWORD
from gridmap.demo.walks import RECORDED_DAYS
from gridmap.people.logins import create_login
from gridmap.people.models import Organisation, Person
from gridmap.places.models import (
    Area,
    Building,
    GridCell,
    InspectionPoint,
    PriorityRoad,
    Responsibility,
    Street,
    Surface,
)
from gridmap.places.queries import VISITS
from gridmap.store.bulk import insert_rows, reserve_ids

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.random import Generator
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.demo.people import People
    from gridmap.demo.plan import Plan
    from gridmap.demo.sites import Sites

__all__ = ["write_ground", "write_people"]


def _ids(session: Session, model: Any, rows: pd.DataFrame) -> NDArray[np.int64]:
    return reserve_ids(session, model, len(rows))


def _at(ids: NDArray[np.int64], rows: Any) -> NDArray[np.int64]:
    """Ids at rows, -1 at -1."""
    return np.append(ids, -1)[np.asarray(rows, dtype=np.int64)]


def _multi(shapes: Any) -> NDArray[np.object_]:
    """Polygons and lines as multi-shapes, which is what the tables hold."""
    array = np.asarray(shapes, dtype=object).copy()
    kinds = shapely.get_type_id(array)
    for kind, build in ((1, shapely.multilinestrings), (3, shapely.multipolygons)):
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            array[rows] = build(array[rows], indices=np.arange(len(rows)))
    return array


def _ago(
    now: datetime, least_hours: float, typical_hours: float, count: int, random: Generator
) -> list[datetime]:
    hours = least_hours + random.exponential(typical_hours, count)
    return [now - timedelta(hours=float(h)) for h in hours]


def write_ground(
    session: Session, plan: Plan, sites: Sites, now: datetime, random: Generator
) -> dict[str, NDArray[np.int64]]:
    """Write areas, cells, points, roads and the base map; return the ids of the first four, by name."""
    areas, cells, points, roads = plan.areas, plan.cells, sites.points, sites.roads
    ids = {
        "area": _ids(session, Area, areas),
        "cell": _ids(session, GridCell, cells),
        "point": _ids(session, InspectionPoint, points),
        "road": _ids(session, PriorityRoad, roads),
    }
    for level in ("district", "subdistrict", "community"):
        rows = np.flatnonzero(areas["level"] == level)
        part = areas.iloc[rows]
        insert_rows(
            session,
            Area,
            {
                "id": ids["area"][rows],
                "code": part["code"].to_numpy(),
                "name": part["name"].to_numpy(),
                "level": level,
                "parent_id": _at(ids["area"], part["parent"]),
                "geometry": _multi(part["geometry"]),
            },
        )
    insert_rows(
        session,
        GridCell,
        {
            "id": ids["cell"],
            "code": cells["code"].to_numpy(),
            "name": cells["name"].to_numpy(),
            "area_id": ids["area"][cells["area"]],
            # Before tracks were recorded; those say the rest.
            "last_patrol_at": _ago(now, 24 * (RECORDED_DAYS + 2), 120, len(cells), random),
            "geometry": _multi(cells["geometry"]),
        },
    )
    insert_rows(
        session,
        InspectionPoint,
        {
            "id": ids["point"],
            **{
                name: points[name].to_numpy()
                for name in ("code", "name", "site_type", "priority", "address", *VISITS[:2])
            },
            "area_id": ids["area"][points["area"]],
            "cell_id": ids["cell"][points["cell"]],
            "geometry": points["geometry"].to_numpy(),
        },
    )
    if len(roads):
        insert_rows(
            session,
            PriorityRoad,
            {
                "id": ids["road"],
                **{
                    name: roads[name].to_numpy()
                    for name in ("code", "name", "level", "hours", "patrols_per_day")
                },
                "area_id": ids["area"][roads["area"]],
                "last_patrol_at": _ago(now, 24 * (RECORDED_DAYS + 2), 48, len(roads), random),
                "geometry": _multi(roads["geometry"]),
            },
        )
    _write_base(session, plan)
    return ids


def _write_base(session: Session, plan: Plan) -> None:
    streets, buildings, surfaces = plan.streets, plan.buildings, plan.surfaces
    insert_rows(
        session,
        Street,
        {
            "source_ref": [f"demo:s{number}" for number in range(len(streets))],
            "name": streets["name"].to_numpy(),
            "road_class": streets["road_class"].to_numpy(),
            "oneway": 0,
            "geometry": streets["geometry"].to_numpy(),
        },
    )
    insert_rows(
        session,
        Building,
        {
            "source_ref": [f"demo:b{number}" for number in range(len(buildings))],
            "name": buildings["name"].to_numpy(),
            "levels": buildings["levels"].to_numpy(),
            "geometry": _multi(buildings["geometry"]),
        },
    )
    insert_rows(
        session,
        Surface,
        {
            "source_ref": [f"demo:g{number}" for number in range(len(surfaces))],
            "name": surfaces["name"].to_numpy(),
            "kind": surfaces["kind"].to_numpy(),
            "geometry": _multi(surfaces["geometry"]),
        },
    )


def write_people(
    session: Session, people: People, ids: dict[str, NDArray[np.int64]]
) -> tuple[NDArray[np.int64], tuple[tuple[str, str], ...]]:
    """Write organisations, people, what they hold and their logins.

    Returns
    -------
    organisation
        Ids, in the order of `people`.
    logins
        User names with their roles.
    """
    bodies, persons, held = people.organisations, people.persons, people.responsibilities
    organisation = _ids(session, Organisation, bodies)
    # Parents stand before their children in the table.
    insert_rows(
        session,
        Organisation,
        {
            "id": organisation,
            "name": bodies["name"].to_numpy(),
            "kind": [str(kind) for kind in bodies["kind"]],
            "area_id": _at(ids["area"], bodies["area"]),
            "parent_id": _at(organisation, bodies["parent"]),
        },
    )
    person = _ids(session, Person, persons)
    insert_rows(
        session,
        Person,
        {
            "id": person,
            **{name: persons[name].to_numpy() for name in ("name", "phone", "duty")},
            "organisation_id": _at(organisation, persons["organisation"]),
            "valid_from": list(persons["valid_from"]),
            "valid_to": _days(persons["valid_to"]),
        },
    )
    insert_rows(
        session,
        Responsibility,
        {
            "role": held["role"].to_numpy(),
            "person_id": _at(person, held["person"]),
            "organisation_id": _at(organisation, held["organisation"]),
            **{f"{place}_id": _at(ids[place], held[place]) for place in ("area", "cell", "point", "road")},
            "valid_from": list(held["valid_from"]),
            "valid_to": _days(held["valid_to"]),
            "pledge_signed_on": _days(held["pledge"]),
        },
    )
    made = []
    for login in people.logins:
        create_login(
            session,
            person=session.get_one(Person, int(person[login.person])),
            username=login.username,
            password=PASSWORD,
            role=login.role,
            area_id=None if login.area < 0 else int(ids["area"][login.area]),
            organisation_id=None if login.organisation < 0 else int(organisation[login.organisation]),
        )
        made.append((login.username, login.role.value))
    return organisation, tuple(made)


def _days(column: pd.Series[Any]) -> list[Any]:
    return [None if pd.isna(day) else day for day in column]
