from __future__ import annotations

import doctest

import gridmap.patrols.planning


def test_the_example_runs_as_it_is_shown() -> None:
    assert doctest.testmod(gridmap.patrols.planning).failed == 0
