"""What a column may hold: each kind of field turns text into values and says what is wrong with the rest.

Every parser takes the column as text (shape (n,), None where blank) and returns an array of the same shape:
objects, None where there is nothing, or times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.errors import InvalidValueError
from gridmap.hours import parse_hours
from gridmap.language import current_language
from gridmap.patrols.rhythm import Rhythm

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from gridmap.imports.faults import Faults

__all__ = ["Field", "choice", "day", "hours", "integer", "moment", "phone", "rhythm", "text"]

Words = Any
Parser = Callable[[Words, str, "Faults"], "NDArray[Any]"]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a table can tell.

    Parameters
    ----------
    name
        Name in the code and in a stated mapping.
    synonyms
        Headings by which it is recognised, Chinese and English.
    parse
        Turns the column into values.
    required
        Whether the file must have the column and every row a value.
    """

    name: str
    synonyms: Sequence[str]
    parse: Parser
    required: bool = False
    default: Any = field(default=None)

    @property
    def title(self) -> str:
        """What such a column is usually called, in the reader's language."""
        if current_language() == "zh_CN":
            return next((word for word in self.synonyms if not word.isascii()), self.name)
        return self.name.replace("_", " ")

    def read(self, words: Words | None, heading: str, faults: Faults) -> NDArray[Any]:
        """Parse a column, or fill the default where there is none; refuse rows that lack a required value."""
        if words is None:
            return np.full(faults.size, self.default, dtype=object)
        values = self.parse(words, heading, faults)
        empty = pd.isna(values)
        if self.required:
            faults.add(empty, "Row without {column}.", column=heading, found=values)
        elif self.default is not None:
            values[empty] = self.default
        return values


def text(longest: int = 200) -> Parser:
    """Text of a greatest length."""

    def parse(words: Words, heading: str, faults: Faults) -> NDArray[Any]:
        length = pd.Series(words, dtype=object).str.len().fillna(0).to_numpy()
        faults.add(
            length > longest,
            "{column}: expected at most {longest} characters; found “{found}”.",
            column=heading,
            found=words,
            longest=str(longest),
        )
        return np.asarray(words, dtype=np.object_)

    return parse


def integer(least: int, most: int) -> Parser:
    """Whole number in a range."""

    def parse(words: Words, heading: str, faults: Faults) -> NDArray[Any]:
        numbers = pd.to_numeric(pd.Series(words, dtype=object), errors="coerce").to_numpy(dtype=float)
        given = ~pd.isna(words)
        bad = given & ~((numbers >= least) & (numbers <= most) & (numbers == np.floor(numbers)))
        faults.add(
            bad,
            "{column}: expected a whole number from {least} to {most}; found “{found}”.",
            column=heading,
            found=words,
            least=str(least),
            most=str(most),
        )
        values = np.full(len(words), None, dtype=object)
        good = given & ~bad
        values[good] = numbers[good].astype(int)
        return values

    return parse


def _times(column: Words) -> pd.Series[Any]:
    words = pd.Series(column, dtype=object)
    plain = (
        words.str.replace(r"[年月]", "-", regex=True)
        .str.replace("日", " ")
        .str.replace(r"[时点]", ":", regex=True)
        .str.replace("分", "")
        .str.strip()
        .str.rstrip(":")
    )
    return pd.to_datetime(plain, errors="coerce", format="ISO8601").where(
        lambda t: t.notna() | words.isna(), pd.to_datetime(plain, errors="coerce", format="mixed")
    )


def moment(zone: tzinfo) -> Parser:
    """Date and time, local to `zone` if without an offset, as datetime64[us] in UTC, NaT where blank."""

    def parse(words: Words, heading: str, faults: Faults) -> NDArray[Any]:
        times = _times(words)
        faults.add(
            (times.isna() & ~pd.isna(words)).to_numpy(),
            "{column}: expected a date and time such as 2026-05-09 08:30; found “{found}”.",
            column=heading,
            found=words,
        )
        if times.dt.tz is None:
            # The hour that comes twice in autumn is its first; one that never was moves forward.
            first = np.ones(len(times), dtype=bool)
            times = times.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
        return np.asarray(times.dt.tz_convert(UTC).dt.tz_localize(None), dtype="datetime64[us]")

    return parse


