"""Who holds a place on a day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.places.models import Responsibility, ResponsibilityRole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy.orm import Session

__all__ = ["Holder", "holders_of"]

_ORDER = {role: position for position, role in enumerate(ResponsibilityRole)}


@dataclass(frozen=True, slots=True)
class Holder:
    """A person or an organisation, by database id, in a role."""

    role: ResponsibilityRole
    person: int | None
    organisation: int | None
    valid_from: date
    pledge_signed_on: date | None


def holders_of(session: Session, kind: str, ids: Iterable[int] | None, day: date) -> dict[int, list[Holder]]:
    """Return who holds places on a day, grid workers first.

    Parameters
    ----------
    kind
        ``area``, ``cell``, ``point`` or ``road``.
    ids
        Database ids of the places; None for all of the kind.
    """
    place: Any = getattr(Responsibility, f"{kind}_id")
    query = select(
        place,
        Responsibility.role,
        Responsibility.person_id,
        Responsibility.organisation_id,
        Responsibility.valid_from,
        Responsibility.pledge_signed_on,
    ).where(Responsibility.in_force(day))
    query = query.where(place.is_not(None) if ids is None else place.in_(list(ids)))
    found: dict[int, list[Holder]] = defaultdict(list)
    for place_id, *rest in session.execute(query.order_by(Responsibility.id)):
        found[place_id].append(Holder(*rest))
    return {
        place_id: sorted(holders, key=lambda holder: _ORDER[holder.role])
        for place_id, holders in found.items()
    }
