"""Three months of problems with the rhythm of a district: hours, weekdays, weather, hot spots and backlog."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.demo.ground import CENTRE
from gridmap.demo.habits import HABITS
from gridmap.problems.models import Source, State

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from gridmap.demo.habits import Habit
    from gridmap.demo.spots import Spots

__all__ = ["DAYS", "Problems", "make_problems"]

DAYS = 92
"""Days before now in which problems are found."""
_UNRESOLVED = 0.3
_LOCAL = np.timedelta64(8, "h")
"""China's one time zone, ahead of UTC."""
_HOUR = 3_600_000_000
_NOWHERE = (0.012, 112)
"""Least share and number of problems on the default coordinate: fewer would not look like one."""
_RESOLVED = {State.CLOSED: 0.94, State.REJECTED: 0.04, State.MERGED: 0.02}
_FRESH = {State.RECORDED: 0.4, State.CHECKED: 0.2, State.DISPATCHED: 0.25, State.ACCEPTED: 0.15}
_OPEN = {
    State.RECORDED: 0.04,
    State.CHECKED: 0.05,
    State.DISPATCHED: 0.2,
    State.ACCEPTED: 0.31,
    State.FIXED: 0.14,
    State.VERIFIED: 0.07,
    State.SENT_BACK: 0.09,
    State.RETURNED: 0.05,
    State.SUSPENDED: 0.05,
}


@dataclass(frozen=True, slots=True, eq=False)
class Problems:
    """Columns of shape (n,), in the order in which problems were found. Times are datetime64[us], UTC."""

    habit: NDArray[np.int64]
    """Position in `HABITS`."""
    state: NDArray[np.int64]
    """Position in `State`."""
    source: NDArray[np.int64]
    """Position in `Source`."""
    found_at: NDArray[np.datetime64]
    closed_at: NDArray[np.datetime64]
    """NaT: not closed."""
    due_at: NDArray[np.datetime64]
    """Limit that was put off; NaT: the category's."""
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    address: NDArray[np.object_]
    description: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.habit)

    def codes(self) -> NDArray[np.object_]:
        """Code of each problem's category, shape (n,)."""
        codes = np.array([habit.code for habit in HABITS.values()], dtype=object)
        return np.asarray(codes[self.habit])


def make_problems(spots: Spots, count: int, *, now: datetime, seed: int) -> Problems:
    """Make `count` problems found in the three months before `now`.

    Parameters
    ----------
    spots
        Where they happen.
    count
        At least 1.
    now
        Aware; nothing is later, save the one impossible record that is meant to be.
    seed
        The same seed and `now` give the same problems.
    """
    random = np.random.default_rng([seed, 3])
    moment = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us")
    habits = list(HABITS.values())
    share = np.array([habit.share for habit in habits])
    habit = random.choice(len(habits), count, p=share / share.sum())
    weather = _weather(random)
    spot = np.empty(count, dtype=np.int64)
    found = np.empty(count, dtype="datetime64[us]")
    source = np.empty(count, dtype=np.int64)
    words = np.empty(count, dtype=object)
    for number, one in enumerate(habits):
        here = np.flatnonzero(habit == number)
        spot[here] = _pick(random, spots.weights[one.where], len(here))
        found[here] = _times(one, moment, weather, len(here), random)
        source[here] = _choose(random, one.sources, list(Source), len(here))
        sentences = np.array(one.sentences(), dtype=object)
        words[here] = sentences[random.integers(0, len(sentences), len(here))]
    order = np.argsort(found, kind="stable")
    habit, spot, source = habit[order], spot[order], source[order]
    found, words = found[order], words[order]
    state, closed = _fates(habits, habit, found, spots.lax[spot], moment=moment, random=random)
    # Along the street within a house or two, across it within a pace: it stays on its side.
    along, across = random.uniform(-11, 11, count), random.normal(0, 0.8, count)
    x = spots.x[spot] + along * spots.along_x[spot] - across * spots.along_y[spot]
    y = spots.y[spot] + along * spots.along_y[spot] + across * spots.along_x[spot]
    lon, lat = CENTRE.inverse_xy(x, y)
    made = Problems(
        habit,
        state,
        source,
        found,
        closed,
        _put_off(state, closed, found, moment, random),
        np.round(lon, 7),
        np.round(lat, 7),
        spots.address[spot],
        words,
    )
    return _with_doubtful(made, spots, moment, random)


def _weather(random: Generator) -> NDArray[np.bool_]:
    """Which of the days are rainy, shape (DAYS + 1,); rain comes in spells."""
    rainy = np.zeros(DAYS + 1, dtype=bool)
    chance = random.random(DAYS + 1)
    for day in range(1, DAYS + 1):
        rainy[day] = chance[day] < (0.55 if rainy[day - 1] else 0.14)
    return rainy


def _times(
    habit: Habit, moment: np.datetime64, rainy: NDArray[np.bool_], count: int, random: Generator
) -> NDArray[np.datetime64]:
    """When problems of one habit are found, none after `moment`."""
    today = (moment + _LOCAL).astype("datetime64[D]")
    days = today - np.arange(DAYS, -1, -1)
    # 1970-01-01 was a Thursday.
    weekday = (days.astype(np.int64) + 3) % 7
    effort = np.linspace(0.55, 1.75, len(days)) * random.lognormal(0, 0.14, len(days))
    chance = np.array(habit.week)[weekday] * np.where(rainy, habit.rain, 1.0) * effort
    day = _pick(random, chance / chance.sum(), count)
    windows = np.array(habit.hours)
    window = _pick(random, windows[:, 2] / windows[:, 2].sum(), count)
    low, high = windows[window, 0], windows[window, 1]
    hours = low + (high - low) * random.random(count)
    found: NDArray[np.datetime64] = (
        days[day].astype("datetime64[us]") + (hours * _HOUR).astype("timedelta64[us]") - _LOCAL
    )
    late = found > moment
    # What would be later today happened a week ago at that hour: the weekday's rhythm stays.
    found[late] -= np.timedelta64(7, "D")
    return found.astype("datetime64[s]").astype("datetime64[us]")


