"""How the district is divided: main roads make superblocks, smaller streets cut them into cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

    from gridmap.demo.ground import Ground

__all__ = ["BANK", "HALF_WIDTH", "Block", "Box", "Cut", "Layout", "cut_block", "lay_out", "share_cells"]

Box = tuple[int, int, int, int]
"""West, south, east, north in whole nodes."""

BANK = 2
"""Nodes from the middle of the river to the road along it."""
HALF_WIDTH = {
    "primary": 21.0,
    "secondary": 15.0,
    "tertiary": 10.0,
    "residential": 7.0,
    "living_street": 2.5,
    "service": 4.0,
    "footway": 2.0,
}
"""Metres from the middle of a street of a class to the building line."""
_SMALLEST = 4
"""Nodes: no cell is narrower."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A street that divides a block: from node to node, straight before bending."""

    road_class: str
    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of ground and the classes of the streets on its west, south, east and north side.

    `box` is the ground that somebody answers for, to the middle of the river; `land` is what can be built on.
    """

    box: Box
    land: Box
    sides: tuple[str, str, str, str]

    def inset(self, step: float) -> tuple[float, float, float, float]:
        """The land without its streets' halves, as west, south, east, north in nodes of `step` metres."""
        west, south, east, north = (HALF_WIDTH[side] / step for side in self.sides)
        return self.land[0] + west, self.land[1] + south, self.land[2] - east, self.land[3] - north


@dataclass(frozen=True, slots=True)
class Layout:
    """The main roads and what lies between them."""

    columns: NDArray[np.int64]
    """Node columns of the main roads that run north."""
    rows: NDArray[np.int64]
    """Node rows of the main roads that run east, and of the river."""
    river: int | None
    """Which of `rows` is the river."""
    kept: NDArray[np.bool_]
    """Shape (rows - 1, columns - 1): which superblocks belong to the district."""

    def column_class(self, column: int) -> str:
        """Class of the main road on a column."""
        return "primary" if column % 3 == 1 else "secondary"

    def row_class(self, row: int) -> str:
        """Class of the main road on a row; a river has its bank roads instead."""
        return "secondary" if row == self.river or row % 3 == 0 else "primary"

    def superblocks(self) -> Iterator[tuple[int, int, Block]]:
        """Row, column and ground of each superblock, south-west first."""
        for row, column in np.argwhere(self.kept).tolist():
            west, east = (int(v) for v in self.columns[column : column + 2])
            south, north = (int(v) for v in self.rows[row : row + 2])
            land = (
                west,
                south + BANK * (row == self.river),
                east,
                north - BANK * (row + 1 == self.river),
            )
            sides = (
                self.column_class(column),
                self.row_class(row),
                self.column_class(column + 1),
                self.row_class(row + 1),
            )
            yield row, column, Block((west, south, east, north), land, sides)


def lay_out(cells: int, random: Generator) -> Layout:
    """Place main roads and the river for about `cells` cells, seven or eight to a superblock.

    The outline is not a rectangle: the superblocks farthest from the middle are left out.
    """
    wanted = max(1, round(cells / 7.5))
    high = max(1, round(np.sqrt(wanted)))
    wide = max(1, int(np.ceil(wanted * 1.12 / high)))
    columns = _lines(wide, random)
    rows = _lines(high, random)
    across = np.abs(np.arange(wide) - (wide - 1) / 2 + random.uniform(-0.2, 0.2)) / wide
    along = np.abs(np.arange(high) - (high - 1) / 2 + random.uniform(-0.2, 0.2)) / high
    far = across[None, :] ** 2.4 + along[:, None] ** 2.4
    kept = np.zeros(high * wide, dtype=bool)
    kept[np.argsort(far, axis=None, kind="stable")[:wanted]] = True
    river = None if high < 2 else max(1, round(high * 0.4))
    return Layout(columns, rows, river, kept.reshape(high, wide))


def _lines(count: int, random: Generator) -> NDArray[np.int64]:
    """Main roads 425 to 725 m apart, closer in the middle."""
    middle = 1 - np.abs(np.linspace(-1, 1, count) if count > 1 else np.zeros(1))
    widths = np.round(random.integers(20, 30, count) - 4 * middle).astype(np.int64)
    return np.concatenate([[0], np.cumsum(widths)])


def share_cells(blocks: list[Block], cells: int, ground: Ground) -> NDArray[np.int64]:
    """How many cells each superblock gets: exactly `cells` in all, more where it is large or old."""
    box = np.array([block.land for block in blocks], dtype=float)
    wide, high = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    age = ground.oldness((box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2)
    weight = wide * high * (1 + 0.9 * age)
    exact = 1 + (cells - len(blocks)) * weight / weight.sum()
    count: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    short = cells - int(count.sum())
    count[np.argsort(count - exact, kind="stable")[:short]] += 1
    return count


def cut_block(
    block: Block, count: int, classes: tuple[str, ...], random: Generator, *, smallest: int = _SMALLEST
) -> tuple[list[Block], list[Cut]]:
    """Cut a block into `count` by streets from side to side, the first cut getting the first class.

    Parameters
    ----------
    block
        What to cut.
    count
        How many pieces; fewer come out where they would be narrower than `smallest` nodes.
    classes
        Road class of the first cut, of the cuts of its halves, and so on; the last one repeats.
    random
        Where the cuts fall.
    """
    if count < 2:
        return [block], []
    west, south, east, north = block.land
    wide, high = east - west, north - south
    along = wide >= high * random.uniform(0.85, 1.2)
    if max(wide, high) < 2 * smallest:
        return [block], []
    if (wide if along else high) < 2 * smallest:
        along = not along
    first = count // 2 if random.random() < 0.5 else count - count // 2
    length = wide if along else high
    at = round(length * first / count + random.normal(0, 0.06) * length)
    at = int(np.clip(at, smallest, length - smallest))
    road = classes[0]
    if along:
        line = west + at
        cut = Cut(road, (line, south), (line, north))
        low = replace(
            block,
            box=(block.box[0], block.box[1], line, block.box[3]),
            land=(west, south, line, north),
            sides=(block.sides[0], block.sides[1], road, block.sides[3]),
        )
        high_part = replace(
            block,
            box=(line, block.box[1], block.box[2], block.box[3]),
            land=(line, south, east, north),
            sides=(road, block.sides[1], block.sides[2], block.sides[3]),
        )
    else:
        line = south + at
        cut = Cut(road, (west, line), (east, line))
        low = replace(
            block,
            box=(block.box[0], block.box[1], block.box[2], line),
            land=(west, south, east, line),
            sides=(block.sides[0], block.sides[1], block.sides[2], road),
        )
        high_part = replace(
            block,
            box=(block.box[0], line, block.box[2], block.box[3]),
            land=(west, line, east, north),
            sides=(block.sides[0], road, block.sides[2], block.sides[3]),
        )
    rest = classes[1:] or classes
    blocks, cuts = [], [cut]
    for part, share in ((low, first), (high_part, count - first)):
        pieces, streets = cut_block(part, share, rest, random, smallest=smallest)
        blocks += pieces
        cuts += streets
    return blocks, cuts
