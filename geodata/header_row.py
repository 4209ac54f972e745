"""The row of a sheet that names its columns: seldom the first one in a roster with a title."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from geodata.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["column_names", "find_header", "is_blank"]

_LOOKED_AT = 50
_FILLED = 0.7
_TEXTUAL = 0.8
_NUMBER = re.compile(r"[\s\d.,:/%+\-年月日]+")


def is_blank(cell: Any) -> bool:
    """Tell whether a cell holds nothing a reader would see."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def find_header(rows: Sequence[Sequence[Any]]) -> int:
    """Find the first of the upper 50 rows that is filled across the table; it must be one of distinct names.

    Titles, dates and notes above a table fill one or two cells of a row and are passed over.

    Returns
    -------
    int
        Index into `rows`.

    Raises
    ------
    FormatError
        If there is no cell at all, or the first full row holds data.
    """
    filled = [[cell for cell in row if not is_blank(cell)] for row in rows[:_LOOKED_AT]]
    counts = sorted(len(cells) for cells in filled if cells)
    # Not the widest: a stray cell beside the table does not widen it.
    width = counts[math.ceil(0.75 * (len(counts) - 1))] if counts else 0
    for index, cells in enumerate(filled):
        if not cells or len(cells) < _FILLED * width:
            continue
        names = {cell.strip() for cell in cells if isinstance(cell, str) and not _NUMBER.fullmatch(cell)}
        if len(names) >= _TEXTUAL * len(cells):
            return index
        raise FormatError(
            "Expected a row with the names of the columns; the first full row is row {row}: {found}.",
            row=index + 1,
            found=", ".join(map(str, cells[:5])),
        )
    raise FormatError("Expected a table; found no filled cell.")


def column_names(cells: Sequence[Any]) -> list[str]:
    """Make names of columns from the header's cells, all distinct; a nameless one is called by its letter."""
    names: list[str] = []
    for index, cell in enumerate(cells):
        name = _letter(index) if is_blank(cell) else " ".join(str(cell).split())
        count = 2
        unique = name
        while unique in names:
            unique = f"{name} ({count})"
            count += 1
        names.append(unique)
    return names


def _letter(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
