"""Use cases of single problems."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import bindparam, select

from gridmap.deadlines.calendar import as_stamp, load_calendar
from gridmap.deadlines.limits import load_limits
from gridmap.deadlines.stages import stage_due
from gridmap.dispatch.service import choose_for
from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.evidence.service import tie
from gridmap.people.permissions import Permission
from gridmap.places.ground import ground_on
from gridmap.problems.assignment import assign, load_categories
from gridmap.problems.models import Category, Event, EventKind, Problem, Source, State
from gridmap.problems.recurrence import find_earlier, link_recurrences
from gridmap.problems.shares import keep_shares, stand_for
from gridmap.store.claim import claim
from gridmap.store.clock import next_change

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor, Scope

__all__ = ["Report", "checked_shape", "checked_texts", "may_record_in", "plain_value", "record_problem"]

_LONGEST = {"description": 5000, "address": 300}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody reports.

    Parameters
    ----------
    uid
        Made by whoever reports; the same report sent twice is one problem.
    category
        Code of the category.
    geometry
        Point, line or polygon as a GeoJSON object, EPSG:4326.
    found_at
        When it was seen; None: now.
    """

    uid: uuid.UUID
    category: str
    geometry: dict[str, Any]
    description: str = ""
    address: str = ""
    found_at: datetime | None = None
    source: Source = Source.PATROL
    attachments: tuple[uuid.UUID, ...] = ()
    """Photos and videos that were sent before, to be tied to it."""


# Asked for each report, and nearly always in vain: without the mapper it takes a third of the time.
_KNOWN = select(Problem.__table__.c.id).where(Problem.__table__.c.uid == bindparam("uid"))


def record_problem(
    session: Session, actor: Actor, report: Report, *, settings: Settings, now: datetime
) -> tuple[Problem, bool]:
    """Record a problem and find whose it is; return it, and whether it is new.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor, report, settings, now
        Who reports what, where and when.

    Raises
    ------
    PermissionDeniedError
        If the actor may not report, or not at this place.
    NotFoundError
        If there is no such category, or a photo has not arrived.
    InvalidValueError
        If the place is no usable geometry, a text is too long or the time lies in the future.
    ConflictError
        If another problem has this UUID, or a photo proves something else.
    """
    scope = actor.scope(Permission.PROBLEM_CREATE)
    geometry = checked_shape(report.geometry)
    checked_texts({name: getattr(report, name) for name in _LONGEST})
    found_at = report.found_at or now
    if found_at > now:
        raise InvalidValueError(
            "Expected a time that is not in the future; found {found}.",
            parameter="found_at",
            found=found_at.isoformat(),
        )
    category = session.scalar(
        select(Category).where(Category.code == report.category, Category.valid_to.is_(None))
    )
    if category is None:
        raise NotFoundError("There is no category {code}.", code=report.category)
    claim(session, report.uid)
    number = session.connection().execute(_KNOWN, {"uid": report.uid}).scalar()
    if number is not None:
        known = session.get_one(Problem, number)
        own = scope.covers(known.area_id, known.organisation_id) or _reported_by(session, known, actor)
        if not own or known.category_id != category.id:
            raise ConflictError("Another problem has the identity {uid}.", uid=str(report.uid))
        return known, False

    shapes = np.array([geometry], dtype=object)
    ground = ground_on(session, now.astimezone(settings.zone).date(), reach_metres=settings.road_reach_metres)
    standing = stand_for(ground.cells.cells, shapes)
    lon, lat = standing.lon, standing.lat
    seen = np.array([found_at.astimezone(UTC).replace(tzinfo=None)], dtype="datetime64[us]")
    whose = assign(
        ground,
        load_categories(session),
        load_limits(session, settings),
        lon,
        lat,
        category_ids=[category.id],
        found_at=seen,
        leading=standing.cell,
    )
    source = np.array([list(Source).index(report.source)], dtype=np.int16)
    choice = choose_for(
        session,
        whose,
        {"lon": lon, "lat": lat, "category_id": np.array([category.id]), "found_at": seen}
        | {"source": source, "severity": whose.severity},
        ground=ground,
        settings=settings,
        now=now,
    )
    ids = {name: plain_value(column) for name, column in (whose.columns() | choice.columns()).items()}
    if not may_record_in(scope, ids["area_id"]):
        raise PermissionDeniedError("This place lies outside the areas in which you may report.")
    # Until it is dispatched, what is waited for is the check.
    due_at = stage_due(State.RECORDED, [as_stamp(now)], load_calendar(settings), settings)
    ids["due_at"] = plain_value(due_at)
    problem = Problem(
        uid=report.uid,
        category_id=category.id,
        state=State.RECORDED,
        source=report.source,
        found_at=found_at,
        description=report.description,
        address=report.address,
        geometry=f"SRID=4326;{shapely.to_wkt(geometry, rounding_precision=-1)}",
        lon=float(lon[0]),
        lat=float(lat[0]),
        change=0,
        **ids,
    )
    session.add(problem)
    session.flush()
    keep_shares(session, ground, np.array([problem.id]), standing)
    before = _link_to_earlier(session, problem, settings=settings, now=now)
    common = {"problem_id": problem.id, "at": found_at, "recorded_at": now, "actor": actor.name}
    said = {} if before is None else {"came_back_after": str(before.uid)}
    common["person_id"] = actor.person_id
    recorded = Event(kind=EventKind.RECORDED, state=State.RECORDED, details=said, **common)
    session.add(recorded)
    session.add(
        Event(
            kind=EventKind.ASSIGNED, state=State.RECORDED, details=json.loads(choice.details()[0]), **common
        )
    )
    if report.attachments:
        session.flush()
        tie(
            session,
            report.attachments,
            problem_id=problem.id,
            event_id=recorded.id,
            actor=actor,
            settings=settings,
        )
    problem.change = next_change(session)
    session.flush()
    return problem, True


