"""Blocks: the pieces of ground between the streets, and what lies on their borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import Voronoi, cKDTree

from geodata.errors import GeometryError
from geodata.planar import GRID_M, dissolve, faces_of, shared_segments
from geodata.projection import LocalProjection
from geodata.tiling import require_area

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = ["CUTTING_CLASSES", "MAIN_CLASSES", "Blocks", "Borders", "cut_into_blocks", "street_rank"]

CUTTING_CLASSES = (
    "living_street",
    "residential",
    "unclassified",
    "tertiary",
    "secondary",
    "primary",
    "trunk",
    "motorway",
)
"""OpenStreetMap ``highway`` values that cut the ground, from the humblest to the highest; links count as
their road. Their rank is the place here, from 1; every other value has rank 0 and does not cut."""

MAIN_CLASSES = ("secondary", "primary", "trunk", "motorway")
"""Roads a cell should not cross."""

_RIBBON_RANK = 1 + CUTTING_CLASSES.index("tertiary")
_RIBBON_SHARE = 0.75  # of a ribbon's outline that runs along such roads
_SAMPLE_M = 5.0
_ON_STREET_M = 2.0
_SEGMENT_DEG = 5e-4  # a 50 m chord leaves a parallel by hundredths of a millimetre
_SMOOTH_M = 2.0
_SLIVER_M = 1.0  # mean width below which ground is an inaccuracy of the map


@dataclass(frozen=True, slots=True)
class Borders:
    """Borders between blocks, one row for each pair.

    Parameters
    ----------
    first, second
        Positions of the two blocks, ``first < second``, shape (m,).
    length_m
        Length of the shared border, metres, shape (m,).
    rank
        Rank of the highest road on at least half of the border (`street_rank`), 0 where there is none,
        shape (m,).
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    length_m: NDArray[np.float64]
    rank: NDArray[np.intp]

    @property
    def is_main(self) -> NDArray[np.bool_]:
        """Whether a main road runs along the border, shape (m,)."""
        return self.rank > len(CUTTING_CLASSES) - len(MAIN_CLASSES)

    def road_class(self, position: int) -> str:
        """Return the class of the road on a border, empty where there is none."""
        rank = int(self.rank[position])
        return CUTTING_CLASSES[rank - 1] if rank else ""


@dataclass(frozen=True, slots=True)
class Blocks:
    """An area cut along its streets.

    Parameters
    ----------
    polygons
        The blocks, EPSG:4326, shape (n,). They tile the area.
    area_m2
        Their surface, shape (n,).
    borders
        Who borders on whom along what.
    ribbons
        How many strips between carriageways and traffic islands were shared out among the blocks.
    projection
        The metric system the blocks were cut in.
    metric
        The blocks in that system, metres, shape (n,), on one noding grid.
    finder
        Finds the borders anew when blocks are cut further.
    """

    polygons: NDArray[np.object_]
    area_m2: NDArray[np.float64]
    borders: Borders
    ribbons: int
    projection: LocalProjection
    metric: NDArray[np.object_]
    finder: BorderFinder


def street_rank(road_class: Any) -> NDArray[np.intp]:
    """Rank of OpenStreetMap ``highway`` values, shape (n,): place in `CUTTING_CLASSES` from 1, else 0."""
    rank = {name: place for place, name in enumerate(CUTTING_CLASSES, start=1)}
    return np.array([rank.get(str(value).removesuffix("_link"), 0) for value in road_class], dtype=np.intp)


