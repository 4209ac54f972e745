"""Shops: the list, one shop with its pledge and the ladder, recording an offence, appeals."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import func, select

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.labels import label
from gridmap.language import explain
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.places.responsibilities import holders_of
from gridmap.problems.models import Category, Problem
from gridmap.shops.evidence import prove_offence
from gridmap.shops.models import Offence, Shopfront, Step
from gridmap.shops.offences import NewOffence, appeal_offence, decide_appeal, record_offence
from gridmap.shops.pledges import NewPledge, sign_pledge
from gridmap.shops.queries import (
    PledgeState,
    ShopFilter,
    offences_of,
    read_shops,
    tally_shops,
    within,
)
from gridmap.shops.records import shop_record
from gridmap.shops.rules import LADDER, rank
from gridmap.store.engine import writing
from gridmap.store.spatial import in_box
from web.access import needs
from web.api.answering import directory, now, today
from web.api.shops import explained, offence_records, pledge_records
from web.errors import status_of
from web.installation import actor, db, installation
from web.pages.evidence_sent import photos_sent, scan_sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session
    from werkzeug.wrappers import Response


pages = Blueprint("shops", __name__, url_prefix="/shops")

_PAGE = 100
_NEAR = 0.0008
"""Degrees around a shop in which its problems are looked for, some 80 m."""


def _number(name: str, least: int, default: int) -> int:
    try:
        return max(least, int(request.args.get(name, default)))
    except ValueError:
        return default


def _asked() -> ShopFilter:
    names = directory()
    area = names.areas.find(request.args.get("area", ""))
    road = names.roads.find(request.args.get("road", ""))
    show = request.args.get("show", "")
    return ShopFilter(
        text=request.args.get("q", "").strip()[:100],
        areas=names.below(area.id) if area else None,
        road=road.id if road else None,
        pledge=PledgeState.MISSING if show == "missing" else None,
        repeated=show == "repeated",
        appealed=show == "appealed",
    )


@pages.get("")
@needs(Permission.SHOP_READ)
def index() -> str:
    """List shops: all, those without a pledge, repeat offenders, open appeals."""
    asked, names, settings = _asked(), directory(), installation().settings
    page = _number("page", 1, 1)
    whole = ShopFilter(text=asked.text, areas=asked.areas, road=asked.road)
    found = read_shops(
        db(),
        actor(),
        asked,
        day=today(),
        settings=settings,
        limit=_PAGE,
        offset=(page - 1) * _PAGE,
        worst_first=asked.repeated,
    )
    areas = actor().scope(Permission.SHOP_READ).areas
    return render_template(
        "shops.html",
        tally=tally_shops(db(), actor(), whole, day=today(), settings=settings),
        rows=[shop_record(row, directory=names, actor=actor()) for row in found.rows],
        more=found.more,
        page=page,
        areas=[one for one in names.areas if areas is None or one.id in areas],
        roads=sorted(
            (one for one in names.roads if one.in_force(today()) and (areas is None or one.area in areas)),
            key=lambda one: one.name,
        ),
        given=request.args,
        may_manage=actor().may(Permission.SHOP_MANAGE),
        may_import=actor().may_everywhere(Permission.PLACE_IMPORT),
        months=settings.offence_lapse_months,
    )


def row_of(session: Session, uid: uuid.UUID) -> dict[str, Any]:
    """Return what is known of one shop.

    Raises
    ------
    NotFoundError
        If there is none that the reader may see.
    """
    found = read_shops(
        session, actor(), ShopFilter(), day=today(), settings=installation().settings, uid=str(uid)
    )
    if not found.rows:
        raise NotFoundError("There is no such shop, or it lies outside what you may see.")
    return found.rows[0]


def _may(permission: Permission, row: dict[str, Any]) -> bool:
    place = row["area_id"], row["organisation_id"]
    return row["valid_to"] is None and actor().may(permission) and actor().scope(permission).covers(*place)


def shop_page(uid: uuid.UUID, message: str | None = None, status: int = 200) -> tuple[str, int]:
    """Show one shop, with what is wrong with a form above it."""
    row = row_of(db(), uid)
    faces = Faces(directory(), actor())
    holders = holders_of(db(), "shop", [row["id"]], today()).get(row["id"], [])
    may_record = _may(Permission.SHOP_RECORD, row)
    advice = row["advice"]
    reached = -1 if advice.highest is None else rank(advice.highest)
    page = render_template(
        "shop.html",
        shop=shop_record(row, directory=directory(), actor=actor()),
        advice=advice,
        why=explained(db(), row),
        ladder=[(rung, label(rung.step), at <= reached) for at, rung in enumerate(LADDER)],
        offences=offence_records(db(), row, offences_of(db(), row["id"])),
        pledges=pledge_records(db(), row),
        responsibilities=[faces.holder(one) for one in holders],
        categories=_categories() if may_record else [],
        problems=_problems(row) if may_record else [],
        may_record=may_record,
        may_prove=may_record and actor().may(Permission.EVIDENCE_ADD),
        may_manage=_may(Permission.SHOP_MANAGE, row),
        message=message,
        given=request.form,
        new_uid=request.form.get("uid") or str(uuid.uuid4()),
        fresh_uid=uuid.uuid4,
        today=today(),
        months=installation().settings.offence_lapse_months,
        local=lambda text: datetime.fromisoformat(text).astimezone(installation().settings.zone),
    )
    return page, status


def _categories() -> list[tuple[str, list[tuple[str, str]]]]:
    """Categories under their major ones, as code and name."""
    rows = db().scalars(select(Category).where(Category.valid_to.is_(None)).order_by(Category.code)).all()
    names = directory().categories
    majors = [row for row in rows if row.parent_id is None]
    groups = []
    for major in majors:
        below = [row for row in rows if row.parent_id == major.id] or [major]
        known = [(row.code, entry.label) for row in below if (entry := names.get(row.id))]
        entry = names.get(major.id)
        if entry and known:
            groups.append((entry.label, known))
    return groups


def _problems(row: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Newest problems close by: uid, case number and what it is."""
    if not actor().may(Permission.PROBLEM_READ):
        return []
    lon, lat = row["lon"], row["lat"]
    box = (lon - _NEAR, lat - _NEAR, lon + _NEAR, lat + _NEAR)
    seen = within(actor().scope(Permission.PROBLEM_READ), Problem)
    rows = db().execute(
        select(Problem.uid, Problem.id, Problem.category_id, Problem.address)
        .where(in_box(db(), Problem, box), seen)
        .order_by(Problem.id.desc())
        .limit(20)
    )
    names = directory().categories
    return [
        (str(uid), number, f"{entry.label} {address}" if (entry := names.get(category)) else address)
        for uid, number, category, address in rows
    ]


