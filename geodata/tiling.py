"""Whether cells tile the ground: where it is bare, where two cells claim it, which cells are broken.

Overlays are made in degrees, where the shared vertices of neighbours are still the same numbers; only what
they leave behind is projected and measured in metres.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry import Point, Polygon

from geodata.errors import GeometryError
from geodata.projection import LocalProjection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "Defect",
    "DefectKind",
    "TilingReport",
    "check_tiling",
    "polygonal",
    "require_area",
    "shared_border_m",
]

METRES_PER_DEGREE = 111_195.0
"""Length of a degree of latitude on the mean sphere; only used to turn a tolerance into degrees."""

_SAME = 0.99  # share of a cell that must be covered before it counts as the same ground
_POLYGON, _MULTIPOLYGON = 3, 6
_PLACE = re.compile(r"\[\s*(\S+)\s+(\S+)\s*\]")


class DefectKind(StrEnum):
    """What can be wrong with a tiling."""

    GAP = "gap"
    """Ground of the area, or enclosed by cells, that no cell holds."""
    OVERLAP = "overlap"
    """Ground that two cells hold."""
    DUPLICATE = "duplicate"
    """Two cells that are the same ground (99 % of both)."""
    NESTED = "nested"
    """A cell that lies inside another one (99 % of it)."""
    INVALID = "invalid"
    """A cell whose geometry is not a valid polygon."""
    EMPTY = "empty"
    """A cell without geometry, or without any surface."""
    DETACHED = "detached"
    """A part of a cell that is cut off from the largest part."""
    OUTSIDE = "outside"
    """Ground that a cell holds outside the area."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One place where the tiling is wrong.

    Parameters
    ----------
    kind
        What is wrong.
    geometry
        The ground concerned, EPSG:4326; ``None`` for an empty cell.
    area_m2, width_m
        Size and greatest width (diameter of the largest circle inside), 0 for an empty cell.
    point
        A place to send somebody to or to put a marker on, EPSG:4326: the middle of the widest spot, for an
        invalid cell the place where it is invalid; ``None`` for an empty cell.
    cells
        Positions of the cells concerned. For a gap its neighbours, the longest shared border first; for a
        nested cell first the inner, then the outer one; else ascending.
    reason
        For an invalid cell, what GEOS says without the coordinates (``"Self-intersection"``); for a cell that
        is not empty but has no surface, its geometry type; else empty.
    """

    kind: DefectKind
    geometry: BaseGeometry | None
    area_m2: float
    width_m: float
    point: Point | None
    cells: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TilingReport:
    """Answer of `check_tiling`.

    Parameters
    ----------
    defects
        Everything found, by kind in the order of `DefectKind`, the largest first.
    cell_count
        How many cells were looked at.
    """

    defects: tuple[Defect, ...]
    cell_count: int

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.defects

    @property
    def gaps(self) -> tuple[Defect, ...]:
        """Ground that nobody holds."""
        return self.of(DefectKind.GAP)

    @property
    def overlaps(self) -> tuple[Defect, ...]:
        """Ground held twice, duplicates and nested cells among it."""
        return self.of(DefectKind.OVERLAP, DefectKind.DUPLICATE, DefectKind.NESTED)

    def of(self, *kinds: DefectKind) -> tuple[Defect, ...]:
        """Return the defects of these kinds."""
        return tuple(defect for defect in self.defects if defect.kind in kinds)


def polygonal(geometries: Any) -> NDArray[np.object_]:
    """Return the valid polygonal ground of whatever is given.

    Parameters
    ----------
    geometries
        Array-like of geometries or ``None``, shape (n,).

    Returns
    -------
    Polygons and multipolygons, valid, two-dimensional, shape (n,); ``POLYGON EMPTY`` where there is no
    surface or where a coordinate is not finite. Valid polygons come back unchanged.
    """
    cells = _column(geometries)
    sound = cells.copy()
    kinds = shapely.get_type_id(cells)
    for position in np.flatnonzero(~(np.isin(kinds, (_POLYGON, _MULTIPOLYGON)) & shapely.is_valid(cells))):
        cell = cells[position]
        if cell is None or not np.isfinite(shapely.get_coordinates(cell)).all():
            sound[position] = Polygon()
            continue
        parts = _polygons(shapely.make_valid(cell, method="structure", keep_collapsed=False))
        sound[position] = shapely.union_all(parts) if parts.size else Polygon()
    return sound


def shared_border_m(
    ground: NDArray[np.object_], cells: NDArray[np.object_], projection: LocalProjection, *, within_m: float
) -> NDArray[np.float64]:
    """Length of the outline of each piece of ground that runs along a cell.

    Parameters
    ----------
    ground, cells
        Polygons in EPSG:4326, taken pairwise, shape (n,).
    projection
        Measures the length.
    within_m
        How far apart two lines may run and still be the same border.

    Returns
    -------
    Metres, shape (n,).
    """
    reach = shapely.buffer(cells, within_m / METRES_PER_DEGREE, quad_segs=2)
    shared = shapely.intersection(shapely.boundary(ground), reach)
    return np.asarray(shapely.length(projection.forward(shared)))


def check_tiling(
    cells: Any,
    area: BaseGeometry | None = None,
    *,
    tolerance_m2: float = 1.0,
    sliver_width_m: float = 0.5,
) -> TilingReport:
    """Find every place where cells do not tile their area.

    What is at most `tolerance_m2` large or nowhere wider than `sliver_width_m` comes from rounded
    coordinates and is no defect. Thin threads that hang on a real gap are cut off it before it is measured.

    Parameters
    ----------
    cells
        Array-like of polygons in EPSG:4326, shape (n,); ``None``, empty, invalid and other geometries are
        reported. The valid part of an invalid cell counts as its ground.
    area
        What the cells must cover, polygon in EPSG:4326. Without it only enclosed gaps can be known.
    tolerance_m2
        Largest surface that is not reported.
    sliver_width_m
        Greatest width that is not reported.

    Raises
    ------
    GeometryError
        If the area is empty or invalid, a tolerance is negative or coordinates are not in degrees.
    """
    if not (tolerance_m2 >= 0 and sliver_width_m > 0):
        raise GeometryError(
            "Expected a tolerance of at least 0 m² and a sliver width above 0 m; found {area} and {width}.",
            area=tolerance_m2,
            width=sliver_width_m,
        )
    if area is not None:
        require_area(area)
    given = _column(cells)
    sound = polygonal(given)
    alive = ~shapely.is_empty(sound)
    if area is None and not alive.any():
        return TilingReport(tuple(_empty(given, alive)), len(given))
    everything = sound[alive] if area is None else [*sound[alive], area]
    gauge = _Gauge(LocalProjection.around(everything), tolerance_m2, sliver_width_m)
    tree = shapely.STRtree(sound)
    held = _union(sound[alive])
    defects = [
        *_gaps(gauge, sound, tree, held, area),
        *_overlaps(gauge, sound, tree),
        *_broken(gauge, given, sound),
        *_empty(given, alive),
        *_detached(gauge, given, sound),
    ]
    if area is not None:
        defects += _outside(gauge, sound, area)
    order = {kind: rank for rank, kind in enumerate(DefectKind)}
    defects.sort(key=lambda defect: (order[defect.kind], -defect.area_m2, defect.cells))
    return TilingReport(tuple(defects), len(given))


@dataclass(frozen=True, slots=True)
class _Gauge:
    """Sifts rounding slivers from real ground and measures what stays."""

    projection: LocalProjection
    tolerance_m2: float
    sliver_width_m: float

    def pieces(self, shapes: NDArray[np.object_]) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
        """Return the pieces of `shapes` (EPSG:4326) too large to be rounding, and where each comes from."""
        parts, source = shapely.get_parts(shapes, return_index=True)
        surface = shapely.get_type_id(parts) == _POLYGON
        parts, source = parts[surface], source[surface]
        metric = self.projection.forward(parts)
        large = shapely.area(metric) > self.tolerance_m2
        parts, source, metric = parts[large], source[large], metric[large]
        # A thread of slivers may hang on a real gap: what an opening by the sliver width leaves is real.
        radius = self.sliver_width_m / 2
        core = shapely.buffer(metric, -radius)
        wide = ~shapely.is_empty(core)
        parts, source, metric, core = parts[wide], source[wide], metric[wide], core[wide]
        opened = shapely.intersection(shapely.buffer(core, 1.01 * radius, join_style="mitre"), metric)
        threaded = shapely.area(metric) - shapely.area(opened) > self.tolerance_m2
        freed, origin = shapely.get_parts(opened[threaded], return_index=True)
        real = (shapely.get_type_id(freed) == _POLYGON) & (shapely.area(freed) > self.tolerance_m2)
        return (
            np.append(source[~threaded], source[threaded][origin[real]]),
            np.append(parts[~threaded], self.projection.inverse(freed[real])),
        )

    def defect(self, kind: DefectKind, ground: BaseGeometry, cells: tuple[int, ...]) -> Defect:
        """Measure one piece of ground."""
        area, width, point = self.measure(ground)
        return Defect(kind, ground, area, width, point, cells)

    def measure(self, ground: BaseGeometry) -> tuple[float, float, Point]:
        """Surface in m², greatest width in m and the middle of the widest place, EPSG:4326."""
        metric = self.projection.forward([ground])[0]
        radius = shapely.maximum_inscribed_circle(metric, tolerance=self.sliver_width_m / 10)
        middle = self.projection.inverse([shapely.get_point(radius, 0)])[0]
        return float(metric.area), 2 * float(radius.length), middle


def _gaps(
    gauge: _Gauge,
    sound: NDArray[np.object_],
    tree: shapely.STRtree,
    held: BaseGeometry,
    area: BaseGeometry | None,
) -> Iterator[Defect]:
    if area is None:
        outlines = shapely.polygons(shapely.get_exterior_ring(_polygons(held)))
        area = shapely.union_all(outlines)
    _, bare = gauge.pieces(np.array([shapely.difference(area, held)], dtype=object))
    reach = gauge.sliver_width_m
    gap, cell = tree.query(bare, predicate="dwithin", distance=reach / METRES_PER_DEGREE)
    border = shared_border_m(bare[gap], sound[cell], gauge.projection, within_m=reach)
    for position, ground in enumerate(bare):
        mine = np.flatnonzero(gap == position)
        mine = mine[np.lexsort((cell[mine], -border[mine]))]
        # Cells that only touch the gap in a corner are no neighbours, unless there is no other.
        along = mine[border[mine] > 4 * reach]
        yield gauge.defect(DefectKind.GAP, ground, tuple(cell[along if along.size else mine[:1]].tolist()))


def _overlaps(gauge: _Gauge, sound: NDArray[np.object_], tree: shapely.STRtree) -> Iterator[Defect]:
    first, second = tree.query(sound, predicate="intersects")
    first, second = first[first < second], second[first < second]
    # A cell inside another is its own intersection; one huge cell over all others would be slow otherwise.
    inner = np.full(first.shape, -1)
    inner[shapely.covered_by(sound[first], sound[second])] = 0
    inner[shapely.covered_by(sound[second], sound[first]) & (inner < 0)] = 1
    common = np.where(inner == 0, sound[first], sound[second])
    plain = inner < 0
    common[plain] = shapely.intersection(sound[first[plain]], sound[second[plain]])
    pair, ground = gauge.pieces(common)
    surface = shapely.area(sound)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_first = shapely.area(common) / surface[first]
        of_second = shapely.area(common) / surface[second]
    for at, piece in zip(pair, ground, strict=True):
        one, other = int(first[at]), int(second[at])
        kind, cells = DefectKind.OVERLAP, (one, other)
        if min(of_first[at], of_second[at]) >= _SAME:
            kind = DefectKind.DUPLICATE
        elif max(of_first[at], of_second[at]) >= _SAME:
            kind = DefectKind.NESTED
            cells = (one, other) if of_first[at] > of_second[at] else (other, one)
        yield gauge.defect(kind, piece, cells)


def _broken(gauge: _Gauge, given: NDArray[np.object_], sound: NDArray[np.object_]) -> Iterator[Defect]:
    for position in np.flatnonzero(_is_broken(given) & ~shapely.is_empty(sound)):
        reason = shapely.is_valid_reason(given[position])
        place = _PLACE.search(reason)
        reason = _PLACE.sub("", reason) if place else given[position].geom_type
        area, width, point = gauge.measure(sound[position])
        if place:
            point = Point(float(place[1]), float(place[2]))
        yield Defect(DefectKind.INVALID, sound[position], area, width, point, (int(position),), reason)


def _empty(given: NDArray[np.object_], alive: NDArray[np.bool_]) -> Iterator[Defect]:
    for position in np.flatnonzero(~alive):
        cell = given[position]
        reason = "" if cell is None or cell.is_empty else cell.geom_type
        yield Defect(DefectKind.EMPTY, None, 0.0, 0.0, None, (int(position),), reason)


def _detached(gauge: _Gauge, given: NDArray[np.object_], sound: NDArray[np.object_]) -> Iterator[Defect]:
    several = np.flatnonzero((shapely.get_num_geometries(sound) > 1) & ~_is_broken(given))
    for position in several:
        _, parts = gauge.pieces(sound[position : position + 1])
        for part in parts[np.argsort(-shapely.area(parts), kind="stable")][1:]:
            yield gauge.defect(DefectKind.DETACHED, part, (int(position),))


def _outside(gauge: _Gauge, sound: NDArray[np.object_], area: BaseGeometry) -> Iterator[Defect]:
    shapely.prepare(area)
    astray = np.flatnonzero(~shapely.covers(area, sound) & ~shapely.is_empty(sound))
    source, ground = gauge.pieces(shapely.difference(sound[astray], area))
    for position, piece in zip(astray[source], ground, strict=True):
        yield gauge.defect(DefectKind.OUTSIDE, piece, (int(position),))


def require_area(area: BaseGeometry) -> None:
    """Raise GeometryError unless an area is a valid polygon or multipolygon with ground."""
    if area.is_empty or not area.is_valid or area.geom_type not in ("Polygon", "MultiPolygon"):
        raise GeometryError(
            "Expected a valid polygon as the area; found {found}.",
            found=f"{area.geom_type}, {'empty' if area.is_empty else shapely.is_valid_reason(area)}",
        )


def _is_broken(given: NDArray[np.object_]) -> NDArray[np.bool_]:
    surface = np.isin(shapely.get_type_id(given), (_POLYGON, _MULTIPOLYGON))
    present = ~shapely.is_missing(given) & ~shapely.is_empty(given)
    return np.asarray(present & ~(surface & shapely.is_valid(given)))


def _union(cells: NDArray[np.object_]) -> BaseGeometry:
    union = shapely.coverage_union_all if shapely.coverage_is_valid(cells) else shapely.union_all
    return union(cells)


def _polygons(geometry: BaseGeometry) -> NDArray[np.object_]:
    parts = shapely.get_parts(shapely.get_parts(geometry))
    return np.asarray(parts[(shapely.get_type_id(parts) == _POLYGON) & ~shapely.is_empty(parts)])


def _column(geometries: Any) -> NDArray[np.object_]:
    """One-dimensional array of two-dimensional geometries; missing ones stay ``None``."""
    column = np.empty(len(geometries), dtype=object)
    column[:] = list(geometries)
    return np.asarray(shapely.force_2d(column), dtype=object)
