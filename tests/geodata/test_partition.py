from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from geodata.partition import BlockGraph, metis_parts, parts_of_work


def lattice(columns: int, rows: int, work: np.ndarray | None = None, wall: int | None = None) -> BlockGraph:
    number = np.arange(columns * rows).reshape(rows, columns)
    first = np.append(number[:, :-1], number[:-1])
    second = np.append(number[:, 1:], number[1:])
    cost, field = np.ones(len(first)), np.zeros(columns * rows, dtype=np.intp)
    if wall is not None:
        cost[(first % columns == wall - 1) & (second % columns == wall)] = -2.0
        field = (number.ravel() % columns >= wall).astype(np.intp)
    row, column = np.divmod(np.arange(columns * rows), columns)
    ones = np.ones(columns * rows)
    return BlockGraph(
        first,
        second,
        cost,
        ones if work is None else work,
        ones,
        column.astype(float),
        row.astype(float),
        field,
    )


def assert_connected(graph: BlockGraph, part: np.ndarray, count: int) -> None:
    assert set(part.tolist()) == set(range(count))
    for number in range(count):
        members = np.flatnonzero(part == number)
        assert connected_components(graph.matrix()[members][:, members], directed=False)[0] == 1


def test_a_square_of_equal_blocks_is_cut_into_compact_quarters() -> None:
    graph = lattice(12, 12)
    part = parts_of_work(graph, 4, seed=1)
    assert_connected(graph, part, 4)
    load = np.bincount(part)
    assert load.max() / load.mean() <= 1.1
    cut = (part[graph.first] != part[graph.second]).sum()
    assert cut <= 30  # 24 is the least


def test_a_main_road_is_a_border_even_off_the_middle() -> None:
    graph = lattice(12, 6, wall=7)
    part = parts_of_work(graph, 2, seed=0)
    column = np.arange(72) % 12
    assert len(set(part[column < 7])) == 1
    assert len(set(part[column >= 7])) == 1


def test_a_field_too_small_for_a_part_makes_one_part_of_two_fields_not_several() -> None:
    graph = lattice(12, 12, wall=1)
    part = parts_of_work(graph, 4, seed=0)
    assert_connected(graph, part, 4)
    assert np.bincount(part).max() <= 40
    both = [len(set(graph.field[part == number].tolist())) == 2 for number in range(4)]
    assert sum(both) == 1


def test_the_same_seed_gives_the_same_parts() -> None:
    graph = lattice(15, 15, np.random.default_rng(2).random(225))
    one, same = (parts_of_work(graph, 9, seed=4) for _ in range(2))
    assert (one == same).all()


def test_annealing_balances_better_than_metis_alone() -> None:
    graph = lattice(20, 20, np.random.default_rng(7).pareto(1.5, 400) + 0.1)

    def spread(part: np.ndarray) -> float:
        load = np.bincount(part, weights=graph.work)
        return float(load.max() / load.mean())

    assert spread(parts_of_work(graph, 8, seed=0)) <= max(spread(metis_parts(graph, 8, seed=0)), 1.1) + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99), st.data())
def test_parts_are_connected_and_none_is_empty(
    columns: int, rows: int, seed: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, columns * rows))
    graph = lattice(columns, rows, np.random.default_rng(seed).pareto(1.0, columns * rows) + 1e-3)
    assert_connected(graph, parts_of_work(graph, count, seed=seed), count)


def test_components_share_the_parts_in_proportion() -> None:
    one, two = lattice(4, 4), lattice(8, 4)
    graph = BlockGraph(
        *(np.append(getattr(one, name), getattr(two, name) + (16 if name in ("first", "second") else 0))
          for name in ("first", "second", "cut_cost", "work", "area", "x", "y", "field"))
    )  # fmt: skip
    part = parts_of_work(graph, 3, seed=0)
    assert_connected(graph, part, 3)
    assert len(set(part[:16])) == 1
    assert np.bincount(part).tolist() == pytest.approx([16, 16, 16], abs=2)
