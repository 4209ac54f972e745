"""Codes of unit grid cells after GB/T 30428.1: administrative code and a running number.

Six digits name the county (GB/T 2260), three the subdistrict (GB/T 10114), three the community; then follows
the number of the cell within the community: three digits in the national standard, two in the older sector
standard CJ/T 213.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.errors import FormatError, GeometryError
from geodata.projection import LocalProjection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["UnitGridCode", "number_cells", "reading_order"]

PREFIX_DIGITS = 12
MOST_DIGITS = 6
_PROVINCES = {*range(11, 83), 99}  # GB/T 2260: 11 Beijing to 82 Macao; 99 is nobody's, for made-up places


@dataclass(frozen=True, slots=True, order=True)
class UnitGridCode:
    """Code of one cell.

    Parameters
    ----------
    prefix
        Twelve digits: county (6), subdistrict (3), community (3).
    sequence
        Number of the cell in its community, from 1.
    digits
        How many digits the number is written with, 1 to 6.

    Raises
    ------
    FormatError
        If the prefix is not an administrative code or the number does not fit its digits.
    """

    prefix: str
    sequence: int
    digits: int = 3

    def __post_init__(self) -> None:
        _require_prefix(self.prefix)
        _require_digits(self.digits)
        if not 1 <= self.sequence < 10**self.digits:
            raise FormatError(
                "Expected a cell number from 1 to {highest}; found {found}.",
                highest=10**self.digits - 1,
                found=self.sequence,
            )

    @classmethod
    def parse(cls, text: str, *, digits: int = 3) -> UnitGridCode:
        """Read a code; blanks around it are ignored.

        Raises
        ------
        FormatError
            If it does not have 12 + `digits` ASCII digits or a part of it is out of range.
        """
        _require_digits(digits)
        code = text.strip()
        if not re.fullmatch(rf"[0-9]{{{PREFIX_DIGITS + digits}}}", code):
            raise FormatError(
                "Expected a cell code of {length} digits; found {found}.",
                length=PREFIX_DIGITS + digits,
                found=repr(text),
            )
        return cls(code[:PREFIX_DIGITS], int(code[PREFIX_DIGITS:]), digits)

    def format(self) -> str:
        """Write the code."""
        return f"{self.prefix}{self.sequence:0{self.digits}d}"

    def __str__(self) -> str:
        return self.format()

    @property
    def county(self) -> str:
        """Code of the county or district, 6 digits."""
        return self.prefix[:6]

    @property
    def subdistrict(self) -> str:
        """Code of the subdistrict, 9 digits with the county's."""
        return self.prefix[:9]

    @property
    def community(self) -> str:
        """Code of the community, 12 digits."""
        return self.prefix


def number_cells(polygons: Any, prefix: str, *, digits: int = 3, taken: Iterable[str] = ()) -> list[str]:
    """Give numbers to the cells of a community as a person reads a map.

    The lowest free numbers are given in `reading_order`. A number once taken is not given again.

    Parameters
    ----------
    polygons
        Cells, EPSG:4326, shape (n,).
    prefix
        Administrative code of the community, 12 digits.
    digits
        Digits of the running number.
    taken
        Codes in use, or used before; those of other communities do not matter.

    Returns
    -------
    One code for each cell, in the order of `polygons`.

    Raises
    ------
    FormatError
        If the prefix or a taken code is malformed or the numbers do not suffice.
    GeometryError
        If a cell is empty.
    """
    _require_prefix(prefix)
    _require_digits(digits)
    codes = (UnitGridCode.parse(code, digits=digits) for code in taken)
    used = {code.sequence for code in codes if code.prefix == prefix}
    free = [number for number in range(1, 10**digits) if number not in used]
    if len(polygons) > len(free):
        raise FormatError(
            "Expected at most {free} new cells in {prefix}, for want of {digits}-digit numbers; "
            "found {count}.",
            free=len(free),
            prefix=prefix,
            digits=digits,
            count=len(polygons),
        )
    numbered = [""] * len(polygons)
    for number, position in zip(free, reading_order(polygons), strict=False):
        numbered[position] = UnitGridCode(prefix, number, digits).format()
    return numbered


def reading_order(polygons: Any) -> NDArray[np.intp]:
    """Order polygons from the north-west: in rows, the first eastwards, the next back westwards and so on.

    So neighbouring numbers are neighbours on the map. A row is as high as a typical polygon is wide.

    Parameters
    ----------
    polygons
        EPSG:4326, shape (n,).

    Returns
    -------
    Positions in reading order, shape (n,).

    Raises
    ------
    GeometryError
        If a polygon is missing or empty.
    """
    shapes = np.asarray(list(polygons), dtype=object)
    if not shapes.size:
        return np.zeros(0, dtype=np.intp)
    bad = np.flatnonzero(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if bad.size:
        raise GeometryError(
            "Expected cells with ground; found none in cell {position}.", position=int(bad[0])
        )
    metric = LocalProjection.around(shapes).forward(shapes)
    x, y = shapely.get_coordinates(shapely.centroid(metric)).T
    height = max(float(np.sqrt(np.median(shapely.area(metric)))), 1.0)
    row = np.floor((y.max() - y) / height + 0.5).astype(np.intp)
    return np.lexsort((-y, np.where(row % 2, -x, x), row))


def _require_prefix(prefix: str) -> None:
    if not re.fullmatch(rf"[0-9]{{{PREFIX_DIGITS}}}", prefix):
        raise FormatError(
            "Expected a code of 12 digits (county 6, subdistrict 3, community 3); found {found}.",
            found=repr(prefix),
        )
    if int(prefix[:2]) not in _PROVINCES:
        raise FormatError(
            "Expected a code that begins with a province, 11 to 82; found {found}.", found=repr(prefix)
        )


def _require_digits(digits: int) -> None:
    if not 1 <= digits <= MOST_DIGITS:
        raise FormatError("Expected 1 to 6 digits for the cell number; found {found}.", found=digits)
