"""Compiling the search, which takes its first use in a process the better part of a minute."""

from __future__ import annotations

from functools import cache

import numpy as np

from gridmap.patrols.planning.costs import bound
from gridmap.patrols.planning.problem import Problem
from gridmap.patrols.planning.ruin_and_recreate import RuinAndRecreate
from gridmap.patrols.planning.stop import Budget, Stop
from gridmap.patrols.planning.tasks import Task, Window
from gridmap.patrols.planning.travel import Travel
from gridmap.patrols.planning.workers import Worker

__all__ = ["prepare"]


@cache
def prepare() -> None:
    """Compile the search unless that is done."""
    far = np.array([[0, 60, 90], [60, 0, 30], [90, 30, 0]])
    problem = Problem(
        travel=(Travel(seconds=far, metres=far),),
        tasks=(Task.place(1, 60), Task.street(1, 2, 60, 60)),
        workers=(Worker(start=0, end=0, shift=Window(0, 3600)),),
    )
    search = RuinAndRecreate(problem, (0, 1), charge=bound(problem), seed=0)
    search.run(Budget(Stop(iterations=5)), share=1, hot=1.0)
    search.take(search.orders())
