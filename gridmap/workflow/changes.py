"""What a step changes on problems: a pure function from columns to columns."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.problems.models import State
from gridmap.workflow.clock import put_off, run_clocks
from gridmap.workflow.rules import STATES
from gridmap.workflow.transitions import AT_WORK, TRANSITIONS, Action, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from gridmap.workflow.clock import Calendar, Clocks
    from gridmap.workflow.lives import Lives
    from gridmap.workflow.step import Step

__all__ = ["Columns", "Given", "changes"]

Columns = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Who gets problems and how much time, arrays of shape (n,); ids are the database's, -1 for nobody."""

    organisation: NDArray[np.int64]
    person: NDArray[np.int64]
    allowed: NDArray[np.int64]
    unit: NDArray[np.int64]
    """Positions in `TimeUnit`."""
    reason: NDArray[np.object_]
    """What decided, for the history."""
    rule: NDArray[np.object_]
    """The rule that did, as the history names it; None where none did."""

    def where(self, chosen: NDArray[np.bool_]) -> Given:
        """Some of them."""
        return Given(*(getattr(self, field.name)[chosen] for field in fields(self)))


_COUNTED: Mapping[Action, str] = {
    Action.SEND_BACK: "rework",
    Action.RETURN: "returns",
    Action.SUSPEND: "suspensions",
    Action.EXTEND: "extensions",
    Action.LOOK_BACK: "look_backs",
    Action.REOPEN: "reopened",
}
_RETURNED = STATES.index(State.RETURNED)
_NEVER = np.datetime64("NaT", "us")


def changes(  # one argument per thing a step depends on
    step: Step,
    lives: Lives,
    *,
    moment: np.datetime64,
    calendar: Calendar,
    stage_due: Callable[[State], np.datetime64],
    given: Given,
    actor_person: int,
) -> Columns:
    """Return the new values of the columns that a step changes, by name.

    Parameters
    ----------
    step
        A step that may be taken on every one of `lives`.
    lives
        How they stand before.
    moment
        Of the step, UTC.
    calendar
        Counts working time.
    stage_due
        When the step that a state waits for must be taken; NaT: whenever.
    given
        Who gets each problem and with how much time, where the step gives it to somebody.
    actor_person
        Who takes the step; -1 where that is no person.

    Returns
    -------
    dict
        Arrays of shape (n,), in the conventions of `Lives`; `state` as positions in `STATES`.
    """
    line = TRANSITIONS[step.action]
    count = len(lives)
    new: Columns = {}
    if line.to is not None:
        new["state"] = np.full(count, STATES.index(line.to), dtype=np.int16)
    if step.action in _COUNTED:
        counter = _COUNTED[step.action]
        new[counter] = lives[counter] + 1
    _EXTRA.get(step.action, _nothing)(new, lives, moment, actor_person)
    if step.action in {Action.DISPATCH, Action.REDISPATCH}:
        new |= {"organisation_id": given.organisation, "person_id": given.person}
    clocks = lives.clocks
    if step.action is Action.EXTEND and step.more is not None:
        clocks = put_off(clocks, step.more, calendar)
        _keep_clocks(new, clocks)
        new["due_at"] = clocks.due
    elif line.clock in {Run.START, Run.START_ELSEWHERE}:
        # Whoever gets it has the time allowed, whatever an earlier organisation used or was given.
        fresh = run_clocks(
            Run.START, replace(clocks, allowed=given.allowed, unit=given.unit), moment, calendar
        )
        elsewhere = given.organisation != lives["organisation_id"]
        if line.clock is Run.START_ELSEWHERE:
            # Without a limit there is none to keep.
            clocks = _either(elsewhere | np.isnat(clocks.due), fresh, clocks)
        else:
            # Handing it back and getting it again is no way to more time.
            again = (lives["state"] == _RETURNED) & ~elsewhere & ~np.isnat(lives["fix_due_at"])
            clocks = _either(again, run_clocks(Run.GO_ON, clocks, moment, calendar), fresh)
        _keep_clocks(new, clocks)
    elif line.clock is not Run.KEEP:
        clocks = run_clocks(line.clock, clocks, moment, calendar)
        _keep_clocks(new, clocks)
    if line.to is not None:
        new["due_at"] = _due_at(step, line.to, line.clock, clocks, stage_due)
    return new


def _either(which: NDArray[np.bool_], one: Clocks, other: Clocks) -> Clocks:
    """The clocks of one where `which`, of the other elsewhere."""
    return type(one)(
        *(np.where(which, getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    )


def _keep_clocks(new: Columns, clocks: Clocks) -> None:
    new |= {
        "time_allowed": clocks.allowed,
        "time_unit": clocks.unit,
        "clock_since": clocks.since,
        "clock_used": clocks.used,
        "fix_due_at": clocks.due,
    }


def _due_at(
    step: Step, to: State, run: Run, clocks: Clocks, stage_due: Callable[[State], np.datetime64]
) -> NDArray[np.datetime64]:
    """When the next step must be taken; of a resolved problem, when it had to be fixed."""
    if run is Run.END or to in AT_WORK:
        return clocks.due
    if step.action is Action.SUSPEND and step.until is not None:
        return np.full_like(clocks.due, np.datetime64(step.until.astimezone(UTC).replace(tzinfo=None), "us"))
    return np.full_like(clocks.due, stage_due(to))


def _nothing(new: Columns, lives: Lives, moment: np.datetime64, person: int) -> None:
    """Most steps change nothing more."""


def _first(new: Columns, name: str, lives: Lives, moment: np.datetime64) -> None:
    """The time of the first such step stays."""
    before = lives[name]
    new[name] = np.where(np.isnat(before), moment, before)


def _check(new: Columns, lives: Lives, moment: np.datetime64, person: int) -> None:  # noqa: ARG001 - one signature for all
    _first(new, "checked_at", lives, moment)


def _dispatch(new: Columns, lives: Lives, moment: np.datetime64, person: int) -> None:  # noqa: ARG001 - as above
    _first(new, "dispatched_at", lives, moment)
    new["on_time"] = _unknown(len(lives))


def _unknown(count: int) -> Any:
    return np.ma.MaskedArray(np.zeros(count, dtype=bool), mask=True)


def _fix(new: Columns, lives: Lives, moment: np.datetime64, person: int) -> None:
    due = lives.clocks.due
    new |= {
        "fixed_at": np.full(len(lives), moment),
        "fixed_by_id": np.full(len(lives), person),
        "on_time": np.ma.MaskedArray(moment <= due, mask=np.isnat(due)),
    }


def _undo_fix(new: Columns, lives: Lives, moment: np.datetime64, person: int) -> None:  # noqa: ARG001 - as above
    new["on_time"] = _unknown(len(lives))


def _end(new: Columns, lives: Lives, moment: np.datetime64, person: int) -> None:  # noqa: ARG001 - as above
    new["closed_at"] = np.full(len(lives), moment)


def _begin_again(new: Columns, lives: Lives, moment: np.datetime64, person: int) -> None:  # noqa: ARG001 - as above
    new["closed_at"] = np.full(len(lives), _NEVER)
    new["on_time"] = _unknown(len(lives))


_EXTRA: Mapping[Action, Callable[[Columns, Lives, np.datetime64, int], None]] = {
    Action.CHECK: _check,
    Action.DISPATCH: _dispatch,
    Action.REDISPATCH: _dispatch,
    Action.FIX: _fix,
    Action.SEND_BACK: _undo_fix,
    Action.CLOSE: _end,
    Action.REJECT: _end,
    Action.MERGE: _end,
    Action.REOPEN: _begin_again,
    Action.RESTORE: _begin_again,
}
