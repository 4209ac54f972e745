"""Writing the demo district into an empty store, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import delete

from gridmap.demo.addresses import AddressBook
from gridmap.demo.evidence import add_photos
from gridmap.demo.people import staff
from gridmap.demo.plan import draw_plan
from gridmap.demo.presence import is_empty
from gridmap.demo.rhythm import make_problems
from gridmap.demo.shops import write_shops
from gridmap.demo.sites import choose_sites
from gridmap.demo.spots import find_spots
from gridmap.demo.walks import walk_rounds
from gridmap.demo.writing import write_ground, write_people
from gridmap.errors import ConflictError, InvalidValueError
from gridmap.problems.bulk import insert_problems
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Category
from gridmap.store.clock import next_change
from gridmap.trail.decisions import audited_tables

if TYPE_CHECKING:
    from datetime import datetime

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
    ids = write_ground(session, plan, sites, now, random)
    organisation, logins = write_people(session, people, ids)
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
