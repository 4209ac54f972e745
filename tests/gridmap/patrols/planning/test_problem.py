from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridmap.errors import InvalidValueError
from gridmap.patrols.planning import UNREACHABLE, Break, Mode, Problem, Task, Travel, Window, Worker

SQUARE = np.array([[0, 60], [60, 0]])


def test_zero_people_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="Expected at least one person to plan for; found none"):
        Problem(travel=(Travel(SQUARE, SQUARE),), tasks=(), workers=())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"windows": (Window(10, 5),)}, "gate: expected a window that ends after it starts; found 10–5"),
        ({"modes": ()}, "gate: expected at least one way of doing it; found 0"),
        ({"modes": (Mode(entry=0, exit=9),)}, "gate: expected a node from 0 to 4; found 9"),
        (
            {"modes": (Mode(entry=0, exit=0, travel=1),)},
            "gate: expected a way of moving from 0 to 0; found 1",
        ),
        ({"modes": (Mode(entry=0, exit=0, seconds=-1),)}, "gate: expected a number from 0 to .*; found -1"),
        ({"workers": frozenset({1})}, "gate: expected a worker from 0 to 0; found 1"),
        ({"prize": -3}, "gate: expected a number from 0 to .*; found -3"),
    ],
)
def test_a_task_that_cannot_be_is_named(block: Problem, changes: dict[str, object], message: str) -> None:
    task = replace(Task.place(1, name="gate"), **changes)
    with pytest.raises(InvalidValueError, match=message):
        replace(block, tasks=(task,))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": 5}, "Li: expected a node from 0 to 4; found 5"),
        ({"travel": 2}, "Li: expected a way of moving from 0 to 0; found 2"),
        ({"shift": Window(9, 8)}, "Li: expected a window that ends after it starts; found 9–8"),
        ({"capacity": -1}, "Li: expected a number from 0 to"),
        (
            {"pause": Break(window=Window(3000, 3500), seconds=900)},
            "Li: expected a break of 900 s that fits into the shift 0–3600; found 3000–3500",
        ),
    ],
)
def test_a_worker_who_cannot_be_is_named(block: Problem, changes: dict[str, object], message: str) -> None:
    worker = replace(Worker(start=0, end=0, shift=Window(0, 3600), name="Li"), **changes)
    with pytest.raises(InvalidValueError, match=message):
        replace(block, workers=(worker,))


def test_matrices_must_fit_together(block: Problem) -> None:
    with pytest.raises(InvalidValueError, match="Expected travel matrices over the same nodes"):
        replace(block, travel=(*block.travel, Travel(SQUARE, SQUARE)))
    with pytest.raises(InvalidValueError, match="Expected at least one travel matrix"):
        replace(block, travel=())
    with pytest.raises(InvalidValueError, match="Expected a square matrix; found the shape"):
        Travel(SQUARE[:1], SQUARE)
    with pytest.raises(InvalidValueError, match="Expected matrices of one shape"):
        Travel(SQUARE, np.zeros((3, 3), dtype=np.int64))
    with pytest.raises(InvalidValueError, match="Expected no negative metres; found -60"):
        Travel(SQUARE, -SQUARE)


def test_no_way_is_no_way_in_both_matrices() -> None:
    travel = Travel(np.array([[0, np.inf], [1.6, 0]]), np.array([[0, 5], [np.nan, 0]]))
    assert travel.seconds.tolist() == travel.metres.tolist() == [[0, UNREACHABLE], [UNREACHABLE, 0]]
    with pytest.raises(ValueError, match="read-only"):
        travel.seconds[0, 0] = 1
