"""The question: who does which tasks in which order and when, at the least cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gridmap.errors import InvalidValueError
from gridmap.language import N_

if TYPE_CHECKING:
    from collections.abc import Callable

    from gridmap.patrols.planning.tasks import Mode, Task, Window
    from gridmap.patrols.planning.travel import Travel
    from gridmap.patrols.planning.workers import Worker

__all__ = ["Problem"]

_LARGEST = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Everything a plan depends on; checked when it is made.

    Seconds count from any common moment, for instance local midnight, and may pass 86,400.

    Parameters
    ----------
    travel
        One for each way of moving, over the same nodes.
    tasks
        May be empty.
    workers
        At least one.

    Raises
    ------
    InvalidValueError
        Naming the task or the worker, what was expected and what was found.
    """

    travel: tuple[Travel, ...]
    tasks: tuple[Task, ...]
    workers: tuple[Worker, ...]

    def __post_init__(self) -> None:
        if not self.travel:
            raise InvalidValueError("Expected at least one travel matrix; found none.", parameter="travel")
        if len(sizes := {travel.size for travel in self.travel}) > 1:
            raise InvalidValueError(
                "Expected travel matrices over the same nodes; found {found} nodes.",
                parameter="travel",
                found=sorted(sizes),
            )
        if not self.workers:
            raise InvalidValueError(
                "Expected at least one person to plan for; found none.", parameter="workers"
            )
        for number, worker in enumerate(self.workers):
            self._check_worker(worker, partial(_fault, "workers", worker.name or str(number)))
        for number, task in enumerate(self.tasks):
            self._check_task(task, partial(_fault, "tasks", task.name or str(number)))

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return self.travel[0].size

    def may(self, worker: int, task: int, mode: int) -> bool:
        """Whether somebody may do a task in a mode, as far as skills and the way of moving go."""
        what = self.tasks[task]
        allowed = what.workers is None or worker in what.workers
        return allowed and what.modes[mode].travel in (None, self.workers[worker].travel)

    def _check_worker(self, worker: Worker, fault: Callable[..., InvalidValueError]) -> None:
        for node in (worker.start, worker.end):
            self._check_node(node, fault)
        if not 0 <= worker.travel < len(self.travel):
            raise fault(
                N_("{name}: expected a way of moving from 0 to {most}; found {found}."),
                worker.travel,
                most=len(self.travel) - 1,
            )
        _check_window(worker.shift, fault)
        _check_number(worker.capacity or 0, fault)
        for number in (worker.cost, worker.cost_per_metre, worker.cost_per_second):
            _check_number(number, fault)
        if (pause := worker.pause) is None:
            return
        _check_window(pause.window, fault)
        _check_number(pause.seconds, fault)
        first = max(pause.window.opens, worker.shift.opens)
        if first > pause.window.closes or first + pause.seconds > worker.shift.closes:
            raise fault(
                N_(
                    "{name}: expected a break of {seconds} s that fits into the shift {shift}; found {found}."
                ),
                f"{pause.window.opens}–{pause.window.closes}",
                seconds=pause.seconds,
                shift=f"{worker.shift.opens}–{worker.shift.closes}",
            )

    def _check_task(self, task: Task, fault: Callable[..., InvalidValueError]) -> None:
        if not task.modes:
            raise fault(N_("{name}: expected at least one way of doing it; found {found}."), 0)
        for mode in task.modes:
            self._check_mode(mode, fault)
        for window in task.windows:
            _check_window(window, fault)
        for number in (task.prize or 0, task.demand):
            _check_number(number, fault)
        for worker in task.workers or ():
            if not 0 <= worker < len(self.workers):
                raise fault(
                    N_("{name}: expected a worker from 0 to {most}; found {found}."),
                    worker,
                    most=len(self.workers) - 1,
                )

    def _check_mode(self, mode: Mode, fault: Callable[..., InvalidValueError]) -> None:
        for node in (mode.entry, mode.exit):
            self._check_node(node, fault)
        _check_number(mode.seconds, fault)
        _check_number(mode.metres, fault)
        if mode.travel is not None and not 0 <= mode.travel < len(self.travel):
            raise fault(
                N_("{name}: expected a way of moving from 0 to {most}; found {found}."),
                mode.travel,
                most=len(self.travel) - 1,
            )

    def _check_node(self, node: int, fault: Callable[..., InvalidValueError]) -> None:
        if not 0 <= node < self.nodes:
            raise fault(
                N_("{name}: expected a node from 0 to {most}; found {found}."), node, most=self.nodes - 1
            )


def _check_window(window: Window, fault: Callable[..., InvalidValueError]) -> None:
    if window.opens > window.closes:
        raise fault(
            N_("{name}: expected a window that ends after it starts; found {found}."),
            f"{window.opens}–{window.closes}",
        )
    for number in (window.opens, window.closes):
        _check_number(number, fault)


def _check_number(number: int, fault: Callable[..., InvalidValueError]) -> None:
    if not 0 <= number < _LARGEST:
        raise fault(
            N_("{name}: expected a number from 0 to {most}; found {found}."), number, most=_LARGEST - 1
        )


def _fault(parameter: str, name: str, message: str, found: object, **params: object) -> InvalidValueError:
    return InvalidValueError(message, parameter=parameter, name=name, found=found, **params)
