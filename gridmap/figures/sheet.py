"""The table of figures as an Excel workbook."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from gridmap.figures.formulas import COUNTS, TIMES
from gridmap.language import gettext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridmap.figures.formulas import Rate
    from gridmap.figures.queries import Figures, Line, Period

__all__ = ["figures_workbook"]

_HEAD = PatternFill("solid", fgColor="E7EFEE")


def figures_workbook(
    figures: Figures, *, by: str, period: Period, basis: str, meant: str, rates: Mapping[str, Rate]
) -> bytes:
    """Write the figures and, on a second sheet, what each of them means.

    Parameters
    ----------
    figures
        The table.
    by, period, basis, meant, rates
        What tells the lines apart, which period by which day, what that means, and the formulas in force.
    """
    book = Workbook()
    sheet: Any = book.active
    sheet.title = gettext("Figures")
    heads = [by, *(figure.title for figure in (*COUNTS.values(), *rates.values(), *TIMES.values()))]
    sheet.append([gettext("Figures {first} to {last}", first=period.first, last=period.last)])
    sheet.append([gettext("By the {basis}. {meant}", basis=basis, meant=meant)])
    sheet.append(heads)
    for line in (*figures.lines, figures.total):
        sheet.append(_cells(line, gettext("Total") if line is figures.total else line.name, rates))
    _dress(sheet, len(heads), len(rates))
    notes = book.create_sheet(gettext("Formulas"))
    notes.append([gettext("Figure"), gettext("Formula"), gettext("Source")])
    for count in COUNTS.values():
        notes.append([count.title, gettext(count.meaning), count.source])
    for rate in rates.values():
        quotient = f"{COUNTS[rate.numerator].title} ÷ {COUNTS[rate.denominator].title}"
        notes.append([rate.title, quotient, rate.source])
    for column, width in (("A", 22), ("B", 60), ("C", 18)):
        notes.column_dimensions[column].width = width
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cells(line: Line, name: str, rates: Mapping[str, Rate]) -> list[Any]:
    return [
        # A name that begins like a formula stays text: the cell's type says so.
        name,
        *(line.counts[one] for one in COUNTS),
        *(line.rates[one] for one in rates),
        *(None if line.times[one] is None else round(line.times[one] or 0, 1) for one in TIMES),
    ]


def _dress(sheet: Any, columns: int, rates: int) -> None:
    sheet["A1"].font = Font(bold=True, size=14)
    for cell in sheet[3]:
        cell.font, cell.fill = Font(bold=True), _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    first_rate = 2 + len(COUNTS)
    for row in sheet.iter_rows(min_row=4):
        row[0].data_type = "s"
        for cell in row[first_rate - 1 : first_rate - 1 + rates]:
            cell.number_format = "0.0%"
    sheet.column_dimensions["A"].width = 26
    for number in range(2, columns + 1):
        sheet.column_dimensions[get_column_letter(number)].width = 11
    sheet.freeze_panes = "B4"
    sheet.auto_filter.ref = f"A3:{get_column_letter(columns)}{sheet.max_row - 1}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True
    sheet.print_title_rows = "3:3"
