"""Problems spread over the cells that they touch, against a second way to count."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.figures.sharing import CellShares, spread
from gridmap.people.permissions import Actor, Holding, Role

CELLS = [SimpleNamespace(id=cell, area=cell % 2) for cell in range(1, 9)]
DIRECTORY = SimpleNamespace(cells=CELLS)
OWNER = Actor.owner()
HALF = Actor("甲", (Holding(Role.READ_ONLY, areas=frozenset({1}), organisations=None),))


def faces(actor):
    return SimpleNamespace(actor=actor, directory=DIRECTORY)


@st.composite
def problems(draw):
    """Case numbers with their leading cell, and the cells that some of them touch with shares."""
    numbers = draw(st.lists(st.integers(1, 60), unique=True, max_size=20))
    touched = {}
    for number in numbers:
        cells = draw(st.lists(st.integers(1, 8), unique=True, max_size=4))
        if cells:
            raw = draw(st.lists(st.integers(1, 9), min_size=len(cells), max_size=len(cells)))
            touched[number] = {cell: one / sum(raw) for cell, one in zip(cells, raw, strict=True)}
    lead = {n: max(touched[n], key=touched[n].get) if n in touched else n % 9 or -1 for n in numbers}
    return numbers, lead, touched


def kept(touched):
    rows = sorted((n, cell, share) for n, cells in touched.items() for cell, share in cells.items())
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    kinds = (np.int64, np.int64, np.float64)
    return CellShares(*(np.array(c, dtype=kind) for c, kind in zip(columns, kinds, strict=True)))


@pytest.mark.parametrize("actor", [OWNER, HALF])
@given(case=problems())
def test_each_counts_as_one_over_its_cells(actor, case):
    numbers, lead, touched = case
    own = np.array([lead[n] for n in numbers], dtype=np.int64)
    found = spread(np.array(numbers, dtype=np.int64), own, kept(touched), faces=faces(actor))
    assert np.bincount(found.at, weights=found.weight, minlength=len(numbers)).tolist() == pytest.approx(
        [1.0] * len(numbers)
    )
    expected = {}
    for n in numbers:
        for cell, share in touched.get(n, {lead[n]: 1.0}).items():
            known = actor is OWNER or cell == lead[n] or cell % 2 == 1
            key = (n, cell if known else -1)
            expected[key] = expected.get(key, 0) + share
    got = {}
    for at, cell, weight in zip(found.at, found.cell, found.weight, strict=True):
        key = (numbers[at], int(cell))
        got[key] = got.get(key, 0) + weight
    assert got == pytest.approx(expected)
