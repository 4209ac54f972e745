"""Posting people along an assessors' route: worked out from its times, changed by hand, read by everybody."""

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
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from gridmap.patrols.network import Network
    from gridmap.people.permissions import Actor

__all__ = [
    "PostWish",
    "Stationed",
    "post_people",
    "read_own_posts",
    "read_post",
    "read_posts",
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


@dataclass(frozen=True, slots=True)
class Stationed:
    """A post with its place; `person` is None where nobody stands."""

    post: InspectionPost
    route: InspectionRoute
    stop: InspectionStop
    point: InspectionPoint
    person: Person | None


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


def post_people(
    session: Session, actor: Actor, uid: uuid.UUID, wish: PostWish, *, network: Network, day: date
) -> int:
    """Post people along a route anew; what was there before is replaced. Return how many posts stay empty.

    Parameters
    ----------
    session
        Of a writing transaction.
    day
        On which who is responsible counts.

    Raises
    ------
    InvalidValueError
        If a number makes no sense.
    NotFoundError
        If there is no such route, or somebody is not known.
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
    route = _route(session, uid)
    stops = _stops(session, route)
    for old in session.scalars(select(InspectionPost).where(InspectionPost.route_id == route.id)):
        session.delete(old)
    session.flush()
    willing = responsible(session, [point for _, point in stops], day)
    others = _known(session, wish.others)
    rows = [
        (person, n, cost)
        for n, (_, point) in enumerate(stops)
        for person, cost in {**dict.fromkeys(others, _PICKED), **dict(willing[point.id])}.items()
    ]
    spans = [
        (stop.arrives_at - timedelta(minutes=wish.before), stop.leaves_at + timedelta(minutes=wish.after))
        for stop, _ in stops
    ]
    elsewhere = _held(session, {person for person, *_ in rows}, spans)
    posts = _as_posts(
        session,
        [point for _, point in stops] + [one.point for one in elsewhere],
        [*spans, *((one.post.begins_at, one.post.ends_at) for one in elsewhere)],
        network,
        wish.each,
    )
    chosen = _assigned(posts, rows, [one.post.person_id for one in elsewhere])
    free = [sum(row[1] == n for row in rows) for n in range(len(stops))]
    empty = 0
    for n, (stop, _) in enumerate(stops):
        people: list[int | None] = [*chosen[n], *[None] * (wish.each - len(chosen[n]))]
        for person in people:
            empty += person is None
            reason = None if person is not None else _why_empty(free[n], len(chosen[n]))
            session.add(
                InspectionPost(
                    route_id=route.id,
                    stop_id=stop.id,
                    person_id=person,
                    begins_at=spans[n][0],
                    ends_at=spans[n][1],
                    empty=reason,
                    picked=False,
                )
            )
    session.flush()
    return empty


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


def _held(
    session: Session, people: set[int], spans: Sequence[tuple[datetime, datetime]], but: int | None = None
) -> list[Stationed]:
    """Posts that people hold on any route within hours of some times."""
    if not spans or not people:
        return []
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    near = timedelta(hours=6)
    rows = session.execute(
        _query()
        .where(InspectionPost.ends_at > first - near, InspectionPost.begins_at < last + near)
        .where(InspectionPost.person_id.is_not(None))
    )
    return [
        one
        for one in (Stationed(*row) for row in rows)
        if one.post.person_id in people and one.post.id != but
    ]


def station(
    session: Session, actor: Actor, uid: uuid.UUID, person: uuid.UUID | None, *, network: Network
) -> InspectionPost:
    """Put somebody at a post by hand, or leave it empty.

    Raises
    ------
    ConflictError
        If they would have to be in two places at once; the other post is named.
    NotFoundError
        If there is no such post or person.
    """
    actor.scope_everywhere(Permission.INSPECTION_PLAN)
    here = read_post(session, uid)
    if person is None:
        here.post.person_id, here.post.empty, here.post.picked = None, Emptiness.NOBODY, True
        session.flush()
        return here.post
    (who,) = _known(session, (person,))
    span = (here.post.begins_at, here.post.ends_at)
    others = _held(session, {who}, [span], but=here.post.id)
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


def _route(session: Session, uid: uuid.UUID) -> InspectionRoute:
    route = session.scalar(select(InspectionRoute).where(InspectionRoute.uid == uid))
    if route is None:
        raise NotFoundError("There is no such route.")
    return route


def _stops(session: Session, route: InspectionRoute) -> list[tuple[InspectionStop, InspectionPoint]]:
    rows = session.execute(
        select(InspectionStop, InspectionPoint)
        .join(InspectionPoint, InspectionPoint.id == InspectionStop.point_id)
        .where(InspectionStop.route_id == route.id)
        .order_by(InspectionStop.position)
    )
    return [(stop, point) for stop, point in rows]


def _known(session: Session, uids: tuple[uuid.UUID, ...]) -> list[int]:
    if not uids:
        return []
    known = session.scalars(select(Person).where(Person.uid.in_(uids)))
    found = {one.uid: one.id for one in known}
    if len(found) < len(set(uids)):
        raise NotFoundError("There is no such person.")
    return [found[uid] for uid in dict.fromkeys(uids)]
