"""Draw cells: cut an area along its streets into cells with equal work that a planner could have drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.block_work import Work, WorkSamples, cut_heavy, sample_work
from geodata.blocks import CUTTING_CLASSES, Blocks, Borders, cut_into_blocks
from geodata.errors import GeometryError
from geodata.main_roads import fields_between, firm_borders, least_across
from geodata.partition import BlockGraph, parts_of_work
from geodata.planar import contact_components, dissolve
from geodata.unit_grid_code import reading_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = ["DrawnCells", "MainRoadSpan", "Remark", "SpanReason", "draw_cells"]

_CUT_PRICE = np.array([2.5, 1.0, 1.0, 1.0, 0.6, -12.0, -16.0, -20.0, -32.0])
"""Price of a metre of cell border by street rank: dear where no street is, a gain on a main road."""

_NECK, _LIGHT = 0.06, 0.1  # sides and work of a mean cell: see `firm_borders`
_LINK_PRICE = 50.0  # what tears an islet from its cell
_LIMITS = (1.0, 0.5, 0.25)  # work of the largest block, in shares of a cell, from try to try
_GOOD, _FAIR = 1.10, 1.15  # max/mean at which no further block is cut; which is reported
_STRAIGHT_DEG = 2e-7


class SpanReason(StrEnum):
    """Why a cell holds ground on both sides of a main road."""

    SMALL = "small"
    """The ground between main roads holds too little work for a cell of its own."""
    BALANCE = "balance"
    """The ground between main roads does not divide into whole cells; equal work was given precedence."""


@dataclass(frozen=True, slots=True)
class MainRoadSpan:
    """A cell that holds ground on both sides of a main road.

    Parameters
    ----------
    cell
        Position of the cell.
    length_m
        Length of main road inside it, metres.
    road_class
        The highest class among them.
    reason
        Why it could not be avoided.
    """

    cell: int
    length_m: float
    road_class: str
    reason: SpanReason


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the planner should know; `message` is a template for `params`, as in an error."""

    message: str
    params: dict[str, Any]

    def __str__(self) -> str:
        return self.message.format(**self.params)


@dataclass(frozen=True, slots=True)
class DrawnCells:
    """Cells drawn, in reading order from the north-west.

    Parameters
    ----------
    cells
        Polygons in EPSG:4326, shape (k,). They tile the area; each is connected, unless an islet of the area
        had to join a cell.
    work
        Work in each cell, shape (k,).
    off_street_m
        Length of the borders between cells that follow no street, metres.
    spans
        Cells that hold ground on both sides of a main road.
    fields
        How many pieces of ground lie between main roads.
    least_spans
        How many such cells there must be, whatever is drawn, with the busiest cell as it is (`least_across`).
    main_road_m
        Length of main road in the area that could be a border, metres.
    remarks
        What did not go as wished.
    """

    cells: NDArray[np.object_]
    work: NDArray[np.float64]
    off_street_m: float
    spans: tuple[MainRoadSpan, ...]
    fields: int
    least_spans: int
    main_road_m: float
    remarks: tuple[Remark, ...]

    @property
    def imbalance(self) -> float:
        """Work of the busiest cell over the mean."""
        return float(self.work.max() / self.work.mean())


