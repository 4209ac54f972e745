from __future__ import annotations

import numpy as np

from gridmap.patrols.planning import Problem, Task, Travel, Window, Worker
from gridmap.patrols.planning.nearness import nearest


def near(*tasks: Task, most: int = 9) -> list[list[int]]:
    steps = 60 * np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    worker = Worker(start=0, end=0, shift=Window(0, 10_000))
    problem = Problem(travel=(Travel(steps, steps),), tasks=tasks, workers=(worker,))
    return nearest(problem, tasks, most).tolist()


def test_the_ends_of_streets_count_and_the_nearest_is_first() -> None:
    assert near(Task.place(1), Task.place(4), Task.street(7, 2, 60, 75)) == [[2, 1], [2, 0], [0, 1]]


def test_places_whose_hours_do_not_go_together_are_far() -> None:
    late = (Window(9000, 9100),)
    assert near(Task.place(1, windows=(Window(0, 100),)), Task.place(2, windows=late), Task.place(5)) == [
        [2, 1],
        [2, 0],
        [1, 0],
    ]


def test_keeps_no_more_than_asked_and_nothing_of_one() -> None:
    assert near(Task.place(1), Task.place(4), Task.place(5), most=1) == [[1], [2], [1]]
    assert near(Task.place(1)) == [[]]
