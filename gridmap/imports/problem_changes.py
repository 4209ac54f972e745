"""What a repeated table changes in problems that are there, and the steps and clocks that follow from it."""

from __future__ import annotations

import uuid
from datetime import UTC
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import bindparam, case, insert, select, update

from gridmap.deadlines.calendar import as_stamp, load_calendar
from gridmap.imports.models import ImportChange
from gridmap.imports.steps import encode
from gridmap.problems.models import Category, Event, EventKind, Problem, State, TimeUnit
from gridmap.problems.rules import steps_behind
from gridmap.store.bulk import insert_rows
from gridmap.store.clock import next_change
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.deadlines.calendar import WorkingCalendar
    from gridmap.imports.plan import Reading, Writer

__all__ = ["COMPARED", "change_problems", "differ", "existing_of"]

COMPARED = ("state", "closed_at", "due_at", "description", "address")
"""What a repeated table may tell anew."""
_STEPS = ("checked_at", "dispatched_at", "fixed_at", "fix_due_at", "clock_since", "on_time")
"""What follows from state and times, unless it is known better."""
_CLOCK = ("time_allowed", "time_unit", "clock_used")


def differ(mine: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether values differ, shape (n,); two times that are both missing do not."""
    if mine.dtype.kind == "M":
        return np.asarray((mine != theirs) & ~(np.isnat(mine) & np.isnat(theirs)))
    return np.asarray(mine != theirs)


def existing_of(session: Session, source_name: str) -> dict[str, NDArray[Any]]:
    """Problems of this source, by columns."""
    columns = [getattr(Problem, name) for name in (*COMPARED, "found_at", *_STEPS[:-1], *_CLOCK)]
    known: Any = case((Problem.on_time.is_(None), -1), (Problem.on_time.is_(True), 1), else_=0)
    usual = Category.time_unit.label("usual_unit")
    query = select(Problem.external_id, Problem.id, Problem.uid, *columns, known.label("on_time"), usual)
    query = query.join(Category, Category.id == Problem.category_id)
    return read_columns(session, query.where(Problem.external_source == source_name))


def change_problems(
    writer: Writer,
    reading: Reading,
    rows: NDArray[np.intp],
    before: Mapping[str, NDArray[Any]],
    import_id: int,
) -> None:
    """Write what differs, keep what was, and add the change of state to the history."""
    if not len(rows):
        return
    session: Session = writer.session
    table: Any = Problem.__table__
    now_is = {name: reading.fields[name][rows] for name in COMPARED}
    now_is |= _steps_after(now_is, before)
    now_is |= _clocks_after(now_is, before, load_calendar(writer.settings), as_stamp(writer.now))
    names = (*COMPARED, *_STEPS, *_CLOCK)
    after = {name: _values(name, now_is[name]) for name in names}
    old = {name: _values(name, before[name]) for name in names}
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
    _write_history(writer, now_is, before, import_id)


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