def day() -> Parser:
    """Calendar day, as dates."""

    def parse(words: Words, heading: str, faults: Faults) -> NDArray[Any]:
        times = _times(words)
        faults.add(
            (times.isna() & ~pd.isna(words)).to_numpy(),
            "{column}: expected a day such as 2026-05-09; found “{found}”.",
            column=heading,
            found=words,
        )
        return np.array([None if pd.isna(t) else t.date() for t in times], dtype=object)

    return parse


def choice(names: Mapping[str, Any], *, expected: str) -> Parser:
    """One of a list of words, compared without case and blanks; `expected` names them in messages."""
    known = {_plain(word): value for word, value in names.items()}

    def parse(words: Words, heading: str, faults: Faults) -> NDArray[Any]:
        codes, distinct = pd.factorize(pd.Series(words, dtype=object), use_na_sentinel=True)
        values = np.array([*(known.get(_plain(word)) for word in distinct), None], dtype=object)[codes]
        faults.add(
            pd.isna(values) & ~pd.isna(words),
            "{column}: expected one of {expected}; found “{found}”.",
            column=heading,
            found=words,
            expected=expected,
        )
        return values

    return parse


def hours() -> Parser:
    """Hours of the day, as `gridmap.hours.parse_hours` reads them; kept as they are written."""
    fitting = text(100)

    def parse(words: Words, heading: str, faults: Faults) -> NDArray[Any]:
        codes, distinct = pd.factorize(pd.Series(words, dtype=object), use_na_sentinel=True)
        faults.add(
            np.array([*map(_unread, distinct), False])[codes],
            "{column}: expected hours such as 08:00-12:00,14:00-18:00; found “{found}”.",
            column=heading,
            found=words,
        )
        return fitting(words, heading, faults)

    return parse


def rhythm() -> Parser:
    """How often, as `gridmap.patrols.rhythm.Rhythm` reads it, written as 2/1; None where blank."""

    def parse(words: Words, heading: str, faults: Faults) -> NDArray[Any]:
        codes, distinct = pd.factorize(pd.Series(words, dtype=object), use_na_sentinel=True)
        read = [_rhythm(str(word)) for word in distinct]
        faults.add(
            np.array([*(one is None for one in read), False])[codes],
            "{column}: expected a frequency such as 2/1, 每日2次 or 每三天一次; found “{found}”.",
            column=heading,
            found=words,
        )
        return np.array([*read, None], dtype=object)[codes]

    return parse


def _rhythm(word: str) -> str | None:
    try:
        return str(Rhythm.parse(word, parameter="rhythm"))
    except InvalidValueError:
        return None


def _unread(word: str) -> bool:
    try:
        parse_hours(word)
    except InvalidValueError:
        return True
    return False


def _plain(word: object) -> str:
    return "".join(str(word).lower().split()).replace("_", "").replace("-", "")


def phone() -> Parser:
    """Telephone number: digits, with the blanks, dashes and brackets people write left out."""

    def parse(words: Words, heading: str, faults: Faults) -> NDArray[Any]:
        numbers = pd.Series(words, dtype=object).str.replace(r"\.0$", "", regex=True)
        numbers = numbers.str.replace(r"[\s\-()（）]", "", regex=True)
        given: NDArray[np.bool_] = np.asarray(~pd.isna(words))
        bad: NDArray[np.bool_] = given & ~np.asarray(
            numbers.fillna("").str.fullmatch(r"\+?\d{5,15}"), dtype=bool
        )
        faults.add(
            bad,
            "{column}: expected a telephone number of 5 to 15 digits; found “{found}”.",
            column=heading,
            found=words,
        )
        values = np.array(numbers, dtype=object)
        values[~given | bad] = None
        return values

    return parse
