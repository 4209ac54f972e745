"""Parameters of figures: which problems, which period, what tells the lines apart, and the list behind."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from gridmap.figures.formulas import COUNTS, TIMES, Basis
from gridmap.figures.grouping import By
from gridmap.figures.queries import Period, Question
from gridmap.hotspots.listing import Sort
from gridmap.hotspots.view import ViewFilter
from gridmap.problems.models import Source
from web.api.parameters import Codes, Query, Sources, Uid
from web.validation import expected

if TYPE_CHECKING:
    from datetime import tzinfo

__all__ = ["FigureListQuery", "FiguresQuery"]

_DAYS = 30
_WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}")


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        day = date.fromisoformat(value.strip())
    except ValueError as error:
        if _WRITTEN.fullmatch(value.strip()):
            raise expected(
                "There is no such day; expected one from 1970 to 2100, such as 2026-03-01."
            ) from error
        day = date.min
    if not 1970 <= day.year <= 2100:
        raise expected("Expected a date from 1970 to 2100, such as 2026-03-01.")
    return day


def _blank(value: Any) -> Any:
    """A field of a form that was left empty is not given."""
    return None if value == "" else value


_DATE = WithJsonSchema({"type": "string", "format": "date"})
Day = Annotated[date | None, BeforeValidator(_day), BeforeValidator(_blank), _DATE]
Codes_ = Annotated[Codes, BeforeValidator(_blank)]
Sources_ = Annotated[Sources, BeforeValidator(_blank)]
Uid_ = Annotated[Uid | None, BeforeValidator(_blank)]


class _PeriodQuery(Query):
    """Which problems and which period."""

    first: Day = Field(None, description="First day; if none is given, the 30th up to the last")
    last: Day = Field(None, description="Last day, included; today if none is given")
    basis: Basis = Field(Basis.FOUND, description="By which of its days a problem is in the period")
    by: By = Field(By.SUBDISTRICT, description="What tells the lines apart")
    category: Codes_ = Field(
        None, description="Codes with commas between; a major one stands for its minor ones"
    )
    source: Sources_ = Field(None, description="Sources with commas between")
    area: Uid_ = Field(None, description="Uid of an area; with everything below it")
    organisation: Uid_ = Field(None, description="Uid of an organisation")
    doubtful: bool = Field(default=False, description="1: with problems flagged for their place or times")

    def asked(self, zone: tzinfo) -> ViewFilter:  # noqa: ARG002 - as other filters are asked
        """Return which problems are meant, whatever has become of them."""
        return ViewFilter(
            categories=self.category,
            states=None,
            sources=None if self.source is None else frozenset(map(Source, self.source)),
            area=self.area,
            organisation=self.organisation,
            doubtful=self.doubtful,
        )

    def period(self, today: date) -> Period:
        """Return the period; the last 30 days if none is given."""
        last = self.last or max(self.first or today, today)
        return Period(self.first or last - timedelta(days=_DAYS - 1), last)


class FiguresQuery(_PeriodQuery):
    """A table of figures."""

    sort: str = Field("-found", max_length=40, description="Name of a figure; with a minus the largest first")
    limit: int = Field(200, ge=1, le=5000, description="Most lines")

    def question(self, today: date) -> Question:
        """Return what is asked as a value."""
        return Question(
            period=self.period(today), basis=self.basis, by=self.by, sort=self.sort, limit=self.limit
        )


class FigureListQuery(_PeriodQuery):
    """The problems behind one number."""

    figure: str = Field("found", max_length=40, description="One of " + ", ".join((*COUNTS, *TIMES)))
    key: str | None = Field(None, max_length=60, description="Of the line; none: of all together")
    sort: Sort | None = Field(None, description="None: newest first; of a median, the shortest time first")
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=400, description="`next` of the page before")

    def question(self, today: date) -> Question:
        """Return what is asked as a value."""
        return Question(period=self.period(today), basis=self.basis, by=self.by)
