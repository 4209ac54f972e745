"""How time passes between two stops, with windows and the break; to be compiled into other kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.compiled import inlined
from gridmap.patrols.planning.links import NEVER

if TYPE_CHECKING:
    from gridmap.patrols.planning.tables import Tables

__all__ = ["latest_finish", "latest_start", "ready_at", "start_at"]


@inlined
def ready_at(tables: Tables, worker: int, time: int, leg: int, rests: bool) -> int:  # noqa: FBT001 - a kernel
    """When a worker who is done at `time` is ready at the next stop, with the break on the way or not."""
    if not rests:
        return time + leg
    opens, closes, seconds = tables.person[worker, 3], tables.person[worker, 4], tables.person[worker, 5]
    there = max(time + leg, opens)
    here = max(time, opens)
    return there + seconds if there <= closes else (here + seconds + leg if here <= closes else NEVER)


@inlined
def latest_finish(tables: Tables, worker: int, by: int, leg: int, rests: bool) -> int:  # noqa: FBT001 - a kernel
    """When a worker must be done at the latest who must be ready at the next stop at `by`."""
    if not rests:
        return by - leg
    opens, closes, seconds = tables.person[worker, 3], tables.person[worker, 4], tables.person[worker, 5]
    there = min(by - seconds, closes)
    here = min(by - seconds - leg, closes)
    latest = there - leg if there >= opens else -NEVER
    return max(latest, here) if here >= opens else latest


@inlined
def start_at(tables: Tables, stop: int, ready: int) -> int:
    """Earliest start of somebody who is ready."""
    low, high = tables.window[stop], tables.window[stop + 1]
    start = ready if low == high else NEVER
    for window in range(low, high):
        if ready <= tables.closes[window]:
            start = max(ready, tables.opens[window])
            break
    return start


@inlined
def latest_start(tables: Tables, stop: int, by: int) -> int:
    """Latest start that is not after `by`."""
    low, high = tables.window[stop], tables.window[stop + 1]
    start = by if low == high else -NEVER
    for window in range(high - 1, low - 1, -1):
        if tables.opens[window] <= by:
            start = min(by, tables.closes[window])
            break
    return start
