"""What other cells, areas or duties would move, told before they are in force."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from gridmap.dispatch.moves import preview_moves
from gridmap.language import N_
from gridmap.people.models import Organisation, Person
from gridmap.places.ground import ground_with
from gridmap.places.models import Area, GridCell
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.dispatch.moves import Moves
    from gridmap.people.permissions import Actor

__all__ = ["Foreseen", "foresee", "foresee_doing"]

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
    return _told(session, today, moves, dict(zip(cells["id"].tolist(), cells["code"].tolist(), strict=True)))


class _TakenBackError(Exception):
    """What was only thought of is rolled back."""


def foresee_doing(
    engine: Engine, actor: Actor, do: Callable[[Session], None], *, settings: Settings, now: datetime
) -> list[Foreseen]:
    """Say what a change of areas, roads or duties would move that today's would not.

    It is made and taken back in one transaction, which nobody else sees.

    Parameters
    ----------
    engine
        The store; it is locked while the change is made, as by the change itself.
    actor
        Somebody who may change the rules of the whole city.
    do
        Makes the change.
    settings, now
        Of the installation; the day whose duties and rules count.

    Raises
    ------
    PermissionDeniedError
        If the actor may not.
    """
    with reading(engine) as session:
        today = preview_moves(session, actor, settings=settings, now=now)
    told: list[Foreseen] = []
    if not len(today.before["id"]):
        return told
    with suppress(_TakenBackError), writing(engine) as session:
        do(session)
        session.flush()
        moves = preview_moves(session, actor, settings=settings, now=now)
        told = _told(session, today, moves, {})
        raise _TakenBackError
    return told


def _told(session: Session, today: Moves, moves: Moves, codes: Mapping[int, str]) -> list[Foreseen]:
    """What would move besides what today's ground and duties would move; `codes` name new cells."""
    told = []
    # Others may have been reported or closed between the two.
    _, here, there = np.intersect1d(today.before["id"], moves.before["id"], return_indices=True)
    for name, (title, model, shown) in _TOLD.items():
        before, after = moves.before[name][there], moves.after[name][there]
        gone = (before != after) & (after != today.after[name][here])
        pairs, numbers = np.unique(np.stack([before[gone], after[gone]], axis=1), axis=0, return_counts=True)
        counts = [(*pair, n) for pair, n in zip(pairs.tolist(), numbers.tolist(), strict=True)]
        counts.sort(key=lambda line: -line[2])
        ids = {one for old, new, _ in counts for one in (old, new) if one >= 0}
        names: dict[int, str] = dict(
            session.execute(select(model.id, shown).where(model.id.in_(sorted(ids)))).all()
        )
        if name == "cell_id":
            names |= codes
        lines = [(names.get(old), names.get(new), count) for old, new, count in counts]
        if lines:
            told.append(Foreseen(title, lines))
    return told
