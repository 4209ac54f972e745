"""Which days are worked, as files: one a year, with the holidays and make-up working days of that year.

A file is named after its year, ``2026.csv``, and its rows after a heading are a date, what it is, and the
holiday's name. Only days that differ from Monday to Friday must be listed::

    date,day,name
    2026-02-14,working,春节
    2026-02-15,holiday,春节

Source of the files that come with the package: the yearly notices of the General Office of the State Council
on the arrangement of holidays (国务院办公厅关于部分节假日安排的通知), for 2020 with the extension of the
Spring Festival. An installation puts the next year's file, or one that replaces a year, into
``<data folder>/calendars``.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING

from gridmap.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path


__all__ = ["DayList", "listed_days", "read_days"]

_FILE = re.compile(r"(\d{4})\.csv")
_KINDS = {
    "working": True,
    "work": True,
    "上班": True,
    "班": True,
    "调休上班": True,
    "holiday": False,
    "rest": False,
    "放假": False,
    "休": False,
    "休假": False,
}


@dataclass(frozen=True, slots=True)
class DayList:
    """What the files say."""

    days: Mapping[date, bool]
    """Whether a listed day is worked."""
    years: frozenset[int]
    """Years that have a file."""
    faults: tuple[InvalidValueError, ...] = ()
    """Why files of this installation are left aside."""


def listed_days(folder: Path) -> DayList:
    """Read the package's files, and those of an installation, which replace them year by year.

    A file that cannot be read is left aside and said to be: a mistyped date must not stop anybody from
    recording a problem.
    """
    years = dict(_found(files("gridmap.deadlines") / "calendars"))
    days = {year: read_days(file, year) for year, file in years.items()}
    faults: list[InvalidValueError] = []
    for year, file in _found(folder) if folder.is_dir() else ():
        try:
            days[year] = read_days(file, year)
        except InvalidValueError as error:
            faults.append(error)
    merged = {day: worked for year in sorted(days) for day, worked in days[year].items()}
    return DayList(merged, frozenset(days), tuple(faults))


def read_days(file: Traversable, year: int) -> dict[date, bool]:
    """Read one year's file: whether each listed day is worked.

    Raises
    ------
    InvalidValueError
        Naming the file, the line, what was expected and what was found.
    """
    rows = csv.reader(_text(file.read_bytes(), file.name).splitlines())
    next(rows, None)
    days: dict[date, bool] = {}
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        day, kind = (*(cell.strip() for cell in row), "", "")[:2]
        try:
            at = date(*map(int, re.split(r"[-/.]", day)))
        except (TypeError, ValueError):
            at = None
        if at is None or at.year != year or kind not in _KINDS or at in days:
            raise InvalidValueError(
                "Expected a new day of {year}, working or holiday, in line {line} of {file}; found {found}.",
                year=year,
                line=rows.line_num,
                file=file.name,
                found=",".join(row),
            )
        days[at] = _KINDS[kind]
    return days


def _text(raw: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidValueError("Expected text in UTF-8 or GB 18030 in {file}.", file=name)


def _found(folder: Traversable | Path) -> Iterator[tuple[int, Traversable]]:
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        named = _FILE.fullmatch(file.name)
        if named and 1970 <= int(named[1]) <= 2200:
            yield int(named[1]), file
