"""How time passes between two stops, with windows and the break; to be compiled into other kernels."""

from __future__ import annotations

from geodata.compiled import Array, inlined
from gridmap.patrols.planning.links import NEVER

__all__ = ["latest_finish", "latest_start", "ready_at", "start_at"]


@inlined
def ready_at(person: Array, worker: int, time: int, leg: int, rests: bool) -> int:  # noqa: FBT001 - a kernel
    """When a worker who is done at `time` is ready at the next stop, with the break on the way or not."""
    if not rests:
        return time + leg
    opens, closes, seconds = person[worker, 3], person[worker, 4], person[worker, 5]
    there = max(time + leg, opens)
    here = max(time, opens)
    return there + seconds if there <= closes else (here + seconds + leg if here <= closes else NEVER)


@inlined
def latest_finish(person: Array, worker: int, by: int, leg: int, rests: bool) -> int:  # noqa: FBT001 - a kernel
    """When a worker must be done at the latest who must be ready at the next stop at `by`."""
    if not rests:
        return by - leg
    opens, closes, seconds = person[worker, 3], person[worker, 4], person[worker, 5]
    there = min(by - seconds, closes)
    here = min(by - seconds - leg, closes)
    latest = there - leg if there >= opens else -NEVER
    return max(latest, here) if here >= opens else latest


@inlined
def start_at(low: int, high: int, opens: Array, closes: Array, ready: int) -> int:
    """Earliest start, in the windows from `low` to `high`, of somebody who is ready."""
    start = ready if low == high else NEVER
    for window in range(low, high):
        if ready <= closes[window]:
            start = max(ready, opens[window])
            break
    return start


@inlined
def latest_start(low: int, high: int, opens: Array, closes: Array, by: int) -> int:
    """Latest start, in the windows from `low` to `high`, that is not after `by`."""
    start = by if low == high else -NEVER
    for window in range(high - 1, low - 1, -1):
        if opens[window] <= by:
            start = min(by, closes[window])
            break
    return start
