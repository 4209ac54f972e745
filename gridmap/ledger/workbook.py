"""The ledger as an Excel workbook, written line by line so that its size does not matter."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.drawing.image import Image as SheetImage
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image

from gridmap.labels import label
from gridmap.language import gettext
from gridmap.ledger.columns import Kind
from gridmap.ledger.rows import HIDDEN, clean, fingerprint
from gridmap.problems.models import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from gridmap.ledger.columns import Column
    from gridmap.ledger.rows import LedgerRow

__all__ = ["FORMAT", "HEAD_ROW", "LedgerBook", "head_row", "safe", "write_rows"]

FORMAT = "gridmap-ledger-1"
HEAD_ROW = 3
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_PHOTO_HEIGHT = 90
_HEAD, _BACK = PatternFill("solid", fgColor="E7EFEE"), PatternFill("solid", fgColor="FFF6DD")
_THIN = Side(style="thin", color="C3CCC9")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


@dataclass(frozen=True, slots=True)
class LedgerBook:
    """What stands above the lines.

    Parameters
    ----------
    title, about
        Title, and one line that says of what, when and by whom.
    columns
        Which columns.
    photos
        Files of a problem's photos before and after, by case number; called once per slice.
    """

    title: str
    about: str
    columns: list[Column]
    photos: Callable[[list[int]], Mapping[int, tuple[Path | None, Path | None]]] | None = None


def safe(sheet: Any, value: Any) -> Any:
    """A value as a cell that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    value = clean(value)
    if not value.startswith(_DANGEROUS):
        return value
    cell: Any = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


def head_row(sheet: Any, heads: list[str]) -> None:
    """Append the headings of a table."""
    sheet.append(heads)
    for cell in sheet[sheet.max_row]:
        cell.font, cell.fill = Font(bold=True), _HEAD
        cell.alignment = Alignment(wrap_text=True, horizontal="center", vertical="center")


def write_rows(
    book: LedgerBook, rows: Iterable[LedgerRow], *, step: Callable[[int], None] | None = None
) -> bytes:
    """Write a ledger.

    Parameters
    ----------
    book
        What stands above the lines.
    rows
        The lines; taken one by one.
    step
        Called now and then with the lines written so far; may raise to stop.
    """
    workbook = Workbook(write_only=True)
    sheet: Any = workbook.create_sheet(gettext("Ledger"))
    _prepare(sheet, book.columns)
    sheet.append([_bold(sheet, book.title, 14)])
    sheet.append([safe(sheet, book.about)])
    heads = [_head(sheet, column.title, back=column.back) for column in book.columns]
    sheet.append([*heads, *(_head(sheet, name, back=False) for name in HIDDEN)])
    plain = [column for column in book.columns if column.kind is not Kind.PHOTO]
    photos = [column for column in book.columns if column.kind is Kind.PHOTO]
    names = [column.name for column in plain]
    written = 0
    for written, row in enumerate(rows, 1):
        number = HEAD_ROW + written
        if photos and book.photos is not None:
            _place_photos(sheet, number, len(plain), photos, book.photos([row.id]).get(row.id))
        cells = [safe(sheet, row.values.get(column.name)) for column in plain]
        hidden = [row.uid, row.version, fingerprint(row.values, names)]
        sheet.append([*cells, *([None] * len(photos)), *hidden])
        if step is not None and written % 100 == 0:
            step(written)
    if step is not None:
        step(written)
    _finish(sheet, book.columns, written)
    mark = workbook.create_sheet("gridmap")
    mark.sheet_state = "hidden"
    mark.append([FORMAT])
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _prepare(sheet: Any, columns: list[Column]) -> None:
    for position, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(position)].width = column.width
    for position in range(len(columns) + 1, len(columns) + 1 + len(HIDDEN)):
        sheet.column_dimensions[get_column_letter(position)].hidden = True
    sheet.freeze_panes = f"B{HEAD_ROW + 1}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", Worksheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True
    sheet.print_title_rows = f"{HEAD_ROW}:{HEAD_ROW}"


def _finish(sheet: Any, columns: list[Column], written: int) -> None:
    last = HEAD_ROW + max(written, 1)
    sheet.auto_filter.ref = f"A{HEAD_ROW}:{get_column_letter(len(columns))}{last}"
    for position, column in enumerate(columns, 1):
        if column.name == "state":
            names = ",".join(label(state) for state in State)
            choice = DataValidation(type="list", formula1=f'"{names}"', allow_blank=True)
            choice.add(f"{get_column_letter(position)}{HEAD_ROW + 1}:{get_column_letter(position)}{last}")
            sheet.data_validations.append(choice)


def _bold(sheet: Any, text: str, size: int) -> Any:
    cell: Any = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    cell.font = Font(bold=True, size=size)
    return cell


def _head(sheet: Any, text: str, *, back: bool) -> Any:
    cell: Any = WriteOnlyCell(sheet, text)
    cell.font, cell.border = Font(bold=True), _BOX
    cell.fill = _BACK if back else _HEAD
    cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    return cell


def _place_photos(
    sheet: Any,
    number: int,
    before: int,
    columns: list[Column],
    files: tuple[Path | None, Path | None] | None,
) -> None:
    if files is None or not any(files):
        return
    sheet.row_dimensions[number].height = _PHOTO_HEIGHT * 0.78
    by_name = dict(zip(("photo_before", "photo_after"), files, strict=True))
    for offset, column in enumerate(columns, 1):
        file = by_name[column.name]
        if file is None or not file.is_file():
            continue
        picture = _thumbnail(file)
        picture.anchor = f"{get_column_letter(before + offset)}{number}"
        sheet.add_image(picture)


def _thumbnail(file: Path) -> SheetImage:
    with warnings.catch_warnings(), Image.open(file) as opened:
        opened.thumbnail((_PHOTO_HEIGHT * 2, _PHOTO_HEIGHT))
        small = io.BytesIO()
        opened.convert("RGB").save(small, "JPEG", quality=76)
        width, height = opened.size
    small.seek(0)
    picture = SheetImage(small)
    picture.width, picture.height = width, height
    return picture
