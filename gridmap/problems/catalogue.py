"""The categories an installation begins with.

They are those that the cities' work plans name, under major classes after GB/T 30428.2; the classes' order
differs between editions and cities, so that the table is a file that an installation may replace. Times
allowed are usual ones; each city sets its own. What a camera can show as put right wants a photo after
fixing; noise, queues and bays that are lacking do not.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.people.permissions import Permission
from gridmap.problems.models import Category, TimeUnit

if TYPE_CHECKING:
    from collections.abc import Container

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["ensure_categories", "missing_categories", "take_catalogue"]


def missing_categories(session: Session) -> int:
    """How many of the usual categories there are none of."""
    return len(_rows(set(session.scalars(select(Category.code)))))


def take_catalogue(session: Session, actor: Actor) -> int:
    """Create the usual categories that are not there yet; return how many.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor
        Who may change rules everywhere.

    Raises
    ------
    PermissionDeniedError
        If the actor may not.
    """
    actor.scope_everywhere(Permission.DEADLINE_RULES)
    missing = missing_categories(session)
    ensure_categories(session)
    return missing


def ensure_categories(session: Session) -> dict[str, int]:
    """Create the categories that are not there yet; return every category's id by code."""
    ids = dict(session.execute(select(Category.code, Category.id)).all())
    for row in _rows(ids.keys()):
        category = Category(
            code=row["code"],
            name=row["name"],
            name_en=row["name_en"],
            parent_id=ids.get(row["parent"]),
            severity=int(row["severity"]),
            time_allowed=int(row["time_allowed"]),
            time_unit=TimeUnit(row["time_unit"]),
            after_photo=row["after_photo"] == "1",
        )
        session.add(category)
        session.flush()
        ids[category.code] = category.id
    return ids


def _rows(known: Container[str]) -> list[dict[str, str]]:
    """Rows of the table whose codes are not known."""
    with (files("gridmap.problems") / "categories.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["code"] not in known]