def may_record_in(scope: Scope, area_id: int | None) -> bool:
    """Whether a problem of an area may be recorded; whose it is follows from its place and limits nobody."""
    return any(holding.areas is None or area_id in holding.areas for holding in scope.holdings)


def _link_to_earlier(
    session: Session, problem: Problem, *, settings: Settings, now: datetime
) -> Problem | None:
    """Link a new problem to the closed one after which it has come back, and return that."""
    ids = np.array([problem.id])
    columns = {
        "lon": np.array([problem.lon]),
        "lat": np.array([problem.lat]),
        "category_id": np.array([problem.category_id]),
        "found_at": np.array([problem.found_at.astimezone(UTC).replace(tzinfo=None)], dtype="datetime64[us]"),
        "closed_at": np.array(["NaT"], dtype="datetime64[us]"),
        "state": np.array([list(State).index(State.RECORDED)]),
        "flags": np.array([problem.flags]),
    }
    earlier = find_earlier(session, ids, columns, settings=settings)
    if earlier[0] < 0:
        return None
    problem.recurrence = True
    link_recurrences(session, ids, earlier, now=now)
    return session.get_one(Problem, int(earlier[0]))


def _reported_by(session: Session, problem: Problem, actor: Actor) -> bool:
    """Whether somebody reported a problem: what they sent may have become another organisation's since."""
    found = session.scalar(
        select(Event.id).where(
            Event.problem_id == problem.id,
            Event.kind == EventKind.RECORDED,
            Event.person_id == actor.person_id,
        )
    )
    return actor.person_id is not None and found is not None


def checked_texts(texts: Mapping[str, str]) -> None:
    """Raise InvalidValueError where a text is longer than its column of a problem takes."""
    for name, text in texts.items():
        if len(text) > _LONGEST[name]:
            raise InvalidValueError(
                "Expected at most {longest} characters; found {found}.",
                parameter=name,
                longest=_LONGEST[name],
                found=len(text),
            )


def plain_value(column: Any) -> Any:
    """First value of a column as Python has it; None for no id and no time."""
    value = column[0]
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else value.astype("datetime64[us]").item().replace(tzinfo=UTC)
    return None if value == -1 else int(value)


def checked_shape(given: dict[str, Any]) -> Any:
    """Return a GeoJSON object as a shapely geometry in two dimensions.

    Raises
    ------
    InvalidValueError
        If it is none, is empty or invalid, or lies outside the world.
    """
    try:
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(given)))
    except (shapely.errors.GEOSException, TypeError, ValueError) as error:
        raise InvalidValueError(
            "Expected a point, line or polygon as GeoJSON; found {found}.",
            parameter="geometry",
            found=str(given)[:120],
        ) from error
    west, south, east, north = shape.bounds if not shape.is_empty else (0, 0, 0, 99)
    if shape.is_empty or not shape.is_valid or shape.geom_type not in _KINDS:
        raise InvalidValueError(
            "Expected a valid point, line or polygon; found {found}.",
            parameter="geometry",
            found=str(given)[:120],
        )
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidValueError(
            "Expected longitudes in [-180, 180] and latitudes in [-90, 90]; found bounds {bounds}.",
            parameter="geometry",
            bounds=shape.bounds,
        )
    return shape


_KINDS = {"Point", "LineString", "Polygon", "MultiLineString", "MultiPolygon"}
