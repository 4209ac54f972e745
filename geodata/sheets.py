"""Tables from spreadsheets and delimited text."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from statistics import median_low
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from python_calamine import CalamineError, CalamineWorkbook

from geodata.errors import FormatError
from geodata.header_row import column_names, find_header
from geodata.table import Table
from geodata.text_encoding import detect_encoding, known_encoding

if TYPE_CHECKING:
    from pathlib import Path

    from geodata.limits import Limits

__all__ = ["read_delimited", "read_spreadsheet"]

_DELIMITERS = (",", "\t", ";", "|")
_HEAD = 256_000
_LONGEST_WHOLE_FLOAT = 2**53


def read_spreadsheet(path: Path, *, sheet: str | None, header_row: int | None, limits: Limits) -> Table:
    """Read one sheet of an xlsx, xls or ods workbook; the first visible one unless named.

    Vertically merged cells are filled with their value. Formulas count with the value last computed.
    """
    data = limits.read(path)
    if data.startswith(b"PK"):
        try:
            limits.check_unpacked(zipfile.ZipFile(io.BytesIO(data)), path)
        except zipfile.BadZipFile as error:
            raise _no_workbook(path, str(error)) from error
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = tuple(workbook.sheet_names)
        visible = [s.name for s in workbook.sheets_metadata if "Visible" in str(s.visible)]
        chosen = _choose(sheet, names, (visible or names)[0])
        source = workbook.get_sheet_by_name(chosen)
        merged = source.merged_cell_ranges or []
        rows = [[_cell(cell) for cell in row] for row in source.to_python(skip_empty_area=False)]
    except CalamineError as error:
        raise _no_workbook(path, str(error)) from error
    _fill_merged(rows, merged)
    if header_row is None:
        header = find_header(rows)
        # A header of two lines merges the cells that need but one: its last line names the columns.
        header = max([header, *(last for (first, _), (last, _) in merged if first == header)])
    else:
        header = header_row - 1
    if not 0 <= header < len(rows):
        raise FormatError(
            "Expected row {row} in {path}; it has {rows}.", row=header + 1, path=path.name, rows=len(rows)
        )
    limits.check_rows(len(rows) - header - 1, path)
    columns = column_names(rows[header])
    frame = pd.DataFrame(rows[header + 1 :], columns=columns, dtype=object)
    numbers = np.arange(header + 2, len(rows) + 1, dtype=np.int64)
    return Table(frame, None, numbers, header_row=header + 1, layer=chosen, layers=names)


def read_delimited(path: Path, *, encoding: str | None, header_row: int | None, limits: Limits) -> Table:
    """Read delimited text (comma, tab, semicolon or bar; plain or gzipped). Every cell stays text."""
    data = limits.read(path)
    if path.suffix.lower() == ".gz":
        try:
            with gzip.open(io.BytesIO(data)) as stream:
                data = limits.read_stream(stream, path)
        except (OSError, EOFError, zlib.error) as error:
            raise FormatError(
                "Expected a whole gzip file; {path} cannot be unpacked: {problem}.",
                path=path.name,
                problem=str(error),
            ) from error
    name = known_encoding(encoding) if encoding else detect_encoding([data])
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        raise FormatError(
            "Expected text in {encoding}; {path} is not, at byte {byte}.",
            encoding=name,
            path=path.name,
            byte=error.start,
        ) from error
    delimiter = _delimiter(text[:_HEAD])
    header, cells, start = _header(text[:_HEAD], delimiter, header_row)
    columns = column_names(cells)
    frame = _parse(text[start:], delimiter, columns, first_row=header + 2, path=path, limits=limits)
    numbers = np.arange(header + 2, header + 2 + len(frame), dtype=np.int64)
    return Table(frame, None, numbers, header_row=header + 1, encoding=name)


def _no_workbook(path: Path, problem: str) -> FormatError:
    return FormatError(
        "Expected an Excel or OpenDocument workbook; {path} cannot be read: {problem}. "
        "Web pages saved under such a name must be saved anew as .xlsx.",
        path=path.name,
        problem=problem,
    )


def _choose(wanted: str | None, names: tuple[str, ...], default: str) -> str:
    if wanted is None:
        return default
    if wanted not in names:
        raise FormatError(
            "Expected one of the sheets {sheets}; found {found!r}.", sheets=", ".join(names), found=wanted
        )
    return wanted


def _cell(cell: Any) -> Any:
    if cell == "" and isinstance(cell, str):
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _LONGEST_WHOLE_FLOAT:
        return int(cell)
    return cell


def _fill_merged(rows: list[list[Any]], merged: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    for (top, column), (bottom, _) in merged:
        for row in range(top + 1, min(bottom + 1, len(rows))):
            rows[row][column] = rows[top][column]


def _delimiter(head: str) -> str:
    """Choose the delimiter that most lines have most of."""
    lines = [line for line in head.splitlines()[:50] if line.strip()]
    counts = {mark: median_low([line.count(mark) for line in lines] or [0]) for mark in _DELIMITERS}
    return max(_DELIMITERS, key=lambda mark: counts[mark])


def _header(head: str, delimiter: str, header_row: int | None) -> tuple[int, list[str], int]:
    """Index and cells of the header, and where the data begin in the text."""
    lines = list(io.StringIO(head, newline=""))
    reader = csv.reader(lines, delimiter=delimiter)
    rows, ends = [], []
    for row in reader:
        rows.append(row)
        ends.append(reader.line_num)
    header = find_header(rows) if header_row is None else header_row - 1
    if not 0 <= header < len(rows):
        raise FormatError("Expected row {row} to name the columns; there is none.", row=header + 1)
    return header, rows[header], sum(map(len, lines[: ends[header]]))


def _parse(
    text: str, delimiter: str, columns: list[str], *, first_row: int, path: Path, limits: Limits
) -> pd.DataFrame:
    try:
        frame = pd.read_csv(
            io.BytesIO(text.encode()),
            sep=delimiter,
            header=None,
            # One column more than named shows the row with a cell too many.
            names=range(len(columns) + 1),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=False,
            nrows=limits.rows + 1,
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=columns, dtype=object)
    except pd.errors.ParserError as error:
        raise FormatError(
            "Expected {count} cells in every row of {path}: {problem} (lines counted from row {row}).",
            count=len(columns),
            path=path.name,
            problem=str(error).rpartition("C error: ")[2].strip(),
            row=first_row,
        ) from error
    limits.check_rows(len(frame), path)
    over = np.flatnonzero(frame.iloc[:, -1].notna())
    if len(over):
        raise FormatError(
            "Expected {count} cells in every row of {path}; found more in row {row}.",
            count=len(columns),
            path=path.name,
            row=first_row + int(over[0]),
        )
    return frame.iloc[:, :-1].set_axis(columns, axis="columns")
