"""Reads of posts along assessors' routes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.errors import NotFoundError
from gridmap.inspections.models import InspectionPost, InspectionRoute, InspectionStop
from gridmap.people.models import Person
from gridmap.places.models import InspectionPoint

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["Stationed", "posts_held", "read_own_posts", "read_post", "read_posts"]


@dataclass(frozen=True, slots=True)
class Stationed:
    """A post with its place; `person` is None where nobody stands."""

    post: InspectionPost
    route: InspectionRoute
    stop: InspectionStop
    point: InspectionPoint
    person: Person | None


def _query() -> Select[InspectionPost, InspectionRoute, InspectionStop, InspectionPoint, Person]:
    return (
        select(InspectionPost, InspectionRoute, InspectionStop, InspectionPoint, Person)
        .join(InspectionRoute, InspectionRoute.id == InspectionPost.route_id)
        .join(InspectionStop, InspectionStop.id == InspectionPost.stop_id)
        .join(InspectionPoint, InspectionPoint.id == InspectionStop.point_id)
        .outerjoin(Person, Person.id == InspectionPost.person_id)
        .order_by(InspectionPost.begins_at, InspectionPost.id)
    )


def read_posts(session: Session, route: InspectionRoute) -> list[Stationed]:
    """Return the posts of a route by the time at which they begin."""
    return [Stationed(*row) for row in session.execute(_query().where(InspectionPost.route_id == route.id))]


def read_post(session: Session, uid: uuid.UUID) -> Stationed:
    """Return a post.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = session.execute(_query().where(InspectionPost.uid == uid)).first()
    if row is None:
        raise NotFoundError("There is no such post.")
    return Stationed(*row)


def read_own_posts(session: Session, actor: Actor, *, now: datetime) -> list[Stationed]:
    """Return the posts that the actor has to hold from now on."""
    if actor.person_id is None:
        return []
    query = _query().where(InspectionPost.person_id == actor.person_id, InspectionPost.ends_at >= now)
    return [Stationed(*row) for row in session.execute(query)]


def posts_held(
    session: Session,
    people: Collection[int],
    spans: Sequence[tuple[datetime, datetime]],
    which: ColumnElement[bool],
) -> list[Stationed]:
    """Return posts that people hold within hours of some times, of those that `which` is true of."""
    if not spans or not people:
        return []
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    near = timedelta(hours=6)
    rows = session.execute(
        _query()
        .where(InspectionPost.ends_at > first - near, InspectionPost.begins_at < last + near)
        .where(InspectionPost.person_id.is_not(None), which)
    )
    return [one for one in (Stationed(*row) for row in rows) if one.post.person_id in people]
