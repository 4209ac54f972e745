"""Main roads and cells: the ground between main roads, and how many cells must hold ground on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from geodata.planar import contact_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.blocks import Borders

__all__ = ["fields_between", "firm_borders", "least_across"]


def fields_between(borders: Borders, count: int, ties: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number the fields, the ground between main roads.

    Parameters
    ----------
    borders
        Borders of the blocks.
    count
        How many blocks there are.
    ties
        Pairs of blocks that belong together over water, shape (t, 2).

    Returns
    -------
    Field of each block, from 0, shape (n,).
    """
    minor = ~borders.is_main
    first, second = np.append(borders.first[minor], ties[:, 0]), np.append(borders.second[minor], ties[:, 1])
    return np.asarray(contact_components(first, second, count), dtype=np.intp)


def firm_borders(
    borders: Borders, work: NDArray[np.float64], field: NDArray[np.intp], *, neck_m: float, light: float
) -> NDArray[np.bool_]:
    """Which borders may hold a cell together, shape (m,).

    Ground that meets over the corner of a junction makes no good cell: a main road holds blocks together only
    where they share at least `neck_m` of it, or where it is all that ties ground to the rest. Traffic islands
    and the like, fields with less than `light` work, may hang by less.

    Parameters
    ----------
    borders
        Borders of the blocks.
    work, field
        Work and field (`fields_between`) of each block, shape (n,).
    neck_m
        Least length of main road, metres.
    light
        Work of a field that may hang by less.
    """
    of_field = np.bincount(field, weights=work)[field]
    lighter = np.minimum(of_field[borders.first], of_field[borders.second])
    holds = ~borders.is_main | (borders.length_m >= neck_m) | (lighter < light)
    # Fewest and longest of the others: what a spanning tree needs that takes those that hold for least.
    price = np.where(holds, 1.0, 2.0 + borders.length_m.max(initial=0) - borders.length_m)
    shape = (len(work), len(work))
    # Older versions take no wider numbers.
    ends = borders.first.astype(np.int32), borders.second.astype(np.int32)
    tree = minimum_spanning_tree(coo_array((price, ends), shape=shape)).tocoo()
    needed = np.minimum(tree.row, tree.col).astype(np.intp) * len(work) + np.maximum(tree.row, tree.col)
    return np.asarray(holds | np.isin(borders.first * len(work) + borders.second, needed))


def least_across(work: NDArray[np.float64], count: int, most: float) -> int:
    """How many of `count` cells must hold ground of several fields, however they are drawn.

    The other cells lie in one field each. As many of them as there are cover most where they fill fields to
    the brim first and take the largest remainders then; what they cannot cover must fit into the cells that
    hold ground of several fields. Shapes are left out, so that no drawing can do with fewer.

    Parameters
    ----------
    work
        Work of each field, shape (f,).
    count
        Number of cells.
    most
        Work of the busiest cell.

    Returns
    -------
    The least number; `count` where `most` is too little for the whole work.
    """
    full = np.floor(work / most * (1 + 1e-12)).astype(np.intp)
    shares = np.sort(np.append(np.full(min(int(full.sum()), count), most), np.maximum(work - full * most, 0)))
    covered = np.append(0.0, np.cumsum(shares[::-1]))
    across = np.arange(count + 1)
    within = covered[np.minimum(count - across, len(shares))]
    enough = within + across * most >= work.sum() * (1 - 1e-9)
    return int(across[enough][0]) if enough.any() else count
