from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gridmap.patrols.planning import (
    FaultKind,
    Plan,
    Problem,
    Reason,
    Unfitted,
    Window,
    faults,
)
from gridmap.patrols.planning.assembling import assemble

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = 3600


@pytest.fixture
def day(block: Problem) -> Problem:
    """A day on which all three tasks are done, with the break before the last one."""
    late = replace(block.tasks[2], windows=(Window(11 * HOUR, 11 * HOUR + 600),))
    return replace(block, tasks=(*block.tasks[:2], late))


@pytest.fixture
def plan(day: Problem) -> Plan:
    found = assemble(day, [((0, 0), (1, 0), (2, 0))], {})
    assert faults(day, found) == []
    assert found.routes[0].pause is not None
    return found


def changed(plan: Plan, **changes: Any) -> Plan:
    return replace(plan, routes=(replace(plan.routes[0], **changes),))


def moved(plan: Plan, position: int, **changes: Any) -> Plan:
    visits = list(plan.routes[0].visits)
    visits[position] = replace(visits[position], **changes)
    return changed(plan, visits=tuple(visits))


def paused(plan: Plan, **changes: Any) -> Plan:
    pause = plan.routes[0].pause
    assert pause is not None
    return changed(plan, pause=replace(pause, **changes))


def twice(plan: Plan) -> Plan:
    return replace(plan, routes=(plan.routes[0], plan.routes[0]))


def _shorter(plan: Plan) -> Plan:
    return changed(plan, visits=plan.routes[0].visits[:-1])


PLANTED: list[tuple[Callable[[Plan], Plan], FaultKind]] = [
    (lambda plan: changed(plan, worker=4), FaultKind.UNKNOWN),
    (lambda plan: moved(plan, 0, task=3), FaultKind.UNKNOWN),
    (lambda plan: moved(plan, 0, mode=1), FaultKind.UNKNOWN),
    (lambda plan: replace(plan, unfitted=(Unfitted(9, Reason.FULL),)), FaultKind.UNKNOWN),
    (twice, FaultKind.TWICE),
    (lambda plan: moved(plan, 1, task=0, mode=0), FaultKind.TWICE),
    (_shorter, FaultKind.COVERAGE),
    (lambda plan: changed(plan, visits=()), FaultKind.COVERAGE),
    (lambda plan: replace(plan, unfitted=(Unfitted(1, Reason.FULL),)), FaultKind.COVERAGE),
    (lambda plan: replace(plan, unfitted=(Unfitted(1, Reason.NOBODY),)), FaultKind.REASON),
    (lambda plan: replace(plan, unfitted=(Unfitted(1, Reason.UNREACHABLE),)), FaultKind.REASON),
    (lambda plan: replace(plan, unfitted=(Unfitted(0, Reason.CLOSED),)), FaultKind.REASON),
    (lambda plan: replace(plan, unfitted=(Unfitted(1, Reason.NOT_WORTH),)), FaultKind.REASON),
    (lambda plan: moved(plan, 0, arrives=plan.routes[0].visits[0].arrives - 1), FaultKind.TIME),
    (lambda plan: moved(plan, 1, starts=plan.routes[0].visits[1].starts - 9), FaultKind.TIME),
    (lambda plan: moved(plan, 1, finishes=plan.routes[0].visits[1].finishes - 9), FaultKind.TIME),
    (lambda plan: moved(plan, 1, mode=1), FaultKind.TOTAL),
    (lambda plan: moved(plan, 2, starts=11 * HOUR + 601), FaultKind.WINDOW),
    (lambda plan: changed(plan, span=Window(8 * HOUR - 1, plan.routes[0].span.closes)), FaultKind.SHIFT),
    (lambda plan: changed(plan, span=Window(plan.routes[0].span.opens, 12 * HOUR + 1)), FaultKind.SHIFT),
    (lambda plan: changed(plan, span=replace(plan.routes[0].span, closes=11 * HOUR)), FaultKind.TIME),
    (lambda plan: changed(plan, pause=None), FaultKind.BREAK),
    (lambda plan: paused(plan, finishes=plan.routes[0].pause.finishes - 1), FaultKind.BREAK),  # type: ignore[union-attr]
    (lambda plan: paused(plan, before=0), FaultKind.TIME),
    (lambda plan: paused(plan, before=3), FaultKind.BREAK),
    (lambda plan: paused(plan, before=7), FaultKind.BREAK),
    (lambda plan: paused(plan, starts=11 * HOUR, finishes=11 * HOUR + 1800), FaultKind.BREAK),
    (lambda plan: changed(plan, metres=1), FaultKind.TOTAL),
    (lambda plan: changed(plan, seconds=1), FaultKind.TOTAL),
    (lambda plan: replace(plan, missed=7), FaultKind.TOTAL),
    (lambda plan: replace(plan, lacking=1), FaultKind.TOTAL),
    (lambda plan: replace(plan, cost=plan.cost - 1), FaultKind.TOTAL),
]


@pytest.mark.parametrize(("plant", "kind"), PLANTED)
def test_a_planted_error_is_found(
    day: Problem, plan: Plan, plant: Callable[[Plan], Plan], kind: FaultKind
) -> None:
    assert kind in {fault.kind for fault in faults(day, plant(plan))}


def test_what_the_problem_forbids_is_found(day: Problem, plan: Plan) -> None:
    def found(problem: Problem) -> set[FaultKind]:
        return {fault.kind for fault in faults(problem, plan)}

    worker = day.workers[0]
    assert found(replace(day, workers=(replace(worker, capacity=1),))) == {FaultKind.LOAD}
    assert found(replace(day, workers=(replace(worker, pause=None),))) == {FaultKind.BREAK}
    forbidden = replace(day.tasks[1], workers=frozenset())
    assert found(replace(day, tasks=(day.tasks[0], forbidden, day.tasks[2]))) == {FaultKind.SKILL}
    gone = day.travel[0].seconds.astype(float)
    gone[3, 4] = float("inf")
    broken = replace(day, travel=(type(day.travel[0])(gone, day.travel[0].metres),))
    assert FaultKind.WAY in found(broken)
