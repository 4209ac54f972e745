"""Keeping plans: their rounds, and version after version of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError

from gridmap.errors import NotFoundError, StaleVersionError
from gridmap.language import N_
from gridmap.patrols.going_home import home_early
from gridmap.patrols.leaving_out import left_out
from gridmap.patrols.models import PatrolPlan, PatrolRoute, PatrolVisit, VisitKind
from gridmap.patrols.wishes import as_json
from gridmap.people.permissions import Permission

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.patrols.planner import Found
    from gridmap.people.permissions import Actor

__all__ = ["keep", "newest", "planned", "require_newest", "restore", "versions"]

_STALE = N_("The plan has been changed meanwhile. What you changed is kept here; look at the newest version.")


def keep(
    session: Session,
    actor: Actor,
    found: Found,
    *,
    now: datetime,
    after: PatrolPlan | None = None,
    changes: dict[str, Any] | None = None,
) -> PatrolPlan:
    """Keep a plan with its rounds.

    Parameters
    ----------
    session
        Of a writing transaction.
    after
        The version that it follows.
    changes
        What was set by hand; see `PatrolPlan.changes`.

    Raises
    ------
    StaleVersionError
        If `after` is not the newest version any more.
    """
    asked, banned = found.asked, set((changes or {}).get("banned", ()))
    workers = asked.posed.problem.workers
    plan = PatrolPlan(
        area_id=asked.area_id,
        day=asked.wish.day,
        opens_at=asked.at(min(worker.shift.opens for worker in workers)),
        closes_at=asked.at(max(worker.shift.closes for worker in workers)),
        profile=asked.wish.profile,
        seed=asked.wish.seed,
        searched_s=round(found.seconds),
        unfitted=left_out(session, found, banned),
        wish=as_json(asked.wish),
        changes=_noted(found, changes, home_early(found, banned)),
        actor=actor.name,
        at=now,
    )
    _add_version(session, plan, after)
    for route in found.plan.routes:
        line, metres = asked.posed.draw(route)
        row = PatrolRoute(
            plan_id=plan.id,
            unit=route.worker,
            person_id=asked.units[route.worker].person,
            partner_id=asked.units[route.worker].partner,
            leaves_at=asked.at(route.span.opens),
            returns_at=asked.at(route.span.closes),
            rests_at=asked.at(route.pause.starts) if route.pause else None,
            rests_until=asked.at(route.pause.finishes) if route.pause else None,
            metres=round(metres),
            geometry=f"SRID=4326;{shapely.to_wkt(line, rounding_precision=7)}",
        )
        session.add(row)
        session.flush()
        lon, lat = asked.posed.places([visit.task for visit in route.visits])
        for position, visit in enumerate(route.visits):
            target = asked.posed.targets[visit.task]
            session.add(
                PatrolVisit(
                    route_id=row.id,
                    position=position,
                    key=asked.posed.keys[visit.task],
                    mode=visit.mode,
                    kind=target.kind,
                    point_id=target.id if target.kind is VisitKind.POINT else None,
                    problem_id=target.id if target.kind is VisitKind.PROBLEM else None,
                    road_id=target.id if target.kind is VisitKind.ROAD else None,
                    arrives_at=asked.at(visit.arrives),
                    starts_at=asked.at(visit.starts),
                    finishes_at=asked.at(visit.finishes),
                    metres=asked.posed.problem.tasks[visit.task].modes[visit.mode].metres,
                    lon=float(lon[position]),
                    lat=float(lat[position]),
                )
            )
    session.flush()
    return plan


def _noted(
    found: Found, changes: dict[str, Any] | None, early: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """What was set by hand, what is known of each day, and why somebody is home early."""
    notes: list[dict[str, Any]] = []
    for one in found.notes:
        spread = one.spread and [round(share, 4) for share in one.spread]
        notes.append({"extra": round(one.extra, 4), "alike": round(one.alike, 4), "spread": spread})
    known = ({"notes": notes} if notes else {}) | ({"early": early} if early else {})
    return (changes or {}) | known if known else changes


def _add_version(session: Session, plan: PatrolPlan, after: PatrolPlan | None) -> None:
    if after is not None:
        require_newest(session, after)
        plan.first_id, plan.version = after.first_id or after.id, after.version + 1
    session.add(plan)
    try:
        session.flush()
    except IntegrityError as error:
        # Somebody else's version came between; only this one's number says so.
        session.rollback()
        raise StaleVersionError(_STALE, changes=[]) from error


def require_newest(session: Session, plan: PatrolPlan) -> None:
    """Refuse when there is a later version.

    Raises
    ------
    StaleVersionError
        Telling who made it.
    """
    later = [one for one in versions(session, plan) if one.version > plan.version]
    changes = [{"version": one.version, "actor": one.actor, "at": one.at.isoformat()} for one in later]
    if changes:
        raise StaleVersionError(_STALE, changes=changes)


def versions(session: Session, plan: PatrolPlan) -> Sequence[PatrolPlan]:
    """Return all versions of a plan, the first one first."""
    first = plan.first_id or plan.id
    return session.scalars(
        select(PatrolPlan)
        .where(or_(PatrolPlan.id == first, PatrolPlan.first_id == first))
        .order_by(PatrolPlan.version)
    ).all()


def newest(session: Session, plan: PatrolPlan) -> PatrolPlan:
    """Return the newest version of a plan."""
    return versions(session, plan)[-1]


def planned(session: Session, actor: Actor, uid: uuid.UUID) -> PatrolPlan:
    """Return a plan whose area's patrols the actor plans.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    plan = session.scalar(select(PatrolPlan).where(PatrolPlan.uid == uid))
    if plan is None or not actor.scope(Permission.PATROL_PLAN).covers(plan.area_id, None):
        raise NotFoundError("There is no such plan, or it lies outside what you may see.")
    return plan


def restore(session: Session, actor: Actor, uid: uuid.UUID, *, now: datetime) -> PatrolPlan:
    """Make a former version of a plan the newest again, as a version of its own.

    Parameters
    ----------
    uid
        Of the former version.

    Raises
    ------
    NotFoundError
        If there is none whose area the actor plans.
    """
    former = planned(session, actor, uid)
    last = newest(session, former)
    if last.id == former.id:
        return former
    plan: PatrolPlan = _copied(former, first_id=None, version=1, actor=actor.name, at=now)
    plan.changes = (former.changes or {}) | {"how": "restored", "of": former.version}
    _add_version(session, plan, last)
    for route in session.scalars(select(PatrolRoute).where(PatrolRoute.plan_id == former.id)).all():
        # Text of the store is rounded to six places.
        line = session.scalars(
            select(func.ST_AsBinary(PatrolRoute.geometry)).where(PatrolRoute.id == route.id)
        ).one()
        copy = _copied(
            route, plan_id=plan.id, geometry=f"SRID=4326;{shapely.to_wkt(shapely.from_wkb(bytes(line)), 7)}"
        )
        session.add(copy)
        session.flush()
        session.add_all(
            _copied(visit, route_id=copy.id)
            for visit in session.scalars(select(PatrolVisit).where(PatrolVisit.route_id == route.id))
        )
    session.flush()
    return plan


def _copied(row: Any, **other: Any) -> Any:
    """A row like another one."""
    names = [column.name for column in row.__table__.columns if column.name not in {"id", "uid", *other}]
    return type(row)(**{name: getattr(row, name) for name in names}, **other)
