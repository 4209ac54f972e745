"""The handover: what remains unsolved, where it comes again and again, and what solving it would cost."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.language import gettext
from gridmap.ledger.columns import COLUMNS
from gridmap.ledger.models import LedgerNote

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray
    from openpyxl import Workbook
    from sqlalchemy.orm import Session

    from gridmap.ledger.rows import LedgerRow

__all__ = [
    "OPEN_COLUMNS",
    "Handover",
    "funded",
    "handover_workbook",
    "spot_heads",
]

OPEN_COLUMNS = (
    "number",
    "category",
    "description",
    "address",
    "subdistrict",
    "community",
    "organisation",
    "person",
    "phone",
    "found_at",
    "fix_due_at",
    "state",
    "overdue",
    "remark",
    "funding",
)
"""Columns of the problems that are handed over."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What is handed over, ready to be written.

    Attributes
    ----------
    title, about
        Title, and one line that says of what, when and by whom.
    summary
        Name and value of what stands at the top.
    rows
        Open problems, as many as are shown.
    costly
        Those that need money, the dearest first.
    spots
        Category, address, count, unresolved, first and last day of each recurring spot.
    """

    title: str
    about: str
    summary: list[tuple[str, Any]]
    rows: Iterable[LedgerRow]
    costly: list[LedgerRow]
    spots: list[tuple[Any, ...]]

    @property
    def funding(self) -> float:
        """Money that is needed altogether, in 10,000 yuan."""
        return round(float(sum(row.values["funding"] for row in self.costly)), 2)


def funded(session: Session, numbers: NDArray[np.int64]) -> list[int]:
    """Return those of these case numbers that need money, the dearest first."""
    query = select(LedgerNote.problem_id).where(LedgerNote.funding > 0)
    query = query.order_by(LedgerNote.funding.desc(), LedgerNote.problem_id)
    open_ones = set(numbers.tolist())
    return [number for number in session.scalars(query) if number in open_ones]


def handover_workbook(handover: Handover) -> bytes:
    """Write the handover: a summary, open problems, recurring spots, and what needs money."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    front: Any = book.active
    front.title = gettext("Summary")
    front.append([handover.title])
    front.append([handover.about])
    front.append([])
    for name, value in handover.summary:
        front.append([name, value])
    front["A1"].font = Font(bold=True, size=14)
    front.column_dimensions["A"].width, front.column_dimensions["B"].width = 40, 16
    columns = [COLUMNS[name] for name in OPEN_COLUMNS]
    titles = [column.title for column in columns]
    widths = [column.width for column in columns]
    lines = ([row.values[name] for name in OPEN_COLUMNS] for row in handover.rows)
    _sheet(book, gettext("Open problems"), titles, widths, lines)
    _sheet(book, gettext("Recurring spots"), spot_heads(), [18, 36, 10, 10, 14, 14], handover.spots)
    costly = [[row.values[name] for name in OPEN_COLUMNS] for row in handover.costly]
    total = [gettext("Total"), *([None] * (len(titles) - 2)), handover.funding]
    _sheet(book, gettext("Funding needed"), titles, widths, [*costly, total])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def spot_heads() -> list[str]:
    """Headings of the recurring spots."""
    return [
        gettext("Category"),
        gettext("Address"),
        gettext("Times"),
        gettext("Unresolved"),
        gettext("First found"),
        gettext("Last found"),
    ]


def _sheet(book: Workbook, title: str, heads: list[str], widths: list[int], lines: Any) -> None:
    from openpyxl.utils import get_column_letter

    from gridmap.ledger.workbook import head_row, safe

    sheet: Any = book.create_sheet(title)
    head_row(sheet, heads)
    for line in lines:
        sheet.append([safe(sheet, value) for value in line])
    for position, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(position)].width = width
    sheet.freeze_panes = "A2"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True
    sheet.print_title_rows = "1:1"
