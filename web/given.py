"""What somebody typed into a form, field by field: read, or told at the field what was expected."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from gridmap.errors import InvalidValueError
from gridmap.hours import overlap, parse_hours
from gridmap.language import N_, explain, gettext

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from werkzeug.datastructures import MultiDict

    from gridmap.hours import Span

__all__ = ["Given"]

_NUMBER = N_("Expected a number from {least} to {most}; found “{found}”.")
_WHOLE = N_("Expected a whole number from {least} to {most}; found “{found}”.")
_YEAR = N_("Expected a day of the years {least} to {most}; found “{found}”.")
_YEARS = (2000, 2100)


class Given:
    """Reads fields one after the other and goes on where one makes no sense, so that all are told at once.

    Parameters
    ----------
    fields
        Of the form or the address.

    Attributes
    ----------
    faults
        What is wrong, in the reader's language, by the name of the field.
    """

    def __init__(self, fields: MultiDict[str, str]) -> None:
        self.fields = fields
        self.faults: dict[str, str] = {}

    def text(self, name: str, default: str = "") -> str:
        """Return a text without blanks around it."""
        return self.fields.get(name, default).strip()

    def whole(self, name: str, least: int, most: int, default: int) -> int:
        """Return a whole number; the default where nothing is given or it makes no sense."""
        text = self.text(name)
        if re.fullmatch(r"\d{1,10}", text) and least <= int(text) <= most:
            return int(text)
        self._refuse(name, _WHOLE, least, most)
        return default

    def number(self, name: str, least: float, most: float, default: float) -> float:
        """Return a number; the default where nothing is given or it makes no sense."""
        text = self.text(name).replace("，", ".").replace("。", ".")
        if re.fullmatch(r"\d{1,6}([.,]\d{1,6})?", text) and least <= float(text.replace(",", ".")) <= most:
            return float(text.replace(",", "."))
        self._refuse(name, _NUMBER, least, most)
        return default

    def _refuse(self, name: str, template: str, least: float, most: float) -> None:
        if text := self.text(name):
            self.faults[name] = gettext(template, least=least, most=most, found=text[:40])

    def moment(self, name: str, default: datetime, *, zone: ZoneInfo) -> datetime:
        """Return a day and a time; the default where nothing is given or it makes no sense."""
        text = self.text(name)
        if not text:
            return default
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            self.faults[name] = gettext(
                "Expected a day and a time such as 2026-05-09T09:00; found “{found}”.", found=text[:40]
            )
            return default
        if not _YEARS[0] <= found.year <= _YEARS[1]:
            # Beyond, what is reckoned from it or its time in another zone may be no time at all.
            self._refuse(name, _YEAR, *_YEARS)
            return default
        return found if found.tzinfo else found.replace(tzinfo=zone)

    def spans(self, name: str, default: str = "") -> tuple[Span, ...]:
        """Return hours of the day; none where they make no sense."""
        text = self.text(name, default)
        try:
            found = parse_hours(text)
        except InvalidValueError as error:
            self.faults[name] = explain(error)
            return ()
        if overlap(found):
            self.faults[name] = gettext("Expected hours that do not overlap; found “{found}”.", found=text)
            return ()
        return found

    def blame(self, error: InvalidValueError) -> None:
        """Take over what a use case found wrong."""
        self.faults[error.parameter or ""] = explain(error)
