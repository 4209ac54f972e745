"""Telling one database from another that stands at the same address."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gridmap.store.engine import reading
from gridmap.store.tables import people, places, problems

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

__all__ = ["identify_store"]

_WITNESSES = (places.Area, places.GridCell, people.Login, problems.Category, problems.Problem)


def identify_store(engine: Engine) -> str:
    """Short text made from the uids of the oldest rows: a database made anew has others."""
    seen = hashlib.blake2b(digest_size=8)
    with reading(engine) as session:
        for model in _WITNESSES:
            oldest = select(model.uid).where(model.id == select(func.min(model.id)).scalar_subquery())
            seen.update(str(session.scalar(oldest)).encode())
    return seen.hexdigest()
