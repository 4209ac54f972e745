"""Figures: counts, rates and medians of a period, and the problems behind each number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.figures.formulas import COUNTS, TIMES, chosen_rates
from gridmap.figures.grouping import By
from gridmap.figures.queries import read_figures, rows_behind, seconds_of
from gridmap.figures.sharing import read_cell_shares
from gridmap.hotspots.listing import Sort, page_of
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.records import read_records
from web.access import needs
from web.api.answering import (
    GEOJSON,
    Body,
    answers,
    as_json,
    change_told,
    directory,
    feature_collection,
    today,
    view_of,
)
from web.api.blueprint import PROBLEMS, api
from web.api.figure_models import FiguresAnswer
from web.api.figure_parameters import FigureListQuery, FiguresQuery
from web.api.problem_models import ProblemPage
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from gridmap.figures.queries import Figures, Line
    from gridmap.figures.sharing import CellShares
    from gridmap.hotspots.listing import Page
    from gridmap.problems.records import Records

__all__ = ["Behind", "figures_of", "page_behind"]

_MINUTE = 60
_HOUR = 3600


def figures_of(query: FiguresQuery, *, permission: Permission = Permission.PROBLEM_READ) -> Figures:
    """Count what a request asks for, where its reader holds a permission."""
    settings = installation().settings
    return read_figures(
        view_of(query, permission=permission),
        query.question(today()),
        faces=Faces(directory(), actor()),
        zone=settings.zone,
        rates=chosen_rates(settings.figure_denominators),
        shares=_shares(query),
    )


def _shares(query: FiguresQuery | FigureListQuery) -> CellShares | None:
    return read_cell_shares(db()) if query.by is By.CELL else None


@dataclass(frozen=True, slots=True)
class Behind:
    """The problems behind a number.

    Attributes
    ----------
    page, found
        A page of them.
    hours
        How long each problem of the page took, where the number is a median.
    median
        The number itself, in hours, where it is a median.
    """

    page: Page
    found: Records
    hours: dict[int, float]
    median: float | None


def page_behind(query: FigureListQuery, *, permission: Permission = Permission.PROBLEM_READ) -> Behind:
    """Return a page of the problems behind a number, where its reader holds a permission."""
    view = view_of(query, permission=permission)
    faces = Faces(directory(), actor())
    rows = rows_behind(
        view,
        query.question(today()),
        query.figure,
        query.key,
        faces=faces,
        zone=installation().settings.zone,
        shares=_shares(query),
    )
    taken = seconds_of(view, rows, query.figure) if query.figure in TIMES else None
    page = page_of(
        view,
        rows,
        sort=query.sort or Sort.NEWEST,
        limit=query.limit,
        cursor=query.cursor,
        measure=taken if query.sort is None else None,
    )
    found = read_records(
        db(),
        page.numbers.tolist(),
        faces=faces,
        scope=actor().scope(permission),
        moment=datetime.fromtimestamp(view.moment, UTC),
    )
    if taken is None or not len(rows):
        return Behind(page, found, {}, None)
    numbers = view.snapshot.number[rows]
    shown = np.isin(numbers, page.numbers)
    hours = dict(zip(numbers[shown].tolist(), (taken[shown] / _HOUR).tolist(), strict=True))
    return Behind(page, found, hours, float(np.median(taken)) / _HOUR)


@api.get("/figures", tags=[PROBLEMS], responses={"200": FiguresAnswer})
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_MINUTE)
def figures(query: FiguresQuery) -> Body:
    """Count problems of a period per area, cell, road, category, organisation, person, source or day."""
    found = figures_of(query)
    period = query.period(today())
    rates = chosen_rates(installation().settings.figure_denominators)

    def told(line: Line) -> dict[str, Any]:
        return {
            "key": line.key,
            "name": line.name,
            "counts": line.counts,
            "rates": {name: None if share is None else round(share, 6) for name, share in line.rates.items()},
            "hours": line.times,
            "bars": line.days,
        }

    return as_json(
        FiguresAnswer,
        {
            "change": change_told(),
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "basis": query.basis.value,
            "by": query.by.value,
            "days_per_bar": found.span,
            "groups": found.groups,
            "total": told(found.total),
            "lines": [told(line) for line in found.lines],
            "formulas": [
                *({"name": c.name, "title": c.title, "source": c.source} for c in COUNTS.values()),
                *(
                    {
                        "name": rate.name,
                        "title": rate.title,
                        "numerator": rate.numerator,
                        "denominator": rate.denominator,
                        "source": rate.source,
                    }
                    for rate in rates.values()
                ),
                *({"name": t.name, "title": t.title, "source": ""} for t in TIMES.values()),
            ],
        },
    )


@api.get("/figures/problems", tags=[PROBLEMS], responses={"200": ProblemPage})
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_MINUTE, media=GEOJSON)
def figure_problems(query: FigureListQuery) -> Body:
    """List the problems behind one number of the figures, page by page."""
    behind = page_behind(query)
    return feature_collection(
        ProblemPage,
        behind.found.rows,
        behind.found.geometry,
        next=behind.page.next,
        total=behind.page.total,
    )
