from __future__ import annotations

import numpy as np
import pytest

from gridmap.demo.names import alley_names, person_names, phones, place_names


def test_telephone_numbers_can_reach_nobody() -> None:
    numbers = phones(np.random.default_rng(1), 20_000)
    # 140 to 144 belongs to thirteen-digit numbers of machines; these have eleven digits.
    assert all(len(number) == 11 and number.startswith("1400") and number.isdigit() for number in numbers)
    assert len(set(numbers)) == 20_000


def test_people_have_a_surname_and_two_characters_more() -> None:
    names = person_names(np.random.default_rng(1), 5000)
    assert {len(name) for name in names} == {3}
    assert all("\u4e00" <= character <= "\u9fff" for name in names for character in name)
    assert len(set(names)) > 3500


@pytest.mark.parametrize("count", [1, 500, 12_000, 40_000])
def test_places_are_named_once(count: int) -> None:
    names = place_names(np.random.default_rng(2), count)
    assert len(names) == len(set(names)) == count


@pytest.mark.parametrize("count", [0, 30, 9000])
def test_alleys_are_named_once(count: int) -> None:
    names = alley_names(np.random.default_rng(2), count)
    assert len(names) == len(set(names)) == count
    assert all(name[-1] in "巷弄里" for name in names)
