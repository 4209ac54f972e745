"""Writing the demo district into an empty store, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import delete

from gridmap.demo.addresses import AddressBook
from gridmap.demo.evidence import add_photos
from gridmap.demo.people import People, staff
from gridmap.demo.plan import Plan, draw_plan
from gridmap.demo.presence import PASSWORD, is_empty
from gridmap.demo.rhythm import make_problems
from gridmap.demo.shops import write_shops
from gridmap.demo.sites import Sites, choose_sites
from gridmap.demo.spots import find_spots
from gridmap.demo.walks import RECORDED_DAYS, walk_rounds
from gridmap.errors import ConflictError, InvalidValueError
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
from gridmap.problems.bulk import insert_problems
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Category
from gridmap.store.bulk import insert_rows, reserve_ids
from gridmap.store.clock import next_change
from gridmap.trail.decisions import audited_tables

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.random import Generator
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.jobs import Progress
    from gridmap.people.permissions import Actor

__all__ = ["Demo", "build_demo"]

_MOST_CELLS, _MOST_PROBLEMS = 20_000, 20_000_000
_FIXED_BY = {
    "0102": "sanitation",
    "0103": "sanitation",
    "0105": "sanitation",
    "0301": "construction",
    "0302": "construction",
    "0404": "traffic",
    "0601": "municipal",
    "0602": "municipal",
    "0603": "municipal",
    "0702": "fire",
}
"""Category -> department (`DEPARTMENTS`) that fixes it; the others are the community's own."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What was built."""

    logins: tuple[tuple[str, str], ...]
    """User names with their roles."""
    counts: dict[str, int]
    """Rows of each sort."""
    gaps: dict[str, frozenset[str]]
    """Codes of the cells, points and roads and names of the people that were left without the other."""


def build_demo(
    session: Session,
    actor: Actor,
    *,
    cells: int,
    problems: int,
    seed: int,
    now: datetime,
    settings: Settings,
    progress: Progress,
    replace: bool = False,
) -> Demo:
    """Build the demo district.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor
        Must hold every permission everywhere.
    cells, problems
        How many; the district grows with its cells.
    seed
        The same seed, sizes and `now` build the same district.
    now
        Problems happened in the three months before.
    settings
        Of the installation.
    progress
        Told what is being done.
    replace
        Whether everything in the store may be removed first.

    Raises
    ------
    InvalidValueError
        If a size is out of range.
    ConflictError
        If the store is not empty and may not be replaced.
    """
    for name, found, least, most in (
        ("cells", cells, 1, _MOST_CELLS),
        ("problems", problems, 0, _MOST_PROBLEMS),
    ):
        if not least <= found <= most:
            raise InvalidValueError(
                "Expected {name} from {least} to {most}; found {found}.",
                parameter=name,
                name=name,
                least=least,
                most=most,
                found=found,
            )
    if not is_empty(session):
        if not replace:
            raise ConflictError(
                "The store is not empty; the demo is built in an empty one, or with --replace."
            )
        _clear(session)
    progress(0, 10, "Drawing the district")
    plan = draw_plan(cells, seed)
    random = np.random.default_rng([seed, 3])
    book = AddressBook(plan.streets)
    sites = choose_sites(plan, book, random)
    people = staff(plan, sites, today=now.astimezone(settings.zone).date(), seed=seed)
    progress(2, 10, "Writing the district")
    ids = _write_ground(session, plan, sites, now, random)
    organisation, logins = _write_people(session, people, ids)
    categories = ensure_categories(session)
    for code, department in _FIXED_BY.items():
        session.get_one(Category, categories[code]).organisation_id = int(
            organisation[people.departments[department]]
        )
    progress(4, 10, "Letting three months pass")
    spots = find_spots(plan, sites, random)
    made = make_problems(spots, problems, now=now, seed=seed)
    insert_problems(
        session,
        actor,
        {
            "geometry": shapely.points(made.lon, made.lat),
            "category_id": pd.Series(made.codes()).map(categories).to_numpy(dtype=np.int64),
            "found_at": made.found_at,
            "closed_at": made.closed_at,
            "due_at": made.due_at,
            "state": made.state,
            "source": made.source,
            "description": made.description,
            "address": made.address,
        },
        settings=settings,
        now=now,
        progress=lambda done, total, what="": progress(5 + 5 * done / total, 10, what),
    )
    progress(10, 10, "Walking rounds")
    tracks = walk_rounds(session, now=now, seed=seed, zone=settings.zone)
    shops = write_shops(session, spots, 12 * cells, categories, settings=settings, now=now, seed=seed)
    progress(10, 10, "Taking photos")
    add_photos(session, problems, now=now, seed=seed, settings=settings)
    counts = {
        "areas": len(plan.areas),
        "cells": len(plan.cells),
        "points": len(sites.points),
        "roads": len(sites.roads),
        "people": len(people.persons),
        "problems": problems,
        "shops": shops,
        "tracks": tracks,
    }
    gaps = {
        "cells": frozenset(plan.cells["code"].iloc[list(people.gaps.cells)]),
        "points": frozenset(sites.points["code"].iloc[list(people.gaps.points)]),
        "roads": frozenset(sites.roads["code"].iloc[list(people.gaps.roads)]),
        "people": frozenset(people.persons["name"].iloc[list(people.gaps.persons)]),
    }
    return Demo(logins, counts, gaps)


def _clear(session: Session) -> None:
    """Remove every row; what refers to something goes before it."""
    for table in reversed(audited_tables()):
        session.execute(delete(table))
    next_change(session, rebuild=True)


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


def _write_ground(
    session: Session, plan: Plan, sites: Sites, now: datetime, random: Generator
) -> dict[str, NDArray[np.int64]]:
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


def _write_people(
    session: Session, people: People, ids: dict[str, NDArray[np.int64]]
) -> tuple[NDArray[np.int64], tuple[tuple[str, str], ...]]:
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
