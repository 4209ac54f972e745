"""Many problems at once: checked, assigned and written in one vectorised pass."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.deadlines.limits import load_limits
from gridmap.deadlines.stages import has_stage, stage_dues
from gridmap.dispatch.service import choose_for
from gridmap.errors import PermissionDeniedError
from gridmap.people.permissions import Permission
from gridmap.places.ground import ground_on
from gridmap.problems.assignment import assign, load_categories
from gridmap.problems.models import Event, EventKind, Flag, Problem, Source, State
from gridmap.problems.recurrence import find_earlier, link_recurrences
from gridmap.problems.rules import impossible_times, steps_behind, suspect_default_coordinates
from gridmap.problems.shares import keep_shares, stand_for
from gridmap.store.bulk import insert_rows, reserve_ids
from gridmap.store.clock import next_change
from gridmap.store.columns import is_single

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from enum import StrEnum

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.deadlines.calendar import WorkingCalendar
    from gridmap.jobs import Progress
    from gridmap.people.permissions import Actor, Scope
    from gridmap.problems.assignment import Assignment

__all__ = ["insert_problems", "within"]


def insert_problems(
    session: Session,
    actor: Actor,
    columns: Mapping[str, Any],
    *,
    settings: Settings,
    now: datetime,
    progress: Progress,
    import_id: int | None = None,
) -> NDArray[np.int64]:
    """Write problems with their area, cell, road, people, deadline, doubts and first line of history.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor
        Who brings them in.
    columns
        Arrays of shape (n,): ``geometry`` (shapely, EPSG:4326), ``category_id`` (int), ``found_at``
        (datetime64, UTC); and, where known, ``closed_at`` and ``due_at`` (datetime64, NaT: none), ``state``
        and ``source`` (positions in their enumerations, or values), ``severity`` (int, below 1: the
        category's), ``description``, ``address``, ``external_source``, ``external_id``. ``due_at`` is the
        limit of fixing; one that is not given follows from the category. When a problem was filed,
        dispatched and fixed, and whether in time, follows from its state and times (see
        `gridmap.problems.rules.steps_behind`).
    settings
        Of the installation: its time zone and how far a road reaches.
    now
        Time of the change.
    progress
        Told what is being done.
    import_id
        Import that the rows belong to.

    Returns
    -------
    numpy.ndarray
        Ids of the problems, in the order given.

    Raises
    ------
    PermissionDeniedError
        If the actor may not bring in problems, or not all of these: whoever is limited to areas brings in
        what lies in them.
    """
    scope = actor.scope(Permission.PROBLEM_IMPORT)
    geometry = np.asarray(columns["geometry"], dtype=object)
    count = len(geometry)
    if not count:
        return np.zeros(0, dtype=np.int64)
    progress(0, count, "Finding whose each problem is")
    category = np.asarray(columns["category_id"], dtype=np.int64)
    found_at = np.asarray(columns["found_at"], dtype="datetime64[us]")
    closed_at = _times(columns.get("closed_at"), count)
    moment = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us")
    ground = ground_on(session, now.astimezone(settings.zone).date(), reach_metres=settings.road_reach_metres)
    standing = stand_for(ground.cells.cells, geometry)
    lon, lat = standing.lon, standing.lat
    limits = load_limits(session, settings)
    whose = assign(
        ground,
        load_categories(session),
        limits,
        lon,
        lat,
        category_ids=category,
        found_at=found_at,
        leading=standing.cell,
    )
    if not within(scope, whose.area_id).all():
        raise PermissionDeniedError("This place lies outside the areas in which you may report.")
    limit = _times(columns.get("due_at"), count)
    severity = np.asarray(columns.get("severity", np.full(count, -1)), dtype=np.int16)
    severity = np.where(severity > 0, severity, whose.severity).astype(np.int16)
    source = columns.get("source", Source.OTHER)
    choice = choose_for(
        session,
        whose,
        {"lon": lon, "lat": lat, "category_id": category, "found_at": found_at}
        | {"source": _positions(source, Source, count), "severity": severity},
        ground=ground,
        settings=settings,
        now=now,
    )
    flags = whose.flags.copy()
    flags[suspect_default_coordinates(lon, lat, category)] |= Flag.DEFAULT_COORDINATE.value
    flags[impossible_times(found_at, closed_at, moment)] |= Flag.IMPOSSIBLE_TIMES.value

    ids = reserve_ids(session, Problem, count)
    state = _positions(columns.get("state", State.RECORDED), State, count)
    limit = np.where(np.isnat(limit), whose.due_at, limit)
    lives = {"found_at": found_at, "closed_at": closed_at, "state": state, "flags": flags}
    placed = {"lon": lon, "lat": lat, "category_id": category}
    earlier = find_earlier(session, ids, placed | lives, settings=settings)
    insert_rows(
        session,
        Problem,
        {
            **whose.columns(),
            **choice.columns(),
            "id": ids,
            "geometry": geometry,
            "lon": lon,
            "lat": lat,
            "category_id": category,
            "state": state,
            "source": source,
            "severity": severity,
            "flags": flags,
            "found_at": found_at,
            "closed_at": closed_at,
            # What waits to be checked, dispatched or verified waits since it came in.
            "due_at": np.where(has_stage(state), stage_dues(state, moment, limits.calendar, settings), limit),
            **(steps := steps_behind(state, found_at, closed_at, limit)),
            **_clocks(steps["clock_since"], limit, whose, limits.calendar),
            "recurrence": earlier >= 0,
            "description": columns.get("description", ""),
            "address": columns.get("address", ""),
            "external_source": columns.get("external_source"),
            "external_id": columns.get("external_id"),
            "change": next_change(session, rebuild=True),
            "import_id": import_id,
        },
        step=lambda done: progress(0.8 * done, count, "Writing the problems"),
    )
    keep_shares(session, ground, ids, standing)
    link_recurrences(session, ids, earlier, now=now)
    insert_rows(
        session,
        Event,
        {
            "problem_id": ids,
            "kind": EventKind.IMPORTED,
            "at": found_at,
            "recorded_at": now,
            "actor": actor.name,
            "state": state,
            "details": choice.details(),
            "import_id": import_id,
        },
        step=lambda done: progress(0.8 * count + 0.2 * done, count, "Writing the history"),
    )
    return ids


def within(scope: Scope, area_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """In which areas somebody may bring in problems, shape of `area_ids`; -1 is none.

    Whose a new problem is follows from its place, so that a limit to an organisation lets nothing in.
    """
    return scope.covers_each(area_ids, np.full(len(area_ids), -1))


def _clocks(
    since: NDArray[np.datetime64],
    due_at: NDArray[np.datetime64],
    whose: Assignment,
    calendar: WorkingCalendar,
) -> dict[str, Any]:
    """Time allowed where a clock runs: the table's, or what makes the limit that was given."""
    granted, used = calendar.granted(since, due_at, whose.time_unit)
    given = due_at != whose.due_at
    stands = np.isnat(since)
    return {
        "time_allowed": np.ma.masked_array(np.where(given, granted, whose.time_allowed), mask=stands),
        "time_unit": np.where(stands, -1, whose.time_unit),
        "clock_used": np.where(given & ~stands, used, 0),
    }


def _times(given: Any, count: int) -> NDArray[np.datetime64]:
    if given is None:
        return np.full(count, np.datetime64("NaT"), dtype="datetime64[us]")
    return np.asarray(given, dtype="datetime64[us]")


def _positions(given: Any, kind: type[StrEnum], count: int) -> NDArray[np.int16]:
    """Positions in an enumeration, however they were given: one value for all, values, or positions."""
    if is_single(given):
        return np.full(count, list(kind).index(kind(given)), dtype=np.int16)
    values = np.asarray(given)
    if values.dtype.kind in "iu":
        return values.astype(np.int16)
    return np.array([list(kind).index(kind(one)) for one in values], dtype=np.int16)
