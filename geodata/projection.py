"""Metres for places given in degrees.

Everything is stored in longitude and latitude (EPSG:4326); whatever is measured in metres is measured in
a transverse Mercator projection centred on the data, true to 3 parts in 100,000 within 50 km of its centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Transformer

from geodata.errors import GeometryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LocalProjection"]


@lru_cache(maxsize=64)
def _transformer(lon: float, lat: float, *, inverse: bool) -> Transformer:
    metric = CRS.from_dict({"proj": "tmerc", "lon_0": lon, "lat_0": lat, "ellps": "WGS84", "units": "m"})
    pair = (metric, CRS.from_epsg(4326)) if inverse else (CRS.from_epsg(4326), metric)
    return Transformer.from_crs(*pair, always_xy=True)


@dataclass(frozen=True, slots=True)
class LocalProjection:
    """Transverse Mercator about one point of the earth, in metres.

    Parameters
    ----------
    lon, lat
        Centre, decimal degrees, EPSG:4326.
    """

    lon: float
    lat: float

    @classmethod
    def around(cls, geometries: Any) -> LocalProjection:
        """Centre on the bounds of `geometries` (array-like of shapely geometries in EPSG:4326).

        The centre is rounded to 0.01 degrees, so that neighbouring data share a projection.

        Raises
        ------
        GeometryError
            If there is no coordinate at all, or one that is no longitude and latitude.
        """
        west, south, east, north = shapely.total_bounds(np.asarray(geometries, dtype=object))
        if not np.isfinite([west, south, east, north]).all():
            raise GeometryError("Expected at least one geometry with finite coordinates; found none.")
        if west < -180 or east > 180 or south < -90 or north > 90:
            raise GeometryError(
                "Expected longitudes in [-180, 180] and latitudes in [-90, 90]; found bounds {bounds}.",
                bounds=tuple(round(float(v), 6) for v in (west, south, east, north)),
            )
        return cls(round((west + east) / 2, 2), round((south + north) / 2, 2))

    def forward(self, geometries: Any) -> NDArray[np.object_]:
        """Geometries in EPSG:4326 to metres; the shape of the input is kept."""
        return self._apply(geometries, inverse=False)

    def inverse(self, geometries: Any) -> NDArray[np.object_]:
        """Geometries in metres back to EPSG:4326; the shape of the input is kept."""
        return self._apply(geometries, inverse=True)

    def forward_xy(
        self, lon: NDArray[np.float64] | Sequence[float], lat: NDArray[np.float64] | Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Degrees to metres, arrays of one shape (n,)."""
        x, y = _transformer(self.lon, self.lat, inverse=False).transform(np.asarray(lon), np.asarray(lat))
        return np.asarray(x), np.asarray(y)

    def inverse_xy(
        self, x: NDArray[np.float64] | Sequence[float], y: NDArray[np.float64] | Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Metres to degrees, arrays of one shape (n,)."""
        lon, lat = _transformer(self.lon, self.lat, inverse=True).transform(np.asarray(x), np.asarray(y))
        return np.asarray(lon), np.asarray(lat)

    def _apply(self, geometries: Any, *, inverse: bool) -> NDArray[np.object_]:
        transform = _transformer(self.lon, self.lat, inverse=inverse).transform

        def columns(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.column_stack(transform(coordinates[:, 0], coordinates[:, 1]))

        return np.asarray(shapely.transform(np.asarray(geometries, dtype=object), columns), dtype=object)
