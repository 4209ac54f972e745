"""Polygons that fit together exactly: noding lines into faces, dissolving faces, the borders they share.

Everything here is in metres (`geodata.projection.LocalProjection`) and on a grid of `GRID_M`, so that
neighbours have the very same vertices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GRID_M", "Segments", "contact_components", "dissolve", "faces_of", "shared_segments"]

GRID_M = 1e-3
"""Noding grid: a millimetre."""


class Segments(NamedTuple):
    """Straight pieces of border between two polygons, each once.

    Parameters
    ----------
    first, second
        Positions of the two polygons, ``first < second``, shape (n,).
    start, end
        Ends, metres, shape (n, 2).
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Length of each piece, metres, shape (n,)."""
        return np.asarray(np.hypot(*(self.end - self.start).T))

    @property
    def middle(self) -> NDArray[np.float64]:
        """Middle of each piece, metres, shape (n, 2)."""
        return (self.start + self.end) / 2


def faces_of(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Cut the plane along lines.

    Parameters
    ----------
    lines
        Lines in metres, in any order, crossing as they like.

    Returns
    -------
    The bounded faces as polygons, noded with each other. Dead ends and bridges leave no trace.
    """
    noded = shapely.get_parts(shapely.union_all(lines, grid_size=GRID_M))
    return np.asarray(shapely.get_parts(shapely.polygonize(noded)), dtype=object)


def dissolve(faces: NDArray[np.object_], owner: NDArray[np.intp], count: int) -> NDArray[np.object_]:
    """Merge noded faces by owner, shape (count,); an owner without faces gets an empty polygon."""
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], np.arange(count + 1))
    merged = np.empty(count, dtype=object)
    for position in range(count):
        group = faces[order[bounds[position] : bounds[position + 1]]]
        merged[position] = group[0] if group.size == 1 else shapely.coverage_union_all(group)
    return merged


def shared_segments(polygons: NDArray[np.object_]) -> Segments:
    """Find the border pieces that two polygons of one noded coverage share."""
    parts, source = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    owner = source[part]
    at, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    start, end, owner = at[:-1][inside], at[1:][inside], owner[ring[:-1][inside]]
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    start, end = np.where(turned[:, None], end, start), np.where(turned[:, None], start, end)
    keys = np.rint(np.hstack([start, end]) / GRID_M).astype(np.int64)
    order = np.lexsort((owner, *keys.T))
    keys, owner = keys[order], owner[order]
    same = (keys[1:] == keys[:-1]).all(axis=1) & (owner[1:] != owner[:-1])
    return Segments(owner[:-1][same], owner[1:][same], start[order][:-1][same], end[order][:-1][same])


def contact_components(first: NDArray[np.intp], second: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Find the connected components of `count` polygons that touch in pairs, shape (count,)."""
    # A sixth of a second to read, which no start should wait for.
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    links = coo_array((np.ones(len(first)), (first, second)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.intp)
