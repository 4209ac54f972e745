"""Stretches of the street network that priority roads run along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.street_graph import StreetGraph

__all__ = ["edges_along"]

_ASIDE_M = 18.0
"""How far a street's centre line may lie from a road that was drawn by hand."""
_SHARE = 0.6


def edges_along(
    graph: StreetGraph, roads: NDArray[np.object_], usable: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the edges that run along lines: most of their length lies within 18 m of one.

    Parameters
    ----------
    graph
        The network.
    roads
        Lines, EPSG:4326, shape (n,).
    usable
        Which edges may be walked along at all, shape (m,).

    Returns
    -------
    edge, road
        Pairs, shape (k,), each edge once, with the road that covers most of it; by road, then edge.
    """
    edges = np.flatnonzero(usable)
    if not len(roads) or not len(edges):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    projection = graph.projection
    lines = projection.forward(graph.lines(edges))
    around = shapely.buffer(projection.forward(roads), _ASIDE_M)
    road, near = shapely.STRtree(lines).query(around, predicate="intersects")
    share = shapely.length(shapely.intersection(lines[near], around[road])) / graph.length_m[edges[near]]
    # The best road first, so that each edge keeps that one.
    order = np.lexsort((road, -share, near))
    road, near, share = road[order], near[order], share[order]
    first = np.r_[True, near[1:] != near[:-1]] & (share >= _SHARE)
    edge, road = edges[near[first]], road[first]
    order = np.lexsort((edge, road))
    return edge[order], road[order].astype(np.int64)
