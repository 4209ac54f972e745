"""Addresses from the nearest named street, with odd numbers on its left and even ones on its right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.demo.ground import CENTRE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["AddressBook", "house_numbers"]

_METRES_PER_DOOR = 11.0


def house_numbers(metres: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """House numbers at distances from a street's beginning, on its right or left side, shape (n,)."""
    return (metres / _METRES_PER_DOOR).astype(np.int64) * 2 + 1 + right


class AddressBook:
    """Finds the named street nearest to a place.

    Parameters
    ----------
    streets
        `Plan.streets`.
    """

    def __init__(self, streets: pd.DataFrame) -> None:
        self.rows: NDArray[np.int64] = np.flatnonzero(streets["name"].to_numpy() != "")
        """Rows of `streets` that have a name."""
        self._names = streets["name"].to_numpy(dtype=object)[self.rows]
        self._start = streets["start"].to_numpy(dtype=float)[self.rows]
        self._lines = CENTRE.forward(streets["geometry"].to_numpy()[self.rows])
        self._tree = shapely.STRtree(self._lines)

    def nearest(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """Positions in `rows` of the street nearest to each place in metres about `CENTRE`, shape (n,)."""
        points, streets = self._tree.query_nearest(shapely.points(x, y), all_matches=False)
        found = np.empty(len(x), dtype=np.int64)
        found[points] = streets
        return found

    def addresses(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.object_]:
        """Address of each place, such as 临江北路128号, shape (n,)."""
        street = self.nearest(x, y)
        lines = self._lines[street]
        along = shapely.line_locate_point(lines, shapely.points(x, y))
        foot = shapely.get_coordinates(shapely.line_interpolate_point(lines, along))
        ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, along + 1.0))
        back = shapely.get_coordinates(shapely.line_interpolate_point(lines, np.maximum(along - 1.0, 0.0)))
        way = ahead - back
        right = way[:, 0] * (y - foot[:, 1]) - way[:, 1] * (x - foot[:, 0]) < 0
        numbers = house_numbers(self._start[street] + along, right)
        text: NDArray[np.object_] = self._names[street] + numbers.astype(str).astype(object) + "号"
        return text
