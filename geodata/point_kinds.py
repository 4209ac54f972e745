"""Columns of places in their smallest form: the number of a set of classes, positions, and seconds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLASSES", "NEVER", "kinds_of", "positions_of", "seconds_of"]

NEVER = 2**32 - 1
"""Stored time of what has not happened: not closed, no due time."""

CLASSES = {"category": 65536, "state": 256, "severity": 256, "source": 256, "flags": 256}
"""How many values each class may have."""

_LARGEST_TABLE = 1 << 24


def kinds_of(given: dict[str, NDArray[Any]], size: int) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """One number per place for its combination of classes, and the table of combinations that occur."""
    ranges = {}
    for name, limit in CLASSES.items():
        values = given.get(name)
        low, high = (0, 0) if values is None or not size else (int(values.min()), int(values.max()))
        if low < 0 or high >= limit:
            raise GeometryError(
                "Expected {name} in [0, {limit}); found {low} to {high}.",
                name=name,
                limit=limit,
                low=low,
                high=high,
            )
        ranges[name] = high + 1
    packed = np.zeros(size, dtype=np.int64)
    for name, count in ranges.items():
        packed *= count
        if name in given:
            packed += given[name]
    possible = math.prod(ranges.values())
    kind: NDArray[Any]
    if possible <= _LARGEST_TABLE:
        present = np.zeros(possible, dtype=bool)
        present[packed] = True
        found = np.flatnonzero(present)
        kind = (np.cumsum(present, dtype=np.uint32) - np.uint32(1))[packed]
    else:
        found, kind = np.unique(packed, return_inverse=True)
    rest = found if found.size else np.zeros(1, dtype=np.int64)
    kinds = {}
    for name in reversed(CLASSES):
        kinds[name] = (rest % ranges[name]).astype(np.uint16 if name == "category" else np.uint8)
        rest = rest // ranges[name]
    return kind.astype(np.uint16 if found.size <= 1 << 16 else np.uint32), kinds


def positions_of(name: str, values: NDArray[Any]) -> NDArray[np.int32]:
    """Positions of places, -1 for none; raises GeometryError below that."""
    if values.size and values.min() < -1:
        raise GeometryError(
            "Expected {name} positions from 0, or -1 for none; found {low}.", name=name, low=int(values.min())
        )
    return values.astype(np.int32)


def seconds_of(name: str, values: NDArray[Any]) -> NDArray[np.uint32]:
    """Seconds since 1970, `NEVER` for NaT and negative numbers; raises GeometryError from 2106 on."""
    seconds = (
        values.astype("datetime64[s]").astype(np.int64)
        if values.dtype.kind == "M"
        else values.astype(np.int64)
    )
    if seconds.size and seconds.max() >= NEVER:
        raise GeometryError(
            "Expected {name} times before the year 2106, in seconds; found {high}.",
            name=name,
            high=int(seconds.max()),
        )
    return np.where(seconds < 0, NEVER, seconds).astype(np.uint32)
