"""The negative list and the handover, to read, to print and as Excel."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request, url_for
from pydantic import Field
from sqlalchemy import select

from gridmap.figures.counting import Lives, members
from gridmap.figures.formulas import COUNTS, chosen_rates
from gridmap.figures.grouping import By
from gridmap.hotspots.listing import Sort, page_of
from gridmap.hotspots.view import ViewFilter
from gridmap.language import N_, gettext
from gridmap.ledger.columns import COLUMNS
from gridmap.ledger.handover import (
    OPEN_COLUMNS,
    Handover,
    funded,
    handover_workbook,
    spot_heads,
)
from gridmap.ledger.negative import RULES, negative_list, negative_workbook, said, title_of
from gridmap.ledger.rows import read_ledger
from gridmap.ledger.spots import LEAST, recurring_spots
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.models import Problem
from web.access import needs
from web.api.answering import directory, now, today
from web.api.figure_parameters import FiguresQuery
from web.api.figures import figures_of
from web.api.parameters import Query, Uid
from web.installation import actor, clocks, db, installation
from web.pages.asking import asked
from web.pages.figures import list_behind
from web.pages.ledger import MOST, XLSX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridmap.figures.formulas import Rate
    from gridmap.figures.queries import Line
    from gridmap.ledger.negative import Listed
    from gridmap.ledger.rows import LedgerRow

pages = Blueprint("ledger_lists", __name__, url_prefix="/ledger")

_GROUPS = {By.ORGANISATION: N_("organisation"), By.CELL: N_("grid cell"), By.ROAD: N_("priority road")}
_YEAR = timedelta(days=365)
_SHOWN = 500


def _negative() -> tuple[FiguresQuery, list[Listed], dict[str, Rate]]:
    """What is asked, who is on the list, and the rates that it was counted with."""
    query = asked(FiguresQuery, blank=False)
    by = query.by if query.by in _GROUPS else By.ORGANISATION
    query = query.model_copy(update={"by": by, "limit": 100_000, "sort": "-overdue"})
    rates = chosen_rates(installation().settings.figure_denominators)
    return query, negative_list(figures_of(query, permission=Permission.PROBLEM_EXPORT), rates), rates


@pages.get("/negative.xlsx")
@needs(Permission.PROBLEM_EXPORT)
def negative_file() -> Response:
    """The negative list as a workbook, with its rules on a second sheet."""
    query, found, rates = _negative()
    period, zone = query.period(today()), installation().settings.zone
    first, last = period.first.isoformat(), period.last.isoformat()
    content = negative_workbook(
        found,
        rates,
        title=gettext("Negative list"),
        about=gettext(
            "{first} to {last} · {moment} · {name}",
            first=first,
            last=last,
            moment=now().astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            name=actor().name,
        ),
        group=gettext(_GROUPS[query.by]),
    )
    name = f"negative-list-{first}-{last}.xlsx"
    return Response(
        content, content_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@pages.get("/negative")
@needs(Permission.PROBLEM_EXPORT)
def negative() -> str:
    """Show who or what breaks which rule, with the figures behind."""
    query, found, rates = _negative()
    by, period = query.by, query.period(today())

    asked_for = {name: value for name, value in request.args.items() if name != "language" and value}
    asked_for |= {
        "by": by.value,
        "basis": query.basis.value,
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
    }

    def behind(line: Line, figure: str) -> str:
        return (
            url_for("ledger_lists.negative_behind")
            + "?"
            + urlencode(asked_for | {"figure": figure, "key": line.key})
        )

    return render_template(
        "ledger_negative.html",
        listed=found,
        rules=RULES,
        said=said,
        title_of=lambda rule: title_of(rule, rates),
        file=url_for("ledger_lists.negative_file") + "?" + request.query_string.decode(),
        counts=COUNTS,
        rates=rates,
        behind=behind,
        filters=_filters(query),
        by=by,
        groups={one: gettext(name) for one, name in _GROUPS.items()},
        period=period,
        query=query,
    )


@pages.get("/negative/list")
@needs(Permission.PROBLEM_EXPORT)
def negative_behind() -> str:
    """List the problems behind a number of the negative list: of those that the list is made from."""
    own = {"figure", "key", "sort", "limit", "cursor", "language"}
    left = urlencode({name: value for name, value in request.args.items() if name not in own})
    return list_behind(
        back=url_for("ledger_lists.negative") + f"?{left}", permission=Permission.PROBLEM_EXPORT
    )


def _filters(query: FiguresQuery) -> dict[str, str]:
    """What narrows the list beside its period, as its form sends it on."""
    kept = {
        "area": query.area,
        "organisation": query.organisation,
        "category": ",".join(sorted(query.category)) if query.category else None,
        "source": ",".join(sorted(query.source)) if query.source else None,
        "doubtful": "1" if query.doubtful else None,
    }
    return {name: value for name, value in kept.items() if value}


class HandoverQuery(Query):
    """Of which area."""

    area: Uid | None = Field(None, description="Uid of an area; with everything below it")


def _handover(query: HandoverQuery, *, shown: int) -> Handover:
    """Put a handover together; of its open problems so many are read, when they are written."""
    names, zone, moment = directory(), installation().settings.zone, now()
    scope = actor().scope(Permission.PROBLEM_EXPORT)
    faces = Faces(names, actor())

    def view(**more: Any) -> Any:
        wanted = ViewFilter(area=query.area, **more)
        return installation().reader.view(db(), clocks(), wanted, scope=scope, now=moment)

    def read(numbers: list[int]) -> Iterator[LedgerRow]:
        return read_ledger(db(), numbers, faces=faces, scope=scope, zone=zone, moment=moment)

    still = view()
    numbers = page_of(still, still.rows, sort=Sort.OVERDUE, limit=shown).numbers.tolist()
    late = members(Lives.of(still.snapshot, still.rows), "overdue", still.moment)
    spots = recurring_spots(
        view(states=None),
        int((moment - _YEAR).timestamp()),
        metres=installation().settings.recurrence_metres,
    )
    addresses = _addresses([spot.newest for spot in spots])

    def day(seconds: int) -> str:
        return datetime.fromtimestamp(seconds, zone).date().isoformat()

    told = []
    for spot in spots:
        category = names.categories.get(spot.category)
        told.append(
            (
                category.label if category else "",
                addresses.get(spot.newest, ""),
                spot.count,
                spot.unresolved,
                day(spot.first),
                day(spot.last),
            )
        )
    area = names.areas.find(query.area) if query.area else None
    made = Handover(
        title=gettext("Handover of what remains unsolved"),
        about=gettext(
            "{area} · {moment} · {name}",
            area=area.name if area else gettext("everything that you may export"),
            moment=moment.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            name=actor().name,
        ),
        summary=[],
        rows=read(numbers),
        costly=list(read(funded(db(), still.snapshot.number[still.rows]))),
        spots=told,
    )
    made.summary.extend(
        [
            (gettext("Open problems"), len(still.rows)),
            (gettext("of them overdue"), int(late.sum())),
            (gettext("Recurring spots ({least} times or more in a year)", least=LEAST), len(told)),
            (gettext("Problems that need money"), len(made.costly)),
            (COLUMNS["funding"].title, made.funding),
        ]
    )
    return made


def _addresses(numbers: list[int]) -> dict[int, str]:
    rows = db().execute(select(Problem.id, Problem.address).where(Problem.id.in_(numbers)))
    return {row[0]: row[1] for row in rows}


@pages.get("/handover")
@needs(Permission.PROBLEM_EXPORT)
def handover() -> str:
    """Show what is handed over, to read and to print."""
    query = asked(HandoverQuery, blank=False)
    made = _handover(query, shown=_SHOWN)
    names = directory()
    seen = actor().scope(Permission.PROBLEM_EXPORT).areas
    paths = {area.id: [up.code for up in reversed(names.above(area.id))] for area in names.areas}
    areas = sorted((a for a in names.areas if seen is None or a.id in seen), key=lambda a: paths[a.id])
    return render_template(
        "ledger_handover.html",
        made=made,
        query=query,
        rows=list(made.rows),
        total=made.summary[0][1],
        columns=[COLUMNS[name] for name in OPEN_COLUMNS],
        spot_heads=spot_heads(),
        areas=[(area.uid, area.name, len(paths[area.id]) - 1) for area in areas],
    )


@pages.get("/handover.xlsx")
@needs(Permission.PROBLEM_EXPORT)
def handover_file() -> Response:
    """The handover as one workbook."""
    query = asked(HandoverQuery, blank=False)
    return Response(
        handover_workbook(_handover(query, shown=MOST)),
        content_type=XLSX,
        headers={"Content-Disposition": f'attachment; filename="handover-{today().isoformat()}.xlsx"'},
    )
