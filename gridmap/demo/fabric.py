"""What stands on the ground: houses, slabs, towers, halls, greens and ponds on each parcel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gridmap.demo.ground import STEP

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

    from gridmap.demo.blocks import Block

__all__ = ["PARCELS", "Fabric", "Pieces", "build_on", "plan_parcels"]

Metres = tuple[float, float, float, float]
"""West, south, east, north in metres before bending."""

_SHOP_STREETS = {"primary", "secondary", "tertiary"}

PARCELS: dict[str, tuple[str, ...]] = {
    "old": ("houses",),
    "estate": ("slabs", "slabs", "towers"),
    "towers": ("towers", "towers"),
    "commerce": ("mall", "offices", "mall", "offices"),
    "market": ("market", "slabs", "slabs"),
    "school": ("school", "slabs"),
    "hospital": ("hospital", "towers"),
    "hall": ("hall", "offices", "towers"),
    "station": ("station", "mall", "slabs"),
    "construction": ("construction", "towers"),
    "industry": ("sheds", "sheds", "sheds"),
    "park": ("park",),
}
"""Kind of cell -> kinds of its parcels, the largest parcel first."""


@dataclass(slots=True)
class Fabric:
    """Boxes of buildings and greens, west, south, east, north in metres before bending, parcel by parcel."""

    buildings: list[NDArray[np.float64]] = field(default_factory=list)
    levels: list[NDArray[np.int64]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    greens: list[Metres] = field(default_factory=list)
    """Drawn with round corners."""
    lawns: list[tuple[Metres, str]] = field(default_factory=list)
    """Whole green parcels with their names, drawn with the parcel's corners."""
    ponds: list[tuple[Metres, str]] = field(default_factory=list)


Pieces = tuple["NDArray[np.float64]", "NDArray[np.int64]"]
"""Boxes, shape (n, 4), and storeys, shape (n,)."""


