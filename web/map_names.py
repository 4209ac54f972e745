"""Names of streets on drawn maps, each once, along the street, where nothing else is written."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from web.export_picture import Sheet

__all__ = ["apart", "name_streets"]

_RANK = {"motorway": 5, "trunk": 5, "primary": 4, "secondary": 3, "tertiary": 2}
_ALL_FROM, _SMALLER_FROM = 17, 15
_MARGIN = 4
_TRIED = (0.5, 0.3, 0.7, 0.15, 0.85)
_INK = "#5c5546"


def name_streets(sheet: Sheet, streets: dict[str, Any], taken: list[Any], *, size: int) -> None:
    """Write names along streets, the greater ones first.

    Parameters
    ----------
    sheet
        To write on.
    streets
        Columns ``name``, ``road_class`` and ``geometry`` (EPSG:4326).
    taken
        Shapes in pixels of the picture where something is written already; names are added.
    size
        Of the letters, pixels of the picture.
    """
    frame = sheet.frame
    least = 0 if frame.zoom >= _ALL_FROM else 2 if frame.zoom >= _SMALLER_FROM else 3
    lines: dict[str, list[Any]] = {}
    rank: dict[str, int] = {}
    for name, kind, shape in zip(streets["name"], streets["road_class"], streets["geometry"], strict=True):
        of = _RANK.get(kind, 0)
        if name and of >= least:
            lines.setdefault(name, []).append(shape)
            rank[name] = max(rank.get(name, 0), of)
    paper = shapely.box(8, 8, frame.width - 8, frame.height - 8)
    for name in sorted(lines, key=lambda one: (-rank[one], one)):
        wide = sheet.width(name, size) + _MARGIN
        for piece in _pieces(sheet, lines[name], paper):
            if piece.length >= wide and _written(sheet, (name, size), piece, wide, taken):
                break


def _pieces(sheet: Sheet, shapes: Sequence[Any], paper: Any) -> list[Any]:
    """Stretches of a street within the picture, in its pixels, the longest first."""
    merged = shapely.line_merge(shapely.union_all(list(shapes)))
    in_pixels = [
        shapely.LineString(sheet.frame.pixels(shapely.get_coordinates(part)))
        for part in shapely.get_parts(merged)
    ]
    inside = shapely.get_parts(shapely.intersection(np.array(in_pixels, dtype=object), paper))
    lines = [one for one in inside if shapely.get_type_id(one) == 1 and one.length > 0]
    return sorted(lines, key=lambda one: -one.length)


def _written(sheet: Sheet, words: tuple[str, int], piece: Any, wide: float, taken: list[Any]) -> bool:
    name, size = words
    for share in _TRIED:
        middle = piece.length * share
        begin, end = middle - wide / 2, middle + wide / 2
        if begin < 0 or end > piece.length:
            continue
        a, b = piece.interpolate(begin), piece.interpolate(end)
        # Around a corner it would be written beside the street.
        if math.hypot(b.x - a.x, b.y - a.y) < 0.92 * wide:
            continue
        (a, b) = (a, b) if a.x <= b.x else (b, a)
        place = shapely.LineString([a, b]).buffer(size / 2 + 2, cap_style="flat")
        if any(shapely.intersects(place, other) for other in taken):
            continue
        taken.append(place)
        angle = -math.degrees(math.atan2(b.y - a.y, b.x - a.x))
        sheet.along(((a.x + b.x) / 2, (a.y + b.y) / 2), name, size, angle, _INK)
        return True
    return False


def apart(places: Sequence[tuple[float, float]], radius: float) -> list[tuple[float, float]]:
    """Move signs aside that would cover each other, in pixels; the first ones stay where they are.

    Parameters
    ----------
    places
        Where each belongs.
    radius
        Of a sign.
    """
    found: list[tuple[float, float]] = []
    for x, y in places:
        at = (x, y)
        for step in range(1, 200):
            if all(math.hypot(at[0] - a, at[1] - b) >= 2 * radius for a, b in found):
                break
            turn, away = step * 2.4, radius * (0.6 + 0.25 * math.sqrt(step) * 1.6)
            at = (x + away * math.cos(turn), y + away * math.sin(turn))
        found.append(at)
    return found
