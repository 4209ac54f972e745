"""What can be seen from a route: at which metre, on which side, and whether a building stands before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.projection import LocalProjection

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import LineString

__all__ = ["SEEN_M", "Corridor", "Window", "exposure", "look", "worst_window"]

SEEN_M = 60.0
"""How far somebody who walks or drives past notices an illegal structure or a stall."""
_AT_THE_WALL_M = 4.0
"""What is at a building's wall, or noted a little inside of it, is seen: the last metres hide nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Corridor:
    """Places near a route, seen from it.

    Attributes
    ----------
    near
        Positions among the places given, of those within reach; int64, shape (k,), by where they are passed.
    along_m
        Metre of the route nearest to each, shape (k,).
    aside_m
        How far from the route, shape (k,).
    side
        1 to the right of the direction of the route, -1 to the left, int8, shape (k,).
    hidden
        Whether a building stands between, shape (k,).
    stop, stop_m
        Which stop it is nearest to, of those within reach, and how far from it; -1 and infinitely far where
        there is none. Shape (k,).
    length_m
        Of the route.
    """

    near: NDArray[np.int64]
    along_m: NDArray[np.float64]
    aside_m: NDArray[np.float64]
    side: NDArray[np.int8]
    hidden: NDArray[np.bool_]
    stop: NDArray[np.int64]
    stop_m: NDArray[np.float64]
    length_m: float


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a route, in metres from its start, and the weight of what is seen there."""

    begin_m: float
    end_m: float
    weight: float


def look(
    route: LineString,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    buildings: NDArray[Any],
    *,
    stops: NDArray[Any] | None = None,
    reach_m: float = SEEN_M,
) -> Corridor:
    """Find the places that can be seen from a route, on the way or at a stop.

    Where a route passes a place more than once, the nearest metre counts.

    Parameters
    ----------
    route
        EPSG:4326.
    lon, lat
        Of the places, degrees, shape (n,).
    buildings
        Polygons, EPSG:4326, shape (b,).
    stops
        Places at which one stops and looks around, any shape, EPSG:4326.
    reach_m
        How far one sees.
    """
    projection = LocalProjection.around([route])
    line = projection.forward([route])[0]
    places: NDArray[np.object_] = np.zeros(0, dtype=object)
    if len(lon):
        places = np.atleast_1d(np.asarray(shapely.points(*projection.forward_xy(lon, lat))))
    stop, stop_m = _at_stops(places, stops, projection, reach_m)
    near = np.flatnonzero(shapely.dwithin(places, line, reach_m) | (stop >= 0))
    spots = places[near]
    along = shapely.line_locate_point(line, spots)
    foot = shapely.line_interpolate_point(line, along)
    aside = shapely.distance(spots, foot)
    order = np.argsort(along, kind="stable")
    near, along, aside, spots, foot = near[order], along[order], aside[order], spots[order], foot[order]
    return Corridor(
        near.astype(np.int64),
        along,
        aside,
        _side(line, along, spots),
        _hidden(spots, foot, aside, projection.forward(buildings) if len(buildings) else buildings),
        stop[near],
        stop_m[near],
        float(line.length),
    )


def _at_stops(
    places: NDArray[np.object_], stops: NDArray[Any] | None, projection: LocalProjection, reach_m: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    stop, stop_m = np.full(len(places), -1, dtype=np.int64), np.full(len(places), np.inf)
    if stops is None or not len(stops) or not len(places):
        return stop, stop_m
    (row, nearest), far = shapely.STRtree(projection.forward(stops)).query_nearest(
        places, max_distance=reach_m, return_distance=True, all_matches=False
    )
    stop[row], stop_m[row] = nearest, far
    return stop, stop_m


def _side(line: LineString, along: NDArray[np.float64], spots: NDArray[Any]) -> NDArray[np.int8]:
    """Sign of the cross product of the route's direction with the way to each place."""
    before = shapely.line_interpolate_point(line, np.maximum(along - 1.0, 0.0))
    after = shapely.line_interpolate_point(line, np.minimum(along + 1.0, line.length))
    forward = shapely.get_coordinates(after) - shapely.get_coordinates(before)
    away = shapely.get_coordinates(spots) - shapely.get_coordinates(before)
    turn = forward[:, 0] * away[:, 1] - forward[:, 1] * away[:, 0]
    return np.where(turn > 0, -1, 1).astype(np.int8)


def _hidden(
    spots: NDArray[Any], foot: NDArray[Any], aside: NDArray[np.float64], buildings: NDArray[Any]
) -> NDArray[np.bool_]:
    hidden = np.zeros(len(spots), dtype=bool)
    far = np.flatnonzero(aside > _AT_THE_WALL_M)
    if not len(far) or not len(buildings):
        return hidden
    begin, end = shapely.get_coordinates(foot[far]), shapely.get_coordinates(spots[far])
    short = end - (end - begin) * (_AT_THE_WALL_M / aside[far])[:, None]
    sight = shapely.linestrings(np.stack([begin, short], axis=1))
    row, _ = shapely.STRtree(buildings).query(sight, predicate="intersects")
    hidden[far[np.unique(row)]] = True
    return hidden


def exposure(
    along_m: NDArray[np.float64], weight: NDArray[np.float64], length_m: float, *, step_m: float = 100.0
) -> NDArray[np.float64]:
    """Weight of what is seen on each 100 m of a route, the last piece perhaps shorter.

    Parameters
    ----------
    along_m, weight
        Of what is seen, shape (k,).
    length_m
        Of the route.
    step_m
        Length of a piece.
    """
    count = max(1, int(np.ceil(length_m / step_m)))
    piece = np.minimum((along_m // step_m).astype(np.int64), count - 1)
    summed: NDArray[np.float64] = np.bincount(piece, weights=weight, minlength=count).astype(np.float64)
    return summed


def worst_window(along_m: NDArray[np.float64], weight: NDArray[np.float64], span_m: float) -> Window | None:
    """Return the stretch of a length on which the most is seen, the first of several; None if nothing is.

    Parameters
    ----------
    along_m, weight
        Of what is seen, shape (k,), in ascending order of `along_m`; weights are not negative.
    span_m
        Length of the stretch.
    """
    if not len(along_m) or weight.max() <= 0:
        return None
    total = np.concatenate([[0.0], np.cumsum(weight)])
    # A worst stretch can always be moved until it begins at something that is seen.
    last = np.searchsorted(along_m, along_m + span_m, side="right")
    sums = total[last] - total[: len(along_m)]
    best = int(np.argmax(sums))
    return Window(float(along_m[best]), float(along_m[best] + span_m), float(sums[best]))
