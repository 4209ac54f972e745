"""An offer to mend a tiling: which cells would change, and how, before anybody agrees."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry import Polygon

from geodata.errors import GeometryError
from geodata.projection import LocalProjection
from geodata.tiling import METRES_PER_DEGREE, Defect, DefectKind, TilingReport, polygonal, shared_border_m

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = ["CellChange", "OverlapRule", "Repair", "repair"]

_CLAIMS = (DefectKind.OVERLAP, DefectKind.DUPLICATE, DefectKind.NESTED)
_REACH_M = 0.5  # lines this close are one border when the neighbour of a loose piece is looked for
_CRUMB_M2 = 1e-2  # left by rounding in an overlay; no ground


class OverlapRule(StrEnum):
    """Who keeps ground that two cells hold."""

    LARGER_SHARE = "larger share"
    """The cell of which it is the larger share (a nested cell stays whole), then the lower position."""
    LOWEST = "lowest position"
    """The cell with the lower position."""


@dataclass(frozen=True, slots=True)
class CellChange:
    """What would become of one cell.

    Parameters
    ----------
    cell
        Position of the cell.
    before, after
        Geometry as given and as repaired, EPSG:4326; `before` may be ``None`` or invalid, `after` is empty
        when nothing is left of the cell.
    before_m2, after_m2
        Their surface.
    """

    cell: int
    before: BaseGeometry | None
    after: BaseGeometry
    before_m2: float
    after_m2: float

    @property
    def change_m2(self) -> float:
        """Ground won, or lost when negative."""
        return self.after_m2 - self.before_m2


@dataclass(frozen=True, slots=True)
class Repair:
    """An offer; nothing happens until `apply`.

    Parameters
    ----------
    changes
        The cells that would change, by position. No other cell is touched.
    unrepaired
        Defects without a remedy, such as a gap that no cell borders on.
    """

    changes: tuple[CellChange, ...]
    unrepaired: tuple[Defect, ...]

    @property
    def emptied(self) -> tuple[int, ...]:
        """Positions of cells that would have no ground and should be given up."""
        return tuple(change.cell for change in self.changes if change.after.is_empty)

    def apply(self, cells: Any) -> NDArray[np.object_]:
        """Cells after the repair, shape (n,) like the input; emptied ones are ``POLYGON EMPTY``."""
        repaired = np.empty(len(cells), dtype=object)
        repaired[:] = list(cells)
        for change in self.changes:
            repaired[change.cell] = change.after
        return repaired


def repair(
    cells: Any,
    defects: TilingReport | Iterable[Defect],
    *,
    overlaps_to: OverlapRule = OverlapRule.LARGER_SHARE,
    give: Mapping[int, int] = MappingProxyType({}),
) -> Repair:
    """Offer a remedy for defects found by `check_tiling`.

    Invalid cells are made valid, ground outside the area is cut off, ground held twice is left to one cell,
    detached parts and gaps go to the neighbour with the longest shared border. Give only some of the defects
    to mend only these.

    Parameters
    ----------
    cells
        The cells that were checked, shape (n,), EPSG:4326.
    defects
        The report, or those defects of it that shall be mended.
    overlaps_to
        Who keeps ground held twice.
    give
        Where the planner decided otherwise: position of a gap or overlap in `defects` -> the one of its cells
        that gets the ground.

    Raises
    ------
    GeometryError
        If a defect names a cell that does not exist or `give` one that is no party to the defect.
    """
    listed = tuple(defects.defects if isinstance(defects, TilingReport) else defects)
    _require_known(listed, len(cells), give)
    original = np.empty(len(cells), dtype=object)
    original[:] = list(cells)
    if not listed:
        return Repair((), ())
    bench = _Bench(polygonal(original))
    unrepaired = []
    for position, defect in sorted(enumerate(listed), key=_turn):
        if not bench.mend(defect, give.get(position), overlaps_to):
            unrepaired.append(defect)
    bench.sweep()
    return Repair(bench.changes(original), tuple(unrepaired))


def _turn(entry: tuple[int, Defect]) -> tuple[int, int]:
    """Gaps come last: their neighbours must have their final shape."""
    position, defect = entry
    turn = (
        DefectKind.INVALID,
        DefectKind.EMPTY,
        DefectKind.OUTSIDE,
        *_CLAIMS,
        DefectKind.DETACHED,
        DefectKind.GAP,
    )
    return turn.index(defect.kind), position


class _Bench:
    """Cells under repair. The ground they hold together only shrinks outside the area and grows in gaps."""

    def __init__(self, cells: NDArray[np.object_]) -> None:
        self.now = cells
        self.touched: set[int] = set()
        self.projection = LocalProjection.around(cells[~shapely.is_empty(cells)])

    def mend(self, defect: Defect, chosen: int | None, rule: OverlapRule) -> bool:
        """Apply the remedy of one defect; false when there is none."""
        cell = defect.cells[0] if defect.cells else -1
        ground = defect.geometry
        if defect.kind in (DefectKind.INVALID, DefectKind.EMPTY):
            self.touched.add(cell)
        elif defect.kind is DefectKind.OUTSIDE:
            self._set(cell, shapely.difference(self.now[cell], ground))
        elif defect.kind in _CLAIMS:
            keeper = self._keeper(defect, rule) if chosen is None else chosen
            loser = next(party for party in defect.cells if party != keeper)
            # The keeper's own outline cuts, so that both have the very same border afterwards.
            disputed = shapely.intersection(self.now[keeper], self.now[loser])
            if disputed.area > 0:
                self._set(loser, shapely.difference(self.now[loser], self.now[keeper]))
        elif defect.kind is DefectKind.DETACHED:
            loose = shapely.intersection(self.now[cell], ground)  # another remedy may have taken it
            if self.projection.forward([loose])[0].area > _CRUMB_M2:
                rest = shapely.difference(self.now[cell], ground)
                if not self._hand_over(loose, exclude=cell):
                    return False
                self._set(cell, rest)
        elif chosen is not None:
            self._set(chosen, shapely.union(self.now[chosen], ground))
        elif ground is not None:
            return self._hand_over(ground, exclude=-1)
        return True

    def sweep(self) -> None:
        """Hand on what a repaired cell kept beyond its largest part, unless it came in such parts."""
        for cell in sorted(self.touched):
            parts = shapely.get_parts(self.now[cell])
            if parts.size < 2:
                continue
            parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
            kept = [parts[0]] + [part for part in parts[1:] if not self._hand_over(part, exclude=cell)]
            self._set(cell, shapely.union_all(kept))

    def changes(self, original: NDArray[np.object_]) -> tuple[CellChange, ...]:
        """Cells that differ from what they were."""
        at = np.array(sorted(self.touched), dtype=np.intp)
        before = shapely.area(self.projection.forward(polygonal(original[at])))
        after = shapely.area(self.projection.forward(self.now[at]))
        return tuple(
            CellChange(int(cell), original[cell], self.now[cell], float(old), float(new))
            for cell, old, new in zip(at, before, after, strict=True)
        )

    def _keeper(self, defect: Defect, rule: OverlapRule) -> int:
        low, high = sorted(defect.cells)
        if rule is OverlapRule.LOWEST or defect.kind is DefectKind.DUPLICATE:
            return low
        return high if self.now[high].area < self.now[low].area else low

    def _hand_over(self, ground: BaseGeometry, *, exclude: int) -> bool:
        """Give loose ground to the cell with the longest shared border."""
        near = shapely.dwithin(self.now, ground, _REACH_M / METRES_PER_DEGREE)
        near &= ~shapely.is_empty(self.now)
        near[exclude : exclude + 1 or None] &= exclude < 0
        candidates = np.flatnonzero(near)
        loose = np.full(candidates.shape, ground, dtype=object)
        border = shared_border_m(loose, self.now[candidates], self.projection, within_m=_REACH_M / 5)
        if not candidates.size or border.max() <= _REACH_M:
            return False
        heir = int(candidates[border.argmax()])
        self._set(heir, shapely.union(self.now[heir], ground))
        return True

    def _set(self, cell: int, ground: BaseGeometry) -> None:
        parts = shapely.get_parts(polygonal([ground])[0])
        parts = parts[shapely.area(self.projection.forward(parts)) > _CRUMB_M2]
        self.now[cell] = shapely.union_all(parts) if parts.size else Polygon()
        self.touched.add(cell)


def _require_known(defects: tuple[Defect, ...], count: int, give: Mapping[int, int]) -> None:
    highest = max((cell for defect in defects for cell in defect.cells), default=-1)
    if highest >= count:
        raise GeometryError(
            "Expected the defects of these {count} cells; found one of cell {cell}.",
            count=count,
            cell=highest,
        )
    for position, cell in give.items():
        wanted = defects[position] if 0 <= position < len(defects) else None
        if wanted is None or wanted.kind not in (DefectKind.GAP, *_CLAIMS) or cell not in wanted.cells:
            raise GeometryError(
                "Expected a cell beside the gap or overlap at position {position}; found cell {cell}.",
                position=position,
                cell=cell,
            )
