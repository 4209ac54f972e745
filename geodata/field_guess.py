"""Which column of a stranger's table is meant by which field."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    _Fits = Callable[[tuple[str, ...], tuple[str, ...]], bool]

__all__ = ["COORDINATE_FIELDS", "guess_fields"]

COORDINATE_FIELDS: Mapping[str, Sequence[str]] = {
    "lon": ("经度", "lon", "lng", "long", "longitude", "东经", "x", "x坐标", "横坐标", "东坐标", "easting"),
    "lat": ("纬度", "lat", "latitude", "北纬", "y", "y坐标", "纵坐标", "北坐标", "northing"),
    "pair": (
        "经纬度",
        "坐标",
        "lnglat",
        "lonlat",
        "latlng",
        "coordinates",
        "coordinate",
        "位置坐标",
        "坐标点",
    ),
    "wkt": ("wkt", "geometry", "geom", "the_geom", "几何", "空间数据"),
}
"""Synonyms of the columns that hold a place, for `guess_fields` and `geodata.coordinates.coordinates_of`."""

_NOTE = re.compile(r"[(\[{【（<〈].*?[)\]}】）>〉]")
_WORD = re.compile(r"[a-z]+|\d+|[\u3400-\u9fff]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HAN = re.compile(r"[\u3400-\u9fff]")


def guess_fields(columns: Sequence[str], targets: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Give each target the column that fits best; a column goes to one target only.

    Case, width, blanks, punctuation and notes in brackets do not matter. A column fits a synonym exactly,
    or begins with it, or contains it: Latin synonyms as whole words (``gps_lat`` but not ``plate``), Chinese
    ones of two characters or more anywhere. Better fits are given first; among equal ones, targets and
    their synonyms in the order given, then columns from the left.

    Parameters
    ----------
    columns
        Names of the columns.
    targets
        Field wanted: its names in use, most telling first.

    Returns
    -------
    dict
        Every target, with its column or None.
    """
    guess: dict[str, str | None] = dict.fromkeys(targets)
    taken: set[str] = set()
    words = {column: _words(column) for column in columns}
    for fits in (_is, _begins, _contains):
        for target, column in _pairs(words, targets, fits):
            if guess[target] is None and column not in taken:
                guess[target] = column
                taken.add(column)
    return guess


def _pairs(
    words: Mapping[str, tuple[str, ...]], targets: Mapping[str, Sequence[str]], fits: _Fits
) -> Iterator[tuple[str, str]]:
    for target, synonyms in targets.items():
        for synonym in synonyms:
            meant = _words(synonym)
            yield from ((target, column) for column, found in words.items() if meant and fits(found, meant))


def _words(name: str) -> tuple[str, ...]:
    """Cut a name into runs of letters, digits or Han characters; a bracketed note counts only if all is."""
    plain = _CAMEL.sub(" ", unicodedata.normalize("NFKC", name)).lower()
    return tuple(_WORD.findall(_NOTE.sub(" ", plain))) or tuple(_WORD.findall(plain))


def _is(found: tuple[str, ...], meant: tuple[str, ...]) -> bool:
    return "".join(found) == "".join(meant)


def _begins(found: tuple[str, ...], meant: tuple[str, ...]) -> bool:
    if _long_han(meant):
        return "".join(found).startswith("".join(meant))
    return not _short(meant) and found[: len(meant)] == meant


def _contains(found: tuple[str, ...], meant: tuple[str, ...]) -> bool:
    if _long_han(meant):
        return "".join(meant) in "".join(found)
    starts = range(len(found) - len(meant) + 1)
    return not _short(meant) and any(found[start : start + len(meant)] == meant for start in starts)


def _long_han(meant: tuple[str, ...]) -> bool:
    return len("".join(meant)) > 1 and all(map(_HAN.match, meant))


def _short(meant: tuple[str, ...]) -> bool:
    return len("".join(meant)) == 1
