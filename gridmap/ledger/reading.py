"""An edited ledger as lines: what stands in the file, before it is held against the store."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gridmap.errors import InvalidValueError
from gridmap.ledger.columns import COLUMNS, Kind
from gridmap.ledger.rows import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MOST_ROWS", "FileRow", "LedgerFile", "open_ledger"]

MOST_ROWS = 5000
"""Lines of a ledger that may come back at once."""
_MOST_BYTES = 400_000_000
_SEARCHED = 20
_HALF = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class FileRow:
    """One line of the file. `number` is its row there; `values` are by the names in `COLUMNS`."""

    number: int
    uid: str
    version: str
    check: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """The lines, the columns that are there, the language of the headings, and headings of other columns."""

    rows: list[FileRow]
    names: tuple[str, ...]
    language: str
    strange: tuple[str, ...] = ()


def open_ledger(file: Path) -> LedgerFile:
    """Read an edited ledger.

    Raises
    ------
    InvalidValueError
        If the file is no workbook, no ledger that was exported here, or has too many lines.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(file) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size > _MOST_BYTES:
            raise InvalidValueError(
                "Expected a workbook of at most {most} MB when it is unpacked; found {found} MB.",
                parameter="file",
                most=_MOST_BYTES // 1_000_000,
                found=size // 1_000_000,
            )
        book = load_workbook(file, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise InvalidValueError(
            "Expected an Excel workbook (.xlsx); this file cannot be read as one.", parameter="file"
        ) from error
    try:
        for sheet in book.worksheets:
            found = _lines(sheet)
            if found is not None:
                return found
    finally:
        book.close()
    raise InvalidValueError(
        "Expected a ledger that was exported here, with its hidden columns; found none.", parameter="file"
    )


def _lines(sheet: Any) -> LedgerFile | None:
    rows = enumerate(sheet.iter_rows(values_only=True), 1)
    for _, heads in zip(range(_SEARCHED), rows, strict=False):
        cells = [str(cell).strip() if cell is not None else "" for cell in heads[1]]
        if set(HIDDEN) <= set(cells):
            return _read(rows, cells)
    return None


def _read(rows: Iterator[tuple[int, tuple[Any, ...]]], heads: list[str]) -> LedgerFile:
    english = {column.english: column for column in COLUMNS.values()}
    chinese = {column.chinese: column for column in COLUMNS.values()}
    in_english = sum(head in english for head in heads) > sum(head in chinese for head in heads)
    by_title = english if in_english else chinese
    at = {by_title[head].name: i for i, head in enumerate(heads) if head in by_title}
    names = tuple(name for name in at if COLUMNS[name].kind is not Kind.PHOTO)
    uid, version, check = (heads.index(name) for name in HIDDEN)
    found: list[FileRow] = []
    for number, cells in rows:
        if not any(cell not in {None, ""} for cell in cells):
            continue
        if len(found) >= MOST_ROWS:
            raise InvalidValueError(
                "Expected at most {most} lines; export and bring back a part.",
                parameter="file",
                most=MOST_ROWS,
            )
        given = (*cells, *([None] * (len(heads) - len(cells))))
        found.append(
            FileRow(
                number,
                str(given[uid] or "").strip(),
                str(given[version] or "").strip(),
                str(given[check] or "").strip(),
                {name: _value(given[at[name]]) for name in names},
            )
        )
    strange = tuple(head for head in heads if head and head not in by_title and head not in HIDDEN)
    return LedgerFile(found, names, "en" if in_english else "zh_CN", strange)


def _value(cell: Any) -> Any:
    # Spreadsheets keep times as fractions of days, which may fall just short of the minute.
    return (cell + _HALF).replace(second=0, microsecond=0) if isinstance(cell, datetime) else cell
