"""Putting a record right: its texts, its category, its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import delete, func, select

from gridmap.deadlines.limits import load_limits
from gridmap.dispatch.service import choose_for
from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.people.permissions import Permission
from gridmap.places.ground import ground_on
from gridmap.problems.assignment import assign, load_categories
from gridmap.problems.models import Category, Event, EventKind, Problem, ProblemCell, Source, State
from gridmap.problems.service import checked_shape, checked_texts, may_record_in, plain_value
from gridmap.problems.shares import keep_shares, stand_for
from gridmap.store.clock import next_change

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor

__all__ = ["Correction", "correctable", "edit_problem"]

_BEFORE_DISPATCH = frozenset({State.RECORDED, State.CHECKED, State.RETURNED})
_ALWAYS = ("description", "address", "severity")
_PLACING = ("category", "geometry")
_MOVED = ("area_id", "cell_id", "road_id", "person_id", "organisation_id", "flags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is to be put right; None stays as it is.

    Parameters
    ----------
    category
        Code.
    geometry
        GeoJSON object, EPSG:4326.
    severity
        1 slight to 5 grave.
    """

    description: str | None = None
    address: str | None = None
    category: str | None = None
    geometry: dict[str, Any] | None = None
    severity: int | None = None


def correctable(session: Session, actor: Actor, number: int) -> tuple[str, ...]:
    """Name what of a problem's record somebody can put right as it stands.

    Parameters
    ----------
    number
        Case number.
    """
    if not actor.may(Permission.PROBLEM_CHECK):
        return ()
    state, area, organisation = session.execute(
        select(Problem.state, Problem.area_id, Problem.organisation_id).where(Problem.id == number)
    ).one()
    if state.resolved or not actor.scope(Permission.PROBLEM_CHECK).covers(area, organisation):
        return ()
    return _ALWAYS + (_PLACING if state in _BEFORE_DISPATCH else ())


def edit_problem(
    session: Session,
    actor: Actor,
    problem: Problem,
    correction: Correction,
    *,
    settings: Settings,
    now: datetime,
) -> None:
    """Put a record right; what it was stays in its history.

    A new category or place finds anew whose the problem is, which is only done before it is dispatched.

    Parameters
    ----------
    session
        Of a writing transaction that holds the problem.
    actor
        Who puts it right.

    Raises
    ------
    PermissionDeniedError
        If the actor may not check problems here, or not at the new place.
    ConflictError
        If the problem is resolved, or dispatched and its category or place is to change.
    InvalidValueError, NotFoundError
        If a value is of no use.
    """
    scope = actor.scope(Permission.PROBLEM_CHECK)
    if not scope.covers(problem.area_id, problem.organisation_id):
        raise PermissionDeniedError("You may see this problem, but this step is not yours to take here.")
    if problem.state.resolved:
        raise ConflictError("The problem is resolved; reopen it first.")
    new = _stated(correction)
    if correction.category is not None or correction.geometry is not None:
        if problem.state not in _BEFORE_DISPATCH:
            raise ConflictError(
                "The problem is with an organisation: its category and place can be changed only before it "
                "is dispatched or after it is returned."
            )
        new |= _placed(session, problem, correction, settings=settings, now=now)
        if not may_record_in(scope, new["area_id"]):
            raise PermissionDeniedError("This place lies outside the areas in which you may report.")
    _keep(session, actor, problem, new, now=now)


def _stated(correction: Correction) -> dict[str, Any]:
    """Columns that a correction states as they are."""
    texts = {name: getattr(correction, name) for name in ("description", "address")}
    new: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
    checked_texts(new)
    if correction.severity is not None:
        if not 1 <= correction.severity <= 5:
            raise InvalidValueError(
                "Expected a whole number from 1 to {most}; found {found}.",
                parameter="severity",
                most=5,
                found=correction.severity,
            )
        new["severity"] = correction.severity
    return new


def _keep(session: Session, actor: Actor, problem: Problem, new: dict[str, Any], *, now: datetime) -> None:
    """Write what differs, and a line of history that says what it was."""
    before = {name: getattr(problem, name) for name in new if name != "geometry"}
    changed = {name: value for name, value in new.items() if name == "geometry" or value != before[name]}
    if not changed:
        return
    was = {name: value for name, value in before.items() if name in changed}
    if "geometry" in changed:
        was["geometry"] = session.scalar(
            select(func.ST_AsText(Problem.geometry)).where(Problem.id == problem.id)
        )
    for name, value in changed.items():
        setattr(problem, name, value)
    session.add(
        Event(
            problem_id=problem.id,
            kind=EventKind.EDITED,
            at=now,
            recorded_at=now,
            actor=actor.name,
            person_id=actor.person_id,
            state=problem.state,
            details={"changed": sorted(changed), "before": was},
        )
    )
    session.flush()
    problem.change = next_change(session)
    session.flush()


def _placed(
    session: Session, problem: Problem, correction: Correction, *, settings: Settings, now: datetime
) -> dict[str, Any]:
    """Category, place and whose it is."""
    new: dict[str, Any] = {}
    category_id = problem.category_id
    if correction.category is not None:
        found = session.scalar(
            select(Category.id).where(Category.code == correction.category, Category.valid_to.is_(None))
        )
        if found is None:
            raise NotFoundError("There is no category {code}.", code=correction.category)
        category_id = new["category_id"] = found
    lon, lat, leading = np.array([problem.lon]), np.array([problem.lat]), None
    ground = ground_on(session, now.astimezone(settings.zone).date(), reach_metres=settings.road_reach_metres)
    if correction.geometry is not None:
        shape = checked_shape(correction.geometry)
        standing = stand_for(ground.cells.cells, np.array([shape], dtype=object))
        lon, lat, leading = standing.lon, standing.lat, standing.cell
        session.execute(delete(ProblemCell).where(ProblemCell.problem_id == problem.id))
        keep_shares(session, ground, np.array([problem.id]), standing)
        text = shapely.to_wkt(shape, rounding_precision=-1)
        new |= {"geometry": f"SRID=4326;{text}", "lon": float(lon[0]), "lat": float(lat[0])}
    found_at = np.array([problem.found_at.astimezone(UTC).replace(tzinfo=None)], dtype="datetime64[us]")
    whose = assign(
        ground,
        load_categories(session),
        load_limits(session, settings),
        lon,
        lat,
        category_ids=[category_id],
        found_at=found_at,
        leading=leading,
    )
    severity = problem.severity if correction.category is None else int(whose.severity[0])
    severity = severity if correction.severity is None else correction.severity
    choice = choose_for(
        session,
        whose,
        {"lon": lon, "lat": lat, "category_id": np.array([category_id]), "found_at": found_at}
        | {"source": np.array([list(Source).index(problem.source)]), "severity": np.array([severity])},
        ground=ground,
        settings=settings,
        now=now,
    )
    columns = whose.columns() | choice.columns()
    new |= {name: plain_value(columns[name]) for name in _MOVED}
    if correction.category is not None and correction.severity is None:
        new["severity"] = plain_value(columns["severity"])
    return new
