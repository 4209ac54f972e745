"""Work on the ground: where it is, how much of it each block has, and cutting a block that has too much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.errors import GeometryError
from geodata.planar import faces_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.projection import LocalProjection

__all__ = ["Work", "WorkSamples", "cut_heavy", "locate", "sample_work"]

_STEP_M = 10.0
_BESIDE_M = 1.5  # a street belongs half to each side
_AREA_SAMPLES = 400  # in a block that is cut


@dataclass(frozen=True, slots=True)
class Work:
    """What makes work in a cell. The unit is free; only proportions matter.

    Parameters
    ----------
    lon, lat
        Places with work (inspection points, past problems), degrees, EPSG:4326, shape (n,).
    weight
        Work at each place, at least 0, shape (n,); one for all may be given.
    per_km
        Work for each kilometre of street.
    per_km2
        Work for each square kilometre of ground; small, but it keeps empty ground from being free.
    """

    lon: Any = ()
    lat: Any = ()
    weight: Any = 1.0
    per_km: float = 1.0
    per_km2: float = 0.5

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Longitudes, latitudes and weights as checked arrays of one shape (n,).

        Raises
        ------
        GeometryError
            If the shapes differ, a number is not finite, a weight or rate is negative, or all rates are 0.
        """
        lon, lat = np.asarray(self.lon, dtype=np.float64), np.asarray(self.lat, dtype=np.float64)
        weight = np.asarray(self.weight, dtype=np.float64)
        if lon.ndim != 1 or lon.shape != lat.shape or weight.shape not in ((), lon.shape):
            raise GeometryError(
                "Expected one longitude, latitude and weight for each place of work; found {shapes}.",
                shapes=f"{lon.shape}, {lat.shape}, {weight.shape}",
            )
        weight = np.broadcast_to(weight, lon.shape)
        if not (np.isfinite(lon).all() and np.isfinite(lat).all() and np.isfinite(weight).all()):
            raise GeometryError("Expected finite coordinates and weights of work; found others.")
        least = float(np.min([weight.min(initial=0), self.per_km, self.per_km2]))
        if not least >= 0:
            raise GeometryError("Expected work of at least 0; found {found}.", found=least)
        return lon, lat, weight


