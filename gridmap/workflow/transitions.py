"""The steps in a problem's life, as one table.

Source: the workflow that the cities' work plans prescribe: found, recorded, checked, broken down to one
organisation with a deadline, fixed, verified on the spot by somebody else, sent back where it is not good
enough, closed, looked at again. Its names follow GB/T 30428.8 where that has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from gridmap.people.permissions import Permission
from gridmap.problems.models import State

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ASKING",
    "AT_WORK",
    "DISPATCHES",
    "TRANSITIONS",
    "Action",
    "Need",
    "Run",
    "Transition",
    "actions_from",
]


class Action(StrEnum):
    """What somebody does with a problem."""

    CHECK = "check"
    REJECT = "reject"
    MERGE = "merge"
    DISPATCH = "dispatch"
    REDISPATCH = "redispatch"
    ACCEPT = "accept"
    RETURN = "return"
    FIX = "fix"
    VERIFY = "verify"
    SEND_BACK = "send_back"
    CLOSE = "close"
    ASK_SUSPENSION = "ask_suspension"
    ASK_EXTENSION = "ask_extension"
    DECLINE = "decline"
    SUSPEND = "suspend"
    EXTEND = "extend"
    RESUME = "resume"
    LOOK_BACK = "look_back"
    REOPEN = "reopen"
    RESTORE = "restore"


class Need(StrEnum):
    """What a step cannot be taken without."""

    REASON = "reason"
    UNTIL = "until"
    """A time in the future."""
    TIME = "time"
    """More time, as a count and its unit."""
    OTHER = "other"
    """Another problem, which this one doubles."""
    REQUEST = "request"
    """An open request of the organisation."""
    ANOTHER_PERSON = "another_person"
    """Whoever takes the step is not who fixed the problem."""
    AFTER_PHOTO = "after_photo"
    """A photo taken after fixing, where the category says so."""


class Run(StrEnum):
    """What a step does to the clock of fixing."""

    KEEP = "keep"
    START = "start"
    """From nothing; for the organisation that had returned it, from where it stopped."""
    START_ELSEWHERE = "start_elsewhere"
    """From nothing where another organisation gets it; otherwise it runs on."""
    STOP = "stop"
    GO_ON = "go_on"
    """From where it stopped."""
    END = "end"


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table. `to` is None where the state stays as it is."""

    action: Action
    sources: frozenset[State]
    to: State | None
    permission: Permission
    needs: frozenset[Need] = frozenset()
    clock: Run = Run.KEEP


def _line(  # one line of the table
    action: Action,
    sources: frozenset[State] | set[State],
    to: State | None,
    permission: Permission,
    *needs: Need,
    clock: Run = Run.KEEP,
) -> Transition:
    return Transition(action, frozenset(sources), to, permission, frozenset(needs), clock)


_A, _S, _N, _P = Action, State, Need, Permission
AT_WORK = frozenset({_S.DISPATCHED, _S.ACCEPTED, _S.SENT_BACK})
"""An organisation has it and its clock runs."""
_UNDISPATCHED = {_S.RECORDED, _S.CHECKED, _S.RETURNED}

TRANSITIONS: Mapping[Action, Transition] = MappingProxyType(
    {
        line.action: line
        for line in (
            _line(_A.CHECK, {_S.RECORDED}, _S.CHECKED, _P.PROBLEM_CHECK),
            _line(_A.REJECT, _UNDISPATCHED, _S.REJECTED, _P.PROBLEM_CHECK, _N.REASON, clock=Run.END),
            _line(_A.MERGE, _UNDISPATCHED | AT_WORK, _S.MERGED, _P.PROBLEM_CHECK, _N.OTHER, clock=Run.END),
            _line(
                _A.DISPATCH, {_S.CHECKED, _S.RETURNED}, _S.DISPATCHED, _P.PROBLEM_DISPATCH, clock=Run.START
            ),
            _line(
                _A.REDISPATCH,
                AT_WORK,
                _S.DISPATCHED,
                _P.PROBLEM_DISPATCH,
                _N.REASON,
                clock=Run.START_ELSEWHERE,
            ),
            _line(_A.ACCEPT, {_S.DISPATCHED, _S.SENT_BACK}, _S.ACCEPTED, _P.PROBLEM_FIX),
            _line(
                _A.RETURN,
                {_S.DISPATCHED, _S.ACCEPTED},
                _S.RETURNED,
                _P.PROBLEM_FIX,
                _N.REASON,
                clock=Run.STOP,
            ),
            _line(_A.FIX, AT_WORK, _S.FIXED, _P.PROBLEM_FIX, clock=Run.STOP),
            _line(_A.VERIFY, {_S.FIXED}, _S.VERIFIED, _P.PROBLEM_VERIFY, _N.ANOTHER_PERSON),
            _line(
                _A.SEND_BACK,
                {_S.FIXED, _S.VERIFIED},
                _S.SENT_BACK,
                _P.PROBLEM_VERIFY,
                _N.REASON,
                _N.ANOTHER_PERSON,
                clock=Run.GO_ON,
            ),
            _line(_A.CLOSE, {_S.VERIFIED}, _S.CLOSED, _P.PROBLEM_CLOSE, _N.AFTER_PHOTO, clock=Run.END),
            _line(_A.ASK_SUSPENSION, AT_WORK, None, _P.PROBLEM_FIX, _N.REASON, _N.UNTIL),
            _line(_A.ASK_EXTENSION, AT_WORK, None, _P.PROBLEM_FIX, _N.REASON, _N.TIME),
            _line(_A.DECLINE, AT_WORK, None, _P.PROBLEM_APPROVE, _N.REASON, _N.REQUEST),
            _line(
                _A.SUSPEND,
                AT_WORK,
                _S.SUSPENDED,
                _P.PROBLEM_APPROVE,
                _N.REASON,
                _N.UNTIL,
                clock=Run.STOP,
            ),
            _line(_A.EXTEND, AT_WORK, None, _P.PROBLEM_APPROVE, _N.REASON, _N.TIME),
            _line(_A.RESUME, {_S.SUSPENDED}, _S.ACCEPTED, _P.PROBLEM_APPROVE, clock=Run.GO_ON),
            _line(_A.LOOK_BACK, {_S.CLOSED}, None, _P.PROBLEM_VERIFY, _N.ANOTHER_PERSON),
            _line(_A.REOPEN, {_S.CLOSED}, _S.CHECKED, _P.PROBLEM_VERIFY, _N.REASON),
            _line(_A.RESTORE, {_S.REJECTED, _S.MERGED}, _S.RECORDED, _P.PROBLEM_CHECK, _N.REASON),
        )
    }
)
"""Every step there is. A problem outside this table moves nowhere."""


ASKING: Mapping[Action, Action] = MappingProxyType(
    {_A.ASK_SUSPENSION: _A.SUSPEND, _A.ASK_EXTENSION: _A.EXTEND}
)
"""Steps that ask, and the step that grants what each asks for."""

DISPATCHES = frozenset({Action.DISPATCH, Action.REDISPATCH})
"""Steps that give a problem to an organisation."""


def actions_from(state: State) -> tuple[Action, ...]:
    """Steps that leave a state, in the order of the table."""
    return tuple(line.action for line in TRANSITIONS.values() if state in line.sources)
