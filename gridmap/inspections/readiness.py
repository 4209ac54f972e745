"""How ready a route is: the deductions to expect along it, and what to fix first so that they fall the most.

The rule, in the words of the page: a problem costs the points of its severity times the chance that the
assessors see it (`deduction_table`); one place (a stop, or a stretch between stops) loses no more than a
limit. An organisation has so many hands; several may work on one problem; a problem that is fixed before it
is passed costs nothing.
What to fix is a knapsack with deadlines, solved exactly as an integer program (HiGHS through SciPy).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gridmap.inspections.binary_program import AtMost, choose
from gridmap.inspections.corridor import SEEN_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.travel import Profile
    from gridmap.hours import Span
    from gridmap.inspections.deduction_table import DeductionTable

__all__ = [
    "Load",
    "Reason",
    "Remedy",
    "chance_to_see",
    "deductions",
    "fix_first",
    "loss",
    "places",
    "worked_hours",
]

_SECONDS = 20.0
_HAIR = 1e-9
_DAY = 24 * 60


class Reason(StrEnum):
    """Why a problem is fixed first, or is not."""

    FIX = "fix"
    UNSEEN = "unseen"
    NOBODY = "nobody"
    NO_HANDS = "no_hands"
    TOO_LATE = "too_late"
    TOO_LONG = "too_long"
    AT_LIMIT = "at_limit"
    OUTWEIGHED = "outweighed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Load:
    """Problems along a route.

    Attributes
    ----------
    cost
        Deduction to expect for each while it is there, points, shape (k,).
    hours
        Of one hand to fix it, shape (k,).
    deadline
        Working hours until it is passed, shape (k,).
    owner
        Which organisation fixes it, 0 to m - 1, or -1 for none; int64, shape (k,).
    place
        Which place it counts in, int64, shape (k,).
    """

    cost: NDArray[np.float64]
    hours: NDArray[np.float64]
    deadline: NDArray[np.float64]
    owner: NDArray[np.int64]
    place: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remedy:
    """What to fix first, and what that brings.

    Attributes
    ----------
    order
        Positions of the problems to fix in the order in which they are done, shape (c,). Each organisation
        begins with what brings the most for an hour, as far as the deadlines allow.
    done
        Working hours after which each of `order` is fixed, shape (c,).
    gain
        By how much each of `order` lowers the deductions, shape (c,); of a place at its limit, by share.
    reason
        Of every problem, shape (k,).
    today, at_arrival
        Deductions to expect now, and after the plan.
    bound
        No plan leaves less than this.
    """

    order: NDArray[np.int64]
    done: NDArray[np.float64]
    gain: NDArray[np.float64]
    reason: tuple[Reason, ...]
    today: float
    at_arrival: float
    bound: float

    @property
    def gap(self) -> float:
        """How much more than this plan another could bring at most, as a share of what that one would."""
        most = self.today - self.bound
        return max(0.0, self.at_arrival - self.bound) / most if most > _HAIR else 0.0


def chance_to_see(
    aside_m: NDArray[np.float64],
    hidden: NDArray[np.bool_],
    at_stop: NDArray[np.bool_],
    profile: Profile,
    table: DeductionTable,
) -> NDArray[np.float64]:
    """Chance that the assessors see each place, shape (k,): the greater one of going past and of stopping.

    Parameters
    ----------
    aside_m
        How far from the way, shape (k,).
    hidden
        Whether a building stands between, shape (k,).
    at_stop
        Whether it is within sight of a stop, shape (k,).
    profile
        How they go.
    table
        The chances.
    """
    passing = table.passing[profile] * (1.0 - 0.5 * np.minimum(aside_m / SEEN_M, 1.0))
    passing = np.where(hidden | (aside_m > SEEN_M), 0.0, passing)
    stopping = np.where(at_stop, np.where(hidden, table.at_stop_hidden, table.at_stop), 0.0)
    return np.maximum(passing, stopping)


def places(stop: NDArray[np.int64], along_m: NDArray[np.float64], place_m: float) -> NDArray[np.int64]:
    """Number the place that each problem counts in: its stop, or else its stretch of the way.

    Parameters
    ----------
    stop
        Of each, -1 for none, shape (k,).
    along_m
        Metre of the way, shape (k,).
    place_m
        How long a stretch is.
    """
    pieces = (along_m // place_m).astype(np.int64)
    return np.where(stop >= 0, stop, stop.max(initial=0) + 1 + pieces)


def worked_hours(
    begin: np.datetime64, ends: NDArray[np.datetime64], spans: tuple[Span, ...]
) -> NDArray[np.float64]:
    """Working hours from one moment to others, shape (k,), where every day is worked in the same spans.

    Parameters
    ----------
    begin, ends
        Local time; ends of shape (k,).
    spans
        Minutes of the day; none: round the clock.
    """

    def since_epoch(moments: NDArray[np.datetime64]) -> NDArray[np.float64]:
        day = moments.astype("datetime64[D]")
        minute = (moments - day) / np.timedelta64(1, "m")
        worked = np.zeros(len(moments))
        for first, last in spans or ((0, _DAY),):
            parts = [(first, last)] if first < last else [(first, _DAY), (0, last)]
            for start, end in parts:
                worked += day.astype(np.int64) * (end - start) + np.clip(minute, start, end) - start
        return worked / 60.0

    started = since_epoch(np.array([begin], dtype="datetime64[us]"))
    return np.maximum(since_epoch(ends.astype("datetime64[us]")) - started, 0.0)


def loss(load: Load, fixed: NDArray[np.bool_], limit: float) -> float:
    """Deductions to expect where some problems are fixed: of each place what is left, up to the limit.

    Parameters
    ----------
    fixed
        Shape (k,).
    limit
        The most that one place loses.
    """
    return deductions(np.where(fixed, 0.0, load.cost), load.place, limit)


def deductions(cost: NDArray[np.float64], place: NDArray[np.int64], limit: float) -> float:
    """Add up what problems cost, of each place up to the limit: every page that says deductions says this.

    Parameters
    ----------
    cost, place
        Of each problem, shape (k,); see `Load`.
    limit
        The most that one place loses.
    """
    # Of nothing, numpy counts in whole numbers.
    lost = np.bincount(place, weights=cost, minlength=1).astype(np.float64)
    return float(np.minimum(lost, limit).sum())


def fix_first(load: Load, hands: NDArray[np.float64], *, limit: float, seconds: float = _SECONDS) -> Remedy:
    """Choose what to fix so that the deductions to expect at arrival are the least.

    Parameters
    ----------
    load
        The problems.
    hands
        Of each organisation, shape (m,).
    limit
        The most that one place loses.
    seconds
        After which the search ends with the best so far; the gap then says how good that is.
    """
    count = len(load.cost)
    known = load.owner >= 0
    given = np.zeros(count)
    given[known] = np.asarray(hands, dtype=float)[load.owner[known]]
    able = known & (load.hours <= given * load.deadline + _HAIR) & (load.cost > 0)
    today = loss(load, np.zeros(count, dtype=bool), limit)
    fixed, bound = _chosen(load, able, given, limit, seconds) if able.any() else (able, today)
    fixed = _useful(load, fixed, limit)
    at_arrival = loss(load, fixed, limit)
    order, done = _in_order(load, fixed, given)
    return Remedy(
        order=order,
        done=done,
        gain=_gains(load, fixed, limit)[order],
        reason=_reasons(load, fixed, able, given, limit),
        today=today,
        at_arrival=at_arrival,
        bound=min(bound, at_arrival),
    )


def _chosen(
    load: Load, able: NDArray[np.bool_], given: NDArray[np.float64], limit: float, seconds: float
) -> tuple[NDArray[np.bool_], float]:
    """Solve the integer program: what is fixed, and the bound on what is left.

    One variable says for each problem whether it is fixed, one for each place beyond the limit whether it is
    brought below: that has to be paid with what is beyond, and only then does fixing there bring anything.
    """
    item = np.flatnonzero(able)
    total = _by_place(load, load.cost)
    beyond = np.flatnonzero(total > limit)
    slot = np.full(len(total), -1)
    slot[beyond] = np.arange(len(beyond))
    opened, count = slot[load.place[item]], len(item)
    inside = np.flatnonzero(opened >= 0)
    gain = np.concatenate([load.cost[item], limit - total[beyond]])
    row = np.arange(len(inside))
    only_there = AtMost(
        row=np.r_[row, row],
        column=np.r_[inside, count + opened[inside]],
        value=np.repeat([1.0, -1.0], len(inside)),
        most=np.zeros(len(inside)),
    )
    found = choose(-gain, [only_there, _due(load, item, given)], seconds=seconds)
    fixed = np.zeros(len(load.cost), dtype=bool)
    if found.taken is not None:
        fixed[item] = found.taken[:count]
    return fixed, max(float(np.minimum(total, limit).sum()) + found.bound, 0.0)


def _due(load: Load, item: NDArray[np.int64], given: NDArray[np.float64]) -> AtMost:
    """Up to each deadline an organisation does no more than its hands can."""
    rows, columns, values = [], [], []
    most: list[float] = []
    for owner in np.unique(load.owner[item]).tolist():
        own = np.flatnonzero(load.owner[item] == owner)
        own = own[np.argsort(load.deadline[item[own]], kind="stable")]
        due, work = load.deadline[item[own]], np.cumsum(load.hours[item[own]])
        room = given[item[own]] * due
        last = np.r_[due[1:] > due[:-1], True]
        for n in np.flatnonzero(last & (work > room + _HAIR)).tolist():
            rows.append(np.full(n + 1, len(most)))
            columns.append(own[: n + 1])
            values.append(load.hours[item[own[: n + 1]]])
            most.append(float(room[n]))
    none = [np.zeros(0)]
    return AtMost(
        row=np.concatenate(rows or none).astype(np.int64),
        column=np.concatenate(columns or none).astype(np.int64),
        value=np.concatenate(values or none),
        most=np.array(most, dtype=float),
    )


def _by_place(load: Load, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    # Of nothing, numpy counts in whole numbers.
    return np.bincount(load.place, weights=weight, minlength=1).astype(np.float64)


def _useful(load: Load, fixed: NDArray[np.bool_], limit: float) -> NDArray[np.bool_]:
    """What is fixed without what brings nothing, since its place stays at the limit all the same."""
    left = _by_place(load, np.where(fixed, 0.0, load.cost))
    return fixed & (left[load.place] < limit - _HAIR)


def _gains(load: Load, fixed: NDArray[np.bool_], limit: float) -> NDArray[np.float64]:
    """By how much each fixed problem lowers the deductions; what a place gains is shared by the costs."""
    total = _by_place(load, load.cost)
    taken = _by_place(load, np.where(fixed, load.cost, 0.0))
    brought = np.minimum(total, limit) - np.minimum(total - taken, limit)
    share = np.divide(brought, taken, out=np.zeros_like(taken), where=taken > 0)
    return np.where(fixed, load.cost * share[load.place], 0.0)


def _in_order(
    load: Load, fixed: NDArray[np.bool_], given: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Order in which problems are done, and when: by what an hour brings, as far as the deadlines allow."""
    worth = load.cost / np.maximum(load.hours, _HAIR)
    done = np.zeros(len(load.cost))
    for owner in np.unique(load.owner[fixed]).tolist():
        own = np.flatnonzero(fixed & (load.owner == owner))
        own = own[np.argsort(load.deadline[own], kind="stable")]
        at, hands = 0.0, given[own[0]]
        while len(own):
            # Who goes first delays all that are due before: none of them may have less to spare.
            spare = hands * load.deadline[own] - hands * at - np.cumsum(load.hours[own])
            least = np.r_[np.inf, np.minimum.accumulate(spare)[:-1]]
            may = np.flatnonzero(load.hours[own] <= least + _HAIR)
            first = int(may[np.argmax(worth[own[may]])])
            at += load.hours[own[first]] / hands
            done[own[first]] = at
            own = np.delete(own, first)
    chosen = np.flatnonzero(fixed)
    order = chosen[np.lexsort((-worth[chosen], done[chosen]))]
    return order, done[order]


def _reasons(
    load: Load,
    fixed: NDArray[np.bool_],
    able: NDArray[np.bool_],
    given: NDArray[np.float64],
    limit: float,
) -> tuple[Reason, ...]:
    left = _by_place(load, np.where(fixed, 0.0, load.cost))
    told = np.select(
        [
            fixed,
            load.cost <= 0,
            load.owner < 0,
            given <= 0,
            load.deadline <= 0,
            ~able,
            left[load.place] >= limit - _HAIR,
        ],
        [*range(7)],
        7,
    )
    reasons = (
        Reason.FIX,
        Reason.UNSEEN,
        Reason.NOBODY,
        Reason.NO_HANDS,
        Reason.TOO_LATE,
        Reason.TOO_LONG,
        Reason.AT_LIMIT,
        Reason.OUTWEIGHED,
    )
    return tuple(np.array(reasons, dtype=object)[told].tolist())
