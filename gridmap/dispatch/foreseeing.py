"""What other cells would move, told before they are in force."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from gridmap.dispatch.moves import preview_moves
from gridmap.language import N_
from gridmap.people.models import Organisation, Person
from gridmap.places.ground import ground_with
from gridmap.places.models import Area, GridCell

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor

__all__ = ["Foreseen", "foresee"]

_TOLD: dict[str, tuple[str, Any, Any]] = {
    "cell_id": (N_("Cell"), GridCell, GridCell.code),
    "area_id": (N_("Area"), Area, Area.name),
    "organisation_id": (N_("Organisation"), Organisation, Organisation.name),
    "person_id": (N_("Person"), Person, Person.name),
}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How many open problems would go from where to where, the most first.

    Attributes
    ----------
    title
        Of what: cell, area, organisation or person; a translatable text.
    lines
        Names, None where there is none, and how many.
    """

    title: str
    lines: list[tuple[str | None, str | None, int]]


def foresee(
    session: Session,
    actor: Actor,
    cells: dict[str, NDArray[Any]],
    *,
    settings: Settings,
    now: datetime,
) -> list[Foreseen]:
    """Say what cells only thought of would move that today's would not.

    Parameters
    ----------
    session
        Any.
    actor
        Somebody who may change the rules of the whole city.
    cells
        All that there would be, as `gridmap.places.ground.cells_on` reads them; new ones with negative ids
        below -1.
    settings, now
        Of the installation; the day whose duties and rules count.

    Raises
    ------
    PermissionDeniedError
        If the actor may not.
    """
    day = now.astimezone(settings.zone).date()
    ground = ground_with(session, day, cells, reach_metres=settings.road_reach_metres)
    today = preview_moves(session, actor, settings=settings, now=now)
    moves = preview_moves(session, actor, settings=settings, now=now, ground=ground)
    new = {
        name: np.where(moves.after[name] == today.after[name], moves.before[name], moves.after[name])
        for name in _TOLD
    }
    everybody = replace(moves, after=moves.after | new, rows=np.arange(len(moves.before["id"])))
    told = []
    for name, (title, model, shown) in _TOLD.items():
        counts = everybody.counts(name)
        ids = {one for old, new_one, _ in counts for one in (old, new_one) if one >= 0}
        names: dict[int, str] = dict(
            session.execute(select(model.id, shown).where(model.id.in_(sorted(ids)))).all()
        )
        if name == "cell_id":
            names |= dict(zip(cells["id"].tolist(), cells["code"].tolist(), strict=True))
        lines = [(names.get(old), names.get(new_one), count) for old, new_one, count in counts]
        if lines:
            told.append(Foreseen(title, lines))
    return told
