"""Steps of ruin and recreate, accepted or taken back by simulated annealing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geodata.compiled import compiled, merged
from gridmap.patrols.planning.chance import chance
from gridmap.patrols.planning.labelling import lay, relabel
from gridmap.patrols.planning.links import NOBODY, Links, copy_route, empty_links
from gridmap.patrols.planning.moves import Moves, no_moves
from gridmap.patrols.planning.recreate import recreate
from gridmap.patrols.planning.ruin import ruin, take_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.patrols.planning.tables import Tables

    Numbers = NDArray[np.int64]

__all__ = ["Search", "anneal", "new_search"]

_NOTHING = np.zeros(0, dtype=np.int64)
_ABSENT = 10
"""About so many of the tasks that are not done are tried in each step."""


class Search(NamedTuple):
    """A search under way."""

    links: Links
    """What is being tried."""
    kept: Links
    """What was accepted last."""
    best: Numbers
    """Stop behind each stop, in the best plan so far."""
    costs: Numbers
    """Of what was accepted last, and of the best."""
    moves: Moves
    random: NDArray[np.uint64]


def new_search(tables: Tables, random: NDArray[np.uint64]) -> Search:
    """Nobody is sent out yet."""
    links, kept = empty_links(tables), empty_links(tables)
    for worker in range(tables.workers):
        for one in (links, kept):
            lay(tables, one, worker, _NOTHING)
    cost = int(tables.worth.sum())
    return Search(links, kept, kept.after.copy(), np.array([cost, cost]), no_moves(tables), random)


@compiled
def anneal(tables: Tables, search: Search, steps: int, hot: float, cold: float) -> int:
    """Make steps while it cools; returns how many of them gave a new best plan."""
    links, kept, moves = search.links, search.kept, search.moves
    found = 0
    cooling = (cold / hot) ** (1.0 / max(steps, 1))
    heat = hot
    for _ in range(steps):
        moves.counts[0] = moves.counts[1] = 0
        ruin(tables, links, moves, search.random)
        for position in range(moves.counts[1]):
            _tidy(tables, links, moves, moves.touched[position])
        _absent(tables, links, moves, search.random)
        recreate(tables, links, moves, search.random)
        cost = search.costs[0] + _difference(tables, links, kept, moves)
        if cost < search.costs[0] - heat * np.log(max(chance(search.random), 1e-300)):
            search.costs[0] = cost
            _settle(tables, links, kept, moves)
            if cost < search.costs[1]:
                search.costs[1] = cost
                search.best[:] = kept.after
                found += 1
        else:
            _settle(tables, kept, links, moves)
        heat *= cooling
    return found


@merged
def _tidy(tables: Tables, links: Links, moves: Moves, worker: int) -> None:
    """Label a ruined route; one that cannot be walked any more is emptied."""
    while not relabel(tables, links, worker) and links.size[worker]:
        while links.size[worker]:
            take_out(tables, links, moves, links.after[tables.tasks + worker])


@merged
def _absent(tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64]) -> None:
    """List some of the tasks that were not done before."""
    placed = 0
    for worker in range(tables.workers):
        placed += links.size[worker]
    absent = tables.tasks - placed - moves.counts[0]
    if absent <= 0:
        return
    share = _ABSENT / absent
    for task in range(tables.tasks):
        if links.worker[task] == NOBODY and not moves.is_out[task] and (share >= 1 or chance(random) < share):
            moves.is_out[task] = True
            moves.out[moves.counts[0]] = task
            moves.counts[0] += 1


@merged
def _difference(tables: Tables, links: Links, kept: Links, moves: Moves) -> int:
    """What the step adds to the cost."""
    difference = 0
    for position in range(moves.counts[1]):
        worker = moves.touched[position]
        going = tables.person[worker, 9]
        difference += links.cost[worker] - kept.cost[worker]
        difference += going * (int(links.size[worker] > 0) - int(kept.size[worker] > 0))
    for position in range(moves.counts[0]):
        task = moves.out[position]
        difference += tables.worth[task] * (
            int(kept.worker[task] != NOBODY) - int(links.worker[task] != NOBODY)
        )
    return difference


@merged
def _settle(tables: Tables, source: Links, target: Links, moves: Moves) -> None:
    """Make `target` like `source` where the step has touched it."""
    for position in range(moves.counts[1]):
        worker = moves.touched[position]
        copy_route(tables, source, target, worker)
        moves.is_touched[worker] = False
    for position in range(moves.counts[0]):
        task = moves.out[position]
        target.worker[task] = source.worker[task]
        moves.is_out[task] = False
