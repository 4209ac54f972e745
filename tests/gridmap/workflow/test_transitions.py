"""The table of steps: whole, and always with a way to the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.labels import LABELS
from gridmap.people.permissions import ROLE_PERMISSIONS, Role
from gridmap.problems.models import State
from gridmap.workflow.rules import REFUSALS, STATES, Verdict, judge
from gridmap.workflow.transitions import AT_WORK, TRANSITIONS, Action, Need, Run, actions_from


def reachable(state: State) -> set[State]:
    found, ahead = {state}, [state]
    while ahead:
        here = ahead.pop()
        for action in actions_from(here):
            to = TRANSITIONS[action].to
            if to is not None and to not in found:
                found.add(to)
                ahead.append(to)
    return found


@pytest.mark.parametrize("state", list(State))
def test_every_state_leads_to_closed(state):
    assert State.CLOSED in reachable(state)


def test_every_step_is_in_the_table_and_has_a_name():
    assert set(TRANSITIONS) == set(Action)
    assert all(line.action is action for action, line in TRANSITIONS.items())
    assert set(LABELS[Action]) == set(Action)
    assert set(REFUSALS) == set(Verdict) - {Verdict.ALLOWED}


def test_every_state_but_the_first_is_reached_from_it():
    assert reachable(State.RECORDED) == set(State)


@pytest.mark.parametrize("action", list(Action))
def test_somebody_may_take_every_step(action):
    assert any(TRANSITIONS[action].permission in held for held in ROLE_PERMISSIONS.values())


def test_a_grid_worker_decides_nothing_that_needs_approval():
    held = ROLE_PERMISSIONS[Role.GRID_WORKER]
    for action in (Action.SUSPEND, Action.EXTEND, Action.DECLINE, Action.DISPATCH, Action.CLOSE):
        assert TRANSITIONS[action].permission not in held


def test_the_clock_runs_exactly_while_an_organisation_has_it():
    """Along every line of the table: into work it starts or goes on, out of work it stops or ends."""
    for line in TRANSITIONS.values():
        if line.to is None:
            assert line.clock is Run.KEEP
            continue
        for source in line.sources:
            if source in AT_WORK and line.to not in AT_WORK:
                assert line.clock in {Run.STOP, Run.END}, line.action
            if source not in AT_WORK and line.to in AT_WORK:
                assert line.clock in {Run.START, Run.GO_ON}, line.action


FLAGS = ("seen", "in_scope", "fixed_by_actor", "lacks_photo", "requested")


def plainly(action, state, *, seen, in_scope, fixed_by_actor, lacks_photo, requested):
    """The same rules said once more, one problem at a time."""
    line = TRANSITIONS[action]
    asks = action in {Action.ASK_EXTENSION, Action.ASK_SUSPENSION}
    objections = [
        (not seen, Verdict.NOT_THERE),
        (not in_scope, Verdict.OUT_OF_SCOPE),
        (state not in line.sources, Verdict.WRONG_STATE),
        (Need.ANOTHER_PERSON in line.needs and fixed_by_actor, Verdict.SAME_PERSON),
        (Need.AFTER_PHOTO in line.needs and lacks_photo, Verdict.NO_PHOTO),
        (asks and requested, Verdict.ASKED),
        (Need.REQUEST in line.needs and not requested, Verdict.NO_REQUEST),
    ]
    return next((verdict for applies, verdict in objections if applies), Verdict.ALLOWED)


@given(
    action=st.sampled_from(Action),
    problems=st.lists(st.tuples(st.sampled_from(State), *[st.booleans()] * len(FLAGS)), max_size=20),
)
def test_many_are_judged_as_each_one(action, problems):
    states = [STATES.index(state) for state, *_ in problems]
    columns = {name: [row[k + 1] for row in problems] for k, name in enumerate(FLAGS)}
    columns = {name: np.array(values, dtype=bool) for name, values in columns.items()}
    found = judge(action, np.array(states, dtype=np.int64), **columns)
    expected = [plainly(action, state, **dict(zip(FLAGS, flags, strict=True))) for state, *flags in problems]
    assert found.tolist() == expected


@pytest.mark.parametrize("action", [Action.VERIFY, Action.SEND_BACK, Action.LOOK_BACK])
def test_whoever_judges_is_not_who_fixed(action):
    assert Need.ANOTHER_PERSON in TRANSITIONS[action].needs
