"""Figures: the table, its chart, its formulas, the list behind each number, and the same as Excel."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, render_template, request, url_for

from gridmap.figures.formulas import COUNTS, TIMES, Basis, chosen_rates
from gridmap.figures.grouping import By, name_of
from gridmap.labels import label
from gridmap.language import N_, gettext
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.models import Source
from web.access import needs
from web.api.answering import directory, now, today
from web.api.figure_parameters import FigureListQuery, FiguresQuery
from web.api.figures import figures_of, page_behind
from web.api.options import known_organisations
from web.installation import actor, installation
from web.pages.asking import asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from gridmap.figures.queries import Period

__all__ = ["list_behind", "pages"]

pages = Blueprint("figures", __name__, url_prefix="/figures")

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLUMNS = {
    "overview": "found filed dispatched fixed rectification_rate due closed closing_rate on_time "
    "closing_on_time_rate overdue to_fix",
    "standard": "found filed filing_rate dispatched dispatch_rate due closed closing_rate on_time "
    "closing_on_time_rate rework rework_rate extended extension_rate",
    "quality": "filed fixed fixed_on_time fixing_on_time_rate rework rework_rate returned suspended extended "
    "recurring recurrence_rate looked_back reopened look_back_rate to_close",
}
"""Figures of each choice of columns."""
_CHOICES = {
    "overview": N_("Overview"),
    "standard": N_("National standard"),
    "quality": N_("Quality"),
    "all": N_("All figures"),
}
_BASES = {
    Basis.FOUND: N_("day of finding"),
    Basis.DUE: N_("day by which it was to be closed"),
    Basis.CLOSED: N_("day of closing"),
}
_MEANT = {
    Basis.FOUND: N_("Problems found in the period, and what has become of them by now."),
    Basis.DUE: N_(
        "Problems whose limit ran out in the period, or that were closed in it before their limit."
    ),
    Basis.CLOSED: N_("Problems closed in the period, whenever they were found."),
}
_BY_SHARE = N_(
    "A line or polygon counts in every cell that it touches, by the share of its length or area there."
)
_GROUPS = {
    By.DISTRICT: N_("district"),
    By.SUBDISTRICT: N_("subdistrict"),
    By.COMMUNITY: N_("community"),
    By.CELL: N_("grid cell"),
    By.ROAD: N_("priority road"),
    By.MAJOR: N_("major category"),
    By.CATEGORY: N_("category"),
    By.ORGANISATION: N_("organisation"),
    By.PERSON: N_("responsible person"),
    By.SOURCE: N_("source"),
    By.DAY: N_("day"),
}


def _presets(day: date) -> list[tuple[str, date, date]]:
    month = day.replace(day=1)
    before = month - timedelta(days=1)
    week = day - timedelta(days=day.weekday())
    return [
        (gettext("today"), day, day),
        (gettext("yesterday"), day - timedelta(days=1), day - timedelta(days=1)),
        (gettext("this week"), week, day),
        (gettext("last week"), week - timedelta(days=7), week - timedelta(days=1)),
        (gettext("this month"), month, day),
        (gettext("last month"), before.replace(day=1), before),
        (gettext("30 days"), day - timedelta(days=29), day),
        (gettext("this year"), day.replace(month=1, day=1), day),
    ]


def _columns(choice: str) -> list[dict[str, Any]]:
    rates = chosen_rates(installation().settings.figure_denominators)
    found = []
    names = _COLUMNS[choice].split() if choice in _COLUMNS else (*COUNTS, *rates, *TIMES)
    for name in names:
        if name in COUNTS:
            count = COUNTS[name]
            found.append({"kind": "count", "figure": count, "formula": gettext(count.meaning)})
        elif name in rates:
            rate = rates[name]
            formula = f"{rate.title} = {COUNTS[rate.numerator].title} ÷ {COUNTS[rate.denominator].title}"
            found.append({"kind": "rate", "figure": rate, "formula": formula})
        else:
            time = TIMES[name]
            found.append({"kind": "time", "figure": time, "formula": gettext(time.meaning)})
    return found


def _address(endpoint: str, **changes: Any) -> str:
    """Return the address of a page with what is asked now, some of it changed; None takes it away."""
    given = {name: value for name, value in request.args.items() if name != "language" and value != ""}
    merged = {name: value for name, value in (given | changes).items() if value is not None}
    text = urlencode(merged)
    return url_for(endpoint) + (f"?{text}" if text else "")


def _behind() -> Callable[[str, str | None], str]:
    """Return what makes the address of the list behind a number; a page has thousands."""
    whole = _address("figures.behind", sort=None, limit=None, columns=None, figure="")
    start, end = whole.split("figure=", 1)

    def address(figure: str, key: str | None) -> str:
        return f"{start}figure={figure}{end}" + ("" if key is None else f"&key={quote(key)}")

    return address


@pages.get("")
@needs(Permission.PROBLEM_READ)
def index() -> str:
    """Show the figures of a period."""
    query = asked(FiguresQuery, but=("columns",))
    names = directory()
    choice = request.args.get("columns", "overview")
    choice = choice if choice in _CHOICES else "overview"
    period = query.period(today())
    return render_template(
        "figures.html",
        figures=figures_of(query),
        query=query,
        period=period,
        columns=_columns(choice),
        choice=choice,
        choices={name: gettext(title) for name, title in _CHOICES.items()},
        presets=_presets(today()),
        bases={basis: gettext(name) for basis, name in _BASES.items()},
        meant=_meant(query),
        groups={by: gettext(name) for by, name in _GROUPS.items() if _offered(by)},
        areas=_areas(),
        organisations=[(one.uid, one.name) for one in known_organisations(Permission.PROBLEM_READ)],
        categories=[c for c in names.categories if c.parent is None],
        sources=[(source.value, label(source)) for source in Source],
        counts=COUNTS,
        formulas=chosen_rates(installation().settings.figure_denominators),
        address=_address,
        behind=_behind(),
        moment=now().astimezone(installation().settings.zone).strftime("%Y-%m-%d %H:%M"),
        may_export=actor().may(Permission.PROBLEM_EXPORT),
    )


def _meant(query: FiguresQuery) -> str:
    """Which problems the figures are about, and how they count."""
    said = gettext(_MEANT[query.basis])
    if query.by is By.CELL:
        said += " " + gettext(_BY_SHARE)
    return said


def _offered(by: By) -> bool:
    return by is not By.PERSON or actor().may(Permission.PERSON_READ)


def _areas() -> list[tuple[str, str, int]]:
    """Areas that the reader may ask for, each below the one it belongs to, with their depth."""
    names = directory()
    seen = actor().scope(Permission.PROBLEM_READ).areas
    chosen = [area for area in names.areas if seen is None or area.id in seen]
    paths = {area.id: [up.code for up in reversed(names.above(area.id))] for area in chosen}
    chosen.sort(key=lambda area: paths[area.id])
    return [(area.uid, area.name, len(paths[area.id]) - 1) for area in chosen]


@pages.get("/list")
@needs(Permission.PROBLEM_READ)
def behind() -> str:
    """List the problems behind a number."""
    return list_behind(
        back=_address("figures.index", figure=None, key=None, sort=None, limit=None, cursor=None)
    )


def list_behind(*, back: str, permission: Permission = Permission.PROBLEM_READ) -> str:
    """Show the problems behind a number where the reader holds a permission, with the way back to it."""
    query = asked(FigureListQuery, but=("columns",))
    found = page_behind(query, permission=permission)
    group = None
    if query.key is not None:
        faces = Faces(directory(), actor())
        group = name_of(query.by, query.key, faces, occurs=found.page.total > 0)
    following = _address(str(request.endpoint), cursor=found.page.next) if found.page.next else None
    return render_template(
        "figures_list.html",
        query=query,
        figure=COUNTS.get(query.figure) or TIMES[query.figure],
        group=group,
        period=query.period(today()),
        basis=gettext(_BASES[query.basis]),
        by_share=gettext(_BY_SHARE) if query.by is By.CELL and query.key else "",
        page=found.page,
        hours=found.hours,
        median=found.median,
        rows=found.found.rows,
        local=_local,
        back=back,
        following=following,
    )


def _local(time: str | None) -> str:
    """A time of an answer as the installation's clocks show it."""
    zone = installation().settings.zone
    return datetime.fromisoformat(time).astimezone(zone).strftime("%Y-%m-%d %H:%M") if time else ""


@pages.get("/figures.xlsx")
@needs(Permission.PROBLEM_EXPORT)
def workbook() -> Response:
    """The whole table as an Excel workbook, with its formulas on a second sheet."""
    from gridmap.figures.sheet import figures_workbook

    query = asked(FiguresQuery, but=("columns",))
    period: Period = query.period(today())
    content = figures_workbook(
        figures_of(query.model_copy(update={"limit": 100_000}), permission=Permission.PROBLEM_EXPORT),
        by=gettext(_GROUPS[query.by]),
        period=period,
        basis=gettext(_BASES[query.basis]),
        rates=chosen_rates(installation().settings.figure_denominators),
        meant=_meant(query),
    )
    name = f"figures-{period.first.isoformat()}-{period.last.isoformat()}.xlsx"
    return Response(
        content,
        content_type=_XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
