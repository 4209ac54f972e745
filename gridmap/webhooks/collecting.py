"""Putting down for sending what the trail says has happened: nothing is missed, whoever did it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from gridmap.people.models import Organisation
from gridmap.people.permissions import Holding, Role, Scope
from gridmap.places.models import Area
from gridmap.places.queries import areas_below
from gridmap.problems.models import Category, Event, EventKind, Problem
from gridmap.store.selection import among
from gridmap.trail.models import Deed, TrailHead, TrailLine
from gridmap.trail.packing import unpack
from gridmap.webhooks.messages import Happening, body_of
from gridmap.webhooks.models import Delivery, Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings

__all__ = ["collect", "head_of"]

_ENTRIES = 500
"""Entries of the trail that are read at once."""
_PER_MESSAGE = 100
_TOLD = (EventKind.RECORDED, EventKind.STATE)


def head_of(session: Session) -> int:
    """Return the number of the trail's last entry."""
    return session.scalar(select(TrailHead.seq)) or 0


def collect(session: Session, *, settings: Settings, now: datetime) -> int:
    """Put down messages about what has happened since last time; return how many.

    Imported problems are not told: a file of a million old cases is no news.

    Parameters
    ----------
    session
        Of a writing transaction.
    """
    hooks = session.scalars(
        select(Webhook).where(Webhook.active).order_by(Webhook.id).with_for_update()
    ).all()
    head = head_of(session)
    behind = [hook for hook in hooks if hook.told_until < head]
    if not behind:
        return 0
    first = min(hook.told_until for hook in behind)
    last = min(head, first + _ENTRIES)
    made = 0
    for seq, ids in _entries(session, first, last):
        happened = _happenings(session, ids)
        for hook in behind:
            if hook.told_until < seq:
                wanted = [
                    one
                    for one, holds in happened
                    if _wants(hook, one.action) and _covers(session, hook, holds)
                ]
                made += _put_down(session, hook, seq, wanted, settings=settings, now=now)
    for hook in behind:
        hook.told_until = max(hook.told_until, last)
    session.flush()
    return made


def _entries(session: Session, after: int, until: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Ids of the lines of history that each entry of the trail added."""
    lines = session.execute(
        select(TrailLine.seq, TrailLine.row_id, TrailLine.rows)
        .where(
            TrailLine.seq > after,
            TrailLine.seq <= until,
            TrailLine.table_name == Event.__tablename__,
            TrailLine.deed == Deed.CREATED,
        )
        .order_by(TrailLine.seq)
    ).all()
    found: dict[int, list[NDArray[np.int64]]] = {}
    for seq, row_id, rows in lines:
        ids = np.array([row_id], dtype=np.int64) if rows is None else unpack(rows)[0]
        found.setdefault(seq, []).append(ids)
    for seq, parts in found.items():
        yield seq, np.concatenate(parts)


def _happenings(session: Session, ids: NDArray[np.int64]) -> list[tuple[Happening, tuple[Any, Any]]]:
    """What lines of history tell, each with the area and organisation of its problem."""
    rows = session.execute(
        select(
            Event.uid,
            Event.kind,
            Event.action,
            Event.at,
            Event.note,
            Problem,
            Category.code,
            Category.name,
            Area.uid,
            Area.name,
            Organisation.uid,
            Organisation.name,
        )
        .join(Problem, Problem.id == Event.problem_id)
        .join(Category, Category.id == Problem.category_id)
        .outerjoin(Area, Area.id == Problem.area_id)
        .outerjoin(Organisation, Organisation.id == Problem.organisation_id)
        .where(among(session, Event.id, ids), Event.kind.in_(_TOLD))
        .order_by(Event.id)
    ).all()
    return [
        (
            Happening(
                event=str(event),
                action=action or kind.value,
                at=at,
                note=note or "",
                problem=str(problem.uid),
                number=problem.id,
                category=code,
                category_name=category,
                state=problem.state.value,
                lon=problem.lon,
                lat=problem.lat,
                address=problem.address,
                area=str(area) if area else None,
                area_name=area_name or "",
                organisation=str(body) if body else None,
                organisation_name=body_name or "",
                due_at=problem.due_at,
            ),
            (problem.area_id, problem.organisation_id),
        )
        for event, kind, action, at, note, problem, code, category, area, area_name, body, body_name in rows
    ]


def _wants(hook: Webhook, action: str) -> bool:
    return not hook.actions or action in hook.actions


def _covers(session: Session, hook: Webhook, holds: tuple[Any, Any]) -> bool:
    limit = Holding(
        Role.READ_ONLY,
        areas=None if hook.area_id is None else areas_below(session, hook.area_id),
        organisations=None if hook.organisation_id is None else frozenset({hook.organisation_id}),
    )
    return Scope((limit,)).covers(*holds)


def _put_down(
    session: Session, hook: Webhook, seq: int, wanted: list[Happening], *, settings: Settings, now: datetime
) -> int:
    parts = [wanted[start : start + _PER_MESSAGE] for start in range(0, len(wanted), _PER_MESSAGE)]
    session.add_all(
        Delivery(
            webhook_id=hook.id,
            # The same part of the same entry has the same name, however often it is put down.
            message=f"msg_{uuid.uuid5(hook.uid, f'{seq}/{number}').hex}",
            body=body_of(hook.target, part, zone=settings.zone),
            events=len(part),
            made_at=now,
            due_at=now,
        )
        for number, part in enumerate(parts)
    )
    return len(parts)
