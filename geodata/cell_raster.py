"""The raster behind `geodata.cell_index`: how it is made and how it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geodata.compiled import compiled, in_slices, inlined

if TYPE_CHECKING:
    from geodata.compiled import Array

__all__ = ["CellRaster", "Grid", "build_raster", "find_cells"]


class Grid(NamedTuple):
    """Pixels over longitude and latitude; rows count northwards, columns eastwards."""

    west: float
    south: float
    per_degree: float
    rows: int
    columns: int


class Strips(NamedTuple):
    """Edges by strip: a strip is the part of one cell in one raster row, those of a cell are consecutive."""

    edges: Array
    """(m, 4): x0, y0, x1, y1 in degrees."""
    first: Array
    """(k,): ``first[cell] + row`` is a strip."""
    start: Array
    """Where the edges of each strip start in `edge`, and the end of the last."""
    edge: Array


class CellRaster(NamedTuple):
    """Everything `find_cells` reads."""

    grid: Grid
    strips: Strips
    owner: Array
    """(rows, columns): the cell that fills the pixel, -1 for none, ``-2 - b`` for border pixel number b."""
    border_start: Array
    """(b + 1,): where the candidates of each border pixel start."""
    border_cell: Array
    """Candidates, the cells whose border meets the pixel, ascending."""
    border_filler: Array
    """(b,): lowest cell that fills the border pixel wholly (cells overlap there), -1 for none."""


@compiled
def _step(value: float, origin: float, per_degree: float, limit: int) -> int:
    """Row of a latitude or column of a longitude; never falls while the value grows, rounding included."""
    return min(max(int((value - origin) * per_degree), 0), limit - 1)


@compiled
def _edge_rows(edges: Array, grid: Grid, low: Array, high: Array) -> None:
    for e in range(len(edges)):
        a = _step(edges[e, 1], grid.south, grid.per_degree, grid.rows)
        b = _step(edges[e, 3], grid.south, grid.per_degree, grid.rows)
        low[e] = min(a, b)
        high[e] = max(a, b)


@compiled
def _count_strips(low: Array, high: Array, base: Array, counts: Array) -> None:
    for e in range(len(low)):
        for s in range(base[e] + low[e], base[e] + high[e] + 1):
            counts[s] += 1


@compiled
def _fill_strips(low: Array, high: Array, base: Array, start: Array, edge: Array) -> None:
    """Counting sort of (strip, edge) pairs; `start` holds ends and becomes starts."""
    for e in range(len(low) - 1, -1, -1):
        for s in range(base[e] + low[e], base[e] + high[e] + 1):
            start[s] -= 1
            edge[start[s]] = e


@compiled
def _span(edge: Array, bottom: float, top: float) -> tuple[float, float]:
    """West and east end of the part of an edge between two latitudes."""
    x0, y0, x1, y1 = edge[0], edge[1], edge[2], edge[3]
    if y0 > y1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    a, b = x0, x1
    if y0 < bottom:
        a = x0 + (x1 - x0) * min((bottom - y0) / (y1 - y0), 1.0)
    if y1 > top:
        b = x0 + (x1 - x0) * max((top - y0) / (y1 - y0), 0.0)
    return min(a, b), max(a, b)


@compiled
def _paint(  # noqa: C901, PLR0917 - one pass over a row; numba cannot hand the row's state around cheaply
    grid: Grid,
    strips: Strips,
    by_row: Array,
    row_start: Array,
    marks: Array,
    filler: Array,
    counts: Array,
    start: int,
    stop: int,
) -> None:
    """Paint rows [start, stop): count border candidates per pixel and note who fills it.

    With one entry per candidate in `marks`, and `counts` holding where each pixel's candidates start, the
    candidates are written instead: the second pass of a counting sort.
    """
    slack = 1e-6 / grid.per_degree  # a millionth of a pixel; rounding errors are a million times smaller
    touched = np.full(grid.columns, -1, dtype=np.int32)
    crossings = np.empty(16, dtype=np.float64)
    write = len(marks) > 0
    edges, first_strip, strip_start, strip_edge = strips
    for row in range(start, stop):
        bottom = grid.south + row / grid.per_degree - slack
        top = grid.south + (row + 1) / grid.per_degree + slack
        middle = grid.south + (row + 0.5) / grid.per_degree
        touched[:] = -1
        for i in range(row_start[row], row_start[row + 1]):
            cell = by_row[i]
            strip = first_strip[cell] + row
            n = 0
            for j in range(strip_start[strip], strip_start[strip + 1]):
                edge = edges[strip_edge[j]]
                left, right = _span(edge, bottom, top)
                first = _step(left - slack, grid.west, grid.per_degree, grid.columns)
                last = _step(right + slack, grid.west, grid.per_degree, grid.columns)
                for column in range(first, last + 1):
                    if touched[column] != cell:
                        touched[column] = cell
                        if write:
                            marks[counts[row, column]] = cell
                        counts[row, column] += 1
                if (edge[1] > middle) != (edge[3] > middle):
                    if n == len(crossings):
                        crossings = np.concatenate((crossings, np.empty(n)))
                    crossings[n] = edge[0] + (edge[2] - edge[0]) * ((middle - edge[1]) / (edge[3] - edge[1]))
                    n += 1
            if write or n == 0:
                continue
            inside = np.sort(crossings[:n])
            for j in range(0, n - 1, 2):
                # A pixel that no edge of the cell meets lies wholly on the side of its centre.
                first = _step(inside[j], grid.west, grid.per_degree, grid.columns)
                last = _step(inside[j + 1], grid.west, grid.per_degree, grid.columns)
                for column in range(first, last + 1):
                    if touched[column] != cell and filler[row, column] == -1:
                        filler[row, column] = cell


def build_raster(edges: Array, edge_cell: Array, cell_count: int, grid: Grid) -> CellRaster:
    """Raster of polygons.

    Parameters
    ----------
    edges, edge_cell
        All edges, float64 (m, 4) as x0, y0, x1, y1 in degrees, and the cell of each, int32, ascending.
    cell_count
        Number of cells, also those without edges.
    grid
        Must hold every edge.
    """
    strips, height = _build_strips(edges, edge_cell, cell_count, grid)
    strip_cell = np.repeat(np.arange(cell_count, dtype=np.int32), height)
    strip_row = np.arange(strip_cell.size) - strips.first[strip_cell]
    by_row = strip_cell[np.argsort(strip_row, kind="stable")]
    row_start = np.concatenate(([0], np.cumsum(np.bincount(strip_row, minlength=grid.rows))))

    owner = np.full((grid.rows, grid.columns), -1, dtype=np.int32)
    counts = np.zeros((grid.rows, grid.columns), dtype=np.int32)

    def paint(marks: Array) -> None:
        def work(start: int, stop: int) -> None:
            _paint(grid, strips, by_row, row_start, marks, owner, counts, start, stop)

        in_slices(work, grid.rows, at_least=64)

    paint(np.empty(0, dtype=np.int32))
    border = np.flatnonzero(counts)
    border_start = np.concatenate(([0], np.cumsum(counts.ravel()[border], dtype=np.int64)))
    counts.ravel()[border] = border_start[:-1]
    border_cell = np.empty(int(border_start[-1]), dtype=np.int32)
    paint(border_cell)
    border_filler = owner.ravel()[border]
    owner.ravel()[border] = -2 - np.arange(border.size, dtype=np.int32)
    return CellRaster(grid, strips, owner, border_start, border_cell, border_filler)


def _build_strips(edges: Array, edge_cell: Array, cell_count: int, grid: Grid) -> tuple[Strips, Array]:
    """Strips, and the number of rows each cell spans, shape (k,)."""
    low = np.empty(len(edges), dtype=np.int32)
    high = np.empty(len(edges), dtype=np.int32)
    _edge_rows(edges, grid, low, high)
    filled, first_edge = np.unique(edge_cell, return_index=True)
    lowest = np.zeros(cell_count, dtype=np.int64)
    height = np.zeros(cell_count, dtype=np.int64)
    lowest[filled] = np.minimum.reduceat(low, first_edge)
    height[filled] = np.maximum.reduceat(high, first_edge) - lowest[filled] + 1
    first = np.concatenate(([0], np.cumsum(height)[:-1])) - lowest
    base = first[edge_cell]
    start = np.zeros(int(height.sum()) + 1, dtype=np.int64)
    _count_strips(low, high, base, start)
    np.cumsum(start, out=start)
    edge = np.empty(int(start[-1]), dtype=np.int32)
    _fill_strips(low, high, base, start, edge)
    return Strips(edges, first, start, edge), height


_OUT, _IN, _UNSURE = 0, 1, 2


@inlined
def _covers(  # noqa: C901, PLR0917 - the cases of a crossing; kernels take no keywords
    edges: Array, strip_edge: Array, start: int, stop: int, x: float, y: float
) -> int:
    """Whether a cell covers a place, from the edges of its strip; `_UNSURE` where rounding leaves it open."""
    odd = False
    unsure = False
    for j in range(start, stop):
        e = strip_edge[j]
        x0, y0, x1, y1 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if (y0 > y and y1 > y) or (y0 < y and y1 < y) or (x0 < x and x1 < x):
            continue
        if (x0 == x and y0 == y) or (x1 == x and y1 == y):
            return _IN
        if y0 == y1:
            if min(x0, x1) <= x <= max(x0, x1):
                return _IN
            continue
        if (y0 > y) == (y1 > y):
            continue  # it ends on the ray from below
        if x0 > x and x1 > x:
            odd = not odd
            continue
        left = (x0 - x) * (y1 - y)
        right = (x1 - x) * (y0 - y)
        turn = left - right
        # 1e-290: below it products lose bits that the relative bound does not see.
        if abs(turn) <= 3.3306690738754716e-16 * (abs(left) + abs(right)) + 1e-290:
            if x0 == x and x1 == x:
                return _IN
            unsure = True
        elif (turn > 0.0) == (y1 > y0):
            odd = not odd
    if unsure:
        return _UNSURE
    return _IN if odd else _OUT


@compiled
def find_cells(raster: CellRaster, lon: Array, lat: Array, found: Array) -> None:
    """Write the lowest covering cell of each place into `found`, which holds -1 everywhere.

    Where rounding leaves a cell open, ``-2 - cell`` is written: no lower cell covers the place.
    """
    grid, owner, filler = raster.grid, raster.owner, raster.border_filler
    border_start, border_cell = raster.border_start, raster.border_cell
    edges, first, strip_start, strip_edge = raster.strips
    for i in range(len(lon)):
        x = lon[i]
        y = lat[i]
        column = (x - grid.west) * grid.per_degree
        row = (y - grid.south) * grid.per_degree
        if not (0.0 <= column < grid.columns and 0.0 <= row < grid.rows):  # NaN fails too
            continue
        cell = owner[int(row), int(column)]
        if cell >= -1:
            found[i] = cell
            continue
        b = -2 - cell
        answer = filler[b]
        for j in range(border_start[b], border_start[b + 1]):
            cell = border_cell[j]
            if answer != -1 and cell > answer:
                break
            strip = first[cell] + int(row)
            covered = _covers(edges, strip_edge, strip_start[strip], strip_start[strip + 1], x, y)
            if covered != _OUT:
                answer = cell if covered == _IN else -2 - cell
                break
        found[i] = answer
