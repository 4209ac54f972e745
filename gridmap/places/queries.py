"""Reads of areas and what lies in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.places.models import Area

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ["areas_below"]


def areas_below(session: Session, area_id: int) -> frozenset[int]:
    """Return the ids of an area and of every area below it."""
    tree = select(Area.id).where(Area.id == area_id).cte(recursive=True)
    tree = tree.union_all(select(Area.id).where(Area.parent_id == tree.c.id))
    return frozenset(session.scalars(select(tree.c.id)))
