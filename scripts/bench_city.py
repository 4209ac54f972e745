"""A synthetic city for the benches: bordering cells and clustered problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEST, SOUTH, EAST, NORTH = 121.2, 31.0, 121.6, 31.35
"""Bounds in degrees, EPSG:4326: about 38 by 39 km."""


def cells(count: int, seed: int = 0) -> NDArray[np.object_]:
    """Bordering cells without gaps, Voronoi cells with bent borders, shape (count,), EPSG:4326."""
    rng = np.random.default_rng(seed)
    seeds = shapely.MultiPoint(rng.uniform((WEST, SOUTH), (EAST, NORTH), (count, 2)))
    box = shapely.box(WEST, SOUTH, EAST, NORTH)
    made = np.array(shapely.voronoi_polygons(seeds, extend_to=box).geoms)
    straight = shapely.intersection(made, box)
    # Streets are not straight: each shared border gets intermediate corners, the same seen from both sides.
    return shapely.transform(shapely.segmentize(straight, 0.0005), _bend)


def _bend(points: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = points.T
    inner = (x > WEST) & (x < EAST) & (y > SOUTH) & (y < NORTH)
    sway = 0.0001 * inner
    return np.column_stack((x + sway * np.sin(y * 9000.0), y + sway * np.sin(x * 7000.0)))


def places(count: int, seed: int = 1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Clustered places: 2,000 corners of unequal weight with a spread of 60 to 600 m, one in ten anywhere."""
    rng = np.random.default_rng(seed)
    corners = rng.normal(((WEST + EAST) / 2, (SOUTH + NORTH) / 2), (0.07, 0.06), (2000, 2))
    weight = rng.pareto(1.2, 2000) + 0.1
    corner = rng.choice(2000, count, p=weight / weight.sum())
    spread = rng.uniform(0.0006, 0.006, 2000)[corner]
    lon = corners[corner, 0] + rng.standard_normal(count) * spread
    lat = corners[corner, 1] + rng.standard_normal(count) * spread
    anywhere = rng.random(count) < 0.1
    lon[anywhere] = rng.uniform(WEST, EAST, int(anywhere.sum()))
    lat[anywhere] = rng.uniform(SOUTH, NORTH, int(anywhere.sum()))
    return np.clip(lon, WEST - 0.01, EAST + 0.01), np.clip(lat, SOUTH - 0.01, NORTH + 0.01)
