"""Forecasts for readers: learned from what they may see and nothing else, remembered while that stays true.

Trying the ways and fitting the winner takes seconds, so it is done once a day for each question and each
reader's limits, by one process for all; the squares are scored anew whenever a problem changes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.errors import InvalidValueError
from gridmap.forecast.choosing import Choice, broadened, choose, enough, expected, trial_weeks
from gridmap.forecast.history import History
from gridmap.forecast.keeping import Choices
from gridmap.forecast.sites import read_beside
from gridmap.forecast.squares import Grid, Ground
from gridmap.forecast.windows import DAY, WEEK, Window, local_seconds
from gridmap.jobs import silent

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.hotspots.view import View
    from gridmap.jobs import Progress
    from gridmap.people.permissions import Scope

__all__ = ["FURTHEST_DAYS", "Forecast", "Forecasts"]

FURTHEST_DAYS = 14
"""Days ahead for which there are forecasts."""
_KEPT = 24
_HOUR = 3600
_REASON_WEEKS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What is expected where, within one reader's limits.

    Attributes
    ----------
    window
        When.
    grid, ground
        The squares; there may be none.
    choice
        How it was forecast and how good that was; None where there is too little to forecast from.
    all_days
        Whether it was tried and learned on the hours of all days, as those of its weekday alone are too few.
    expected
        Finds to be expected in each square, float64, shape (g,).
    past, near
        Finds of the last four weeks in the same hours, in each square and in the eight around it, shape (g,).
    weeks, found
        How much history there is.
    row, square
        Positions in the snapshot of what was found, and the square of each, int64, shape (n,), by time.
    """

    window: Window
    grid: Grid
    ground: Ground
    choice: Choice | None
    all_days: bool
    expected: NDArray[np.float64]
    past: NDArray[np.float64]
    near: NDArray[np.float64]
    weeks: int
    found: int
    row: NDArray[np.int64]
    square: NDArray[np.int64]

    def worst(self, most: int) -> NDArray[np.int64]:
        """Squares in which most is to be expected, the worst first; those where nothing is are left out."""
        order = np.lexsort((self.ground.key, -self.past, -self.expected))[:most]
        return order[self.expected[order] > 0]

    def chance(self, squares: NDArray[np.int64]) -> NDArray[np.float64]:
        """Probability that anything is found there at all, shape of `squares`."""
        return -np.expm1(-self.expected[squares])


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """What a reader sees, by time."""

    row: NDArray[np.int64]
    key: NDArray[np.int64]
    at: NDArray[np.int64]
    grid: Grid
    areas: frozenset[int] | None
    """Whose sites the reader may know."""


