"""Which streets a recorded track went along: a hidden Markov model after Newson and Krumm (2009).

Fixes are thinned and averaged first, since dense noisy ones jump between parallel ways. What lies between two
fixes far apart is a gap: nothing is said of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.compiled import Array, compiled
from geodata.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.street_places import Stops
    from geodata.street_router import Router

__all__ = ["Match", "Matching", "match_track"]

_NEVER = -np.inf


@dataclass(frozen=True, slots=True)
class Matching:
    """How a track is matched; metres and seconds.

    Parameters
    ----------
    noise_m
        Least error that is expected of a fix (standard deviation).
    reach_m
        How far from its street a fix may lie.
    spacing_m
        Fixes closer to each other than this are averaged.
    gap_m, gap_seconds
        Between two fixes farther apart than either of these nothing is recorded.
    worst_m
        A fix whose stated accuracy is worse than this is not used.
    candidates
        How many streets are considered for each fix.
    leaving
        How much less likely (natural logarithm) it is to be on another street at the next fix than to be on
        the same one: it keeps noisy tracks from jumping between parallel ways.
    """

    noise_m: float = 7.0
    reach_m: float = 45.0
    spacing_m: float = 15.0
    gap_m: float = 400.0
    gap_seconds: float = 120.0
    worst_m: float = 50.0
    candidates: int = 10
    leaving: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """What a track went along.

    Attributes
    ----------
    edge
        Edge of the network of each stretch, int64, shape (k,), in the order walked.
    begin, end
        From where to where along the edge's line, 0 to 1, ``begin <= end``, shape (k,).
    forward
        Whether it was walked along the line, bool, shape (k,).
    at
        Row among the track's fixes by which one was past it, int64, shape (k,).
    run
        Number of the recording without a gap it belongs to, int64, shape (k,).
    sure
        Whether more than one fix speaks for it, bool, shape (k,): a stretch that only one fix lies on, and
        that was not walked from one end of the edge to the other, may be an error of that fix.
    side
        1 where one walked right of the edge's line, -1 left of it, 0 where that cannot be told, int8,
        shape (k,).
    gaps
        First fix after each gap, int64, shape (g,): a break in the recording, or where no way leads.
    unused
        Fixes not used for their accuracy, int64, shape (u,).
    astray
        Fixes with no street in reach, int64, shape (a,).
    """

    edge: NDArray[np.int64]
    begin: NDArray[np.float64]
    end: NDArray[np.float64]
    forward: NDArray[np.bool_]
    at: NDArray[np.int64]
    run: NDArray[np.int64]
    sure: NDArray[np.bool_]
    side: NDArray[np.int8]
    gaps: NDArray[np.int64]
    unused: NDArray[np.int64]
    astray: NDArray[np.int64]


@compiled
def _groups(x: Array, y: Array, t: Array, spacing: float, gap: tuple[float, float]) -> tuple[Array, Array]:
    """Group of each fix, and whether each fix comes after a gap."""
    group = np.zeros(len(x), dtype=np.int64)
    broken = np.zeros(len(x), dtype=np.bool_)
    first = 0
    for i in range(1, len(x)):
        step = np.hypot(x[i] - x[i - 1], y[i] - y[i - 1])
        if step > gap[0] or t[i] - t[i - 1] > gap[1]:
            broken[i] = True
        if broken[i] or np.hypot(x[i] - x[first], y[i] - y[first]) > spacing:
            group[i] = group[i - 1] + 1
            first = i
        else:
            group[i] = group[i - 1]
    return group, broken


@compiled
def _split_short(x: Array, y: Array, group: Array, broken: Array, noise: float) -> Array:
    """Take the last fix out of a group that is all of its run, if it lies beyond the noise."""
    first, more = 0, 0
    out = group.copy()
    for i in range(len(x)):
        if i and group[i] != group[i - 1]:
            first = i
        out[i] = group[i] + more
        ends = i + 1 == len(x) or broken[i + 1]
        alone = (first == 0 or broken[first]) and ends
        if alone and i > first and np.hypot(x[i] - x[first], y[i] - y[first]) > noise:
            more += 1
            out[i] += 1
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Averaged fixes: place, error, last fix of each, and whether a gap comes before it."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    noise: NDArray[np.float64]
    last: NDArray[np.int64]
    first: NDArray[np.int64]
    broken: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Places on streets that groups may have been at; those of one group stand together."""

    stops: Stops
    group: NDArray[np.int64]
    first: NDArray[np.int64]
    cost: NDArray[np.float64]
    offset: NDArray[np.float64]

    def of(self, group: int) -> slice:
        return slice(int(self.first[group]), int(self.first[group + 1]))


