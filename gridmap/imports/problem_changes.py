"""What a repeated table changes in problems that are there, and the steps and clocks that follow from it."""

from __future__ import annotations

import uuid
from datetime import UTC
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import and_, bindparam, case, func, insert, select, update

from gridmap.deadlines.calendar import as_stamp
from gridmap.deadlines.limits import load_limits
from gridmap.deadlines.stages import STAGES, has_stage, stage_dues
from gridmap.errors import ConflictError
from gridmap.imports.models import ImportChange
from gridmap.imports.steps import encode
from gridmap.look_back.models import CheckTask, LookBackSample
from gridmap.problems.models import Category, Event, EventKind, Problem, State, TimeUnit
from gridmap.problems.rules import steps_behind
from gridmap.store.bulk import insert_rows
from gridmap.store.clock import next_change
from gridmap.store.extract import read_columns
from gridmap.store.selection import among

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.deadlines.calendar import WorkingCalendar
    from gridmap.deadlines.limits import Limits
    from gridmap.imports.plan import Reading, Writer

__all__ = ["COMPARED", "LIFE", "change_problems", "differ", "existing_of", "unlimited"]

COMPARED = ("state", "closed_at", "due_at", "description", "address")
"""What a repeated table may tell anew."""
LIFE = frozenset({"state", "closed_at", "due_at"})
"""What of it the workflow owns, once somebody has taken a step here."""
_STEPS = ("checked_at", "dispatched_at", "fixed_at", "fix_due_at", "clock_since", "on_time")
"""What follows from state and times, unless it is known better."""
_CLOCK = ("time_allowed", "time_unit", "clock_used")
_GROUNDS = ("category_id", "area_id", "road_id", "severity")
"""What the limit of a category depends on."""