def draw_cells(
    area: BaseGeometry,
    streets: Any,
    road_class: Any,
    *,
    work: Work | None = None,
    count: int | None = None,
    work_per_cell: float | None = None,
    seed: int = 0,
    ribbon_width_m: float = 40.0,
    least_cell_m2: float = 1000.0,
    progress: Callable[[float], None] | None = None,
) -> DrawnCells:
    """Cut an area along its streets into connected cells with equal work.

    Cells are put together from blocks (`cut_into_blocks`), weighing equal work, borders on main roads and a
    compact shape. A block with more work than the balance allows is cut straight across.

    Parameters
    ----------
    area
        Valid polygon or multipolygon, EPSG:4326.
    streets
        All streets and paths, lines in EPSG:4326, shape (s,). All make work, those of `CUTTING_CLASSES` cut.
    road_class
        OpenStreetMap ``highway`` value of each, shape (s,).
    work
        What makes work; by default streets and ground alone.
    count, work_per_cell
        How many cells, or how much work in each: one of the two.
    seed
        The same seed gives the same cells.
    ribbon_width_m
        See `cut_into_blocks`.
    least_cell_m2
        Mean surface below which the number of cells makes no sense.
    progress
        Called with the share done, 0 to 1.

    Raises
    ------
    GeometryError
        If the area, the streets or the work is malformed (see `cut_into_blocks` and `Work`), no street
        touches the area, or the number of cells is below 1 or makes no sense.
    """
    report = progress or (lambda _: None)
    blocks = cut_into_blocks(area, streets, road_class, ribbon_width_m=ribbon_width_m)
    report(0.3)
    samples = _samples(blocks, streets, work or Work())
    total = float(samples.by_block(blocks.metric)[0].sum())
    if total <= 0:  # nothing makes work: share out the ground
        samples = replace(samples, per_m2=1e-6)
        total = float(blocks.area_m2.sum()) * samples.per_m2
    count = _count(count, work_per_cell, total, float(blocks.area_m2.sum()), least_cell_m2)
    remarks = _first_remarks(len(streets), samples.outside)
    best: _Drawing | None = None
    for attempt, limit in enumerate(_LIMITS):
        drawing = _Drawing.attempt(blocks, samples, count, limit * total / count, seed)
        report(0.3 + 0.6 * (attempt + 1) / len(_LIMITS))
        # A finer cut costs borders off the streets; it must pay.
        if best is None or drawing.imbalance < best.imbalance - 0.02:
            best = drawing
        if best.imbalance <= _GOOD:
            break
    assert best is not None  # noqa: S101 - there is a first attempt
    result = best.result(blocks, remarks)
    report(1.0)
    return result


@dataclass(frozen=True, slots=True)
class _Drawing:
    """One attempt: blocks, some of them cut, the ground between main roads and the cell of each."""

    metric: NDArray[np.object_]
    work: NDArray[np.float64]
    borders: Borders
    field: NDArray[np.intp]
    part: NDArray[np.intp]
    count: int
    islets: int

    @classmethod
    def attempt(cls, blocks: Blocks, samples: WorkSamples, count: int, most: float, seed: int) -> _Drawing:
        """Cut what is heavier than `most`, then put cells together."""
        metric, _ = cut_heavy(blocks.metric, samples, most)
        while len(metric) < count:
            most *= 0.7
            metric, _ = cut_heavy(metric, samples, most)
        borders = blocks.borders if metric is blocks.metric else blocks.finder.borders(metric)
        work = np.maximum(samples.by_block(metric)[0], 1e-9)
        first, second, price = borders.first, borders.second, _CUT_PRICE[borders.rank] * borders.length_m
        side = np.sqrt(blocks.area_m2.sum() / count)
        links = _links(metric, borders, work, count)
        centre = shapely.get_coordinates(shapely.centroid(metric))
        field = fields_between(borders, len(metric), links)
        firm = firm_borders(borders, work, field, neck_m=_NECK * side, light=_LIGHT * work.sum() / count)
        first, second, price = first[firm], second[firm], price[firm]
        graph = BlockGraph(
            np.append(first, links[:, 0]),
            np.append(second, links[:, 1]),
            np.append(price / side, np.full(len(links), _LINK_PRICE)),
            work,
            np.asarray(shapely.area(metric)),
            centre[:, 0],
            centre[:, 1],
            field,
        )
        part = parts_of_work(graph, count, seed=seed)
        return cls(metric, work, borders, field, part, count, len(links))

    @property
    def loads(self) -> NDArray[np.float64]:
        """Work of each cell."""
        return np.bincount(self.part, weights=self.work, minlength=self.count).astype(np.float64)

    @property
    def imbalance(self) -> float:
        """Work of the busiest cell over the mean."""
        return float(self.loads.max() / self.loads.mean())

    def result(self, blocks: Blocks, remarks: list[Remark]) -> DrawnCells:
        """Cells in reading order, with what there is to say about them."""
        cells = blocks.projection.inverse(dissolve(self.metric, self.part, self.count))
        cells = np.asarray(shapely.coverage_simplify(cells, _STRAIGHT_DEG), dtype=object)
        order = reading_order(cells)
        place = np.empty(self.count, dtype=np.intp)
        place[order] = np.arange(self.count)
        cell, borders = place[self.part], self.borders
        apart = cell[borders.first] != cell[borders.second]
        if self.islets:
            remarks.append(
                Remark(
                    "{count} islets hold too little work for a cell and joined another.",
                    {"count": self.islets},
                )
            )
        if self.imbalance > _FAIR:
            remarks.append(
                Remark(
                    "The busiest cell has {ratio} times the mean work; single places hold too much of it.",
                    {"ratio": round(self.imbalance, 2)},
                )
            )
        in_field = np.bincount(self.field, weights=self.work).astype(np.float64)
        most = max(_GOOD * self.loads.mean(), self.loads.max())
        return DrawnCells(
            cells=cells[order],
            work=self.loads[order],
            off_street_m=float(borders.length_m[apart & (borders.rank == 0)].sum()),
            spans=self._spans(cell, in_field < self.work.sum() / self.count / _FAIR),
            fields=len(in_field),
            least_spans=least_across(in_field, self.count, most),
            main_road_m=float(borders.length_m[borders.is_main].sum()),
            remarks=tuple(remarks),
        )

    def _spans(self, cell: NDArray[np.intp], small: NDArray[np.bool_]) -> tuple[MainRoadSpan, ...]:
        borders, field = self.borders, self.field
        inside = (cell[borders.first] == cell[borders.second]) & borders.is_main
        home = cell[borders.first[inside]]
        length = np.bincount(home, weights=borders.length_m[inside], minlength=self.count)
        highest = np.ones(self.count, dtype=np.intp)
        np.maximum.at(highest, home, borders.rank[inside])
        holds_small = np.bincount(cell, weights=small[field], minlength=self.count) > 0
        held = np.unique(np.column_stack([cell, field]), axis=0)[:, 0]
        return tuple(
            MainRoadSpan(
                int(position),
                float(length[position]),
                CUTTING_CLASSES[highest[position] - 1],
                SpanReason.SMALL if holds_small[position] else SpanReason.BALANCE,
            )
            for position in np.flatnonzero(np.bincount(held, minlength=self.count) > 1)
        )


