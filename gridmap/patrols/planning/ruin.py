"""Taking strings of neighbouring tasks out of neighbouring routes (Christiaens and Vanden Berghe 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.compiled import merged
from gridmap.patrols.planning.chance import below, chance
from gridmap.patrols.planning.links import NOBODY, unlink
from gridmap.patrols.planning.moves import touch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gridmap.patrols.planning.links import Links
    from gridmap.patrols.planning.moves import Moves
    from gridmap.patrols.planning.tables import Tables

__all__ = ["ruin", "take_out"]

_MEAN_OUT = 10
_LONGEST = 10
_SPLIT = 0.5
_MORE = 0.01
"""Chance that one more task in the middle of a split string is kept."""


@merged
def take_out(tables: Tables, links: Links, moves: Moves, task: int) -> None:
    """Take a task out and remember it."""
    touch(moves, links.worker[task])
    unlink(tables, links, task)
    moves.is_out[task] = True
    moves.out[moves.counts[0]] = task
    moves.counts[0] += 1


@merged
def ruin(tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64]) -> None:
    """Take strings out around a random task."""
    placed = routes = 0
    for worker in range(tables.workers):
        placed += links.size[worker]
        routes += links.size[worker] > 0
    if not placed:
        return
    longest = min(float(_LONGEST), placed / routes)
    strings = int(1 + chance(random) * (4.0 * _MEAN_OUT / (1.0 + longest) - 1.0))
    seed = below(random, tables.tasks)
    for number in range(-1, tables.near.shape[1]):
        if moves.counts[1] >= strings:
            break
        task = seed if number < 0 else tables.near[seed, number]
        worker = links.worker[task]
        if worker == NOBODY or moves.is_touched[worker]:
            continue
        length = int(1 + chance(random) * min(float(links.size[worker]), longest))
        length = min(length, links.size[worker])
        kept = 0
        if length > 1 and chance(random) < _SPLIT:
            kept = 1
            while length + kept < links.size[worker] and chance(random) < _MORE:
                kept += 1
            kept = min(kept, links.size[worker] - length)
        _take_string(tables, links, moves, random, task, length, kept)


@merged
def _take_string(  # noqa: PLR0917 - a kernel
    tables: Tables, links: Links, moves: Moves, random: NDArray[np.uint64], task: int, length: int, kept: int
) -> None:
    """Take out a string around a task, but `kept` in its middle."""
    whole = length + kept
    earlier, stop = 0, task
    while earlier < whole - 1 and links.before[stop] < tables.tasks:
        stop = links.before[stop]
        earlier += 1
    later, stop = 0, task
    while later < whole - 1 and links.after[stop] < tables.tasks:
        stop = links.after[stop]
        later += 1
    least = max(0, whole - 1 - later)
    back = least + below(random, earlier - least + 1)
    stop = task
    for _ in range(back):
        stop = links.before[stop]
    skip = 1 + below(random, length - 1) if kept else whole
    for number in range(whole):
        follows = links.after[stop]
        if number < skip or number >= skip + kept:
            take_out(tables, links, moves, stop)
        stop = follows
