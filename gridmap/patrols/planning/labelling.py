"""The best directions of a sequence, by dynamic programming.

For each stop, mode and state of the break two ways are kept: the cheapest of those that can still be
continued in time, and the fastest. The cheapest whole is exact where time does not bind; where it does, what
is kept is always possible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.compiled import inlined, merged
from gridmap.patrols.planning.clock import latest_finish, latest_start, ready_at, start_at
from gridmap.patrols.planning.links import NEVER
from gridmap.patrols.planning.travel import UNREACHABLE

if TYPE_CHECKING:
    from gridmap.patrols.planning.links import Links
    from gridmap.patrols.planning.tables import Tables

__all__ = ["relabel"]


@inlined
def _forward(  # noqa: C901, PLR0912, PLR0917 - one kernel
    tables: Tables, links: Links, worker: int, stop: int, state: int, which: int
) -> None:
    """Label a stop from the one before: the fastest ways, or (`which` 0 of two) the cheapest in time."""
    behind = links.before[stop]
    price, way, kind = tables.person[worker, 7], tables.person[worker, 8], tables.person[worker, 10]
    labels, fast = tables.labels, tables.labels - 1
    cheapest = not tables.timed or which < fast
    for rested in range(state, 2):
        for number in range(tables.first[stop + 1] - tables.first[stop]):
            mode = tables.first[stop] + number
            place = rested * tables.modes + number
            paid, done, source, earliest = NEVER, NEVER, -1, NEVER
            if tables.may[kind, mode]:
                for had in range(state, rested + 1):
                    for other in range(tables.first[behind + 1] - tables.first[behind]):
                        leave = tables.exit[tables.first[behind] + other]
                        arc = tables.cost[price, leave, tables.entry[mode]]
                        if arc >= UNREACHABLE:
                            continue
                        leg = tables.seconds[way, leave, tables.entry[mode]]
                        for label in range(
                            (had * tables.modes + other) * labels + (0 if cheapest else fast),
                            (had * tables.modes + other + 1) * labels,
                        ):
                            if links.paid[behind, label] >= NEVER:
                                continue
                            ready = ready_at(tables, worker, links.done[behind, label], leg, had != rested)
                            finish = start_at(tables, stop, ready) + tables.doing[mode]
                            if finish >= NEVER or (
                                which < fast and ready > links.by[stop, place * labels + fast]
                            ):
                                continue
                            cost = links.paid[behind, label] + arc + tables.paid[price, mode]
                            earliest = min(earliest, ready)
                            if cheapest:
                                better = cost < paid or (cost == paid and finish < done)
                            else:
                                better = finish < done or (finish == done and cost < paid)
                            if better:
                                paid, done, source = cost, finish, label
            links.paid[stop, place * labels + which] = paid
            links.done[stop, place * labels + which] = done
            links.source[stop, place * labels + which] = source
            if which == fast:
                links.ready[stop, place] = earliest


@inlined
def _backward(  # noqa: C901, PLR0912 - one kernel
    tables: Tables, links: Links, worker: int, stop: int, state: int
) -> None:
    """Label a stop from the one behind it: the cheapest way on that can be reached, and the latest."""
    follows = links.after[stop]
    price, way, kind = tables.person[worker, 7], tables.person[worker, 8], tables.person[worker, 10]
    labels, fast = tables.labels, tables.labels - 1
    for rested in range(state, 2):
        for number in range(tables.first[stop + 1] - tables.first[stop]):
            mode = tables.first[stop] + number
            place = rested * tables.modes + number
            cheap, cheap_by, late_cost, late_by = NEVER, -NEVER, NEVER, -NEVER
            if tables.may[kind, mode]:
                for will in range(rested, 2):
                    for other in range(tables.first[follows + 1] - tables.first[follows]):
                        enter = tables.entry[tables.first[follows] + other]
                        arc = tables.cost[price, tables.exit[mode], enter]
                        if arc >= UNREACHABLE:
                            continue
                        leg = tables.seconds[way, tables.exit[mode], enter]
                        for label in range(
                            (will * tables.modes + other) * labels, (will * tables.modes + other + 1) * labels
                        ):
                            if links.to_pay[follows, label] >= NEVER:
                                continue
                            finish = latest_finish(
                                tables, worker, links.by[follows, label], leg, will != rested
                            )
                            by = latest_start(tables, stop, finish - tables.doing[mode])
                            if by < 0 and tables.timed:
                                continue
                            cost = links.to_pay[follows, label] + arc + tables.paid[price, mode]
                            if tables.timed:
                                if by > late_by or (by == late_by and cost < late_cost):
                                    late_cost, late_by = cost, by
                            elif cost < late_cost:
                                late_cost, late_by = cost, by
                            if by >= links.ready[stop, place] and (
                                cost < cheap or (cost == cheap and by > cheap_by)
                            ):
                                cheap, cheap_by = cost, by
            links.to_pay[stop, place * labels + fast] = late_cost
            links.by[stop, place * labels + fast] = late_by
            if fast:
                links.to_pay[stop, place * labels] = cheap
                links.by[stop, place * labels] = cheap_by


@merged
def _relabel_costs(tables: Tables, links: Links, worker: int) -> bool:
    """Work out the labels of a route where time does not matter."""
    start, last = tables.tasks + worker, tables.tasks + tables.workers + worker
    price, kind = tables.person[worker, 7], tables.person[worker, 10]
    low = tables.modes
    links.paid[start, low] = links.to_pay[last, low] = 0
    behind, stop = start, links.after[start]
    while behind != last:
        for number in range(tables.first[stop + 1] - tables.first[stop]):
            mode = tables.first[stop] + number
            best, source = NEVER, -1
            for other in range(tables.first[behind + 1] - tables.first[behind]):
                arc = tables.cost[price, tables.exit[tables.first[behind] + other], tables.entry[mode]]
                cost = links.paid[behind, low + other] + arc
                if arc < UNREACHABLE and cost < best:
                    best, source = cost, low + other
            allowed = best < NEVER and tables.may[kind, mode]
            links.paid[stop, low + number] = best + tables.paid[price, mode] if allowed else NEVER
            links.source[stop, low + number] = source
        behind, stop = stop, links.after[stop] if stop != last else last
    links.cost[worker] = links.paid[last, low] if links.size[worker] else 0
    follows, stop = last, links.before[last]
    while stop != start:
        for number in range(tables.first[stop + 1] - tables.first[stop]):
            mode = tables.first[stop] + number
            best = NEVER
            for other in range(tables.first[follows + 1] - tables.first[follows]):
                arc = tables.cost[price, tables.exit[mode], tables.entry[tables.first[follows] + other]]
                if arc < UNREACHABLE:
                    best = min(best, links.to_pay[follows, low + other] + arc)
            allowed = best < NEVER and tables.may[kind, mode]
            links.to_pay[stop, low + number] = best + tables.paid[price, mode] if allowed else NEVER
        follows, stop = stop, links.before[stop]
    return bool(links.paid[last, low] < NEVER)


@merged
def relabel(tables: Tables, links: Links, worker: int) -> bool:  # noqa: C901 - one kernel
    """Work out all labels of a route and its cost; False if it cannot be walked."""
    if not tables.timed:
        return _relabel_costs(tables, links, worker)
    start, last = tables.tasks + worker, tables.tasks + tables.workers + worker
    rests = tables.person[worker, 2] == 1
    state = 0 if rests else 1
    fast = tables.labels - 1
    for label in range(links.paid.shape[1]):
        links.paid[start, label] = links.to_pay[last, label] = NEVER
    links.paid[start, state * tables.modes * tables.labels + fast] = 0
    links.done[start, state * tables.modes * tables.labels + fast] = tables.person[worker, 0]
    links.to_pay[last, tables.modes * tables.labels + fast] = 0
    links.by[last, tables.modes * tables.labels + fast] = tables.person[worker, 1]
    if rests:
        links.to_pay[last, fast] = 0
        links.by[last, fast] = min(tables.person[worker, 1], tables.person[worker, 4])
    stop = start
    while stop != last:
        stop = links.after[stop]
        _forward(tables, links, worker, stop, state, fast)
    while links.before[stop] != start:
        stop = links.before[stop]
        _backward(tables, links, worker, stop, state)
    if fast:
        stop = start
        while stop != last:
            stop = links.after[stop]
            _forward(tables, links, worker, stop, state, 0)
    best = NEVER
    for rested in range(state, 2):
        for which in range(tables.labels):
            label = rested * tables.modes * tables.labels + which
            in_time = (
                not tables.timed
                or links.done[last, label] <= links.by[last, rested * tables.modes * tables.labels + fast]
            )
            if in_time and links.paid[last, label] < best:
                best = links.paid[last, label]
    links.cost[worker] = 0 if links.size[worker] == 0 else best
    return bool(best < NEVER)
