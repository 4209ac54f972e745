"""What can be reported from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.problems.models import Category

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from gridmap.places.directory import CategoryEntry, Directory

__all__ = ["offered_categories"]


def offered_categories(session: Session, directory: Directory) -> list[CategoryEntry]:
    """Return by code the minor categories in force, and major ones without any below."""
    table = directory.categories
    majors = {one.parent for one in table if one.parent is not None}
    in_force = set(session.scalars(select(Category.id).where(Category.valid_to.is_(None))))
    offered = (one for one in table if one.id not in majors and one.id in in_force)
    return sorted(offered, key=lambda one: one.code)
