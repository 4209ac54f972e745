"""The ground of the demo district: a lattice of nodes 25 m apart, bent until it looks grown.

Streets, blocks, cells and areas are drawn on whole numbers of nodes and only then bent, so that neighbours
share every vertex exactly. The district lies in an uninhabited part of the Badain Jaran desert: nothing real
is named or accused there, whatever base map is put below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geodata.projection import LocalProjection

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["CENTRE", "STEP", "Ground", "box_nodes", "box_polygons"]

CENTRE = LocalProjection(102.2, 40.1)
"""Where the district lies."""
STEP = 25.0
"""Metres between nodes, before bending."""
_DIGITS = 7
"""Decimals kept of a degree: a centimetre."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Bends the lattice: a meandering river that its streets follow, slow curves, crooked old towns.

    Parameters
    ----------
    columns, rows
        Last node of each axis; nodes run from 0.
    river
        Row of nodes along which the river flows; None: no river.
    old_towns
        Shape (n, 3): node column, node row and radius in metres of each old town.
    phases
        Shape (8,): angles that make one seed's curves differ from another's.
    """

    columns: int
    rows: int
    river: int | None
    old_towns: NDArray[np.float64]
    phases: NDArray[np.float64]

    def oldness(self, i: ArrayLike, j: ArrayLike) -> NDArray[np.float64]:
        """How old the town is at nodes `i`, `j` (fractions allowed), 0 to 1."""
        i, j = np.asarray(i, dtype=float), np.asarray(j, dtype=float)
        age = np.zeros(np.broadcast(i, j).shape)
        for column, row, radius in self.old_towns:
            age = np.maximum(age, np.exp(-((i - column) ** 2 + (j - row) ** 2) * (STEP / radius) ** 2))
        return age

    def metres(self, i: ArrayLike, j: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bent place of nodes `i`, `j` (fractions allowed), in metres about `CENTRE`."""
        i, j = np.asarray(i, dtype=float), np.asarray(j, dtype=float)
        p = self.phases
        u, v = (i - self.columns / 2) * STEP, (j - self.rows / 2) * STEP
        x = u + 110 * np.sin(v / 1100 + p[0]) + 45 * np.sin(v / 470 + p[1])
        y = v + 70 * np.sin(u / 1300 + p[2])
        if self.river is not None:
            off = v - (self.river - self.rows / 2) * STEP
            y = y + np.exp(-((off / 1000) ** 2)) * (
                105 * np.sin(u / 430 + p[3]) + 60 * np.sin(u / 1010 + p[4])
            )
        crooked = 2.5 + 7.5 * self.oldness(i, j)
        x = x + crooked * (np.sin(v / 31 + p[5]) * 0.8 + np.sin((u + v) / 47 + p[6]))
        y = y + crooked * (np.sin(u / 37 + p[7]) * 0.8 + np.sin((u - v) / 53 + p[5]))
        turn = np.radians(-8.0)
        return x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)

    def places(self, i: ArrayLike, j: ArrayLike) -> NDArray[np.float64]:
        """Longitude and latitude of nodes `i`, `j` (fractions allowed), shape (n, 2), to a centimetre."""
        places = np.column_stack(CENTRE.inverse_xy(*self.metres(i, j)))
        return np.asarray(np.round(places, _DIGITS), dtype=np.float64)

    def nodes(self) -> NDArray[np.float64]:
        """Longitude and latitude of every whole node, shape (rows + 1, columns + 1, 2).

        Whatever must meet exactly is built from this one table.
        """
        i, j = np.meshgrid(np.arange(self.columns + 1), np.arange(self.rows + 1))
        return self.places(i.ravel(), j.ravel()).reshape(self.rows + 1, self.columns + 1, 2)

    def quads(self, boxes: NDArray[np.float64]) -> NDArray[np.object_]:
        """Polygons (EPSG:4326) of small boxes, shape (n, 4) as west, south, east, north in nodes."""
        west, south, east, north = np.asarray(boxes, dtype=float).reshape(-1, 4).T
        i = np.column_stack([west, east, east, west, west])
        j = np.column_stack([south, south, north, north, south])
        corners = self.places(i.ravel(), j.ravel()).reshape(-1, 5, 2)
        return np.asarray(shapely.polygons(corners), dtype=object)

    def outline(self, box: ArrayLike) -> shapely.Polygon:
        """Polygon (EPSG:4326) of one large box (west, south, east, north in nodes), bent like its streets."""
        west, south, east, north = np.asarray(box, dtype=float)
        wide = np.linspace(west, east, max(2, int(east - west) + 1))
        high = np.linspace(south, north, max(2, int(north - south) + 1))
        i = np.concatenate([wide, np.full(len(high), east), wide[::-1], np.full(len(high), west)])
        j = np.concatenate([np.full(len(wide), south), high, np.full(len(wide), north), high[::-1]])
        return shapely.Polygon(shapely.remove_repeated_points(shapely.LinearRing(self.places(i, j))))


def box_nodes(box: tuple[int, int, int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every node on the edge of a box (west, south, east, north), counter-clockwise and closed."""
    west, south, east, north = box
    i = np.concatenate(
        [
            np.arange(west, east),
            np.full(north - south, east),
            np.arange(east, west, -1),
            np.full(north - south, west),
            [west],
        ]
    )
    j = np.concatenate(
        [
            np.full(east - west, south),
            np.arange(south, north),
            np.full(east - west, north),
            np.arange(north, south, -1),
            [south],
        ]
    )
    return i, j


def box_polygons(nodes: NDArray[np.float64], boxes: list[tuple[int, int, int, int]]) -> NDArray[np.object_]:
    """Polygons (EPSG:4326) of boxes of whole nodes, with a vertex at every node of their edges.

    Parameters
    ----------
    nodes
        From `Ground.nodes`.
    boxes
        West, south, east, north of each.
    """
    rings = [shapely.LinearRing(nodes[j, i]) for i, j in map(box_nodes, boxes)]
    return np.asarray(shapely.polygons(rings), dtype=object)
