"""The street network: one row per way, with the names and the house numbers' origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gridmap.demo.blocks import BANK, Cut, Layout
from gridmap.demo.names import alley_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator

__all__ = ["Ways", "name_streets"]

Node = tuple[int, int]


@dataclass(slots=True)
class Ways:
    """Ways as parallel lists; ends are (column, row) of nodes."""

    names: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    starts: list[Node] = field(default_factory=list)
    ends: list[Node] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    """Nodes along the named street before the way begins; house numbers count from there."""
    cells: list[int] = field(default_factory=list)
    communities: list[int] = field(default_factory=list)

    def add(
        self,
        name: str,
        cut: Cut,
        *,
        offset: int = 0,
        cell: int = -1,
        community: int = -1,
    ) -> None:
        """Append a way."""
        self.names.append(name)
        self.classes.append(cut.road_class)
        self.starts.append(cut.start)
        self.ends.append(cut.end)
        self.offsets.append(offset)
        self.cells.append(cell)
        self.communities.append(community)


def name_streets(
    layout: Layout,
    cuts: list[tuple[int, Cut]],
    lanes: list[tuple[int, Cut]],
    names: Iterator[str],
    random: Generator,
) -> Ways:
    """Collect every way: main roads, streets between cells, lanes inside them.

    Parameters
    ----------
    layout
        The main roads.
    cuts
        Streets between cells, each with its superblock's number.
    lanes
        Lanes inside cells, each with its cell's number.
    names
        Names of two characters, taken in order.
    random
        For the names' endings.
    """
    ways = Ways()
    number = np.full(layout.kept.shape, -1)
    number[layout.kept] = np.arange(int(layout.kept.sum()))
    _columns(layout, number, names, ways)
    _rows(layout, number, names, ways)
    endings = {"secondary": ("路",), "tertiary": ("路", "街"), "residential": ("街", "支路", "里")}
    for community, cut in cuts:
        name = f"{next(names)}{random.choice(endings[cut.road_class])}"
        ways.add(name, cut, community=community)
    alleys = iter(alley_names(random, len(lanes)))
    for cell, cut in lanes:
        ways.add(next(alleys) if cut.road_class == "living_street" else "", cut, cell=cell)
    return ways


def _owner(number: np.ndarray, row: int, column: int, *, north: bool) -> int:
    """Superblock beside a main road: the one on its east or south, else the other; -1 where there is none."""
    beside = [(row, column), (row, column - 1)] if north else [(row - 1, column), (row, column)]
    for r, c in beside:
        if 0 <= r < number.shape[0] and 0 <= c < number.shape[1] and number[r, c] >= 0:
            return int(number[r, c])
    return -1


def _columns(layout: Layout, number: np.ndarray, names: Iterator[str], ways: Ways) -> None:
    river = layout.river
    origin = int(layout.rows[-1] // 2 if river is None else layout.rows[river])
    bridged = {c for c in range(len(layout.columns)) if c % 3 == 1 or c % 5 == 3}
    for column, i in enumerate(layout.columns.tolist()):
        name = next(names)
        road = layout.column_class(column)
        for row in range(len(layout.rows) - 1):
            owner = _owner(number, row, column, north=True)
            if owner < 0:
                continue
            south = int(layout.rows[row]) + BANK * (row == river)
            north = int(layout.rows[row + 1]) - BANK * (river is not None and row + 1 == river)
            title = f"{name}路" if river is None else f"{name}{'北' if row >= river else '南'}路"
            offset = min(abs(south - origin), abs(north - origin))
            start, end = ((i, south), (i, north)) if south >= origin else ((i, north), (i, south))
            ways.add(title, Cut(road, start, end), offset=offset, community=owner)
            if (
                river is not None
                and row == river
                and column in bridged
                and _owner(number, row - 1, column, north=True) >= 0
            ):
                ways.add(f"{name}大桥", Cut(road, (i, origin - BANK), (i, origin + BANK)), community=owner)


def _rows(layout: Layout, number: np.ndarray, names: Iterator[str], ways: Ways) -> None:
    last = len(layout.columns) - 1
    divided = last > 4
    middle = int(layout.columns[last // 2])
    for row, j in enumerate(layout.rows.tolist()):
        road = layout.row_class(row)
        base = "临江" if row == layout.river else next(names)
        ending = "大道" if road == "primary" else "街"
        banks = ((-1, "南"), (1, "北")) if row == layout.river else ((0, ""),)
        for side, bank in banks:
            for column in range(last):
                if side:
                    beside = row if side > 0 else row - 1
                    owner = int(number[beside, column])
                else:
                    owner = _owner(number, row, column, north=False)
                if owner < 0:
                    continue
                west, east = int(layout.columns[column]), int(layout.columns[column + 1])
                backwards = divided and east <= middle
                if side:
                    title = f"{base}{bank}路"
                    backwards = False
                else:
                    title = f"{base}{('西' if backwards else '东') if divided else ''}{ending}"
                offset = abs((east if backwards else west) - (middle if divided and not side else 0))
                start, end = (west, j + side * BANK), (east, j + side * BANK)
                if backwards:
                    start, end = end, start
                ways.add(title, Cut(road, start, end), offset=offset, community=owner)
