"""The best directions of a sequence, by dynamic programming.

For each stop, mode and state of the break two ways are kept: the cheapest of those that can still be
continued in time, and the fastest. The cheapest whole is exact where time does not bind; where it does, what
is kept is always possible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.compiled import compiled, inlined
from gridmap.patrols.planning.clock import latest_finish, latest_start, ready_at, start_at
from gridmap.patrols.planning.links import NEVER, link
from gridmap.patrols.planning.travel import UNREACHABLE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gridmap.patrols.planning.links import Links
    from gridmap.patrols.planning.tables import Tables

    Numbers = NDArray[np.int64]

__all__ = ["lay", "relabel"]


# Every access to a field of a tuple counts a reference to the array, which takes longer than the arithmetic:
# kernels first give the arrays names of their own.


@inlined
def _forward(  # noqa: C901, PLR0912 - one kernel
    tables: Tables, links: Links, worker: int, state: int, which: int
) -> None:
    """Label each stop from the one before: the fastest ways, or (`which` 0 of two) the cheapest in time."""
    arcs, legs, person, may, prices = tables.cost, tables.seconds, tables.person, tables.may, tables.paid
    first, enters, leaves, doing = tables.first, tables.entry, tables.exit, tables.doing
    windows, opens, closes = tables.window, tables.opens, tables.closes
    paid_to, done_at, source_of, by_at, ready_from = (
        links.paid,
        links.done,
        links.source,
        links.by,
        links.ready,
    )
    after, modes, labels, fast = links.after, tables.modes, tables.labels, tables.labels - 1
    price, way, kind = person[worker, 7], person[worker, 8], person[worker, 10]
    cheapest = which < fast
    stop, last = tables.tasks + worker, tables.tasks + tables.workers + worker
    while stop != last:
        behind, stop = stop, after[stop]
        low, high = windows[stop], windows[stop + 1]
        for rested in range(state, 2):
            for mode in range(first[stop], first[stop + 1]):
                place = rested * modes + mode - first[stop]
                paid, done, source, earliest = NEVER, NEVER, -1, NEVER
                bound = by_at[stop, place * labels + fast] if cheapest else NEVER
                for had in range(state, rested + 1 if may[kind, mode] else state):
                    for other in range(first[behind], first[behind + 1]):
                        arc = arcs[price, leaves[other], enters[mode]]
                        if arc >= UNREACHABLE:
                            continue
                        leg = legs[way, leaves[other], enters[mode]]
                        base = (had * modes + other - first[behind]) * labels
                        for label in range(base if cheapest else base + fast, base + labels):
                            if paid_to[behind, label] >= NEVER:
                                continue
                            ready = ready_at(person, worker, done_at[behind, label], leg, had != rested)
                            finish = start_at(low, high, opens, closes, ready) + doing[mode]
                            if finish >= NEVER or ready > bound:
                                continue
                            cost = paid_to[behind, label] + arc + prices[price, mode]
                            earliest = min(earliest, ready)
                            if cheapest:
                                better = cost < paid or (cost == paid and finish < done)
                            else:
                                better = finish < done or (finish == done and cost < paid)
                            if better:
                                paid, done, source = cost, finish, label
                paid_to[stop, place * labels + which] = paid
                done_at[stop, place * labels + which] = done
                source_of[stop, place * labels + which] = source
                if which == fast:
                    ready_from[stop, place] = earliest


@inlined
def _backward(  # noqa: C901 - one kernel
    tables: Tables, links: Links, worker: int, state: int
) -> None:
    """Label each stop from the one behind it: the cheapest way on that can be reached, and the latest."""
    arcs, legs, person, may, prices = tables.cost, tables.seconds, tables.person, tables.may, tables.paid
    first, enters, leaves, doing = tables.first, tables.entry, tables.exit, tables.doing
    windows, opens, closes = tables.window, tables.opens, tables.closes
    to_pay, by_at, ready_from, before = links.to_pay, links.by, links.ready, links.before
    modes, labels, fast = tables.modes, tables.labels, tables.labels - 1
    price, way, kind = person[worker, 7], person[worker, 8], person[worker, 10]
    start, follows = tables.tasks + worker, tables.tasks + tables.workers + worker
    stop = before[follows]
    while stop != start:
        low, high = windows[stop], windows[stop + 1]
        for rested in range(state, 2):
            for mode in range(first[stop], first[stop + 1]):
                place = rested * modes + mode - first[stop]
                cheap, cheap_by, late_cost, late_by = NEVER, -NEVER, NEVER, -NEVER
                for will in range(rested, 2 if may[kind, mode] else rested):
                    for other in range(first[follows], first[follows + 1]):
                        arc = arcs[price, leaves[mode], enters[other]]
                        if arc >= UNREACHABLE:
                            continue
                        leg = legs[way, leaves[mode], enters[other]]
                        base = (will * modes + other - first[follows]) * labels
                        for label in range(base, base + labels):
                            if to_pay[follows, label] >= NEVER:
                                continue
                            finish = latest_finish(person, worker, by_at[follows, label], leg, will != rested)
                            by = latest_start(low, high, opens, closes, finish - doing[mode])
                            if by < 0:
                                continue
                            cost = to_pay[follows, label] + arc + prices[price, mode]
                            if by > late_by or (by == late_by and cost < late_cost):
                                late_cost, late_by = cost, by
                            in_time = by >= ready_from[stop, place]
                            if in_time and (cost < cheap or (cost == cheap and by > cheap_by)):
                                cheap, cheap_by = cost, by
                to_pay[stop, place * labels + fast] = late_cost
                by_at[stop, place * labels + fast] = late_by
                if fast:
                    to_pay[stop, place * labels] = cheap
                    by_at[stop, place * labels] = cheap_by
        follows, stop = stop, before[stop]


@inlined
def _relabel_costs(tables: Tables, links: Links, worker: int) -> bool:
    """Work out the labels of a route where time does not matter."""
    arcs, person, may, prices = tables.cost, tables.person, tables.may, tables.paid
    first, enters, leaves = tables.first, tables.entry, tables.exit
    paid_to, source_of, to_pay, after, before = (
        links.paid,
        links.source,
        links.to_pay,
        links.after,
        links.before,
    )
    start, last = tables.tasks + worker, tables.tasks + tables.workers + worker
    price, kind, modes = person[worker, 7], person[worker, 10], tables.modes
    paid_to[start, modes] = to_pay[last, modes] = 0
    stop = start
    while stop != last:
        behind, stop = stop, after[stop]
        for mode in range(first[stop], first[stop + 1]):
            best, source = NEVER, -1
            for other in range(first[behind], first[behind + 1]):
                arc = arcs[price, leaves[other], enters[mode]]
                label = modes + other - first[behind]
                cost = paid_to[behind, label] + arc
                if arc < UNREACHABLE and cost < best:
                    best, source = cost, label
            allowed = best < NEVER and may[kind, mode]
            label = modes + mode - first[stop]
            paid_to[stop, label] = best + prices[price, mode] if allowed else NEVER
            source_of[stop, label] = source
    follows, stop = last, before[last]
    while stop != start:
        for mode in range(first[stop], first[stop + 1]):
            best = NEVER
            for other in range(first[follows], first[follows + 1]):
                arc = arcs[price, leaves[mode], enters[other]]
                if arc < UNREACHABLE:
                    best = min(best, to_pay[follows, modes + other - first[follows]] + arc)
            allowed = best < NEVER and may[kind, mode]
            to_pay[stop, modes + mode - first[stop]] = best + prices[price, mode] if allowed else NEVER
        follows, stop = stop, before[stop]
    links.cost[worker] = paid_to[last, modes] if links.size[worker] else 0
    return bool(paid_to[last, modes] < NEVER)


@compiled
def relabel(tables: Tables, links: Links, worker: int) -> bool:
    """Work out all labels of a route and its cost; False if it cannot be walked."""
    if not tables.timed:
        return _relabel_costs(tables, links, worker)
    start, last = tables.tasks + worker, tables.tasks + tables.workers + worker
    rests = tables.person[worker, 2] == 1
    state = 0 if rests else 1
    width, fast = tables.modes * tables.labels, tables.labels - 1
    links.paid[start, :] = NEVER
    links.to_pay[last, :] = NEVER
    links.paid[start, state * width + fast] = 0
    links.done[start, state * width + fast] = tables.person[worker, 0]
    links.to_pay[last, width + fast] = 0
    links.by[last, width + fast] = tables.person[worker, 1]
    if rests:
        links.to_pay[last, fast] = 0
        links.by[last, fast] = min(tables.person[worker, 1], tables.person[worker, 4])
    _forward(tables, links, worker, state, fast)
    _backward(tables, links, worker, state)
    if fast:
        _forward(tables, links, worker, state, 0)
    best = NEVER
    for rested in range(state, 2):
        for label in range(rested * width, rested * width + tables.labels):
            if links.done[last, label] <= links.by[last, rested * width + fast]:
                best = min(best, links.paid[last, label])
    links.cost[worker] = 0 if links.size[worker] == 0 else best
    return bool(best < NEVER)


@compiled
def lay(tables: Tables, links: Links, worker: int, tasks: Numbers) -> bool:
    """Give a worker who stays tasks in this order, with all labels; False if that cannot be walked."""
    behind = tables.tasks + worker
    for task in tasks:
        link(tables, links, task, worker, behind)
        behind = task
    return relabel(tables, links, worker)
