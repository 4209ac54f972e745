"""What a found problem costs: numbers in a file that comes with the package, and an installation's own.

The headquarters of a city scores after its own manual: ``<data folder>/deductions.toml`` replaces the
package's numbers one by one. It is read for every page, so that a change counts at once and everywhere.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.travel import Profile
from gridmap.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["FILE", "DeductionTable", "Stated", "read_stated", "read_table", "usual_table"]

FILE = "deductions.toml"
_HEADING = re.compile(r"\s*\[\s*(\w+)\s*\]")
_REMARK = re.compile(r"\s*[\"']?(\w+)[\"']?\s*=[^#]*#(.*)")
_SEVERITIES = ("1", "2", "3", "4", "5")
_RANGES: Mapping[str, tuple[float, float]] = {
    "points": (0.0, 100.0),
    "hours": (0.1, 999.0),
    "chance": (0.0, 1.0),
    "place.most_points": (0.1, 100.0),
    "place.metres": (50.0, 10_000.0),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeductionTable:
    """The numbers.

    Attributes
    ----------
    points, hours
        By severity, 0 to 5, shape (6,).
    passing
        Chance that somebody who goes past sees what is at the kerb; half of it at the edge of sight.
    at_stop, at_stop_hidden
        Chance that who stops and walks about sees what is near; behind a building less.
    still_there
        Chance that what is reported as fixed turns out not to be.
    most_points, place_m
        The most that one place loses; between stops, so many metres of the way are one place.
    """

    points: NDArray[np.float64]
    hours: NDArray[np.float64]
    passing: Mapping[Profile, float]
    at_stop: float
    at_stop_hidden: float
    still_there: float
    most_points: float
    place_m: float


@cache
def usual_table() -> DeductionTable:
    """Return the package's numbers."""
    return _table(_numbers(files("gridmap.inspections") / FILE, {}))


def read_table(folder: Path) -> DeductionTable:
    """Return the numbers of an installation, with the package's where it says nothing.

    Parameters
    ----------
    folder
        The data folder.

    Raises
    ------
    InvalidValueError
        Naming the file, the number, what was expected and what was found.
    """
    own = folder / FILE
    if not own.is_file():
        return usual_table()
    return _table(_numbers(own, _numbers(files("gridmap.inspections") / FILE, {})))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A number, where it is from, and what its file says beside it.

    Attributes
    ----------
    value
        That counts.
    usual
        The package's.
    own
        Whether the installation's file states it.
    remark
        The comment on its line, such as the paragraph of a manual; empty: none.
    """

    value: float
    usual: float
    own: bool
    remark: str


def read_stated(folder: Path | None) -> dict[str, Stated]:
    """Return the numbers that count by their names, such as ``points.3``.

    Parameters
    ----------
    folder
        The data folder; None: the package's numbers alone.

    Raises
    ------
    InvalidValueError
        As `read_table`.
    """
    package, own = files("gridmap.inspections") / FILE, folder / FILE if folder else None
    usual = _numbers(package, {})
    values, stated = usual, set()
    remarks = _remarks(package.read_text(encoding="utf-8"))
    if own is not None and own.is_file():
        values = _numbers(own, usual)
        text = own.read_text(encoding="utf-8")
        stated = {f"{group}.{name}" for group, part in tomllib.loads(text).items() for name in part}
        remarks |= dict.fromkeys(stated, "") | _remarks(text)
    return {
        key: Stated(value=value, usual=usual[key], own=key in stated, remark=remarks.get(key, ""))
        for key, value in values.items()
    }


def _remarks(text: str) -> dict[str, str]:
    """Comments at the ends of lines that state a number, by its name."""
    group, found = "", {}
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            group = heading[1]
        elif remark := _REMARK.match(line):
            found[f"{group}.{remark[1]}"] = remark[2].strip()
    return found


def _numbers(file: Traversable, known: Mapping[str, float]) -> dict[str, float]:
    try:
        read: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidValueError(
            "{file} cannot be read as TOML: {reason}", parameter=FILE, file=FILE, reason=str(error)
        ) from error
    found = dict(known)
    for group, values in read.items():
        for name, value in (values if isinstance(values, dict) else {"": values}).items():
            key = f"{group}.{name}"
            span = _RANGES.get(key) or (_RANGES.get(group) if not known or key in known else None)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if span is None or (known and key not in known):
                raise InvalidValueError(
                    "{file}: there is no number {key}. Expected one of {known}.",
                    parameter=FILE,
                    file=FILE,
                    key=key,
                    known=", ".join(known),
                )
            if not number or not span[0] <= value <= span[1]:
                raise InvalidValueError(
                    "{file}: expected {key} from {least} to {most}; found {found!r}.",
                    parameter=FILE,
                    file=FILE,
                    key=key,
                    least=span[0],
                    most=span[1],
                    found=value,
                )
            found[key] = float(value)
    return found


def _table(numbers: Mapping[str, float]) -> DeductionTable:
    return DeductionTable(
        points=np.array([0.0, *(numbers[f"points.{one}"] for one in _SEVERITIES)]),
        hours=np.array([0.0, *(numbers[f"hours.{one}"] for one in _SEVERITIES)]),
        passing={profile: numbers[f"chance.{profile.value}"] for profile in Profile},
        at_stop=numbers["chance.at_stop"],
        at_stop_hidden=numbers["chance.at_stop_hidden"],
        still_there=numbers["chance.still_there"],
        most_points=numbers["place.most_points"],
        place_m=numbers["place.metres"],
    )
