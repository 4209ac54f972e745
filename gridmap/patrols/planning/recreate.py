"""Putting tasks back, each where it costs least, now and then overlooking a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.compiled import inlined, merged
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


@merged
def cheapest_place(  # noqa: PLR0917 - a kernel
    tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64], task: int, forget: float
) -> tuple[int, int, int]:
    """What a task adds where it adds least, whose route that is and behind which stop."""
    count = _places(tables, links, moves, random, task, forget)
    best, worker, behind = NEVER, NOBODY, -1
    for position in range(count):
        if chance(random) < _OVERLOOK:
            continue
        who, stop = moves.whose[position], moves.behind[position]
        was = links.cost[who] if links.size[who] else -tables.person[who, 9]
        if tables.timed:
            whole = _through_time(tables, links, moves, who, stop, task, min(best + was, NEVER))
        else:
            whole = _through(tables, links, who, stop, task)
        if whole < NEVER and whole - was < best:
            best, worker, behind = whole - was, who, stop
    return best, worker, behind


@merged
def _places(  # noqa: C901, PLR0912, PLR0917 - one kernel
    tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64], task: int, forget: float
) -> int:
    """List the places for a task where the load allows it: of workers who stay, one of each kind."""
    moves.counts[2] += 1
    token = moves.counts[2]
    count = 0
    everywhere = tables.tasks <= _ALL_BELOW
    for worker in range(tables.workers):
        if links.load[worker] + tables.demand[task] > tables.person[worker, 6]:
            continue
        if forget > 0 and chance(random) < forget:
            continue
        stop = tables.tasks + worker
        if links.size[worker] == 0:
            kind = tables.person[worker, 10]
            if moves.kind_seen[kind] == token:
                continue
            moves.kind_seen[kind] = token
        elif everywhere:
            last = stop + tables.workers
            while links.after[stop] != last:
                moves.whose[count], moves.behind[count] = worker, stop
                count += 1
                stop = links.after[stop]
        moves.whose[count], moves.behind[count] = worker, stop
        count += 1
    if everywhere:
        return count
    for position in range(count):
        moves.seen[moves.behind[position]] = token
    for number in range(min(_NEAREST, tables.near.shape[1])):
        near = tables.near[task, number]
        worker = links.worker[near]
        if worker == NOBODY or links.load[worker] + tables.demand[task] > tables.person[worker, 6]:
            continue
        for stop in (near, links.before[near]):
            if moves.seen[stop] != token:
                moves.seen[stop] = token
                moves.whose[count], moves.behind[count] = worker, stop
                count += 1
    return count


@inlined
def _through(tables: Tables, links: Links, worker: int, behind: int, task: int) -> int:
    """Cost of a route with a task behind a stop, where time does not matter."""
    price, kind = tables.person[worker, 7], tables.person[worker, 10]
    follows = links.after[behind]
    best = NEVER
    for mode in range(tables.first[task], tables.first[task + 1]):
        if not tables.may[kind, mode]:
            continue
        until, onwards = NEVER, NEVER
        for other in range(tables.first[behind + 1] - tables.first[behind]):
            arc = tables.cost[price, tables.exit[tables.first[behind] + other], tables.entry[mode]]
            if arc < UNREACHABLE:
                until = min(until, links.paid[behind, tables.modes + other] + arc)
        for other in range(tables.first[follows + 1] - tables.first[follows]):
            arc = tables.cost[price, tables.exit[mode], tables.entry[tables.first[follows] + other]]
            if arc < UNREACHABLE:
                onwards = min(onwards, links.to_pay[follows, tables.modes + other] + arc)
        best = min(best, until + onwards + tables.paid[price, mode])
    return best


@inlined
def _through_time(  # noqa: C901, PLR0912, PLR0917 - one kernel
    tables: Tables, links: Links, moves: Moves, worker: int, behind: int, task: int, bound: int
) -> int:
    """Cost of a route with a task behind a stop, or `bound` if it is not less or cannot be in time."""
    price, way, kind = tables.person[worker, 7], tables.person[worker, 8], tables.person[worker, 10]
    follows = links.after[behind]
    labels = tables.labels
    state = 1 - tables.person[worker, 2]
    best = bound
    for mode in range(tables.first[task], tables.first[task + 1]):
        if not tables.may[kind, mode]:
            continue
        for rested in range(2):
            for which in range(2):
                moves.label[rested, which, 0] = moves.label[rested, which, 1] = NEVER
        for had in range(state, 2):
            for other in range(tables.first[behind + 1] - tables.first[behind]):
                leave = tables.exit[tables.first[behind] + other]
                arc = tables.cost[price, leave, tables.entry[mode]]
                leg = tables.seconds[way, leave, tables.entry[mode]]
                low = (had * tables.modes + other) * labels
                for label in range(low, low + labels):
                    cost = links.paid[behind, label] + arc + tables.paid[price, mode]
                    if arc >= UNREACHABLE or cost >= best:
                        continue
                    for rested in range(had, 2):
                        ready = ready_at(tables, worker, links.done[behind, label], leg, had != rested)
                        finish = start_at(tables, task, ready) + tables.doing[mode]
                        if finish >= NEVER:
                            continue
                        if cost < moves.label[rested, 0, 0] or (
                            cost == moves.label[rested, 0, 0] and finish < moves.label[rested, 0, 1]
                        ):
                            moves.label[rested, 0, 0], moves.label[rested, 0, 1] = cost, finish
                        if finish < moves.label[rested, 1, 1]:
                            moves.label[rested, 1, 0], moves.label[rested, 1, 1] = cost, finish
        for rested in range(state, 2):
            for which in range(2):
                paid, done = moves.label[rested, which, 0], moves.label[rested, which, 1]
                if paid >= best or (which == 1 and done == moves.label[rested, 0, 1]):
                    continue
                for other in range(tables.first[follows + 1] - tables.first[follows]):
                    enter = tables.entry[tables.first[follows] + other]
                    arc = tables.cost[price, tables.exit[mode], enter]
                    leg = tables.seconds[way, tables.exit[mode], enter]
                    if arc >= UNREACHABLE or paid + arc >= best:
                        continue
                    for will in range(rested, 2):
                        low = (will * tables.modes + other) * labels
                        for label in range(low, low + labels):
                            cost = paid + arc + links.to_pay[follows, label]
                            if cost < best and done <= latest_finish(
                                tables, worker, links.by[follows, label], leg, will != rested
                            ):
                                best = cost
    return best
