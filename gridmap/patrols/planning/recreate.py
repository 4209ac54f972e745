"""Putting tasks back, each where it costs least, now and then overlooking a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.compiled import compiled, merged
from gridmap.patrols.planning.chance import below, chance
from gridmap.patrols.planning.clock import latest_finish, ready_at, start_at
from gridmap.patrols.planning.labelling import relabel
from gridmap.patrols.planning.links import NEVER, NOBODY, link, unlink
from gridmap.patrols.planning.moves import touch
from gridmap.patrols.planning.travel import UNREACHABLE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gridmap.patrols.planning.links import Links
    from gridmap.patrols.planning.moves import Moves
    from gridmap.patrols.planning.tables import Tables

__all__ = ["cheapest_place", "recreate"]

_OVERLOOK = 0.01
_ALL_BELOW = 250
"""Up to so many tasks all places are tried; above, those beside the nearest tasks."""
_NEAREST = 50
_FORGETFUL, _FORGET = 0.05, 0.3
"""Share of steps in which whole routes are overlooked for a task, and how often then."""
_GENEROUS = 0.1
"""Share of steps in which a task may cost twice its worth, so that several together can pay."""


@merged
def recreate(tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64]) -> None:
    """Put the tasks that are out back, in a random way of sorting."""
    _sort(tables, moves, random)
    factor = 2 if chance(random) < _GENEROUS else 1
    forget = _FORGET if chance(random) < _FORGETFUL else 0.0
    for position in range(moves.counts[0]):
        task = moves.out[position]
        delta, worker, behind = cheapest_place(tables, links, moves, random, task, forget)
        if worker == NOBODY or (not tables.required[task] and delta >= factor * tables.worth[task]):
            continue
        touch(moves, worker)
        link(tables, links, task, worker, behind)
        while not relabel(tables, links, worker) and links.worker[task] == worker:
            unlink(tables, links, task)


@merged
def _sort(tables: Tables, moves: Moves, random: NDArray[np.uint64]) -> None:
    """Sort what is out: at random or by demand (4 of 11 each), far (2) or near (1), by windows (2 each)."""
    count = moves.counts[0]
    keys = tables.order.shape[0]
    draw = below(random, 11 if keys == 3 else 17)
    row = -1
    if draw >= 4:
        row = 0 if draw < 8 else (1 if draw < 10 else (2 if draw < 11 else 3 + (draw - 11) // 2))
    for position in range(count):
        moves.key[position] = chance(random) if row < 0 else tables.order[row, moves.out[position]]
    for position in range(1, count):
        task, key = moves.out[position], moves.key[position]
        at = position
        while at > 0 and moves.key[at - 1] > key:
            moves.out[at], moves.key[at] = moves.out[at - 1], moves.key[at - 1]
            at -= 1
        moves.out[at], moves.key[at] = task, key


@compiled
def cheapest_place(  # noqa: PLR0917 - a kernel
    tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64], task: int, forget: float
) -> tuple[int, int, int]:
    """What a task adds where it adds least, whose route that is and behind which stop."""
    count = _places(tables, links, moves, random, task, forget)
    if not tables.timed:
        return _cheapest_of_streets(tables, links, moves, random, task, count)
    if tables.modes == 1 and not tables.person[:, 2].any():
        return _cheapest_of_places(tables, links, moves, random, task, count)
    return _cheapest_in_time(tables, links, moves, random, task, count)


@merged
def _places(  # noqa: C901, PLR0912, PLR0917 - one kernel
    tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64], task: int, forget: float
) -> int:
    """List the places for a task where the load allows it: of workers who stay, one of each kind."""
    load, size, demand, person, after = (
        links.load,
        links.size,
        tables.demand[task],
        tables.person,
        links.after,
    )
    whose, listed, seen, kind_seen = moves.whose, moves.behind, moves.seen, moves.kind_seen
    moves.counts[2] += 1
    token = moves.counts[2]
    count = 0
    everywhere = tables.tasks <= _ALL_BELOW
    for worker in range(tables.workers):
        if load[worker] + demand > person[worker, 6]:
            continue
        if forget > 0 and chance(random) < forget:
            continue
        stop = tables.tasks + worker
        if size[worker] == 0:
            kind = person[worker, 10]
            if kind_seen[kind] == token:
                continue
            kind_seen[kind] = token
        elif everywhere:
            last = stop + tables.workers
            while after[stop] != last:
                whose[count], listed[count] = worker, stop
                count += 1
                stop = after[stop]
        whose[count], listed[count] = worker, stop
        count += 1
    if everywhere:
        return count
    for position in range(count):
        seen[listed[position]] = token
    near_to, whom, before = tables.near, links.worker, links.before
    for number in range(min(_NEAREST, tables.near.shape[1])):
        near = near_to[task, number]
        worker = whom[near]
        if worker == NOBODY or load[worker] + demand > person[worker, 6]:
            continue
        for stop in (near, before[near]):
            if seen[stop] != token:
                seen[stop] = token
                whose[count], listed[count] = worker, stop
                count += 1
    return count


@merged
def _cheapest_of_places(  # noqa: PLR0917 - a kernel
    tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64], task: int, count: int
) -> tuple[int, int, int]:
    """`cheapest_place` where every stop has one mode and no break is due."""
    # An array is counted at every access to a field, which would take longer than all else.
    cost, seconds, person, may = tables.cost, tables.seconds, tables.person, tables.may
    first, enters, leaves, low_of = tables.first, tables.entry, tables.exit, tables.window
    opens, closes, whose, listed = tables.opens, tables.closes, moves.whose, moves.behind
    after, size, routes = links.after, links.size, links.cost
    paid, done, to_pay, by = links.paid, links.done, links.to_pay, links.by
    mode, prices = first[task], tables.paid
    doing = tables.doing[mode]
    enter, leave = enters[mode], leaves[mode]
    low, high = low_of[task], low_of[task + 1]
    best, worker, behind = NEVER, NOBODY, -1
    for position in range(count):
        if chance(random) < _OVERLOOK:
            continue
        who, stop = whose[position], listed[position]
        price, way = person[who, 7], person[who, 8]
        follows, here = after[stop], leaves[first[stop]]
        there = enters[first[follows]]
        before, onwards = cost[price, here, enter], cost[price, leave, there]
        whole = paid[stop, 1] + before + prices[price, mode] + onwards + to_pay[follows, 1]
        delta = whole - (routes[who] if size[who] else -person[who, 9])
        if delta >= best or max(before, onwards) >= UNREACHABLE or not may[person[who, 10], mode]:
            continue
        ready = done[stop, 1] + seconds[way, here, enter]
        start = ready if low == high else NEVER
        for window in range(low, high):
            if ready <= closes[window]:
                start = max(ready, opens[window])
                break
        if start + doing + seconds[way, leave, there] <= by[follows, 1]:
            best, worker, behind = delta, who, stop
    return best, worker, behind


@merged
def _cheapest_of_streets(  # noqa: PLR0917 - one kernel
    tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64], task: int, count: int
) -> tuple[int, int, int]:
    """`cheapest_place` where time does not matter."""
    arcs, person, may, prices = tables.cost, tables.person, tables.may, tables.paid
    first, enters, leaves, modes = tables.first, tables.entry, tables.exit, tables.modes
    whose, listed, after, size, routes = moves.whose, moves.behind, links.after, links.size, links.cost
    paid_to, to_pay = links.paid, links.to_pay
    best, worker, behind = NEVER, NOBODY, -1
    for position in range(count):
        if chance(random) < _OVERLOOK:
            continue
        who, stop = whose[position], listed[position]
        price, kind, follows = person[who, 7], person[who, 10], after[stop]
        was = routes[who] if size[who] else -person[who, 9]
        for mode in range(first[task], first[task + 1]):
            if not may[kind, mode]:
                continue
            until, onwards = NEVER, NEVER
            for other in range(first[stop], first[stop + 1]):
                arc = arcs[price, leaves[other], enters[mode]]
                if arc < UNREACHABLE:
                    until = min(until, paid_to[stop, modes + other - first[stop]] + arc)
            for other in range(first[follows], first[follows + 1]):
                arc = arcs[price, leaves[mode], enters[other]]
                if arc < UNREACHABLE:
                    onwards = min(onwards, to_pay[follows, modes + other - first[follows]] + arc)
            whole = until + onwards + prices[price, mode]
            if whole < NEVER and whole - was < best:
                best, worker, behind = whole - was, who, stop
    return best, worker, behind


@merged
def _cheapest_in_time(  # noqa: C901, PLR0912, PLR0917 - one kernel
    tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64], task: int, count: int
) -> tuple[int, int, int]:
    """`cheapest_place` with several modes, breaks and windows."""
    arcs, legs, person, may, prices = tables.cost, tables.seconds, tables.person, tables.may, tables.paid
    first, enters, leaves, doing = tables.first, tables.entry, tables.exit, tables.doing
    opens, closes, modes, labels = tables.opens, tables.closes, tables.modes, tables.labels
    whose, listed, after, size, routes = moves.whose, moves.behind, links.after, links.size, links.cost
    paid_to, done_at, to_pay, by_at, kept = links.paid, links.done, links.to_pay, links.by, moves.label
    low, high = tables.window[task], tables.window[task + 1]
    best, worker, behind = NEVER, NOBODY, -1
    for position in range(count):
        if chance(random) < _OVERLOOK:
            continue
        who, stop = whose[position], listed[position]
        price, way, kind = person[who, 7], person[who, 8], person[who, 10]
        state, follows = 1 - person[who, 2], after[stop]
        was = routes[who] if size[who] else -person[who, 9]
        bound = min(best + was, NEVER)
        for mode in range(first[task], first[task + 1]):
            if not may[kind, mode]:
                continue
            kept[:] = NEVER
            for had in range(state, 2):
                for other in range(first[stop], first[stop + 1]):
                    arc = arcs[price, leaves[other], enters[mode]]
                    leg = legs[way, leaves[other], enters[mode]]
                    base = (had * modes + other - first[stop]) * labels
                    for label in range(base, base + labels):
                        cost = paid_to[stop, label] + arc + prices[price, mode]
                        if arc >= UNREACHABLE or cost >= bound:
                            continue
                        for rested in range(had, 2):
                            ready = ready_at(person, who, done_at[stop, label], leg, had != rested)
                            finish = start_at(low, high, opens, closes, ready) + doing[mode]
                            if finish >= NEVER:
                                continue
                            cheap = kept[rested, 0, 0]
                            if cost < cheap or (cost == cheap and finish < kept[rested, 0, 1]):
                                kept[rested, 0, 0], kept[rested, 0, 1] = cost, finish
                            if finish < kept[rested, 1, 1]:
                                kept[rested, 1, 0], kept[rested, 1, 1] = cost, finish
            for rested in range(state, 2):
                for which in range(2):
                    paid, done = kept[rested, which, 0], kept[rested, which, 1]
                    if paid >= bound or (which == 1 and done == kept[rested, 0, 1]):
                        continue
                    for other in range(first[follows], first[follows + 1]):
                        arc = arcs[price, leaves[mode], enters[other]]
                        if arc >= UNREACHABLE or paid + arc >= bound:
                            continue
                        leg = legs[way, leaves[mode], enters[other]]
                        for will in range(rested, 2):
                            base = (will * modes + other - first[follows]) * labels
                            for label in range(base, base + labels):
                                cost = paid + arc + to_pay[follows, label]
                                if cost >= bound:
                                    continue
                                if done <= latest_finish(
                                    person, who, by_at[follows, label], leg, will != rested
                                ):
                                    bound = cost
                                    best, worker, behind = cost - was, who, stop
    return best, worker, behind