def written(uid: uuid.UUID, write: Callable[[Session], object]) -> Response | tuple[str, int]:
    """Do something to a shop and show it again; what is wrong with the form is said above it."""
    try:
        with writing(installation().engine) as session:
            write(session)
    except InvalidValueError as error:
        return shop_page(uid, explain(error), int(status_of(error)))
    return redirect(url_for("shops.show", uid=uid))


@pages.get("/<uuid:uid>")
@needs(Permission.SHOP_READ)
def show(uid: uuid.UUID) -> tuple[str, int]:
    """Show one shop."""
    return shop_page(uid)


def text_of(name: str) -> str:
    """What a field of the form holds, without blanks around it."""
    return request.form.get(name, "").strip()


def uid_of(name: str = "uid") -> uuid.UUID:
    """UUID that a field of the form holds.

    Raises
    ------
    InvalidValueError
        If it holds none.
    """
    try:
        return uuid.UUID(text_of(name))
    except ValueError as error:
        raise InvalidValueError("Expected a UUID.", parameter=name) from error


def _day(name: str) -> date:
    try:
        return date.fromisoformat(text_of(name))
    except ValueError as error:
        raise InvalidValueError(
            "Expected a day such as 2026-05-09; found “{found}”.", parameter=name, found=text_of(name)
        ) from error


