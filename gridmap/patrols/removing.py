"""Removing a plan, and what its rounds leave behind for the calendars that took them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.errors import NotFoundError
from gridmap.patrols.calendars import Lost, led_rounds
from gridmap.patrols.keeping import planned, versions
from gridmap.patrols.models import PatrolRoute, PatrolVisit, RemovedRound
from gridmap.people.permissions import Permission
from gridmap.places.models import Area

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["Removed", "remove_plan", "removed_rounds"]


@dataclass(frozen=True, slots=True)
class Removed:
    """The rounds that somebody had in a plan that was removed.

    Attributes
    ----------
    first
        Identifier of the plan's first version, which all share.
    version
        Later than that of every version there was.
    lead
        Whose rounds; of two who go together the first, as the wish named them.
    """

    first: uuid.UUID
    version: int
    area: str
    lead: uuid.UUID
    rounds: tuple[Lost, ...]


def remove_plan(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> None:
    """Remove a plan in all its versions, with their rounds; calendars are told that these are cancelled.

    Raises
    ------
    NotFoundError
        If there is none whose area the actor plans.
    """
    plans = versions(session, planned(session, actor, uid))
    first = plans[0].uid
    for plan in plans:
        for route, lead, day in led_rounds(session, plan):
            session.add(
                RemovedRound(
                    first_uid=first,
                    plan_uid=plan.uid,
                    route_uid=route.uid,
                    version=plan.version,
                    area_id=plan.area_id,
                    person_id=route.person_id,
                    partner_id=route.partner_id,
                    lead_uid=lead,
                    day=day,
                    leaves_at=route.leaves_at,
                    returns_at=route.returns_at,
                    removed_at=now,
                )
            )
    for plan in reversed(plans):
        for route in session.scalars(select(PatrolRoute).where(PatrolRoute.plan_id == plan.id)).all():
            for visit in session.scalars(select(PatrolVisit).where(PatrolVisit.route_id == route.id)):
                session.delete(visit)
            session.flush()
            session.delete(route)
        session.flush()
        session.delete(plan)
        session.flush()


def removed_rounds(session: Session, actor: Actor, plan: uuid.UUID, route: uuid.UUID) -> Removed:
    """Return the rounds that whoever had one had in a plan that was removed, by day, as they were last.

    Parameters
    ----------
    plan, route
        Of any version, as the calendar's address names them.

    Raises
    ------
    NotFoundError
        If there was none, or the actor neither plans its area nor had it.
    """
    row = session.execute(
        select(RemovedRound, Area.name)
        .join(Area, Area.id == RemovedRound.area_id)
        .where(RemovedRound.plan_uid == plan, RemovedRound.route_uid == route)
    ).first()
    if row is None or not _may_know(actor, row[0]):
        raise NotFoundError("There is no such plan, or it lies outside what you may see.")
    gone, area = row
    same = select(RemovedRound).where(
        RemovedRound.first_uid == gone.first_uid, RemovedRound.lead_uid == gone.lead_uid
    )
    found = session.scalars(same.order_by(RemovedRound.version)).all()
    last = {one.day: Lost(one.day, one.leaves_at, one.returns_at) for one in found}
    latest = select(RemovedRound.version).where(RemovedRound.first_uid == gone.first_uid)
    version = max(session.scalars(latest)) + 1
    rounds = tuple(last[day] for day in sorted(last))
    return Removed(gone.first_uid, version, area, gone.lead_uid, rounds)


def _may_know(actor: Actor, gone: RemovedRound) -> bool:
    if actor.person_id is not None and actor.person_id in {gone.person_id, gone.partner_id}:
        return True
    return actor.may(Permission.PATROL_PLAN) and actor.scope(Permission.PATROL_PLAN).covers(
        gone.area_id, None
    )
