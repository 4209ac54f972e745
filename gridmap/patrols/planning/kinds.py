"""Workers between whom a plan need not distinguish."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridmap.patrols.planning.problem import Problem

__all__ = ["kinds"]


def kinds(problem: Problem) -> list[list[int]]:
    """Positions of workers, those together who are alike in everything and may do the same tasks."""
    named = {task.workers for task in problem.tasks if task.workers is not None}
    alike: dict[object, list[int]] = {}
    for position, worker in enumerate(problem.workers):
        skills = frozenset(group for group in named if position in group)
        alike.setdefault((replace(worker, name=""), skills), []).append(position)
    return list(alike.values())
