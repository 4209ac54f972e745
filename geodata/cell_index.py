"""Which cell a place lies in, for millions of places at once.

The bounds of the cells are cut into a raster. Most pixels lie wholly inside one cell or outside all of them
and answer at once; the others name the cells whose border runs through them, and only there a place is
tested exactly: crossings of a ray to the east, counted over those edges of the cell that meet the raster row.
Source of the crossing test: Shimrat, "Algorithm 112", CACM 5 (1962); of its error bound: Shewchuk, "Adaptive
Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates" (1997). Where the bound leaves the
sign open, GEOS decides.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.cell_raster import CellRaster, Grid, build_raster, find_cells
from geodata.compiled import in_slices
from geodata.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["OUTSIDE", "CellIndex"]

OUTSIDE = -1
"""Answer for a place in no cell."""

_PIXELS_ACROSS_A_CELL = 28
_SMALLEST_SIDE, _LARGEST_SIDE = 512, 4096
_WORTH_A_THREAD = 50_000


class CellIndex:
    """Answers which of many polygons covers a place.

    A place on the border of several cells, or inside several that overlap, belongs to the one with the
    lowest position. The border belongs to the cell (``shapely.covers``), so a place on the outer border of
    the tiling is in.

    Parameters
    ----------
    cells
        Polygons and MultiPolygons, EPSG:4326, shape (k,), in any arrangement: bordering, with gaps or holes,
        even overlapping. An empty cell or None covers nothing. They are expected to be valid; within an
        invalid one the even-odd rule holds.
    side
        Pixels along the longer side of the raster; chosen from the number of cells if None. It changes the
        speed, never the answer.

    Raises
    ------
    GeometryError
        If a geometry is no polygon, or a coordinate is not finite.
    """

    def __init__(self, cells: ArrayLike, *, side: int | None = None) -> None:
        self._cells: NDArray[Any] = np.array(cells, dtype=object).reshape(-1)
        edges, edge_cell = _edges(self._cells)
        self._raster: CellRaster | None = None
        if not len(edges):
            return
        x, y = edges[:, (0, 2)], edges[:, (1, 3)]
        west, south, east, north = float(x.min()), float(y.min()), float(x.max()), float(y.max())
        if side is None:
            wanted = _PIXELS_ACROSS_A_CELL * math.sqrt(len(self._cells))
            side = int(min(max(wanted, _SMALLEST_SIDE), _LARGEST_SIDE))
        pixel = max(east - west, north - south, 1e-9) / side
        rows, columns = int((north - south) / pixel) + 2, int((east - west) / pixel) + 2
        self._raster = build_raster(
            edges, edge_cell, len(self._cells), Grid(west, south, 1.0 / pixel, rows, columns)
        )

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def cells(self) -> NDArray[Any]:
        """The polygons, shape (k,)."""
        return self._cells

    def assign(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.int32]:
        """Position of the cell that covers each place.

        Parameters
        ----------
        lon, lat
            Decimal degrees, EPSG:4326, arrays of one shape (n,). NaN and infinities are outside.

        Returns
        -------
        numpy.ndarray
            int32, shape (n,); `OUTSIDE` (-1) where no cell covers the place.

        Raises
        ------
        GeometryError
            If the shapes differ.
        """
        x = np.ascontiguousarray(lon, dtype=np.float64)
        y = np.ascontiguousarray(lat, dtype=np.float64)
        if x.ndim != 1 or x.shape != y.shape:
            raise GeometryError(
                "Expected longitudes and latitudes of one shape (n,); found {lon} and {lat}.",
                lon=x.shape,
                lat=y.shape,
            )
        found = np.full(x.size, OUTSIDE, dtype=np.int32)
        raster = self._raster
        if raster is None:
            return found

        def work(start: int, stop: int) -> None:
            find_cells(raster, x[start:stop], y[start:stop], found[start:stop])

        in_slices(work, x.size, at_least=_WORTH_A_THREAD)
        unsure = np.flatnonzero(found < OUTSIDE)
        if unsure.size:
            found[unsure] = self._decide(x[unsure], y[unsure], -2 - found[unsure])
        return found

    def _decide(
        self, x: NDArray[np.float64], y: NDArray[np.float64], first: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Ask GEOS about places whose first uncertain cell is `first`; no lower cell covers them."""
        tree = shapely.STRtree(self._cells)
        place, cell = tree.query(shapely.points(x, y), predicate="intersects")
        lowest = np.full(x.size, len(self._cells), dtype=np.int32)
        possible = cell >= first[place]
        np.minimum.at(lowest, place[possible], cell[possible].astype(np.int32))
        return np.where(lowest == len(self._cells), OUTSIDE, lowest).astype(np.int32)


def _edges(cells: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Edges (m, 4) as x0, y0, x1, y1 of all rings, and the position of each edge's cell, ascending."""
    kinds = shapely.get_type_id(cells)
    wrong = (
        (kinds != -1) & (kinds != shapely.GeometryType.POLYGON) & (kinds != shapely.GeometryType.MULTIPOLYGON)
    )
    if wrong.any():
        position = int(np.flatnonzero(wrong)[0])
        raise GeometryError(
            "Expected polygons; found a {kind} at position {position}.",
            kind=cells[position].geom_type,
            position=position,
        )
    parts, part_cell = shapely.get_parts(cells, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    points, point_ring = shapely.get_coordinates(rings, return_index=True)
    if not np.isfinite(points).all():
        raise GeometryError("Expected finite coordinates in cells; found NaN or infinity.")
    joined = point_ring[1:] == point_ring[:-1]
    edges = np.hstack([points[:-1], points[1:]])[joined]
    return np.ascontiguousarray(edges), part_cell[ring_part[point_ring[1:][joined]]].astype(np.int32)
