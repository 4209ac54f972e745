"""What is fixed first, as an Excel workbook."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from gridmap.language import gettext

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["workbook"]

_HEAD = PatternFill("solid", fgColor="E7EFEE")


def workbook(
    title: str, notes: Sequence[str], tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[Any]]]]
) -> bytes:
    """Write tables, each on a sheet of its own, ready to print.

    Parameters
    ----------
    title, notes
        Stand above each table.
    tables
        Name, heads, and rows of texts and numbers.
    """
    book = Workbook()
    book.remove(book.active or book.create_sheet())
    for name, heads, rows in tables:
        sheet: Any = book.create_sheet(name[:31])
        sheet.append([title])
        for note in notes:
            sheet.append([note])
        sheet.append(list(heads))
        head = sheet.max_row
        for row in rows:
            sheet.append(list(row))
        _dress(sheet, head, len(heads))
    if not book.sheetnames:
        book.create_sheet(gettext("Nothing"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _dress(sheet: Any, head: int, columns: int) -> None:
    sheet["A1"].font = Font(bold=True, size=14)
    for cell in sheet[head]:
        cell.font, cell.fill = Font(bold=True), _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="center")
    for row in sheet.iter_rows(min_row=1):
        for cell in row:
            # A text that begins like a formula stays text: the cell's type says so.
            if isinstance(cell.value, str):
                cell.data_type = "s"
                if cell.row > head:
                    cell.alignment = Alignment(wrap_text=True, vertical="top")
            elif isinstance(cell.value, float):
                cell.number_format = "0.00"
    for number in range(1, columns + 1):
        longest = max(
            (len(str(row[0].value or "")) for row in sheet.iter_rows(head, None, number, number)), default=8
        )
        sheet.column_dimensions[get_column_letter(number)].width = min(max(9, 1.6 * longest + 2), 40)
    sheet.freeze_panes = f"A{head + 1}"
    sheet.auto_filter.ref = f"A{head}:{get_column_letter(columns)}{max(sheet.max_row, head)}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True
    sheet.print_title_rows = f"{head}:{head}"
