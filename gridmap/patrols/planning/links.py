"""Routes as linked lists, with the best ways to each stop and from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geodata.compiled import merged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.patrols.planning.tables import Tables

    Numbers = NDArray[np.int64]

__all__ = ["NEVER", "NOBODY", "Links", "copy_route", "empty_links", "link", "unlink"]

NEVER = 1 << 60
"""In the place of a time or a cost that cannot be."""
NOBODY = -1
"""Worker of a task that is not done."""


class Links(NamedTuple):
    """Routes over the stops of `Tables`.

    A label's position tells whether the break has been taken, the mode and whether it is the cheapest (first)
    or the one with most time left (last): ``(rested * modes + mode) * labels + which``.
    """

    after: Numbers
    before: Numbers
    worker: Numbers
    load: Numbers
    size: Numbers
    cost: Numbers
    """Of each route, without what going out costs; 0 for those who stay."""
    paid: Numbers
    """Cost from the start until the doing of a stop is over, for each label."""
    done: Numbers
    """When it is over."""
    source: Numbers
    """Label of the stop before from which that is reached."""
    to_pay: Numbers
    """Cost of doing a stop and all that follows, for each label."""
    by: Numbers
    """When one must be there at the latest."""
    ready: Numbers
    """When one can be there at the earliest, for each state without the last part."""


def empty_links(tables: Tables) -> Links:
    """Everybody stays."""
    stops = tables.tasks + 2 * tables.workers
    labels = 2 * tables.modes * tables.labels
    after = np.full(stops, -1, dtype=np.int64)
    before = np.full(stops, -1, dtype=np.int64)
    starts = np.arange(tables.tasks, tables.tasks + tables.workers)
    after[starts] = starts + tables.workers
    before[starts + tables.workers] = starts
    load, size, cost = np.zeros((3, tables.workers), dtype=np.int64)
    paid, done, source, to_pay, by = np.full((5, stops, labels), NEVER, dtype=np.int64)
    ready = np.full((stops, 2 * tables.modes), NEVER, dtype=np.int64)
    worker = np.full(tables.tasks, NOBODY, dtype=np.int64)
    return Links(after, before, worker, load, size, cost, paid, done, source, to_pay, by, ready)


@merged
def link(tables: Tables, links: Links, task: int, worker: int, behind: int) -> None:
    """Put a task into a worker's route, behind a stop."""
    follows = links.after[behind]
    links.after[behind] = task
    links.before[task] = behind
    links.after[task] = follows
    links.before[follows] = task
    links.worker[task] = worker
    links.load[worker] += tables.demand[task]
    links.size[worker] += 1


@merged
def unlink(tables: Tables, links: Links, task: int) -> None:
    """Take a task out of its route."""
    worker = links.worker[task]
    behind, follows = links.before[task], links.after[task]
    links.after[behind] = follows
    links.before[follows] = behind
    links.worker[task] = NOBODY
    links.load[worker] -= tables.demand[task]
    links.size[worker] -= 1


@merged
def copy_route(tables: Tables, source: Links, target: Links, worker: int) -> None:
    """Make a route of `target` that of `source`."""
    target.load[worker] = source.load[worker]
    target.size[worker] = source.size[worker]
    target.cost[worker] = source.cost[worker]
    stop = tables.tasks + worker
    last = stop + tables.workers
    after, before, whom, width = source.after, source.before, target.worker, source.paid.shape[1]
    to_after, to_before = target.after, target.before
    paid, done, origin, to_pay, by = source.paid, source.done, source.source, source.to_pay, source.by
    paid_, done_, origin_, to_pay_, by_ = target.paid, target.done, target.source, target.to_pay, target.by
    while True:
        to_after[stop] = after[stop]
        to_before[stop] = before[stop]
        if stop < tables.tasks:
            whom[stop] = worker
        for label in range(width):
            paid_[stop, label] = paid[stop, label]
            done_[stop, label] = done[stop, label]
            origin_[stop, label] = origin[stop, label]
            to_pay_[stop, label] = to_pay[stop, label]
            by_[stop, label] = by[stop, label]
        if stop == last:
            break
        stop = after[stop]
