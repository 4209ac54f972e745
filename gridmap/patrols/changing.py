"""Changing a plan by hand: what it becomes, and what that breaks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.errors import InvalidValueError
from gridmap.language import N_, gettext
from gridmap.patrols.models import PatrolRoute, PatrolVisit
from gridmap.patrols.planning import FaultKind, Problem, faults, force
from gridmap.patrols.wishes import clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from gridmap.patrols.models import PatrolPlan
    from gridmap.patrols.planner import Asked
    from gridmap.patrols.planning import Fault, Plan, Window

__all__ = ["Change", "Changed", "Kept", "apply", "kept_orders", "say"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A plan as somebody arranged it.

    Parameters
    ----------
    orders
        Keys of tasks, by the number of the unit that does them.
    pins
        Unit whose person has to do a task, by its key: no search gives it to somebody else.
    banned
        Keys of tasks that are not to be done.
    """

    orders: Mapping[int, Sequence[str]]
    pins: Mapping[str, int] = field(default_factory=dict)
    banned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The orders of a plan as it is kept.

    Attributes
    ----------
    modes
        Of each task, by key.
    """

    orders: dict[int, list[str]]
    modes: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """What a change makes of a plan.

    Attributes
    ----------
    problem
        With the pins and bans.
    faults
        What the plan breaks.
    gone
        Keys of what is no longer there: problems closed meanwhile, points out of force.
    """

    problem: Problem
    plan: Plan
    faults: tuple[Fault, ...]
    gone: tuple[str, ...]


def kept_orders(session: Session, plan: PatrolPlan) -> Kept:
    """Read the orders of a plan."""
    rows = session.execute(
        select(PatrolRoute.unit, PatrolVisit.key, PatrolVisit.mode)
        .join(PatrolVisit, PatrolVisit.route_id == PatrolRoute.id)
        .where(PatrolRoute.plan_id == plan.id)
        .order_by(PatrolRoute.unit, PatrolVisit.position)
    ).all()
    orders: dict[int, list[str]] = {}
    for unit, key, _ in rows:
        orders.setdefault(unit, []).append(key)
    return Kept(orders, {key: mode for _, key, mode in rows})


def apply(asked: Asked, change: Change, modes: Mapping[str, int]) -> Changed:
    """Make the plan that somebody arranged, as it is, and judge it.

    Parameters
    ----------
    asked
        The question of the plan, posed again.
    modes
        In which tasks were done so far, by key.

    Raises
    ------
    InvalidValueError
        If a unit is unknown or a task is in it twice.
    """
    posed, count = asked.posed, len(asked.units)
    number = {key: task for task, key in enumerate(posed.keys)}
    named = [key for keys in change.orders.values() for key in keys]
    if len(named) != len(set(named)):
        raise InvalidValueError("Expected each stop once; found one twice.", parameter="orders")
    units = {*change.orders, *change.pins.values()}
    if wrong := sorted(unit for unit in units if not 0 <= unit < count):
        raise InvalidValueError(
            "Expected people of this plan; found number {found}.", parameter="orders", found=wrong[0]
        )
    tasks = list(posed.problem.tasks)
    for key, unit in change.pins.items():
        if key in number:
            task = tasks[number[key]]
            same = {n for n, one in enumerate(asked.units) if one.person == asked.units[unit].person}
            may = same if task.workers is None else same & task.workers
            tasks[number[key]] = replace(task, workers=frozenset(may))
    for key in change.banned:
        if key in number:
            tasks[number[key]] = replace(tasks[number[key]], workers=frozenset())
    problem = Problem(travel=posed.problem.travel, tasks=tuple(tasks), workers=posed.problem.workers)
    orders = [
        [number[key] for key in change.orders.get(unit, ()) if key in number and key not in change.banned]
        for unit in range(count)
    ]
    plan = force(problem, orders, {number[key]: mode for key, mode in modes.items() if key in number})
    gone = tuple(key for key in named if key not in number)
    return Changed(problem, plan, tuple(faults(problem, plan)), gone)


_SAID = {
    FaultKind.SKILL: N_("it is fixed to somebody else, or this person may not go there"),
    FaultKind.WAY: N_("there is no way there"),
    FaultKind.BREAK: N_("there is no time for the rest"),
    FaultKind.LOAD: N_("it is more than this person can do"),
}


def say(asked: Asked, changed: Changed) -> list[dict[str, Any]]:
    """Say what is wrong with a changed plan: unit, key of the stop (None for the whole round) and text."""
    routes = {route.worker: route for route in changed.plan.routes}
    told = []
    for fault in changed.faults:
        text = gettext(_SAID[fault.kind]) if fault.kind in _SAID else fault.kind.value
        route = routes.get(-1 if fault.worker is None else fault.worker)
        if fault.kind is FaultKind.WINDOW and route is not None and fault.task is not None:
            starts = next(visit.starts for visit in route.visits if visit.task == fault.task)
            text = gettext(
                "reached at {at}, outside its hours {hours}",
                at=_clock(starts),
                hours=_hours(changed.problem.tasks[fault.task].windows),
            )
        elif fault.kind is FaultKind.SHIFT and route is not None:
            shift = changed.problem.workers[route.worker].shift
            text = gettext(
                "back at {at}, {minutes} min after the end of the shift {shift}",
                at=_clock(route.span.closes),
                minutes=-(-(route.span.closes - shift.closes) // 60),
                shift=_hours((shift,)),
            )
        told.append(
            {
                "unit": fault.worker,
                "key": None if fault.task is None else asked.posed.keys[fault.task],
                "text": text,
            }
        )
    return told


def _hours(windows: Sequence[Window]) -> str:
    return gettext(", ").join(f"{_clock(one.opens)}–{_clock(one.closes)}" for one in windows)


def _clock(seconds: int) -> str:
    day, rest = divmod(seconds, 24 * 3600)
    text = clock(rest // 60)
    return gettext("{time} on the next day", time=text) if day == 1 else text
