"""How things look on every map: colours, classes and icons, for the page and for pictures alike."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from pathlib import Path

__all__ = [
    "BREAKS",
    "CATEGORY_COLOURS",
    "LEVELS",
    "MISSING",
    "RAMPS",
    "ROADS",
    "SITES",
    "icon_paths",
    "load_breaks",
]

RAMPS: dict[str, tuple[str, ...]] = {
    "load": ("#f7f4ec", "#fce3b4", "#f8bf73", "#ee8f4b", "#d45a34", "#a42a26"),
    "overdue": ("#f4f2f4", "#f3d3da", "#e7a2b3", "#d36b8b", "#ae3a69", "#78144b"),
    "patrol": ("#eaf3f1", "#c6e0dc", "#94c2c3", "#6299a8", "#41708c", "#2f4768"),
}
"""Six classes from good to bad, for each way to colour the cells."""
MISSING = "#e4e6e6"
"""Of a cell of which the figure is not known."""
BREAKS: dict[str, tuple[float, ...]] = {
    "overdue": (0.05, 0.1, 0.2, 0.35, 0.5),
    "patrol": (1, 2, 4, 8, 15),
}
"""Lower bounds of the classes after the first: a share, and days. Those of the load follow the data."""

ROADS: dict[int, tuple[str, float]] = {1: ("#3d3a8c", 4.5), 2: ("#7a78bd", 3.0)}
"""Colour and width in pixels of priority roads, by level."""

LEVELS = {"good": "#1b6e3c", "warn": "#b45309", "bad": "#b3261e"}

CATEGORY_COLOURS = ("#2f6db5", "#b8860b", "#7a4fa3", "#2b8a7b", "#c2577f", "#6b7280", "#8a5a33", "#4d7c2a")
"""Fill of a single problem, by the place of its major category in the list."""

_TRADE, _LEARN, _SERVE, _MOVE, _LEISURE, _LIVE, _WORK = (
    "#a8560f", "#1d5fa8", "#6a3fa0", "#3f5566", "#25753f", "#0b6e6e", "#7b5a2e",
)  # fmt: skip
SITES: dict[str, tuple[str, str]] = {
    "market": (_TRADE, "grocery"),
    "supermarket": (_TRADE, "shop"),
    "mall": (_TRADE, "commercial"),
    "shop_street": (_TRADE, "clothing-store"),
    "school": (_LEARN, "school"),
    "hospital": ("#a3303f", "hospital"),
    "public_service": (_SERVE, "town-hall"),
    "police": (_SERVE, "police"),
    "bank": (_SERVE, "bank"),
    "post_office": (_SERVE, "post"),
    "station": (_MOVE, "rail"),
    "bus_stop": (_MOVE, "bus"),
    "parking": (_MOVE, "parking"),
    "park": (_LEISURE, "park"),
    "square": (_LEISURE, "garden"),
    "culture": (_LEARN, "museum"),
    "sports": (_LEISURE, "pitch"),
    "attraction": (_LEISURE, "attraction"),
    "hotel": (_TRADE, "lodging"),
    "estate": (_LIVE, "residential-community"),
    "construction": (_WORK, "construction"),
    "toilet": (_WORK, "toilet"),
    "waste": (_WORK, "waste-basket"),
    "back_street": (_LIVE, "home"),
    "main_road": (_MOVE, "car"),
    "": (_MOVE, "marker"),
}
"""Colour and icon of inspection points by site type; the last is for types without one."""


def load_breaks(values: list[float]) -> tuple[float, ...]:
    """Return the lower bounds of the classes after the first, for unresolved problems per cell.

    The top class begins near the 95th percentile of the cells that have any, so that one extreme cell does
    not wash out the others; the page's ``colours.js`` follows the same rule.
    """
    found = sorted(value for value in values if value > 0)
    if not found:
        return (1, 2, 3, 4, 5)
    top = max(found[int(0.95 * (len(found) - 1))], 5)
    step = 10 ** max(len(str(int(top))) - 2, 0)
    bounds: list[float] = [1]
    for share in (0.15, 0.35, 0.6, 1.0):
        bounds.append(max(round(share * top / step) * step, bounds[-1] + 1))
    return tuple(bounds)


@cache
def icon_paths() -> dict[str, str]:
    """Return the outline of each site type's icon, SVG path data in a box of 15 x 15."""
    folder = Path(__file__).parent / "static" / "vendor" / "maki"
    return {
        kind: unescape(" ".join(re.findall(r'\sd="([^"]+)"', (folder / f"{icon}.svg").read_text())))
        for kind, (_, icon) in SITES.items()
    }
