"""What place an OpenStreetMap extract is about: relations reach far beyond its box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["core_bounds", "near"]

# Streets of an extract spread about evenly, but for what relations drag in: the middle nine tenths of
# their length, widened as if they did, is the place the extract is about.
_TAIL = 0.05
# What lies farther out than this many of its sizes belongs to a relation and not to the place.
_REACH = 1.0
_LEAST_REACH = 0.005


def core_bounds(header: Any, frames: dict[str, geopandas.GeoDataFrame]) -> tuple[float, float, float, float]:
    """Say what place an extract is about: its header's box, or where nearly all of its streets are.

    Parameters
    ----------
    header
        The file's ``osmium.osm.Box``.
    frames
        Layers in EPSG:4326, with `streets` among them.

    Returns
    -------
    tuple
        West, south, east, north, decimal degrees.
    """
    if header.valid():
        low, high = header.bottom_left, header.top_right
        return low.lon, low.lat, high.lon, high.lat
    lines = frames["streets"].geometry.to_numpy()
    coordinates, row = shapely.get_coordinates(lines, return_index=True)
    joined = np.flatnonzero(row[1:] == row[:-1])
    if not len(joined):
        everything = np.concatenate([frame.geometry.to_numpy() for frame in frames.values()])
        west, south, east, north = shapely.total_bounds(everything)
        return float(west), float(south), float(east), float(north)
    start, end = coordinates[joined], coordinates[joined + 1]
    middle = (start + end) / 2
    # A degree of longitude is shorter than one of latitude, by the cosine of the place.
    length = np.hypot((end - start)[:, 0] * np.cos(np.radians(np.median(middle[:, 1]))), (end - start)[:, 1])
    (west, east), (south, north) = (_spread(middle[:, axis], length) for axis in (0, 1))
    return west, south, east, north


def _spread(values: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float]:
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    low, high = np.interp([_TAIL, 1 - _TAIL], share, values[order])
    more = (high - low) * _TAIL / (1 - 2 * _TAIL)
    return float(low - more), float(high + more)


def near(geometry: NDArray[np.object_], core: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Which geometries are not wholly outside of a core that is extended by its own size, shape (n,)."""
    west, south, east, north = core
    wide, high = (max(size * _REACH, _LEAST_REACH) for size in (east - west, north - south))
    bounds = shapely.bounds(geometry)
    return np.asarray(
        (bounds[:, 2] >= west - wide)
        & (bounds[:, 0] <= east + wide)
        & (bounds[:, 3] >= south - high)
        & (bounds[:, 1] <= north + high)
    )
