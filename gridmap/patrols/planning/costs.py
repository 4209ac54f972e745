"""Costs that do not depend on a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.patrols.planning.travel import UNREACHABLE

if TYPE_CHECKING:
    from gridmap.patrols.planning.problem import Problem
    from gridmap.patrols.planning.workers import Worker

__all__ = ["bound", "charge", "doing_cost"]


def doing_cost(problem: Problem, worker: Worker, task: int, mode: int) -> int:
    """What a worker's doing of a task in a mode costs."""
    how = problem.tasks[task].modes[mode]
    return worker.cost_per_metre * how.metres + worker.cost_per_second * how.seconds


def charge(problem: Problem) -> int:
    """More than the way to any task and on costs, and than all prizes together."""
    longest = max(_longest(problem, worker) for worker in problem.workers)
    dearest = max(_dearest(problem, worker) for worker in problem.workers)
    going = max(worker.cost for worker in problem.workers)
    return 2 * (going + 3 * longest + dearest + 1) + _prizes(problem)


def bound(problem: Problem) -> int:
    """More than any plan costs that leaves out no required task, and all prizes together."""
    longest = max(_longest(problem, worker) for worker in problem.workers)
    dearest = max(_dearest(problem, worker) for worker in problem.workers)
    tasks, workers = len(problem.tasks), len(problem.workers)
    going = sum(worker.cost for worker in problem.workers)
    return going + longest * (tasks + workers) + dearest * tasks + _prizes(problem) + 1


def _prizes(problem: Problem) -> int:
    return sum(task.prize or 0 for task in problem.tasks)


def _longest(problem: Problem, worker: Worker) -> int:
    """What going from a node to another costs at most."""
    travel = problem.travel[worker.travel]
    far = int(travel.metres[travel.metres < UNREACHABLE].max(initial=0))
    long = int(travel.seconds[travel.seconds < UNREACHABLE].max(initial=0))
    return worker.cost_per_metre * far + worker.cost_per_second * long


def _dearest(problem: Problem, worker: Worker) -> int:
    """What doing a task costs at most."""
    tasks = enumerate(problem.tasks)
    costs = (doing_cost(problem, worker, n, mode) for n, task in tasks for mode in range(len(task.modes)))
    return max(costs, default=0)