def differ(mine: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether values differ, shape (n,); two times that are both missing do not."""
    if mine.dtype.kind == "M":
        return np.asarray((mine != theirs) & ~(np.isnat(mine) & np.isnat(theirs)))
    return np.asarray(mine != theirs)


def existing_of(session: Session, source_name: str) -> dict[str, NDArray[Any]]:
    """Problems of this source, by columns.

    ``due_at`` is the limit of fixing, as a table tells it; ``waits_until`` is when the step that is waited
    for must be taken. ``stepped`` says on which of them somebody took a step here or is to look back;
    ``stepped_at`` when that was last.
    """
    of_stage = case((Problem.state.in_(list(STAGES)), Problem.fix_due_at), else_=Problem.due_at)
    told = {"due_at": of_stage, "waits_until": Problem.due_at}
    names = (*COMPARED, "found_at", *_STEPS[:-1], *_CLOCK, *_GROUNDS, "change")
    columns = [getattr(Problem, name) for name in names if name not in told]
    columns += [column.label(name) for name, column in told.items()]
    known: Any = case((Problem.on_time.is_(None), -1), (Problem.on_time.is_(True), 1), else_=0)
    usual = (Category.time_unit.label("usual_unit"), Category.time_allowed.label("usual_allowed"))
    query = select(Problem.external_id, Problem.id, Problem.uid, *columns, known.label("on_time"), *usual)
    query = query.join(Category, Category.id == Problem.category_id)
    existing = read_columns(session, query.where(Problem.external_source == source_name))
    return existing | _steps_here(session, existing["id"], source_name)


def _steps_here(session: Session, numbers: NDArray[np.int64], source_name: str) -> dict[str, NDArray[Any]]:
    """On which problems a step was taken here that was not taken back, or that are to be looked at again."""
    taken_back = and_(Event.kind == EventKind.UNDONE, Event.action.is_not(None))
    steps = func.sum(case((Event.kind == EventKind.STATE, 1), (taken_back, -1), else_=0))
    query = (
        select(Event.problem_id.label("id"), func.max(Event.at).label("at"))
        .join(Problem, Problem.id == Event.problem_id)
        .where(Problem.external_source == source_name, Event.import_id.is_(None))
        .where(Event.kind.in_((EventKind.STATE, EventKind.UNDONE)))
        .group_by(Event.problem_id)
        .having(steps > 0)
    )
    checks = (
        select(CheckTask.problem_id.label("id"), func.max(LookBackSample.at).label("at"))
        .join(LookBackSample, LookBackSample.id == CheckTask.sample_id)
        .where(CheckTask.done_at.is_(None))
        .group_by(CheckTask.problem_id)
    )
    at = np.full(len(numbers), np.datetime64("NaT", "us"))
    for asked in (checks, query):
        found = read_columns(session, asked)
        index = pd.Index(found["id"]).get_indexer(pd.Index(numbers))
        at = np.where(index >= 0, np.append(found["at"], np.datetime64("NaT"))[index], at)
    return {"stepped": ~np.isnat(at), "stepped_at": at.astype("datetime64[us]")}


def change_problems(
    writer: Writer,
    reading: Reading,
    rows: NDArray[np.intp],
    before: Mapping[str, NDArray[Any]],
    import_id: int,
) -> None:
    """Write what differs, keep what was, and add the change to the history.

    Raises
    ------
    ConflictError
        If somebody changed one of them after it was read.
    """
    if not len(rows):
        return
    session: Session = writer.session
    _hold(session, before)
    table: Any = Problem.__table__
    told = {name: reading.fields[name][rows] for name in COMPARED}
    now_is = _lives_after(writer, told, before)
    names = (*COMPARED, *_STEPS, *_CLOCK)
    after = {name: _values(name, now_is[name]) for name in names}
    was = {**before, "due_at": before["waits_until"]}
    old = {name: _values(name, was[name]) for name in names}
    session.execute(
        update(table)
        .where(table.c.id == bindparam("_id"))
        .values(
            {name: bindparam(f"_{name}") for name in names} | {"change": next_change(session, rebuild=True)}
        ),
        [
            {"_id": int(number), **{f"_{name}": after[name][k] for name in names}}
            for k, number in enumerate(before["id"])
        ],
    )
    session.execute(
        insert(ImportChange),
        [
            {
                "import_id": import_id,
                "table_name": "problem",
                "row_uid": uuid.UUID(bytes=bytes(uid)),
                "before": {name: encode(old[name][k]) for name in names},
            }
            for k, uid in enumerate(before["uid"])
        ],
    )
    _write_history(writer, told, before, import_id)


def _hold(session: Session, before: Mapping[str, NDArray[Any]]) -> None:
    """Hold problems fast until the transaction ends, as they were read."""
    held = select(Problem.id, Problem.change).where(among(session, Problem.id, before["id"]))
    present = dict(session.execute(held.order_by(Problem.id).with_for_update()).all())
    read = dict(zip(before["id"].tolist(), before["change"].tolist(), strict=True))
    if present != read:
        raise ConflictError("Problems of this table were changed in the meantime. Import it again, please.")


def _lives_after(
    writer: Writer, told: Mapping[str, NDArray[Any]], before: Mapping[str, NDArray[Any]]
) -> dict[str, Any]:
    """Every column afterwards; steps and clocks follow where the table tells state, closing or limit anew."""
    limits = load_limits(writer.session, writer.settings)
    now = as_stamp(writer.now)
    state = told["state"]
    limit = _limit(limits, state, told["due_at"], before)
    after: dict[str, Any] = {**told, "due_at": limit}
    after |= _steps_after(after, before)
    after |= _clocks_after(after, before, limits.calendar, now)
    moved = state != before["state"]
    stage = np.where(moved, stage_dues(state, now, limits.calendar, writer.settings), before["waits_until"])
    after["due_at"] = np.where(has_stage(state), stage, limit)
    anew = moved | differ(told["closed_at"], before["closed_at"]) | differ(limit, before["due_at"])
    for name in (*_STEPS, *_CLOCK):
        after[name] = np.where(anew, after[name], before[name])
    after["due_at"] = np.where(anew, after["due_at"], before["waits_until"])
    return after


def _limit(
    limits: Limits, state: NDArray[Any], told: NDArray[Any], before: Mapping[str, NDArray[Any]]
) -> NDArray[Any]:
    """Limits of fixing; what somebody has by now and has none yet is given that of its category."""
    allowed, unit, _ = limits.allowed(
        before["usual_allowed"],
        before["usual_unit"],
        category=before["category_id"],
        area=before["area_id"],
        road=before["road_id"],
        severity=before["severity"],
        found_at=before["found_at"],
    )
    usual = limits.calendar.due(before["found_at"], allowed, unit)
    return np.where(np.isnat(told) & ~unlimited(state), usual, told)


def unlimited(state: NDArray[Any]) -> NDArray[np.bool_]:
    """Which states, as positions in `State`, come before anybody has a limit of fixing."""
    return np.isin(state, [list(State).index(one) for one in (State.RECORDED, State.CHECKED)])


def _write_history(
    writer: Writer, after: Mapping[str, NDArray[Any]], before: Mapping[str, NDArray[Any]], import_id: int
) -> None:
    """A line for each: moved to another state, or else corrected."""
    changed = np.stack([differ(after[name], before[name]) for name in COMPARED], axis=1)
    moved = changed[:, COMPARED.index("state")]
    kinds = list(EventKind)
    insert_rows(
        writer.session,
        Event,
        {
            "problem_id": before["id"],
            "kind": np.where(moved, kinds.index(EventKind.STATE), kinds.index(EventKind.EDITED)),
            "at": np.where(moved & ~np.isnat(after["closed_at"]), after["closed_at"], as_stamp(writer.now)),
            "recorded_at": writer.now,
            "actor": writer.actor.name,
            "state": after["state"],
            "details": [{"changed": sorted(compress(COMPARED, row))} for row in changed.tolist()],
            "import_id": import_id,
        },
    )


def _steps_after(after: Mapping[str, NDArray[Any]], before: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Steps that lie behind a changed record; what was known stays, save the limit if it was moved."""
    implied = steps_behind(after["state"], before["found_at"], after["closed_at"], after["due_at"])
    steps = {
        name: np.where(np.isnat(before[name]), implied[name], before[name])
        for name in ("checked_at", "dispatched_at", "fixed_at")
    }
    moved = differ(after["due_at"], before["due_at"]) | np.isnat(before["fix_due_at"])
    steps["fix_due_at"] = np.where(moved, implied["fix_due_at"], before["fix_due_at"])
    runs = ~np.isnat(implied["clock_since"])
    steps["clock_since"] = np.where(
        runs & ~np.isnat(before["clock_since"]), before["clock_since"], implied["clock_since"]
    )
    judged = ~(np.isnat(steps["fixed_at"]) | np.isnat(steps["fix_due_at"]))
    steps["on_time"] = np.where(judged, steps["fixed_at"] <= steps["fix_due_at"], -1)
    return steps


def _clocks_after(
    after: Mapping[str, NDArray[Any]],
    before: Mapping[str, NDArray[Any]],
    calendar: WorkingCalendar,
    moment: np.datetime64,
) -> dict[str, Any]:
    """Time allowed and used: a clock that starts, or whose limit is moved, ends at the limit that is told."""
    ran, runs = (~np.isnat(times["clock_since"]) for times in (before, after))
    unit = np.where(before["time_unit"] >= 0, before["time_unit"], before["usual_unit"]).astype(np.int64)
    moved = differ(after["fix_due_at"], before["fix_due_at"])
    told = runs & (moved | ~ran) & ~np.isnat(after["fix_due_at"])
    allowed, used = calendar.granted(after["clock_since"], after["fix_due_at"], unit)
    earlier = np.maximum(before["clock_used"], 0)
    stopped = earlier + np.where(ran & ~runs, calendar.used(before["clock_since"], moment, unit), 0)
    return {
        "time_allowed": np.where(told, allowed, before["time_allowed"]),
        "time_unit": np.where(told, unit, before["time_unit"]),
        "clock_used": np.where(told, used, np.where(runs & ~ran, 0, stopped)),
    }


def _values(name: str, column: NDArray[Any]) -> list[Any]:
    """Values as the table's columns take them: states by name, times with their offset."""
    if name == "state":
        return [list(State)[position] for position in column]
    if name == "time_unit":
        return [list(TimeUnit)[position] if position >= 0 else None for position in column]
    if name == "time_allowed":
        return [None if number < 0 else int(number) for number in column]
    if name == "on_time":
        return [None if known < 0 else bool(known) for known in column.tolist()]
    if column.dtype.kind == "M":
        return [
            None if np.isnat(t) else t.item().replace(tzinfo=UTC) for t in column.astype("datetime64[us]")
        ]
    return list(column.tolist())
