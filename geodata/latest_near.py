"""The latest earlier thing of one kind near a place, for millions of places at once.

Things are sorted by kind and by a square of a raster as wide as the reach, and within it by time. A place
looks into its square and the eight around it, backwards from its own time, and stops at the first thing in
reach: what lies in heaps is not measured pair by pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geodata.compiled import Array, compiled, in_slices

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["NONE", "latest_near"]

NONE = -1
"""Answer for a place with nothing near."""

_WORTH_A_THREAD = 20_000


class _Places(NamedTuple):
    x: Array
    y: Array
    kind: Array
    time: Array


class _Things(NamedTuple):
    """Sorted by square and then by time; `starts` says where each of `squares` begins."""

    x: Array
    y: Array
    time: Array
    squares: Array
    starts: Array


class _Raster(NamedTuple):
    west: float
    south: float
    side: float
    across: int
    up: int


def latest_near(
    x: ArrayLike,
    y: ArrayLike,
    kind: ArrayLike,
    time: ArrayLike,
    *,
    of_x: ArrayLike,
    of_y: ArrayLike,
    of_kind: ArrayLike,
    of_time: ArrayLike,
    reach: float,
    span: int,
) -> NDArray[np.int64]:
    """Find for each place the latest thing of its kind within reach that is not younger than it.

    Parameters
    ----------
    x, y
        Places, metres, shape (n,).
    kind
        Integers, shape (n,).
    time
        Integers of any unit, shape (n,).
    of_x, of_y, of_kind, of_time
        The things, in the same units, shape (m,).
    reach
        Greatest distance in metres, included.
    span
        Greatest age, included, in the unit of the times.

    Returns
    -------
    numpy.ndarray
        Position of the thing, int64, shape (n,); `NONE` where there is none. Of several equally late ones,
        the first of them.
    """
    px, py, tx, ty = (np.asarray(values, dtype=np.float64) for values in (x, y, of_x, of_y))
    pk, pt, tk, tt = (np.asarray(values, dtype=np.int64) for values in (kind, time, of_kind, of_time))
    found = np.full(px.size, NONE, dtype=np.int64)
    if not px.size or not tx.size:
        return found
    # A little wider than the reach, so that rounding never puts what is in reach two squares away.
    side = reach * (1 + 1e-9)
    west, south = min(px.min(), tx.min()) - reach, min(py.min(), ty.min()) - reach
    column, row = (np.floor((tx - west) / side), np.floor((ty - south) / side))
    across = int(max(np.floor((px.max() - west) / side), column.max())) + 2
    up = int(max(np.floor((py.max() - south) / side), row.max())) + 2
    kinds, numbered = np.unique(np.concatenate([tk, pk]), return_inverse=True)
    if len(kinds) * across * up >= 2**62:
        message = f"Expected places within reach of a raster; found {across} by {up} squares."
        raise ValueError(message)
    of, asked = numbered[: tk.size], numbered[tk.size :]
    square = (of * up + row.astype(np.int64)) * across + column.astype(np.int64)
    # Among equally late things the first comes last, as they are looked at backwards.
    order = np.lexsort((-np.arange(tx.size), tt, square))
    squares, starts = np.unique(square[order], return_index=True)
    things = _Things(tx[order], ty[order], tt[order], squares, np.append(starts, tx.size))
    raster = _Raster(west, south, side, across, up)

    def work(start: int, stop: int) -> None:
        part = slice(start, stop)
        _look(_Places(px[part], py[part], asked[part], pt[part]), things, raster, reach, span, found[part])

    in_slices(work, px.size, at_least=_WORTH_A_THREAD)
    there = found != NONE
    found[there] = order[found[there]]
    return found


@compiled
def _look(  # noqa: PLR0917 - kernels take no keywords
    places: _Places, things: _Things, raster: _Raster, reach: float, span: int, found: Array
) -> None:
    x, y, kind, time = places
    tx, ty, tt, squares, starts = things
    west, south, side, across, up = raster
    for i in range(x.size):
        column, row = int(np.floor((x[i] - west) / side)), int(np.floor((y[i] - south) / side))
        best = np.iinfo(np.int64).min
        for j in range(max(row - 1, 0), min(row + 2, up)):
            for k in range(max(column - 1, 0), min(column + 2, across)):
                square = (kind[i] * up + j) * across + k
                at = np.searchsorted(squares, square)
                if at == squares.size or squares[at] != square:
                    continue
                low, high = starts[at], starts[at + 1]
                last = low + np.searchsorted(tt[low:high], time[i], side="right") - 1
                while last >= low and tt[last] >= time[i] - span and tt[last] >= best:
                    across_m, up_m = tx[last] - x[i], ty[last] - y[i]
                    if across_m * across_m + up_m * up_m <= reach * reach:
                        if tt[last] > best:
                            best, found[i] = tt[last], last
                        break
                    last -= 1