def _moment(name: str) -> datetime | None:
    if not text_of(name):
        return None
    try:
        return datetime.fromisoformat(text_of(name)).replace(tzinfo=installation().settings.zone)
    except ValueError as error:
        raise InvalidValueError(
            "Expected a date and time such as 2026-05-09 08:30; found “{found}”.",
            parameter=name,
            found=text_of(name),
        ) from error


@pages.post("/<uuid:uid>/offences")
@needs(Permission.SHOP_RECORD)
def write_offence(uid: uuid.UUID) -> Response | tuple[str, int]:
    """Record an offence, with the photos and videos that prove it."""
    step = text_of("step")
    try:
        proofs = photos_sent(uid_of())
    except InvalidValueError as error:
        return shop_page(uid, explain(error), int(status_of(error)))

    def write(session: Session) -> None:
        offence = NewOffence(
            uid=uid_of(),
            category=text_of("category"),
            step=Step(step) if step in set(Step) else None,
            at=_moment("at"),
            reason=text_of("reason"),
            note=text_of("note"),
            goods=text_of("goods"),
            problem=uid_of("problem") if text_of("problem") else None,
        )
        settings = installation().settings
        record_offence(session, actor(), uid, offence, settings=settings, now=now())
        if proofs:
            prove_offence(session, actor(), offence.uid, proofs, settings=settings, now=now())

    return written(uid, write)


@pages.post("/<uuid:uid>/pledges")
@needs(Permission.SHOP_RECORD)
def write_pledge(uid: uuid.UUID) -> Response | tuple[str, int]:
    """Take a signed pledge in."""
    try:
        paper = scan_sent(uid_of())
    except InvalidValueError as error:
        return shop_page(uid, explain(error), int(status_of(error)))

    def write(session: Session) -> None:
        pledge = NewPledge(
            uid=uid_of(), signed_on=_day("signed_on"), signed_by=text_of("signed_by"), note=text_of("note")
        )
        sign_pledge(session, actor(), uid, pledge, scan=paper, settings=installation().settings, now=now())

    return written(uid, write)


@pages.post("/<uuid:uid>/offences/<uuid:offence>/appeal")
@needs(Permission.SHOP_RECORD)
def appeal(uid: uuid.UUID, offence: uuid.UUID) -> Response | tuple[str, int]:
    """Write an appeal down."""
    belongs(uid, offence)
    return written(
        uid,
        lambda session: appeal_offence(
            session, actor(), offence, text_of("appeal"), settings=installation().settings, now=now()
        ),
    )


@pages.post("/<uuid:uid>/offences/<uuid:offence>/decision")
@needs(Permission.SHOP_MANAGE)
def decide(uid: uuid.UUID, offence: uuid.UUID) -> Response | tuple[str, int]:
    """Decide an appeal."""
    belongs(uid, offence)
    return written(
        uid,
        lambda session: decide_appeal(
            session,
            actor(),
            offence,
            uphold=text_of("uphold") == "1",
            decision=text_of("decision"),
            settings=installation().settings,
            now=now(),
        ),
    )


def belongs(uid: uuid.UUID, offence: uuid.UUID) -> None:
    """Check that an offence is one of a shop's.

    Raises
    ------
    NotFoundError
        If it is not.
    """
    found = db().scalar(
        select(func.count()).where(
            Offence.uid == offence, Offence.shop_id == Shopfront.id, Shopfront.uid == uid
        )
    )
    if not found:
        raise NotFoundError("There is no such offence, or it lies outside what you may see.")
