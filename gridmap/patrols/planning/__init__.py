"""Plans of patrols: places to visit and streets to walk, shared among people with shifts, windows and breaks.

``solve(problem, stop, seed)`` gives a `Result` with a `Plan`; ``faults(problem, plan)`` is an independent
check of it.

>>> import numpy as np
>>> from gridmap.patrols.planning import Problem, Stop, Task, Travel, Window, Worker, solve
>>> minutes = np.array([[0, 9, 7], [9, 0, 4], [7, 4, 0]])
>>> travel = Travel(seconds=60 * minutes, metres=75 * minutes)
>>> problem = Problem(
...     travel=(travel,),
...     tasks=(
...         Task.place(1, seconds=300, windows=(Window(8 * 3600, 9 * 3600),)),
...         Task.street(1, 2, seconds=240, metres=300, prize=2000),
...     ),
...     workers=(Worker(start=0, end=0, shift=Window(7 * 3600, 12 * 3600)),),
... )
>>> plan = solve(problem, Stop(iterations=200), seed=1).plan
>>> plan.routes[0].order, plan.routes[0].span
(((0, 0), (1, 0)), Window(opens=28260, closes=29760))

Required tasks (no `prize`) that cannot be fitted, and others that are not worth their cost, are in
``plan.unfitted`` with a `Reason`; nothing is raised for them. A problem that contradicts itself raises
`InvalidValueError` when it is made. Pinning a task to somebody is ``Task(workers=frozenset({2}))``; a plan
changed by hand is the `start` of the next search, and ``force(problem, orders, modes)`` makes it as it is,
whatever it breaks.
"""

from gridmap.patrols.planning.by_day import ByDay, DayNote, solve_by_day
from gridmap.patrols.planning.checker import Fault, FaultKind, faults
from gridmap.patrols.planning.forcing import force
from gridmap.patrols.planning.plan import Pause, Plan, Reason, Route, Unfitted, Visit
from gridmap.patrols.planning.preparing import prepare
from gridmap.patrols.planning.problem import Problem
from gridmap.patrols.planning.solving import Result, solve
from gridmap.patrols.planning.stop import Progress, Stop
from gridmap.patrols.planning.tasks import Mode, Task, Window
from gridmap.patrols.planning.travel import UNREACHABLE, Travel
from gridmap.patrols.planning.workers import Break, Worker

__all__ = [
    "UNREACHABLE",
    "Break",
    "ByDay",
    "DayNote",
    "Fault",
    "FaultKind",
    "Mode",
    "Pause",
    "Plan",
    "Problem",
    "Progress",
    "Reason",
    "Result",
    "Route",
    "Stop",
    "Task",
    "Travel",
    "Unfitted",
    "Visit",
    "Window",
    "Worker",
    "faults",
    "force",
    "prepare",
    "solve",
    "solve_by_day",
]