def _fates(
    habits: list[Habit],
    habit: NDArray[np.int64],
    found: NDArray[np.datetime64],
    lax: NDArray[np.float64],
    *,
    moment: np.datetime64,
    random: Generator,
) -> tuple[NDArray[np.int64], NDArray[np.datetime64]]:
    """State and time of closing: what is fresh, slow by nature or in a slow community stays open."""
    count = len(habit)
    age = (moment - found).astype(np.int64) / (24 * _HOUR)
    lasting = np.array([one.lasting for one in habits])[habit]
    usual = np.array([one.days for one in habits])[habit]
    clinging = (
        lasting + lax + random.gumbel(0, 0.9, count) + 7.0 * np.exp(-age / (1.5 + 0.8 * usual)) - age / 22
    )
    unresolved = np.zeros(count, dtype=bool)
    unresolved[np.argsort(-clinging, kind="stable")[: round(_UNRESOLVED * count)]] = True
    state = np.empty(count, dtype=np.int64)
    for table, rows in (
        (_RESOLVED, ~unresolved),
        (_FRESH, unresolved & (age < 0.5)),
        (_OPEN, unresolved & (age >= 0.5)),
    ):
        state[rows] = _choose(random, table, list(State), int(rows.sum()))
    taken = usual * random.lognormal(-0.2, 0.9, count)
    # What would take longer than there was time was closed some time in between.
    taken = np.where(taken < age * 0.98, taken, age * random.uniform(0.1, 0.95, count))
    closed = found + (taken * 86_400).astype("timedelta64[s]")
    closed[unresolved] = np.datetime64("NaT")
    return state, closed


def _put_off(
    state: NDArray[np.int64],
    closed: NDArray[np.datetime64],
    found: NDArray[np.datetime64],
    moment: np.datetime64,
    random: Generator,
) -> NDArray[np.datetime64]:
    """Later limits of half of what has been open for a day or more, as headquarters grants them.

    What is suspended is so until a time to come.
    """
    due = np.full(len(closed), np.datetime64("NaT"), dtype="datetime64[us]")
    waiting = np.flatnonzero(np.isnat(closed) & (moment - found > np.timedelta64(1, "D")))
    granted = waiting[random.random(len(waiting)) < 0.5]
    granted = np.union1d(granted, np.flatnonzero(state == list(State).index(State.SUSPENDED)))
    due[granted] = moment + random.integers(4, 12 * 24, len(granted)).astype("timedelta64[h]")
    return due


def _with_doubtful(made: Problems, spots: Spots, moment: np.datetime64, random: Generator) -> Problems:
    """Put some on one default coordinate, a few outside every cell, and give a few impossible times."""
    count = len(made)
    shuffled = random.permutation(count)
    nowhere = max(round(_NOWHERE[0] * count), _NOWHERE[1]) if count >= 2000 else 0
    few = max(3, count // 600) if count >= 50 else 0
    default, outside, wrong = np.split(shuffled[: nowhere + 2 * few], [nowhere, nowhere + few])
    lon, lat = made.lon.copy(), made.lat.copy()
    address, found, closed = made.address.copy(), made.found_at.copy(), made.closed_at.copy()
    lon[default], lat[default] = CENTRE.lon, CENTRE.lat
    address[default] = "地址不详"
    turn = random.uniform(0, 2 * np.pi, few)
    reach = np.hypot(spots.x, spots.y).max() * random.uniform(1.05, 1.2, few)
    lon[outside], lat[outside] = (
        np.round(v, 7) for v in CENTRE.inverse_xy(reach * np.cos(turn), reach * np.sin(turn))
    )
    address[outside] = "辖区外（坐标待核）"
    hours = random.integers(2, 60, few).astype("timedelta64[h]")
    closed[wrong] = found[wrong] - hours
    state = made.state.copy()
    state[wrong] = list(State).index(State.CLOSED)
    future = wrong[:1]
    due = made.due_at.copy()
    due[wrong] = np.datetime64("NaT")
    found[future], closed[future] = moment + np.timedelta64(30, "D"), np.datetime64("NaT")
    state[future] = list(State).index(State.RECORDED)
    return replace(
        made, lon=lon, lat=lat, address=address, found_at=found, closed_at=closed, due_at=due, state=state
    )


def _pick(random: Generator, chances: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Positions drawn with given chances, shape (count,)."""
    steps = np.cumsum(chances)
    at = np.searchsorted(steps, random.random(count) * steps[-1], side="right")
    return np.asarray(np.minimum(at, len(chances) - 1))


def _choose(random: Generator, table: dict[Any, float], members: list[Any], count: int) -> NDArray[np.int64]:
    """Positions in `members` drawn with the weights of `table`, shape (count,)."""
    weights = np.array(list(table.values()))
    positions = np.array([members.index(member) for member in table])
    return np.asarray(positions[_pick(random, weights / weights.sum(), count)])