def _samples(blocks: Blocks, streets: Any, work: Work) -> WorkSamples:
    ground = shapely.coverage_union_all(blocks.metric)
    lines = np.array([], dtype=object)
    if len(streets):
        shapely.prepare(ground)
        lines = blocks.projection.forward(shapely.force_2d(np.asarray(list(streets), dtype=object)))
        lines = lines[shapely.intersects(ground, lines)]
        crossing = ~shapely.covers(ground, lines)
        lines[crossing] = shapely.intersection(lines[crossing], ground)
    return sample_work(work, ground, lines, blocks.projection)


def _count(
    count: int | None, work_per_cell: float | None, total: float, area_m2: float, least_cell_m2: float
) -> int:
    if (count is None) == (work_per_cell is None):
        raise GeometryError("Expected either the number of cells or the work of a cell.")
    if work_per_cell is not None:
        if not work_per_cell > 0:
            raise GeometryError("Expected a work of a cell above 0; found {found}.", found=work_per_cell)
        count = max(1, round(total / work_per_cell))
    if count is None or count < 1:
        raise GeometryError("Expected at least 1 cell; found {found}.", found=count)
    most = max(1, int(area_m2 / least_cell_m2))
    if count > most:
        raise GeometryError(
            "Expected at most {most} cells on {area} km², {least} m² each; found {found}.",
            most=most,
            area=round(area_m2 / 1e6, 3),
            least=least_cell_m2,
            found=count,
        )
    return count


def _first_remarks(streets: int, outside: int) -> list[Remark]:
    remarks = []
    if not streets:
        remarks.append(Remark("There are no streets; the area was cut straight across.", {}))
    if outside:
        remarks.append(
            Remark("{count} places of work lie outside the area and do not count.", {"count": outside})
        )
    return remarks


def _links(
    metric: NDArray[np.object_], borders: Borders, work: NDArray[np.float64], count: int
) -> NDArray[np.intp]:
    """Tie islets with less than half a cell's work to the nearest block elsewhere, shape (n, 2)."""
    field = contact_components(borders.first, borders.second, len(metric))
    links: list[tuple[int, int]] = []
    while True:
        load = np.bincount(field, weights=work)
        load[load == 0] = np.inf
        alone = np.isfinite(load).sum()
        least = int(load.argmin())
        if alone == 1 or (alone <= count and load[least] >= work.sum() / count / 2):
            return np.array(links, dtype=np.intp).reshape(-1, 2)
        here, there = np.flatnonzero(field == least), np.flatnonzero(field != least)
        pairs, gap = shapely.STRtree(metric[there]).query_nearest(metric[here], return_distance=True)
        nearest = gap.argmin()
        links.append((int(here[pairs[0, nearest]]), int(there[pairs[1, nearest]])))
        field[here] = field[links[-1][1]]
