from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gridmap.patrols.planning import Pause, Problem, Window
from gridmap.patrols.planning.timetable import timetable

if TYPE_CHECKING:
    from gridmap.patrols.planning import Route

HOUR = 3600


def timed(problem: Problem, *order: tuple[int, int]) -> Route | None:
    return timetable(problem, 0, order)


def test_leaves_no_earlier_than_needed(block: Problem) -> None:
    route = timed(block, (0, 0))
    assert route is not None
    assert route.span == Window(9 * HOUR - 60, 9 * HOUR + 360)
    assert route.pause is None, "back before the break is due"
    assert (route.seconds, route.metres, route.cost) == (420, 150, 420)


def test_takes_the_break_where_it_costs_least(block: Problem) -> None:
    late = replace(block.tasks[2], windows=(Window(11 * HOUR, 11 * HOUR),))
    route = timed(replace(block, tasks=(*block.tasks[:2], late)), (0, 0), (1, 0), (2, 0))
    assert route is not None
    # Everything moves towards the appointment at eleven; the break opens at 9:30 and is taken on the way.
    assert route.pause is not None
    assert route.pause.finishes - route.pause.starts == 1800
    assert route.visits[-1].starts == 11 * HOUR
    assert route.span.closes == 11 * HOUR + 120 + 4 * 60


def test_break_before_leaving_when_it_would_be_too_late_on_arrival(block: Problem) -> None:
    pause = replace(block.workers[0].pause, window=Window(9 * HOUR + 300, 9 * HOUR + 300))
    one = replace(block, workers=(replace(block.workers[0], pause=pause),))
    route = timed(one, (0, 0), (2, 0))
    assert route is not None
    assert route.pause == Pause(1, False, 9 * HOUR + 300, 9 * HOUR + 2100)  # noqa: FBT003 - as a record


def test_refuses_what_does_not_fit(block: Problem) -> None:
    assert timed(block, (1, 0), (0, 0), (2, 0)) is not None
    heavy = replace(block.tasks[1], demand=2)
    assert timed(replace(block, tasks=(block.tasks[0], heavy, block.tasks[2])), (1, 0), (2, 0)) is None
    closed = replace(block.tasks[0], windows=(Window(7 * HOUR, 8 * HOUR),))
    assert timed(replace(block, tasks=(closed,)), (0, 0)) is None
    foreign = replace(block.tasks[0], workers=frozenset())
    assert timed(replace(block, tasks=(foreign,)), (0, 0)) is None


def test_of_several_windows_the_next_one_counts(block: Problem) -> None:
    twice = replace(block.tasks[0], windows=(Window(7 * HOUR, 8 * HOUR), Window(11 * HOUR, 11 * HOUR)))
    route = timed(replace(block, tasks=(twice,)), (0, 0))
    assert route is not None
    assert route.visits[0].starts == 11 * HOUR