def match_track(
    router: Router,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    seconds: NDArray[np.float64] | None = None,
    accuracy_m: NDArray[np.float64] | None = None,
    matching: Matching | None = None,
) -> Match:
    """Match a track to the streets.

    Parameters
    ----------
    router
        Of whoever walked or drove, made with ``by_length``.
    lon, lat
        Fixes in their order, degrees, EPSG:4326, shape (n,).
    seconds
        When each was taken, from any moment on, never falling; None where it is not known.
    accuracy_m
        Standard deviation that the receiver stated, NaN where it did not.
    matching
        How to match.
    """
    how = matching or Matching()
    x, y = router.graph.projection.forward_xy(lon, lat)
    times = np.zeros(len(x)) if seconds is None else np.asarray(seconds, dtype=float)
    stated = np.full(len(x), np.nan) if accuracy_m is None else np.asarray(accuracy_m, dtype=float)
    used = np.flatnonzero(~(stated > how.worst_m))
    unused = np.flatnonzero(stated > how.worst_m)
    if not len(used):
        return _put_together([], np.zeros(0, dtype=np.int64), unused, np.zeros(0, dtype=np.int64))
    groups = _averaged(x[used], y[used], times[used], stated[used], how)
    near = _near(router, groups, how)
    empty = near.first[1:] == near.first[:-1]
    runs, gaps = _runs(router, groups, near, empty, how)
    covered = [_covered(router, near, chosen, number) for number, chosen in enumerate(runs)]
    member = np.searchsorted(groups.first, np.arange(len(used)), side="right") - 1
    stretches = [
        (edge, low, high, forward, int(used[groups.last[group]]), *more)
        for part in covered
        for edge, low, high, forward, group, *more in part
    ]
    return _put_together(stretches, used[groups.first[gaps]], unused, used[empty[member]])


def _averaged(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    t: NDArray[np.float64],
    stated: NDArray[np.float64],
    how: Matching,
) -> _Groups:
    noise = np.where(np.isnan(stated), how.noise_m, np.maximum(stated, how.noise_m))
    group, broken = _groups(
        x, y, t, max(how.spacing_m, 1.5 * float(np.median(noise))), (how.gap_m, how.gap_seconds)
    )
    group = _split_short(x, y, group, broken, how.noise_m)
    weight = noise**-2.0
    total = np.bincount(group, weights=weight)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    last = np.append(first[1:], len(x)) - 1
    count = last - first + 1
    mean = np.bincount(group, weights=noise) / count
    return _Groups(
        np.bincount(group, weights=weight * x) / total,
        np.bincount(group, weights=weight * y) / total,
        # Errors of fixes close in time go together: averaging helps, but not by the root of their number.
        np.maximum(mean / np.minimum(count, 4) ** 0.25, 0.6 * how.noise_m),
        last,
        first,
        broken[first],
    )


