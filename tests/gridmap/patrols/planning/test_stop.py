from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gridmap.errors import InvalidValueError
from gridmap.patrols.planning import Problem, Progress, Stop, faults, solve

if TYPE_CHECKING:
    from collections.abc import Callable


def test_some_bound_is_needed() -> None:
    with pytest.raises(InvalidValueError, match="Expected a bound of seconds or iterations; found none"):
        Stop()
    with pytest.raises(InvalidValueError, match="Expected a bound above 0; found 0"):
        Stop(seconds=0)


def test_whoever_watches_may_stop_with_the_best_so_far(mixed: Callable[..., Problem]) -> None:
    problem = mixed(3, tasks=15, workers=3)
    heard: list[Progress] = []

    def watch(progress: Progress) -> bool:
        heard.append(progress)
        return len(heard) == 2

    plan = solve(problem, Stop(seconds=60, watch=watch), seed=1).plan
    assert len(heard) == 2
    assert 0 < heard[0].done < heard[1].done < 1
    assert plan.routes
    assert faults(problem, plan) == []


def test_ends_when_nothing_better_is_found(mixed: Callable[..., Problem]) -> None:
    result = solve(mixed(3, tasks=6), Stop(seconds=60, without_improvement=300), seed=1)
    assert result.seconds < 30


def test_seconds_are_kept(mixed: Callable[..., Problem]) -> None:
    solve(mixed(4, tasks=30), Stop(iterations=20), seed=1)
    result = solve(mixed(4, tasks=30), Stop(seconds=0.5), seed=1)
    assert 0.4 < result.seconds < 2