def cut_into_blocks(
    area: BaseGeometry, streets: Any, road_class: Any, *, ribbon_width_m: float = 40.0
) -> Blocks:
    """Cut an area along its streets.

    Dead ends do not cut. The strip between the carriageways of one road, and other islands narrower than
    `ribbon_width_m` that lie among roads of tertiary class and higher, are no blocks: their ground is shared
    out along its middle line, so that the border runs where a person would draw the road.

    Parameters
    ----------
    area
        Valid polygon or multipolygon, EPSG:4326.
    streets
        Lines, EPSG:4326, array-like of shape (s,). What lies outside the area is ignored.
    road_class
        OpenStreetMap ``highway`` value of each street, shape (s,).
    ribbon_width_m
        Greatest width of such a strip, metres; 0 keeps all.

    Raises
    ------
    GeometryError
        If the area is no valid polygon, the two arrays do not have one length, something that is not a line
        is among the streets, or no street touches the area although there are some.
    """
    _require(area, streets, road_class, ribbon_width_m)
    projection = LocalProjection.around([area])
    ground = projection.forward([shapely.segmentize(shapely.force_2d(area), _SEGMENT_DEG)])[0]
    ground = shapely.set_precision(ground, GRID_M)
    rank = street_rank(road_class)
    lines = np.asarray(shapely.force_2d(np.asarray(list(streets), dtype=object)), dtype=object)
    lines[shapely.length(lines) > 0] = shapely.segmentize(lines[shapely.length(lines) > 0], _SEGMENT_DEG)
    lines, rank = _within(ground, projection.forward(lines) if lines.size else lines, rank)
    faces = _inside(ground, faces_of(np.array([*lines[rank > 0], shapely.boundary(ground)], dtype=object)))
    faces = _without_slivers(faces)
    streets_of = StreetIndex(lines[rank > 0], rank[rank > 0])
    is_ribbon = _ribbons(faces, streets_of, ribbon_width_m)
    metric, strip = faces, None
    if is_ribbon.any() and not is_ribbon.all():
        strip = shapely.union_all(shapely.buffer(faces[is_ribbon], GRID_M))
        metric = _share_out(ground, faces, is_ribbon)
    finder = BorderFinder(streets_of, strip, ribbon_width_m)
    return Blocks(
        polygons=projection.inverse(metric),
        area_m2=np.asarray(shapely.area(metric)),
        borders=finder.borders(metric),
        ribbons=int(is_ribbon.sum()) if strip is not None else 0,
        projection=projection,
        metric=metric,
        finder=finder,
    )