def _near(router: Router, groups: _Groups, how: Matching) -> _Candidates:
    points = np.asarray(shapely.points(groups.x, groups.y), dtype=object)
    reach = np.maximum(how.reach_m, 2.5 * groups.noise)
    row, edge = router.snapper.tree.query(points, predicate="dwithin", distance=reach)
    edge = router.snapper.open_edges[edge]
    lines = router.snapper.lines[edge]
    away = shapely.distance(lines, points[row])
    order = np.lexsort((away, row))
    row, edge, away = row[order], edge[order], away[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    kept = rank < how.candidates
    row, edge, away = row[kept], edge[kept], away[kept]
    lines = router.snapper.lines[edge]
    stops, side = router.snapper.stops_on(edge, points[row])
    return _Candidates(
        stops,
        row,
        np.searchsorted(row, np.arange(len(points) + 1)),
        -0.5 * (away / groups.noise[row]) ** 2,
        away * side,
    )


def _runs(
    router: Router, groups: _Groups, near: _Candidates, empty: NDArray[np.bool_], how: Matching
) -> tuple[list[list[int]], NDArray[np.int64]]:
    """Likeliest candidate of each group, run by run, and the groups before which there is a gap."""
    runs: list[list[int]] = []
    gaps: list[int] = []
    score: NDArray[np.float64] | None = None
    back: list[NDArray[np.int64]] = []
    steps: list[slice] = []

    def finish() -> None:
        if score is None:
            return
        best = int(score.argmax())
        chosen = [steps[-1].start + best]
        for pointers, step in zip(reversed(back), reversed(steps[:-1]), strict=True):
            best = int(pointers[best])
            chosen.append(step.start + best)
        runs.append(chosen[::-1])

    before = -1
    for group in np.flatnonzero(~empty).tolist():
        here = near.of(group)
        moved = None
        if score is not None and not groups.broken[before + 1 : group + 1].any():
            straight = float(np.hypot(groups.x[group] - groups.x[before], groups.y[group] - groups.y[before]))
            if straight <= how.gap_m:
                moved = score[:, None] + _likely(router, near, (steps[-1], here), straight, how)
                if not np.isfinite(moved).any():
                    moved = None
        if moved is None:
            finish()
            if score is not None:
                gaps.append(group)
            score, back, steps = near.cost[here].copy(), [], [here]
        else:
            back.append(moved.argmax(axis=0))
            score = moved.max(axis=0) + near.cost[here]
            steps.append(here)
        before = group
    finish()
    return runs, np.array(gaps, dtype=np.int64)


def _likely(
    router: Router, near: _Candidates, steps: tuple[slice, slice], straight: float, how: Matching
) -> NDArray[np.float64]:
    """Logarithm of how likely each step is, by how much longer the way is than the straight line."""
    one, other = (near.stops[step] for step in steps)
    way = router.matrix(one, other)
    # Whoever stands still seems to go backwards; in a one-way street that would be a way round.
    same = one.arc[:, None] == other.arc[None, :]
    length = router.graph.length_m[other.arc >> 1]
    set_back = np.abs(one.fraction[:, None] - other.fraction[None, :]) * length[None, :]
    way = np.where(same & (set_back < 3 * how.noise_m), np.minimum(way, set_back), way)
    likely: NDArray[np.float64] = -np.abs(way - straight) / (how.noise_m + 0.1 * straight)
    likely[way > 3 * straight + 10 * how.noise_m] = _NEVER
    name, street = router.graph.name, router.graph.street
    other_street = name[street[one.arc >> 1]][:, None] != name[street[other.arc >> 1]][None, :]
    likely -= how.leaving * other_street
    return likely


def _covered(router: Router, near: _Candidates, chosen: list[int], number: int) -> list[tuple[Any, ...]]:
    """Stretches of a run: edge, from, to, forward, group that was past it, run, sure, side."""
    found: list[tuple[int, float, float, bool, int]] = []
    stops = near.stops[np.array(chosen)]
    for k in range(len(chosen) - 1):
        try:
            _, arcs, begin, end = router.trace(stops, stops, k, k + 1)
        except GeometryError:  # standing still, see `_likely`
            continue
        group = int(near.group[chosen[k + 1]])
        last = len(arcs) - 1
        for i, arc in enumerate(arcs.tolist()):
            low, high = (begin if i == 0 else 0.0), (end if i == last else 1.0)
            if arc & 1:
                low, high = 1.0 - high, 1.0 - low
            if high > low:
                found.append((arc >> 1, low, high, not arc & 1, group))
    if len(chosen) == 1:
        # Nothing was walked, but somebody was here.
        arc, place = int(stops.arc[0]), float(stops.fraction[0])
        place = 1.0 - place if arc & 1 else place
        found.append((arc >> 1, place, place, not arc & 1, int(near.group[chosen[0]])))
    edges = stops.arc >> 1
    offsets = {edge: near.offset[chosen][edges == edge] for edge in set(edges.tolist())}
    passed = {edge for edge, low, high, *_ in found if low <= 0.0 and high >= 1.0}
    return [
        (*stretch, number, len(offsets.get(edge, ())) > 1 or edge in passed, _side(offsets.get(edge)))
        for stretch in found
        for edge in stretch[:1]
    ]


def _side(offsets: NDArray[np.float64] | None) -> int:
    if offsets is None or len(offsets) < 2:
        return 0
    mean, error = float(offsets.mean()), float(offsets.std() / np.sqrt(len(offsets)))
    return int(np.sign(mean)) if abs(mean) > max(4.0, 2 * error) else 0


def _put_together(
    stretches: list[tuple[Any, ...]],
    gaps: NDArray[np.int64],
    unused: NDArray[np.int64],
    astray: NDArray[np.int64],
) -> Match:
    edge, begin, end, forward, at, run, sure, side = zip(*stretches, strict=True) if stretches else ((),) * 8
    return Match(
        np.array(edge, dtype=np.int64),
        np.array(begin, dtype=float),
        np.array(end, dtype=float),
        np.array(forward, dtype=bool),
        np.array(at, dtype=np.int64),
        np.array(run, dtype=np.int64),
        np.array(sure, dtype=bool),
        np.array(side, dtype=np.int8),
        gaps,
        unused,
        astray,
    )
