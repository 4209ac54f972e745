"""A table as its file holds it."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geodata.errors import FormatError
from geodata.header_row import is_blank

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Table", "as_text"]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of a file, before anybody said what they mean.

    Attributes
    ----------
    frame
        One column a field, n rows: text, numbers and times as the file has them (all text from CSV).
    geometry
        Shape (n,), shapely geometries in the file's own numbers, or None where the file has no geometry.
    row_numbers
        Shape (n,): the number of each row as its user sees it, from 1: spreadsheet row, or feature.
    header_row
        Row that names the columns, from 1; None where the format has field names of its own.
    layer, layers
        Layer or sheet that was read, and all there are; None and empty for CSV.
    encoding
        Encoding the text was read in; None where the format has but one.
    crs
        CRS the file declares: authority code where it has one, else WKT; None where it declares none.
    """

    frame: pd.DataFrame
    geometry: NDArray[np.object_] | None
    row_numbers: NDArray[np.int64]
    header_row: int | None = None
    layer: str | None = None
    layers: tuple[str, ...] = ()
    encoding: str | None = None
    crs: str | None = None

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the fields."""
        return tuple(self.frame.columns)

    def text(self, column: str) -> NDArray[np.object_]:
        """One field as stripped text, shape (n,), None where blank; 13800000000.0 reads 13800000000.

        Raises
        ------
        FormatError
            If there is no such field.
        """
        if column not in self.frame.columns:
            raise FormatError(
                "Expected one of the columns {columns}; found {found!r}.",
                columns=", ".join(self.columns),
                found=column,
            )
        return as_text(self.frame[column])

    def without_empty_rows(self) -> Table:
        """Leave out rows without any value and geometry."""
        empty = np.ones(len(self.frame), dtype=np.bool_)
        if self.geometry is not None:
            empty &= shapely.is_missing(self.geometry)
        for name in self.frame.columns:
            # Only where all else was empty: most rows are settled by the first column.
            rows = np.flatnonzero(empty)
            empty[rows] = _blank(self.frame[name].iloc[rows])
        if not empty.any():
            return self
        return Table(
            self.frame[~empty].reset_index(drop=True),
            None if self.geometry is None else self.geometry[~empty],
            self.row_numbers[~empty],
            self.header_row,
            self.layer,
            self.layers,
            self.encoding,
            self.crs,
        )


def as_text(values: pd.Series[Any]) -> NDArray[np.object_]:
    """Cells as stripped text, shape (n,), None where blank. Whole numbers lose their decimal point."""
    if values.dtype == object:
        return np.array([*map(_text, values), None], dtype=object)[:-1]
    if pd.api.types.is_string_dtype(values):
        stripped = values.str.strip()
        texts = np.array(stripped, dtype=object)
        texts[(stripped.isna() | stripped.eq("")).to_numpy(dtype=np.bool_)] = None
        return texts
    codes, cells = pd.factorize(values)
    return np.array([*map(_text, cells), None], dtype=object)[codes]


def _blank(values: pd.Series[Any]) -> NDArray[np.bool_]:
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return values.isna().to_numpy()
    return np.fromiter(map(is_blank, values), dtype=np.bool_, count=len(values)) | values.isna().to_numpy()


def _text(cell: Any) -> str | None:
    if is_blank(cell) or cell is pd.NaT or cell is pd.NA:
        return None
    if isinstance(cell, float | np.floating):
        if math.isnan(cell):
            return None
        return str(int(cell)) if float(cell).is_integer() else repr(float(cell))
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell).strip()