@dataclass(frozen=True, slots=True)
class BorderFinder:
    """Finds the borders within a coverage of blocks, also after blocks were cut further.

    Parameters
    ----------
    streets
        The streets that cut, indexed.
    strip
        Ground of the ribbons that were shared out, where a border runs beside its street; metres.
    ribbon_width_m
        Their greatest width.
    """

    streets: StreetIndex
    strip: BaseGeometry | None
    ribbon_width_m: float

    def borders(self, metric: NDArray[np.object_]) -> Borders:
        """Sum the border pieces of each pair and find the road that runs along most of them."""
        count, segments = len(metric), shared_segments(metric)
        reach = np.full(len(segments.first), _ON_STREET_M)
        if self.strip is not None:
            shapely.prepare(self.strip)
            beside = shapely.dwithin(self.strip, shapely.points(segments.middle), _SMOOTH_M)
            reach[beside] = self.ribbon_width_m / 2 + _SMOOTH_M
        rank = self.streets.highest(segments.middle, reach)
        pair, member = np.unique(segments.first * count + segments.second, return_inverse=True)
        by_rank = np.zeros((len(pair), len(CUTTING_CLASSES) + 1))
        np.add.at(by_rank, (member, rank), segments.length_m)
        length = by_rank.sum(axis=1)
        downwards = by_rank[:, ::-1].cumsum(axis=1)  # length along the highest road, the two highest, ...
        highest = len(CUTTING_CLASSES) - (downwards >= length[:, None] / 2).argmax(axis=1)
        return Borders(pair // max(count, 1), pair % max(count, 1), length, highest.astype(np.intp))


class StreetIndex:
    """Answers which is the highest road near a place."""

    def __init__(self, lines: NDArray[np.object_], rank: NDArray[np.intp]) -> None:
        self._tree = shapely.STRtree(lines)
        self._rank = rank

    def highest(self, places: NDArray[np.float64], within_m: NDArray[np.float64]) -> NDArray[np.intp]:
        """Rank of the highest street within so many metres of each place (n, 2); 0 where there is none."""
        found = np.zeros(len(places), dtype=np.intp)
        place, street = self._tree.query(shapely.points(places), predicate="dwithin", distance=within_m)
        np.maximum.at(found, place, self._rank[street])
        return found


def _within(
    ground: BaseGeometry, lines: NDArray[np.object_], rank: NDArray[np.intp]
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Clip the streets to the ground."""
    if not lines.size:
        return lines, rank
    shapely.prepare(ground)
    touching = shapely.intersects(ground, lines)
    if not touching.any():
        raise GeometryError(
            "Expected streets inside the area; found {count} streets and none of them touches it.",
            count=len(lines),
        )
    lines, rank = lines[touching], rank[touching]
    inside = shapely.contains_properly(ground, lines)
    lines[~inside] = shapely.intersection(lines[~inside], ground)
    return lines, rank


def _inside(ground: BaseGeometry, faces: NDArray[np.object_]) -> NDArray[np.object_]:
    shapely.prepare(ground)
    return faces[shapely.intersects(ground, shapely.point_on_surface(faces))]


def _ribbons(faces: NDArray[np.object_], streets: StreetIndex, width_m: float) -> NDArray[np.bool_]:
    """Faces nowhere wider than `width_m` whose outline runs mostly along roads that have carriageways."""
    narrow = shapely.is_empty(shapely.buffer(faces, -width_m / 2)) if width_m else np.zeros(len(faces), bool)
    at, owner = _samples(shapely.boundary(faces[narrow]))
    along = streets.highest(at, np.full(len(at), 2 * GRID_M)) >= _RIBBON_RANK
    hits = np.bincount(owner[along], minlength=int(narrow.sum()))
    total = np.bincount(owner, minlength=int(narrow.sum()))
    narrow[narrow] = hits >= _RIBBON_SHARE * np.maximum(total, 1)
    return np.asarray(narrow)


def _without_slivers(faces: NDArray[np.object_]) -> NDArray[np.object_]:
    """Join ground between a street and a border drawn beside it to the neighbour it borders on most."""
    while len(faces) > 1:
        thin = shapely.area(faces) < _SLIVER_M * shapely.length(faces) / 2
        if not thin.any() or thin.all():
            break
        segments = shared_segments(faces)
        pairs = np.vstack([np.c_[segments.first, segments.second], np.c_[segments.second, segments.first]])
        length = np.tile(segments.length_m, 2)
        useful = thin[pairs[:, 0]] & ~thin[pairs[:, 1]]
        if not useful.any():
            break
        table = pd.DataFrame({"thin": pairs[useful, 0], "home": pairs[useful, 1], "length": length[useful]})
        totals = table.groupby(["thin", "home"]).sum().reset_index().sort_values("length")
        best = totals.drop_duplicates("thin", keep="last")
        home = np.arange(len(faces))
        home[best["thin"].to_numpy()] = best["home"].to_numpy()
        kept = np.unique(home)
        faces = dissolve(faces, np.searchsorted(kept, home), len(kept))
    return faces


def _samples(lines: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Middles of pieces of at most `_SAMPLE_M`, so that no sample lies on a node; and their line."""
    at, owner = shapely.get_coordinates(shapely.segmentize(lines, _SAMPLE_M), return_index=True)
    same = owner[1:] == owner[:-1]
    return ((at[1:] + at[:-1]) / 2)[same], owner[:-1][same]


def _share_out(
    ground: BaseGeometry, faces: NDArray[np.object_], is_ribbon: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """Give every place of the ribbons to the nearest block."""
    blocks = faces[~is_ribbon]
    strip = shapely.union_all(faces[is_ribbon], grid_size=GRID_M)
    shapely.prepare(strip)
    at, owner = _samples(shapely.boundary(blocks))
    beside = shapely.dwithin(strip, shapely.points(at), 2 * GRID_M)
    at, owner = at[beside], owner[beside]
    if not len(at):
        return faces
    pieces = faces
    if len(np.unique(owner)) > 1:
        dividers = _between_owners(at, owner)
        dividers = dividers[shapely.intersects(strip, dividers)]  # an end inside a block is a dead end
        outlines = shapely.boundary([*faces, ground])
        pieces = _inside(ground, faces_of(np.append(outlines, dividers)))
    inner = shapely.get_coordinates(shapely.point_on_surface(pieces))
    holder = np.full(len(pieces), -1)
    piece, block = shapely.STRtree(blocks).query(shapely.points(inner), predicate="within")
    holder[piece] = block
    lost = holder < 0
    holder[lost] = owner[cKDTree(at).query(inner[lost])[1]]
    merged = _gathered(pieces, holder, len(blocks))
    return np.asarray(shapely.coverage_simplify(merged, _SMOOTH_M, simplify_boundary=False), dtype=object)


def _between_owners(at: NDArray[np.float64], owner: NDArray[np.intp]) -> NDArray[np.object_]:
    """Lines between samples of different owners: the edges of their Voronoi diagram.

    A ring of far sites makes the outer edges finite, so that they cross the rim of the area.
    """
    unique, first = np.unique(np.rint(at / GRID_M), axis=0, return_index=True)
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    reach = 10 * float(np.ptp(at, axis=0).max()) + 1000
    far = at.mean(axis=0) + reach * np.column_stack([np.cos(angle), np.sin(angle)])
    diagram = Voronoi(np.vstack([unique * GRID_M, far]))
    pairs = np.append(owner[first], np.full(len(far), -1))[diagram.ridge_points]
    ends = np.array(diagram.ridge_vertices)
    real = (pairs[:, 0] != pairs[:, 1]) & (pairs >= 0).all(axis=1) & (ends >= 0).all(axis=1)
    return np.asarray(shapely.linestrings(diagram.vertices[ends[real]]))


def _gathered(pieces: NDArray[np.object_], holder: NDArray[np.intp], count: int) -> NDArray[np.object_]:
    """Dissolve pieces by holder; what is cut off a holder's largest part goes to the longest border."""
    merged = dissolve(pieces, holder, count)
    parts, owner = shapely.get_parts(merged, return_index=True)
    size = shapely.area(parts)
    order = np.lexsort((-size, owner))
    largest = np.zeros(len(parts), dtype=bool)
    largest[order[np.unique(owner[order], return_index=True)[1]]] = True
    while not largest.all():
        segments = shared_segments(parts)
        pairs = np.vstack([np.c_[segments.first, segments.second], np.c_[segments.second, segments.first]])
        lengths = np.tile(segments.length_m, 2)
        useful = ~largest[pairs[:, 0]] & largest[pairs[:, 1]]
        if not useful.any():
            break
        longest = np.lexsort((-lengths[useful], pairs[useful, 0]))
        crumbs, at = np.unique(pairs[useful, 0][longest], return_index=True)
        owner[crumbs] = owner[pairs[useful, 1][longest][at]]
        largest[crumbs] = True
    return dissolve(parts, owner, count)


def _require(area: BaseGeometry, streets: Any, road_class: Any, ribbon_width_m: float) -> None:
    require_area(area)
    if len(streets) != len(road_class):
        raise GeometryError(
            "Expected one road class for each street; found {streets} streets and {classes} classes.",
            streets=len(streets),
            classes=len(road_class),
        )
    kinds = {"None" if street is None else street.geom_type for street in streets}
    if not kinds <= {"LineString", "MultiLineString"}:
        raise GeometryError("Expected lines as streets; found {found}.", found=", ".join(sorted(kinds)))
    if not ribbon_width_m >= 0:
        raise GeometryError("Expected a ribbon width of at least 0 m; found {width}.", width=ribbon_width_m)