def plan_parcels(kind: str, block: Block) -> tuple[int, tuple[str, ...], int]:
    """How many parcels a cell of a kind is cut into, classes of the ways between, smallest side in nodes."""
    wide, high = block.land[2] - block.land[0], block.land[3] - block.land[1]
    if kind == "old":
        return max(1, round(wide * high / 9)), ("living_street",), 2
    if kind == "park":
        return 1, ("footway",), 4
    if kind == "market" and wide * high > 48:
        return 4, ("service",), 3
    return min(len(PARCELS[kind]), max(1, wide * high // 24)), ("service",), 4


def build_on(kind: str, block: Block, name: str, fabric: Fabric, random: Generator) -> None:
    """Fill one parcel of a kind (`PARCELS`) with what belongs there, added to `fabric`."""
    west, south, east, north = (edge * STEP for edge in block.inset(STEP))
    if east - west < 14 or north - south < 14:
        return
    ground = (west, south, east, north)
    if kind == "park":
        _lay_park(ground, name, fabric, random)
        return
    if kind in {"slabs", "towers"}:
        shops, ground = _shops(ground, block.sides, random)
        _add(fabric, shops, "")
    boxes, levels = _FILL[kind](ground, random)
    if kind in {"slabs", "towers"} and len(boxes) > 5:
        middle = int(np.argmin(np.abs(boxes[:, :2] - boxes[:, :2].mean(axis=0)).sum(axis=1)))
        x0, y0, x1, y1 = boxes[middle]
        fabric.greens.append((x0 - 4, y0 - 9, x1 + 4, y1 + 9))
        boxes, levels = np.delete(boxes, middle, axis=0), np.delete(levels, middle)
    if kind == "school":
        x0, y0, x1, y1 = ground
        fabric.greens.append((x0 + 6, y0 + 6, x0 + 0.62 * (x1 - x0), y0 + 0.48 * (y1 - y0)))
    _add(fabric, (boxes, levels), name)


def _add(fabric: Fabric, pieces: Pieces, name: str) -> None:
    boxes, levels = pieces
    if len(boxes) == 0:
        return
    fabric.buildings.append(boxes)
    fabric.levels.append(levels)
    fabric.names += [name, *[""] * (len(boxes) - 1)]


def _grid(
    ground: Metres,
    size: tuple[float, float],
    gap: tuple[float, float],
    levels: tuple[int, int],
    random: Generator,
    *,
    wobble: float = 0.0,
) -> Pieces:
    """Boxes of one size in straight rows, the rows centred on the ground."""
    west, south, east, north = ground
    across = int((east - west + gap[0]) // (size[0] + gap[0]))
    along = int((north - south + gap[1]) // (size[1] + gap[1]))
    if across < 1 or along < 1:
        return np.empty((0, 4)), np.empty(0, dtype=np.int64)
    x = (
        west
        + (east - west - across * size[0] - (across - 1) * gap[0]) / 2
        + np.arange(across) * sum((size[0], gap[0]))
    )
    y = south + np.arange(along) * ((north - south - size[1]) / max(along - 1, 1))
    x, y = (v.ravel() for v in np.meshgrid(x, y))
    x = x + random.uniform(-wobble, wobble, len(x))
    boxes = np.column_stack([x, y, x + size[0], y + size[1]])
    return boxes, random.integers(levels[0], levels[1] + 1, len(x))


def _houses(ground: Metres, random: Generator) -> Pieces:
    """Old houses wall to wall in rows, with yards left open."""
    west, south, east, north = ground
    rows = max(1, round((north - south) / 14))
    pitch = (north - south) / rows
    boxes = []
    for row in range(rows):
        widths = random.uniform(8, 19, int((east - west) / 9) + 2)
        ends = west + np.cumsum(widths)
        ends = ends[ends <= east + 4]
        if len(ends) == 0:
            continue
        ends[-1] = min(ends[-1], east)
        starts = np.concatenate([[west], ends[:-1]])
        low = south + row * pitch + random.uniform(0, 2.2, len(ends))
        high = south + (row + 1) * pitch - random.uniform(0.3, 4.5, len(ends))
        standing = (random.random(len(ends)) > 0.13) & (ends - starts > 4)
        boxes.append(np.column_stack([starts, low, ends - 0.4, high])[standing])
    found = np.concatenate(boxes) if boxes else np.empty((0, 4))
    return found, random.choice([1, 1, 2, 2, 3, 4], len(found))


def _slabs(ground: Metres, random: Generator) -> Pieces:
    length = random.uniform(42, 60)
    floors = int(random.choice([6, 6, 7, 11]))
    return _grid(ground, (length, 12.5), (9.0, 15 + 1.6 * floors), (floors, floors), random, wobble=1.5)


def _towers(ground: Metres, random: Generator) -> Pieces:
    floors = int(random.choice([18, 24, 28, 33]))
    return _grid(ground, (27.0, 17.0), (20.0, 33.0), (floors - 2, floors), random, wobble=6.0)


def _mall(ground: Metres, random: Generator) -> Pieces:
    west, south, east, north = ground
    margin = 9.0
    split = west + (east - west) * random.uniform(0.4, 0.65)
    boxes = np.array(
        [
            [west + margin, south + margin, split - 6, north - margin],
            [split + 6, south + margin, east - margin, north - margin - (north - south) * 0.3],
        ]
    )
    return boxes, np.array([5, 4])


def _offices(ground: Metres, random: Generator) -> Pieces:
    boxes, levels = _grid(ground, (34.0, 30.0), (24.0, 28.0), (12, 30), random, wobble=3.0)
    kept = random.random(len(boxes)) > 0.25
    return boxes[kept], levels[kept]


def _school(ground: Metres, random: Generator) -> Pieces:
    west, south, east, north = ground
    wide, high = east - west, north - south
    top = [
        [west + 8, north - 8 - 13 - k * 30, west + 8 + wide * 0.62, north - 8 - k * 30]
        for k in range(max(1, int(high * 0.42 // 30)))
    ]
    boxes = np.array([*top, [east - 8 - wide * 0.2, south + 8, east - 8, south + high * 0.55]])
    return boxes, random.integers(3, 6, len(boxes))


def _hospital(ground: Metres, random: Generator) -> Pieces:
    west, south, east, north = ground
    wide, high = east - west, north - south
    boxes = np.array(
        [
            [west + wide * 0.12, south + high * 0.62, east - wide * 0.12, south + high * 0.82],
            [west + wide * 0.42, south + high * 0.34, west + wide * 0.58, south + high * 0.62],
            [west + wide * 0.18, south + high * 0.14, east - wide * 0.18, south + high * 0.34],
        ]
    )
    return boxes, random.integers(6, 16, len(boxes))


def _market(ground: Metres, random: Generator) -> Pieces:
    west, south, east, north = ground
    wide, high = east - west, north - south
    hall = [[west + wide * 0.2, south + high * 0.25, east - wide * 0.2, north - high * 0.22]]
    stalls, _ = _grid((west, south, east, south + 9), (10.0, 6.0), (3.0, 3.0), (1, 1), random)
    boxes = np.concatenate([np.array(hall), stalls])
    return boxes, np.concatenate([[2], np.ones(len(stalls), dtype=np.int64)])


def _sheds(ground: Metres, random: Generator) -> Pieces:
    return _grid(ground, (random.uniform(46, 64), 32.0), (14.0, 16.0), (1, 2), random)


def _construction(ground: Metres, random: Generator) -> Pieces:
    boxes, levels = _grid(ground, (27.0, 17.0), (34.0, 40.0), (2, 16), random, wobble=4.0)
    begun = random.random(len(boxes)) > 0.5
    return boxes[begun], levels[begun]


def _hall(ground: Metres, random: Generator) -> Pieces:
    west, south, east, north = ground
    wide, high = east - west, north - south
    boxes = np.array(
        [
            [west + wide * 0.15, south + high * 0.62, east - wide * 0.15, south + high * 0.85],
            [west + wide * 0.1, south + high * 0.25, west + wide * 0.24, south + high * 0.58],
            [east - wide * 0.24, south + high * 0.25, east - wide * 0.1, south + high * 0.58],
        ]
    )
    return boxes, random.integers(5, 13, len(boxes))


_FILL: dict[str, Callable[[Metres, Generator], Pieces]] = {
    "houses": _houses,
    "slabs": _slabs,
    "towers": _towers,
    "mall": _mall,
    "offices": _offices,
    "school": _school,
    "hospital": _hospital,
    "market": _market,
    "station": _mall,
    "sheds": _sheds,
    "construction": _construction,
    "hall": _hall,
}


def _shops(ground: Metres, sides: tuple[str, str, str, str], random: Generator) -> tuple[Pieces, Metres]:
    """Shops of one or two storeys along the streets of an estate, with gates left open; and what remains."""
    west, south, east, north = ground
    deep, gap = 10.0, 9.0
    boxes = []
    inner = [west, south, east, north]
    for side, road in enumerate(sides):
        if road not in _SHOP_STREETS or random.random() < 0.25:
            continue
        low, high = ((south, north), (west, east))[side % 2]
        starts = np.arange(low + deep + 2, high - deep - 24, 26.0)
        starts = starts[random.random(len(starts)) > 0.12]
        ends = starts + 24.5
        fixed = (west, south, east - deep, north - deep)[side]
        near, far = np.full(len(starts), fixed), np.full(len(starts), fixed + deep)
        boxes.append(
            np.column_stack([near, starts, far, ends] if side % 2 == 0 else [starts, near, ends, far])
        )
        inner[side] += (deep + gap) * (1 if side < 2 else -1)
    found = np.concatenate(boxes) if boxes else np.empty((0, 4))
    return (found, random.integers(1, 4, len(found))), (inner[0], inner[1], inner[2], inner[3])


def _lay_park(ground: Metres, name: str, fabric: Fabric, random: Generator) -> None:
    west, south, east, north = ground
    wide, high = east - west, north - south
    fabric.lawns.append((ground, name))
    x = west + wide * random.uniform(0.2, 0.35)
    y = south + high * random.uniform(0.2, 0.35)
    fabric.ponds.append(((x, y, x + wide * 0.42, y + high * 0.4), f"{name.removesuffix('公园')}湖"))
    pavilions = np.array(
        [
            [west + wide * 0.1, north - high * 0.14, west + wide * 0.1 + 14, north - high * 0.14 + 10],
            [east - wide * 0.14, south + high * 0.1, east - wide * 0.14 + 10, south + high * 0.1 + 10],
        ]
    )
    _add(fabric, (pavilions, np.array([1, 1])), "")
