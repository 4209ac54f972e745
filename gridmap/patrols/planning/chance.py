"""Random numbers that depend on their seed alone, whatever else the process does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geodata.compiled import inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["below", "chance", "seeded"]

_MULTIPLIER = np.uint64(2685821657736338717)
_A, _B, _C, _HIGH = np.uint64(12), np.uint64(25), np.uint64(27), np.uint64(11)
_UNIT = 1.0 / 9007199254740992.0


def seeded(seed: int) -> NDArray[np.uint64]:
    """State of a xorshift64* generator."""
    state = np.random.SeedSequence(abs(seed)).generate_state(1, np.uint64)
    return np.where(state == 0, np.uint64(1), state)


@inlined
def chance(state: NDArray[np.uint64]) -> float:
    """A number from 0 to just below 1."""
    x = state[0]
    x ^= x >> _A
    x ^= x << _B
    x ^= x >> _C
    state[0] = x
    return float((x * _MULTIPLIER) >> _HIGH) * _UNIT


@inlined
def below(state: NDArray[np.uint64], bound: int) -> int:
    """A whole number from 0 to just below `bound`."""
    return int(chance(state) * bound)
