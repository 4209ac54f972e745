"""The ground cut into squares of about 150 m, and what lies beside each.

Squares are a whole number of the pixels in which Morton codes count (see `geodata.morton`), so that they
stand still while problems come and go, and are squares on a web map. Their side is chosen at the latitude of
the data, rounded to a whole degree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from geodata.morton import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIDE_M", "Grid", "Ground"]

SIDE_M = 150.0
"""Side of a square, metres, to within a pixel of 2 m."""
_AROUND_EARTH_M = 40_075_016.686
_WIDTH = 1 << LEVEL
_BESIDE = np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)])
_WEIGHT = np.array([0.0625 if abs(x) == abs(y) else 0.125 for x, y in _BESIDE])
"""Of the binomial kernel [1 2 1] / 4 in both directions, whose variance is half a square's."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Squares of so many pixels.

    Parameters
    ----------
    pixels
        Side.
    """

    pixels: int

    @classmethod
    def at(cls, lat: NDArray[np.float64]) -> Grid:
        """Squares for places at some latitudes, degrees, shape (n,)."""
        middle = round(float(np.median(lat))) if len(lat) else 0
        metres = _AROUND_EARTH_M / _WIDTH * math.cos(math.radians(middle))
        return cls(max(round(SIDE_M / metres), 1))

    def keys(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
        """Number of the square of each place, degrees, EPSG:4326, shape (n,)."""
        x = (np.asarray(lon) + 180) / 360
        y = (1 - np.arcsinh(np.tan(np.radians(np.asarray(lat)))) / math.pi) / 2
        column, row = (np.clip(np.floor(v * _WIDTH), 0, _WIDTH - 1).astype(np.int64) for v in (x, y))
        return self.key(column // self.pixels, row // self.pixels)

    @staticmethod
    def key(column: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of a square by its column from the west and its row from the north."""
        return column * _WIDTH + row

    def corners(self, key: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
        """West, south, east and north of squares, degrees, each of shape (n,)."""
        column, row = key // _WIDTH, key % _WIDTH
        west, east = (360 * (column + more) * self.pixels / _WIDTH - 180 for more in (0, 1))
        north, south = (
            np.degrees(np.arctan(np.sinh(math.pi * (1 - 2 * (row + more) * self.pixels / _WIDTH))))
            for more in (0, 1)
        )
        return west, south, east, north


@dataclass(frozen=True)
class Ground:
    """The squares that count: those in which something was found, and those that touch them.

    Attributes
    ----------
    key
        Their numbers, ascending, int64, shape (g,).
    """

    key: NDArray[np.int64]

    @classmethod
    def around(cls, keys: NDArray[np.int64]) -> Ground:
        """Squares with something in them, given in any order and number, and their neighbours."""
        found = np.unique(keys)
        near = [Grid.key(found // _WIDTH + x, found % _WIDTH + y) for x, y in _BESIDE.tolist()]
        return cls(np.unique(np.concatenate([found, *near])))

    def __len__(self) -> int:
        """Count the squares."""
        return len(self.key)

    def rows(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Position of each square, -1 where it does not count; int64, shape of `keys`."""
        if not len(self):
            return np.full(len(keys), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.key, keys), len(self) - 1)
        return np.where(self.key[at] == keys, at, -1).astype(np.int64)

    @cached_property
    def beside(self) -> NDArray[np.int64]:
        """Positions of the eight squares around each, -1 where one does not count; int64, shape (g, 8)."""
        column, row = self.key // _WIDTH, self.key % _WIDTH
        return np.stack([self.rows(Grid.key(column + x, row + y)) for x, y in _BESIDE.tolist()], axis=1)

    def neighbours(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of the eight squares around each, shape (g,)."""
        total: NDArray[np.float64] = np.append(values, 0.0)[self.beside].sum(axis=1)
        return total

    def spread(self, values: NDArray[np.float64], passes: int) -> NDArray[np.float64]:
        """Spread values over the squares around, with a standard deviation of ``sqrt(passes / 2)`` sides."""
        for _ in range(passes):
            values = np.asarray(self._kernel @ values)
        return values

    @cached_property
    def _kernel(self) -> csr_matrix:
        there = self.beside >= 0
        row, way = np.nonzero(there)
        itself = np.arange(len(self))
        return csr_matrix(
            (
                np.concatenate([_WEIGHT[way], np.full(len(self), 0.25)]),
                (np.concatenate([row, itself]), np.concatenate([self.beside[there], itself])),
            ),
            shape=(len(self), len(self)),
        )