class Forecasts:
    """Forecasts of one server, remembered; safe to ask from many threads and processes.

    Parameters
    ----------
    folder
        Where the choices of the day lie, which all processes of a server share.
    """

    def __init__(self, folder: Path) -> None:
        self._choices = Choices(folder)
        self._chosen: OrderedDict[Any, Choice] = OrderedDict()
        self._known: OrderedDict[Any, Forecast] = OrderedDict()
        self._lock = threading.Lock()

    def read(
        self,
        session: Session,
        view: View,
        window: Window,
        *,
        scope: Scope,
        ground: int,
        zone: ZoneInfo,
        now: datetime,
        progress: Progress = silent,
    ) -> Forecast:
        """Forecast.

        Parameters
        ----------
        session
            Reads sites and roads.
        view
            Problems of every state that the reader may see and asks for: nothing else is looked at.
        window
            When; it ends after now, at most two weeks ahead.
        scope
            The view's, by which forecasts of different readers are told apart; it limits the sites as well.
        ground
            Clock of the places.
        zone
            Of the installation.
        now
            Up to when is known what happened, rounded down to the hour.
        progress
            Told while ways are tried; may raise.

        Raises
        ------
        InvalidValueError
            If the window is over, or too far off.
        """
        local = now.astimezone(zone).replace(tzinfo=UTC)
        hour = int(local.timestamp()) // _HOUR * _HOUR
        origin = min(hour, window.begin)
        if not (hour < window.end and window.begin <= hour + FURTHEST_DAYS * DAY):
            raise InvalidValueError(
                "Expected hours that are not over and at most {most} days ahead; found {found}.",
                parameter="day",
                most=FURTHEST_DAYS,
                found=window.first.isoformat(),
            )
        asked = (view.asked, scope, window, ground)
        key = (view.snapshot.change, origin, *asked)
        known: Forecast | None = self._get(self._known, key)
        if known is None:
            past, day = _past(view, scope, zone, origin), local.date()
            if self._tried(day, asked):
                known = self._made(session, past, origin, window, asked, day=day, progress=progress)
            else:
                # One at a time for each question: whoever asks the same meanwhile finds it done.
                with self._choices.alone(day, asked, progress):
                    known = self._get(self._known, key)
                    if known is None:
                        known = self._made(session, past, origin, window, asked, day=day, progress=progress)
            self._put(self._known, key, known)
        return known

    def quick(
        self, view: View, window: Window, *, scope: Scope, ground: int, zone: ZoneInfo, now: datetime
    ) -> bool:
        """Whether `read` takes no long time for the same question: the ways have been tried today."""
        local = now.astimezone(zone).replace(tzinfo=UTC)
        asked = (view.asked, scope, window, ground)
        origin = min(int(local.timestamp()) // _HOUR * _HOUR, window.begin)
        if self._get(self._known, (view.snapshot.change, origin, *asked)) is not None:
            return True
        return self._tried(local.date(), asked)

    def _tried(self, day: date, asked: tuple[Any, ...]) -> bool:
        return any(self._choice(day, (*asked, all_days)) is not None for all_days in (False, True))

    def _choice(self, day: date, question: tuple[Any, ...]) -> Choice | None:
        """What was chosen today for a question, here or by another process."""
        choice: Choice | None = self._get(self._chosen, (day, *question))
        if choice is None and (choice := self._choices.find(day, question)) is not None:
            self._put(self._chosen, (day, *question), choice)
        return choice

    def _made(
        self,
        session: Session,
        past: _Past,
        origin: int,
        window: Window,
        asked: tuple[Any, ...],
        *,
        day: date,
        progress: Progress,
    ) -> Forecast:
        ground = Ground.around(past.key) if len(past.key) else Ground(past.key)
        history = History.count(ground, past.key, past.at, window=window, origin=origin)
        same = history.lately(history.hours, 0, _REASON_WEEKS)
        choice, all_days, score = None, False, np.zeros(len(ground))
        if enough(history):
            beside = read_beside(session, ground, past.grid, areas=past.areas, day=window.first)
            all_days = broadened(history)
            learned, when = history, window
            if all_days:
                when = window.every_day()
                learned = History.count(ground, past.key, past.at, window=when, origin=origin)
            choice = self._choice(day, (*asked, all_days))
            if choice is None:
                earlier = past.at < origin - trial_weeks(learned)[-1] * WEEK
                before = Ground.around(past.key[earlier])
                tested = History.count(before, past.key, past.at, window=when, origin=origin)
                choice = choose(tested, learned, beside, progress)
                self._choices.keep(day, (*asked, all_days), choice)
                self._put(self._chosen, (day, *asked, all_days), choice)
            score = expected(choice.score(learned, beside), history)
        return Forecast(
            window,
            past.grid,
            ground,
            choice,
            all_days,
            score,
            same,
            ground.neighbours(same),
            history.weeks if len(past.key) else 0,
            len(past.key),
            past.row,
            ground.rows(past.key),
        )

    def _get(self, kept: OrderedDict[Any, Any], key: Any) -> Any:
        with self._lock:
            if key in kept:
                kept.move_to_end(key)
            return kept.get(key)

    def _put(self, kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
        with self._lock:
            kept[key] = value
            while len(kept) > _KEPT:
                kept.popitem(last=False)


def _past(view: View, scope: Scope, zone: ZoneInfo, origin: int) -> _Past:
    snapshot, rows = view.snapshot, view.rows
    opened = snapshot.values("opened", rows)
    order = np.argsort(opened, kind="stable")
    rows = rows[order]
    at = local_seconds(opened[order], zone)
    known = np.searchsorted(at, origin)
    rows, at = rows[:known], at[:known]
    lat = snapshot.lat[rows]
    grid = Grid.at(lat)
    return _Past(rows, grid.keys(snapshot.lon[rows], lat), at, grid, scope.areas)
