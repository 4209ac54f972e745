"""Posting people along an assessors' route: worked out from its times, and changed by hand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.inspections.models import InspectionPost, InspectionRoute, InspectionStop
from gridmap.inspections.post_queries import posts_held, read_post
from gridmap.inspections.posts import Emptiness, Posts, Willing, assign, clashing
from gridmap.inspections.queries import shapes_of
from gridmap.patrols.posing import SNAP_M
from gridmap.people.models import Person
from gridmap.people.permissions import Permission
from gridmap.places.models import InspectionPoint, ResponsibilityRole
from gridmap.places.responsibilities import holders_of

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from gridmap.inspections.post_queries import Stationed
    from gridmap.patrols.network import Network
    from gridmap.people.permissions import Actor

__all__ = [
    "PostPlan",
    "PostWish",
    "plan_posts",
    "post_people",
    "responsible",
    "station",
]

_POINT_COST = {ResponsibilityRole.POINT_OWNER: 0.0}
_CELL_COST = {ResponsibilityRole.GRID_WORKER: 2.0, ResponsibilityRole.GRID_LEADER: 3.0}
_OTHER_AT_POINT, _OTHER_IN_CELL, _PICKED = 1.0, 5.0, 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostWish:
    """How a route is to be posted.

    Parameters
    ----------
    before, after
        Minutes that somebody is there before the assessors come and after they have gone.
    each
        How many people stand at each stop.
    others
        People who may be sent besides those who are responsible there.
    """

    before: int = 30
    after: int = 10
    each: int = 1
    others: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPlan:
    """Who would stand where along a route, worked out but not kept yet.

    Attributes
    ----------
    uid
        Of the route.
    stops
        Rows of its stops, with when the assessors come and go, as they were when this was worked out.
    spans
        From when to when people stand at each stop.
    people
        Who stands at each stop; None where nobody does.
    empty
        Why nobody stands there, by stop.
    candidates, held
        Who could have been sent, and what they held on other routes, as `_holding` tells it.
    """

    uid: uuid.UUID
    stops: tuple[tuple[int, datetime, datetime], ...]
    spans: tuple[tuple[datetime, datetime], ...]
    people: tuple[tuple[int | None, ...], ...]
    empty: tuple[Emptiness | None, ...]
    candidates: frozenset[int]
    held: frozenset[tuple[int, int | None, datetime, datetime]]


def responsible(
    session: Session, points: Iterable[InspectionPoint], day: date
) -> dict[int, list[tuple[int, float]]]:
    """Who is responsible at points, by point: rows of persons, and how readily each is sent there.

    Whoever holds the point comes before the grid worker of its cell, and both before others of the cell.
    """
    found = list(points)
    at_point = holders_of(session, "point", [one.id for one in found], day)
    in_cell = holders_of(session, "cell", [one.cell_id for one in found if one.cell_id is not None], day)
    told: dict[int, list[tuple[int, float]]] = {}
    for one in found:
        cost: dict[int, float] = {}
        for holders, costs, other in (
            (at_point.get(one.id, []), _POINT_COST, _OTHER_AT_POINT),
            (in_cell.get(one.cell_id, []) if one.cell_id is not None else [], _CELL_COST, _OTHER_IN_CELL),
        ):
            for holder in holders:
                if holder.person is not None:
                    value = costs.get(holder.role, other)
                    cost[holder.person] = min(value, cost.get(holder.person, value))
        told[one.id] = sorted(cost.items(), key=lambda pair: (pair[1], pair[0]))
    return told


def plan_posts(
    session: Session, actor: Actor, uid: uuid.UUID, wish: PostWish, *, network: Network, day: date
) -> PostPlan:
    """Work out who stands where along a route. This may take long, so it writes nothing and locks nothing.

    Parameters
    ----------
    session
        Any.
    day
        On which who is responsible counts.

    Raises
    ------
    InvalidValueError
        If a number makes no sense.
    NotFoundError
        If there is no such route, or somebody is not known on that day.
    """
    actor.scope_everywhere(Permission.INSPECTION_PLAN)
    for name, value, least, most in (
        ("before", wish.before, 0, 240),
        ("after", wish.after, 0, 240),
        ("each", wish.each, 1, 5),
    ):
        if not least <= value <= most:
            raise InvalidValueError(
                "Expected a whole number from {least} to {most}; found {found}.",
                parameter=name,
                least=least,
                most=most,
                found=value,
            )
    route = session.scalar(select(InspectionRoute).where(InspectionRoute.uid == uid))
    if route is None:
        raise NotFoundError("There is no such route.")
    stops = _stops(session, route)
    willing = responsible(session, [point for _, point in stops], day)
    others = _known(session, wish.others, day)
    rows = [
        (person, n, cost)
        for n, (_, point) in enumerate(stops)
        for person, cost in {**dict.fromkeys(others, _PICKED), **dict(willing[point.id])}.items()
    ]
    spans = tuple(
        (stop.arrives_at - timedelta(minutes=wish.before), stop.leaves_at + timedelta(minutes=wish.after))
        for stop, _ in stops
    )
    candidates = frozenset(person for person, *_ in rows)
    # What stands on this route is replaced, and shuts nobody out.
    elsewhere = posts_held(session, candidates, spans, InspectionPost.route_id != route.id)
    posts = _as_posts(
        session,
        [point for _, point in stops] + [one.point for one in elsewhere],
        [*spans, *((one.post.begins_at, one.post.ends_at) for one in elsewhere)],
        network,
        wish.each,
    )
    chosen = _assigned(posts, rows, [one.post.person_id for one in elsewhere])
    free = np.bincount([row[1] for row in rows], minlength=len(stops)).tolist()
    return PostPlan(
        uid=uid,
        stops=_times(stops),
        spans=spans,
        people=tuple((*here, *[None] * (wish.each - len(here))) for here in chosen),
        empty=tuple(
            _why_empty(free[n], len(here)) if len(here) < wish.each else None for n, here in enumerate(chosen)
        ),
        candidates=candidates,
        held=_holding(elsewhere),
    )


def post_people(session: Session, actor: Actor, plan: PostPlan) -> int:
    """Keep who stands where along a route; what was there is replaced. Return how many posts are empty.

    Parameters
    ----------
    session
        Of a writing transaction.
    plan
        Of `plan_posts`.

    Raises
    ------
    ConflictError
        If the route, or what its people hold on others, changed since it was worked out.
    NotFoundError
        If there is no such route any more.
    """
    actor.scope_everywhere(Permission.INSPECTION_PLAN)
    route = _locked(session, InspectionRoute.uid == plan.uid)
    if route is None:
        raise NotFoundError("There is no such route.")
    _lock_people(session, {person for people in plan.people for person in people if person is not None})
    held = posts_held(session, plan.candidates, plan.spans, InspectionPost.route_id != route.id)
    if _times(_stops(session, route)) != plan.stops or _holding(held) != plan.held:
        raise ConflictError(
            "The route, or what its people hold elsewhere, was changed meanwhile. Please try again."
        )
    for old in session.scalars(select(InspectionPost).where(InspectionPost.route_id == route.id)):
        session.delete(old)
    session.flush()
    session.add_all(
        InspectionPost(
            route_id=route.id,
            stop_id=stop,
            person_id=person,
            begins_at=span[0],
            ends_at=span[1],
            empty=empty if person is None else None,
            picked=False,
        )
        for (stop, *_), span, people, empty in zip(
            plan.stops, plan.spans, plan.people, plan.empty, strict=True
        )
        for person in people
    )
    session.flush()
    return sum(people.count(None) for people in plan.people)


def _times(
    stops: Sequence[tuple[InspectionStop, InspectionPoint]],
) -> tuple[tuple[int, datetime, datetime], ...]:
    return tuple((stop.id, stop.arrives_at, stop.leaves_at) for stop, _ in stops)


def _holding(posts: Sequence[Stationed]) -> frozenset[tuple[int, int | None, datetime, datetime]]:
    return frozenset((one.post.id, one.post.person_id, one.post.begins_at, one.post.ends_at) for one in posts)


def _locked(session: Session, which: ColumnElement[bool]) -> InspectionRoute | None:
    """Lock a route: on a store with several writers, its posts are changed by one after the other."""
    return session.scalar(select(InspectionRoute).where(which).with_for_update())


def _lock_people(session: Session, people: set[int]) -> None:
    """Lock people, in one order: nobody else posts them meanwhile. What refers to them may still be added."""
    rows = select(Person.id).where(Person.id.in_(people)).order_by(Person.id)
    session.execute(rows.with_for_update(key_share=True)).all()


def _why_empty(free: int, held: int) -> Emptiness:
    if not free:
        return Emptiness.NOBODY
    return Emptiness.TOO_FEW if free <= held else Emptiness.ELSEWHERE


def _assigned(
    posts: Posts, rows: Sequence[tuple[int, int, float]], elsewhere: Sequence[int | None]
) -> list[list[int]]:
    """People of each stop; the last posts are those that `elsewhere` holds on other routes."""
    count = len(posts.needed) - len(elsewhere)
    # What somebody already holds on another route is taken: it shuts out what clashes with it.
    clash = clashing(posts)
    taken = defaultdict(list)
    for n, holder in enumerate(elsewhere):
        taken[holder].append(count + n)
    open_rows = [row for row in rows if not clash[row[1], taken[row[0]]].any()]
    people = sorted({person for person, *_ in open_rows})
    number = {person: n for n, person in enumerate(people)}
    found = assign(
        posts,
        Willing(
            person=np.array([number[row[0]] for row in open_rows], dtype=np.int64),
            post=np.array([row[1] for row in open_rows], dtype=np.int64),
            cost=np.array([row[2] for row in open_rows], dtype=float),
        ),
    )
    chosen: list[list[int]] = [[] for _ in range(count)]
    for row in found.tolist():
        chosen[open_rows[row][1]].append(open_rows[row][0])
    return chosen


def _as_posts(
    session: Session,
    points: Sequence[InspectionPoint],
    spans: Sequence[tuple[datetime, datetime]],
    network: Network,
    each: int = 1,
) -> Posts:
    middle = shapely.point_on_surface(shapes_of(session, [point.id for point in points]))
    router = network.router()
    walk = router.matrix(router.snap(shapely.get_x(middle), shapely.get_y(middle), limit_m=SNAP_M))
    np.fill_diagonal(walk, 0.0)

    def seconds(moments: list[datetime]) -> NDArray[np.int64]:
        return np.array([round(one.timestamp()) for one in moments], dtype=np.int64)

    return Posts(
        begins_s=seconds([span[0] for span in spans]),
        ends_s=seconds([span[1] for span in spans]),
        needed=np.full(len(points), each, dtype=np.int64),
        walk_s=walk,
    )


def station(
    session: Session, actor: Actor, uid: uuid.UUID, person: uuid.UUID | None, *, network: Network, day: date
) -> InspectionPost:
    """Put somebody at a post by hand, or leave it empty.

    Parameters
    ----------
    session
        Of a writing transaction.
    day
        On which the person must be in office.

    Raises
    ------
    ConflictError
        If they would have to be in two places at once; the other post is named.
    NotFoundError
        If there is no such post or person.
    """
    actor.scope_everywhere(Permission.INSPECTION_PLAN)
    _locked(
        session,
        InspectionRoute.id.in_(select(InspectionPost.route_id).where(InspectionPost.uid == uid)),
    )
    here = read_post(session, uid)
    if person is None:
        here.post.person_id, here.post.empty, here.post.picked = None, Emptiness.NOBODY, True
        session.flush()
        return here.post
    (who,) = _known(session, (person,), day)
    _lock_people(session, {who})
    span = (here.post.begins_at, here.post.ends_at)
    others = posts_held(session, {who}, [span], InspectionPost.id != here.post.id)
    posts = _as_posts(
        session,
        [here.point, *(one.point for one in others)],
        [span, *((one.post.begins_at, one.post.ends_at) for one in others)],
        network,
    )
    for n in np.flatnonzero(clashing(posts)[0, 1:]).tolist():
        other = others[n]
        raise ConflictError(
            "{person} stands at {point} ({route}) at that time, or cannot walk over in time.",
            person=other.person.name if other.person else "",
            point=other.point.name,
            route=other.route.name,
        )
    here.post.person_id, here.post.empty, here.post.picked = who, None, True
    session.flush()
    return here.post


def _stops(session: Session, route: InspectionRoute) -> list[tuple[InspectionStop, InspectionPoint]]:
    rows = session.execute(
        select(InspectionStop, InspectionPoint)
        .join(InspectionPoint, InspectionPoint.id == InspectionStop.point_id)
        .where(InspectionStop.route_id == route.id)
        .order_by(InspectionStop.position)
    )
    return [(stop, point) for stop, point in rows]


def _known(session: Session, uids: tuple[uuid.UUID, ...], day: date) -> list[int]:
    if not uids:
        return []
    known = session.scalars(select(Person).where(Person.uid.in_(uids), Person.in_force(day)))
    found = {one.uid: one.id for one in known}
    if len(found) < len(set(uids)):
        raise NotFoundError("There is no such person.")
    return [found[uid] for uid in dict.fromkeys(uids)]