@dataclass(frozen=True, slots=True)
class WorkSamples:
    """Work as weighted places in metres.

    Parameters
    ----------
    at
        Places, metres, shape (n, 2).
    weight
        Work at each, shape (n,).
    per_m2
        Work for each square metre of ground, not among the places.
    outside
        How many of the places given with `Work` lie outside the area; they are left out.
    """

    at: NDArray[np.float64]
    weight: NDArray[np.float64]
    per_m2: float
    outside: int

    def by_block(self, blocks: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Work of each block (n,) and block of each sample, -1 for none; a border belongs to the lower."""
        block = locate(blocks, self.at)
        inside = block >= 0
        work = np.bincount(block[inside], weights=self.weight[inside], minlength=len(blocks))
        return work + self.per_m2 * shapely.area(blocks), block


def sample_work(
    work: Work, ground: BaseGeometry, lines: NDArray[np.object_], projection: LocalProjection
) -> WorkSamples:
    """Gather all work on the ground.

    Parameters
    ----------
    work
        What makes work.
    ground, lines
        The area and all its streets, metres. Half of a street's work lies on each of its sides.
    projection
        The metric system.
    """
    lon, lat, weight = work.places()
    at = np.column_stack(projection.forward_xy(lon, lat)) if lon.size else np.zeros((0, 2))
    shapely.prepare(ground)
    inside = shapely.intersects(ground, shapely.points(at)) if lon.size else np.zeros(0, dtype=bool)
    middle, aside, length = _along(lines)
    return WorkSamples(
        at=np.vstack([at[inside], middle + aside, middle - aside]),
        weight=np.concatenate([weight[inside], np.tile(length * work.per_km / 2000, 2)]),
        per_m2=work.per_km2 / 1e6,
        outside=int((~inside).sum()),
    )


def locate(blocks: NDArray[np.object_], at: NDArray[np.float64]) -> NDArray[np.intp]:
    """Block of each place (n, 2), the lowest position on a border, -1 outside."""
    block = np.full(len(at), len(blocks))
    place, found = shapely.STRtree(blocks).query(shapely.points(at), predicate="intersects")
    np.minimum.at(block, place, found)
    block[block == len(blocks)] = -1
    return block


def cut_heavy(
    metric: NDArray[np.object_], samples: WorkSamples, most: float
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Cut blocks with more work than `most` by straight lines across their longer side.

    Parameters
    ----------
    metric
        Blocks on one noding grid, metres, shape (n,).
    samples
        The work.
    most
        Work a block may have.

    Returns
    -------
    The new blocks, again on one noding grid, shape (m,), and the old block of each, shape (m,).
    """
    work, block = samples.by_block(metric)
    heavy = np.flatnonzero(work > most * (1 + 1e-6))
    if not heavy.size:
        return metric, np.arange(len(metric))
    pieces: list[BaseGeometry] = []
    for position in heavy:
        mine = block == position
        at, weight = samples.at[mine], samples.weight[mine]
        grid = _grid(metric[position])
        at = np.vstack([at, grid])
        share = samples.per_m2 * metric[position].area / max(len(grid), 1)
        weight = np.append(weight, np.full(len(grid), share))
        pieces += _halve(metric[position], at, weight, int(np.ceil(work[position] / most - 1e-6)))
    whole = np.delete(metric, heavy)
    rough = np.append(whole, np.array(pieces, dtype=object))
    faces = faces_of(shapely.boundary(rough))
    inner = shapely.get_coordinates(shapely.point_on_surface(faces))
    parent = locate(metric, inner)
    return faces[parent >= 0], parent[parent >= 0]


def _along(
    lines: NDArray[np.object_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Middles of short pieces of the lines, an offset to their left, and their length."""
    at, line = shapely.get_coordinates(
        shapely.segmentize(shapely.get_parts(lines), _STEP_M), return_index=True
    )
    same = line[1:] == line[:-1]
    step = (at[1:] - at[:-1])[same]
    length = np.hypot(*step.T)
    middle = ((at[1:] + at[:-1]) / 2)[same]
    moving = length > 0
    aside = _BESIDE_M * np.column_stack([-step[moving, 1], step[moving, 0]]) / length[moving, None]
    return middle[moving], aside, length[moving]


def _grid(polygon: BaseGeometry) -> NDArray[np.float64]:
    west, south, east, north = polygon.bounds
    step = np.sqrt(polygon.area / _AREA_SAMPLES)
    x, y = np.meshgrid(np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step))
    shapely.prepare(polygon)
    inside = shapely.contains_xy(polygon, x.ravel(), y.ravel())
    return np.column_stack([x.ravel(), y.ravel()])[inside]


def _halve(
    polygon: BaseGeometry, at: NDArray[np.float64], weight: NDArray[np.float64], count: int
) -> list[BaseGeometry]:
    """Cut again and again, so that `count` pieces have the same work."""
    if count <= 1 or len(at) == 0:
        return [polygon]
    corner = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon))
    sides = corner[1:3] - corner[:2]
    along = sides[np.argmax(np.hypot(*sides.T))]
    along = along / np.hypot(*along)
    reach = at @ along
    order = np.argsort(reach, kind="stable")
    running = np.cumsum(weight[order])
    place = int(np.searchsorted(running, running[-1] * (count // 2) / count))
    cut = reach[order[min(place, len(order) - 1)]]
    outline = shapely.get_coordinates(polygon) @ along
    slack = 1e-3 * (outline.max() - outline.min())
    cut = float(np.clip(cut, outline.min() + slack, outline.max() - slack))
    side = np.array([-along[1], along[0]])
    far = 2 * float(np.ptp(shapely.get_coordinates(polygon), axis=0).sum())
    foot = cut * along + side * float(np.mean(corner[:4] @ side))
    ends = [foot + far * side, foot - far * side]
    half_plane = shapely.Polygon([*ends, ends[1] - far * along, ends[0] - far * along])
    result: list[BaseGeometry] = []
    low = reach <= cut
    for shape, mine, share in (
        (shapely.intersection(polygon, half_plane), low, count // 2),
        (shapely.difference(polygon, half_plane), ~low, count - count // 2),
    ):
        parts = sorted(_surfaces(shape), key=lambda part: -part.area)
        for part in parts[1:]:
            result.append(part)  # noqa: PERF402 - the largest part is cut on
        if parts:
            result += _halve(parts[0], at[mine], weight[mine], share)
    return result


def _surfaces(shape: BaseGeometry) -> list[BaseGeometry]:
    return [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and not part.is_empty]
