"""Tables from the files people have: GIS layers, spreadsheets, delimited text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from geodata.errors import FormatError
from geodata.limits import Limits
from geodata.sheets import read_delimited, read_spreadsheet
from geodata.table import Table, as_text

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

__all__ = ["Limits", "Table", "as_text", "read_table"]

_LAYERS = (".gpkg", ".geojson", ".json", ".shp")
_SHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
_TEXTS = (".csv", ".tsv", ".txt")


def read_table(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    header_row: int | None = None,
    fill_down: Sequence[str] = (),
    limits: Limits | None = None,
) -> Table:
    """Read a table; rows without any value are left out, the others keep their row numbers.

    Parameters
    ----------
    path
        ``.gpkg``, ``.geojson``, ``.json``, ``.shp``, ``.zip`` (of these), ``.xlsx``, ``.xlsm``, ``.xls``,
        ``.ods``, ``.csv``, ``.tsv``, ``.txt`` (the last three also with ``.gz``).
    layer, sheet
        Which layer or sheet; the first one by default.
    encoding
        Encoding of a Shapefile or of delimited text; detected by default.
    header_row
        Row of a sheet that names the columns, from 1; found by default.
    fill_down
        Columns in which a blank cell means the same as the cell above.
    limits
        How much is read at most.

    Raises
    ------
    FormatError
        The file is missing, of another format than its name says, too large, or has no table.
    """
    source = Path(path)
    limits = limits or Limits()
    if not source.is_file():
        raise FormatError("Expected a file; found none at {path}.", path=str(source))
    suffix = Path(source.stem).suffix.lower() if source.suffix.lower() == ".gz" else source.suffix.lower()
    if suffix in (*_LAYERS, ".zip") and source.suffix.lower() != ".gz":
        from geodata.vector_files import read_vector

        table = read_vector(source, layer=layer, encoding=encoding, limits=limits)
    elif suffix in _SHEETS and source.suffix.lower() != ".gz":
        table = read_spreadsheet(source, sheet=sheet, header_row=header_row, limits=limits)
    elif suffix in _TEXTS:
        table = read_delimited(source, encoding=encoding, header_row=header_row, limits=limits)
    else:
        raise FormatError(
            "Expected a file of the kinds {kinds}; found {path}.",
            kinds=", ".join((*_LAYERS, ".zip", *_SHEETS, *_TEXTS)),
            path=source.name,
        )
    table = table.without_empty_rows()
    for column in fill_down:
        table.frame[column] = table.frame[column].mask(pd.isna(table.text(column))).ffill()
    return table
