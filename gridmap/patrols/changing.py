"""Changing a plan by hand: what it becomes, and what that breaks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.errors import InvalidValueError
from gridmap.language import N_, gettext
from gridmap.patrols.models import PatrolRoute, PatrolVisit
from gridmap.patrols.planning import FaultKind, Problem, faults, force
from gridmap.patrols.wishes import DAY_S, clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from gridmap.patrols.models import PatrolPlan
    from gridmap.patrols.planner import Asked
    from gridmap.patrols.planning import Fault, Plan, Window

__all__ = ["Change", "Changed", "Kept", "apply", "judge", "kept_orders", "say", "tell"]


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


_ABSENT = "absent"
"""What is given to somebody who cannot be sent any more."""
_SAID: dict[str, str] = {
    FaultKind.SKILL: N_("it is fixed to somebody else, or this person may not go there"),
    FaultKind.WAY: N_("there is no way there"),
    FaultKind.BREAK: N_("there is no time for the rest"),
    FaultKind.LOAD: N_("it is more than this person can do"),
    _ABSENT: N_("this person cannot be sent here any more"),
}


def judge(asked: Asked, changed: Changed) -> list[dict[str, Any]]:
    """Return what is wrong with a changed plan, as it is kept: kinds and numbers, which `tell` says.

    Each has its unit, the key of the stop (None for the whole round) and its kind; where that is one of time
    also the day of the shift and seconds from its midnight.
    """
    routes = {route.worker: route for route in changed.plan.routes}
    found = []
    for fault in changed.faults:
        one: dict[str, Any] = {
            "unit": fault.worker,
            "key": None if fault.task is None else asked.posed.keys[fault.task],
            "kind": fault.kind.value,
        }
        route = routes.get(-1 if fault.worker is None else fault.worker)
        if fault.kind is FaultKind.SKILL and fault.worker in asked.absent:
            one["kind"] = _ABSENT
        elif route is not None:
            day = asked.units[route.worker].day
            midnight = (day - asked.wish.day).days * DAY_S
            shift = changed.problem.workers[route.worker].shift
            if fault.kind is FaultKind.WINDOW and fault.task is not None:
                starts = next(visit.starts for visit in route.visits if visit.task == fault.task)
                windows = _near(changed.problem.tasks[fault.task].windows, shift)
                one |= {"day": str(day), "at": starts - midnight, "hours": _from(midnight, windows)}
            elif fault.kind is FaultKind.SHIFT:
                at = route.span.closes - midnight
                one |= {"day": str(day), "at": at, "hours": _from(midnight, (shift,))}
        found.append(one)
    return found


def tell(fault: Mapping[str, Any]) -> str:
    """Say a fault that was kept, in the language in force."""
    if "text" in fault:
        # Kept before faults were kept as kinds and numbers.
        return str(fault["text"])
    kind = fault["kind"]
    if "at" not in fault:
        return gettext(_SAID[kind]) if kind in _SAID else str(kind)
    day = date.fromisoformat(fault["day"])
    at = _clock(fault["at"], day)
    # Hours end with the last second of a minute.
    hours = gettext(", ").join(
        f"{_clock(begin, day)}–{_clock(end + 59, day)}" for begin, end in fault["hours"]
    )
    if kind == FaultKind.WINDOW:
        return gettext("reached at {at}, outside its hours {hours}", at=at, hours=hours)
    return gettext(
        "back at {at}, {minutes} min after the end of the shift {shift}",
        at=at,
        minutes=-(-(fault["at"] - fault["hours"][0][1]) // 60),
        shift=hours,
    )


def say(asked: Asked, changed: Changed) -> list[dict[str, Any]]:
    """Say what is wrong with a changed plan: unit, key of the stop (None for the whole round) and text."""
    return [{"unit": one["unit"], "key": one["key"], "text": tell(one)} for one in judge(asked, changed)]


def _near(windows: Sequence[Window], shift: Window) -> list[Window]:
    """Those of a task's hours that a shift touches; if it touches none, the nearest."""

    def apart(one: Window) -> int:
        return max(one.opens - shift.closes, shift.opens - one.closes)

    return [one for one in windows if apart(one) < 0] or sorted(windows, key=apart)[:1]


def _from(midnight: int, windows: Sequence[Window]) -> list[list[int]]:
    return [[one.opens - midnight, one.closes - midnight] for one in windows]


def _clock(seconds: int, day: date) -> str:
    """Write a time of a shift that began on a day, with its date unless it is on that day or the next."""
    over, rest = divmod(seconds, DAY_S)
    text = clock(rest // 60)
    if over == 1:
        return gettext("{time} on the next day", time=text)
    return f"{day + timedelta(days=over):%m-%d} {text}" if over else text
