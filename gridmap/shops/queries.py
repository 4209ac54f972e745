"""Reads of shops, with the state of their pledge and where they stand on the ladder."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import and_, case, func, or_, select, true

from gridmap.errors import NotFoundError
from gridmap.evidence.models import Attachment
from gridmap.people.permissions import Permission
from gridmap.problems.models import Problem
from gridmap.shops.models import AppealState, Offence, Pledge, Shopfront
from gridmap.shops.rules import LADDER, Past, advise, advise_on, counted_from
from gridmap.store.spatial import in_box

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor, Scope
    from gridmap.shops.rules import Advice
    from gridmap.store.spatial import Box

__all__ = [
    "PledgeState",
    "ShopFilter",
    "Shops",
    "Tally",
    "advice_for",
    "counting_since",
    "find_shop",
    "offences_of",
    "pledges_of",
    "problems_of",
    "read_shops",
    "scan_of",
    "tally_shops",
    "within",
]

REPEATED = 2
"""From so many violations that count a shop is a repeat offender."""


class PledgeState(StrEnum):
    """Whether a pledge is in force."""

    SIGNED = "signed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFilter:
    """Which shops; None and empty: all.

    Parameters
    ----------
    text
        Somewhere in the name, code, licence number or address.
    areas
        Database ids, with those below.
    road
        Database id.
    pledge
        Whether a pledge is in force.
    repeated
        Only those with several violations that count.
    appealed
        Only those with an open appeal.
    box
        Only those whose bounds meet it.
    """

    text: str = ""
    areas: frozenset[int] | None = None
    road: int | None = None
    pledge: PledgeState | None = None
    repeated: bool = False
    appealed: bool = False
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Shops:
    """Shops in the order asked for.

    Attributes
    ----------
    rows
        Columns of the table by name, and ``signed_on``, ``standing`` (violations that count), ``appeals``
        (open ones), ``advice``, ``lon`` and ``lat``.
    geometry
        Shapely geometries, EPSG:4326, shape (n,).
    more
        Whether others follow after the last one.
    """

    rows: list[dict[str, Any]]
    geometry: NDArray[np.object_]
    more: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """How many shops there are, without a pledge, with repeated violations, with an open appeal."""

    total: int
    missing: int
    repeated: int
    appealed: int


_SHOWN = (
    "id",
    "uid",
    "code",
    "name",
    "licence",
    "trade",
    "owner",
    "phone",
    "address",
    "area_id",
    "cell_id",
    "road_id",
    "organisation_id",
    "valid_from",
    "valid_to",
)


def within(scope: Scope, model: Any) -> ColumnElement[bool]:
    """SQL condition that says what `Scope.covers` says of a table's area and organisation."""
    parts = []
    for holding in scope.holdings:
        limits: list[ColumnElement[bool]] = [true()]
        if holding.areas is not None:
            limits.append(model.area_id.in_(holding.areas))
        if holding.organisations is not None:
            limits.append(model.organisation_id.in_(holding.organisations))
        parts.append(and_(*limits))
    return or_(*parts)


def _midnight(day: date, settings: Settings) -> datetime:
    """Return the first moment of a day in the installation's time zone."""
    if day.year < 2:
        return datetime(1, 1, 1, tzinfo=UTC)
    return datetime.combine(day, time(), settings.zone).astimezone(UTC)


_RANK = case({rung.step: at for at, rung in enumerate(LADDER)}, value=Offence.step)
_QUASHED = and_(Offence.appeal_state.is_not(None), Offence.appeal_state == AppealState.UPHELD)


def _with_state(day: date, settings: Settings) -> tuple[Any, dict[str, Any]]:
    """Query of the shops, joined with what is known of each."""
    first = counting_since(day, settings)
    pledged = (
        select(Pledge.shop_id, func.max(Pledge.signed_on).label("signed_on"))
        .where(or_(Pledge.ended_on.is_(None), Pledge.ended_on > day))
        .group_by(Pledge.shop_id)
        .subquery()
    )
    counts = and_(~_QUASHED, Offence.at >= first)
    offences = (
        select(
            Offence.shop_id,
            func.count(case((counts, 1))).label("standing"),
            func.max(case((counts, _RANK))).label("rank"),
            func.count(case((_QUASHED, 1))).label("quashed"),
            func.count().label("written"),
            func.count(case((Offence.appeal_state == AppealState.OPEN, 1))).label("appeals"),
        )
        .group_by(Offence.shop_id)
        .subquery()
    )
    columns = {
        "signed_on": pledged.c.signed_on,
        **{
            name: func.coalesce(offences.c[name], 0).label(name)
            for name in ("standing", "quashed", "written", "appeals")
        },
        "rank": offences.c.rank,
    }
    query: Any = (
        select(Shopfront.id)
        .outerjoin(pledged, pledged.c.shop_id == Shopfront.id)
        .outerjoin(offences, offences.c.shop_id == Shopfront.id)
    )
    return query, columns


def _like(column: Any, text: str) -> ColumnElement[bool]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    condition: ColumnElement[bool] = column.ilike(f"%{escaped}%", escape="\\")
    return condition


def _limited(
    session: Session, actor: Actor, asked: ShopFilter, columns: dict[str, Any]
) -> list[ColumnElement[bool]]:
    conditions = [within(actor.scope(Permission.SHOP_READ), Shopfront)]
    if asked.text:
        words = (Shopfront.name, Shopfront.code, Shopfront.licence, Shopfront.address)
        conditions.append(or_(*(_like(column, asked.text) for column in words)))
    if asked.areas is not None:
        conditions.append(Shopfront.area_id.in_(asked.areas))
    if asked.road is not None:
        conditions.append(Shopfront.road_id == asked.road)
    if asked.pledge is not None:
        missing = columns["signed_on"].is_(None)
        conditions.append(missing if asked.pledge is PledgeState.MISSING else ~missing)
    if asked.repeated:
        conditions.append(columns["standing"] >= REPEATED)
    if asked.appealed:
        conditions.append(columns["appeals"] > 0)
    if asked.box is not None:
        conditions.append(in_box(session, Shopfront, asked.box))
    return conditions


def read_shops(
    session: Session,
    actor: Actor,
    asked: ShopFilter,
    *,
    day: date,
    settings: Settings,
    uid: str | None = None,
    after: int = 0,
    limit: int | None = None,
    worst_first: bool = False,
    offset: int = 0,
) -> Shops:
    """Read the shops in force on a day that match and that the actor may see.

    Parameters
    ----------
    uid
        Only this one, whether or not it is still in force.
    after
        Only ids above this one; by id, for pages that double nothing.
    limit, offset
        At most so many, after so many.
    worst_first
        By violations that count, instead of by id.
    """
    query, columns = _with_state(day, settings)
    query = query.where(Shopfront.in_force(day) if uid is None else Shopfront.uid == uuid.UUID(uid))
    query = query.where(*_limited(session, actor, asked, columns), Shopfront.id > after)
    query = query.with_only_columns(
        *(getattr(Shopfront, name) for name in _SHOWN),
        *columns.values(),
        func.ST_AsBinary(Shopfront.geometry).label("wkb"),
    )
    order = [columns["standing"].desc()] if worst_first else []
    query = query.order_by(*order, Shopfront.id).offset(offset)
    if limit is not None:
        query = query.limit(limit + 1)
    found = [dict(row) for row in session.execute(query).mappings()]
    more = limit is not None and len(found) > limit
    found = found[:limit]
    wkb = np.array([bytes(row.pop("wkb")) for row in found], dtype=object)
    geometry = np.asarray(shapely.from_wkb(wkb), dtype=object).reshape(-1)
    middle = shapely.get_coordinates(shapely.point_on_surface(geometry)).tolist()
    for row, (lon, lat) in zip(found, middle, strict=True):
        row |= {"uid": str(row["uid"]), "lon": round(lon, 7), "lat": round(lat, 7), "advice": _advice(row)}
    return Shops(found, geometry, more)


def _advice(row: dict[str, Any]) -> Advice:
    place, quashed, written = row.pop("rank"), row.pop("quashed"), row.pop("written")
    highest = None if place is None else LADDER[place].step
    lapsed = written - quashed - row["standing"]
    return advise(row["standing"], highest, lapsed=lapsed, quashed=quashed)


def tally_shops(session: Session, actor: Actor, asked: ShopFilter, *, day: date, settings: Settings) -> Tally:
    """Count the shops in force that match and that the actor may see."""
    query, columns = _with_state(day, settings)
    conditions = (Shopfront.in_force(day), *_limited(session, actor, asked, columns))
    query = query.where(*conditions).with_only_columns(
        func.count(),
        func.count(case((columns["signed_on"].is_(None), 1))),
        func.count(case((columns["standing"] >= REPEATED, 1))),
        func.count(case((columns["appeals"] > 0, 1))),
    )
    return Tally(*session.execute(query).one())


def find_shop(session: Session, shop_id: int) -> tuple[float, float, Any]:
    """Return longitude and latitude of the point that stands for a shop, and its shape."""
    wkb = session.scalar(select(func.ST_AsBinary(Shopfront.geometry)).where(Shopfront.id == shop_id))
    shape = shapely.from_wkb(bytes(wkb or b""))
    middle = shapely.point_on_surface(shape)
    return round(middle.x, 7), round(middle.y, 7), shape


def advice_for(session: Session, shop_id: int, *, at: datetime, settings: Settings) -> Advice:
    """Say which step follows for an offence of a shop at a time."""
    rows = session.execute(
        select(Offence.at, Offence.step, Offence.appeal_state).where(Offence.shop_id == shop_id)
    )
    past = [
        Past(when.astimezone(settings.zone).date(), step, state is AppealState.UPHELD)
        for when, step, state in rows
    ]
    return advise_on(past, day=at.astimezone(settings.zone).date(), months=settings.offence_lapse_months)


def offences_of(session: Session, shop_id: int) -> list[Offence]:
    """Return a shop's offences, newest first; the shop itself must have been read as the actor may."""
    query = select(Offence).where(Offence.shop_id == shop_id).order_by(Offence.at.desc(), Offence.id.desc())
    return list(session.scalars(query))


def scan_of(session: Session, shop_id: int, pledge: uuid.UUID) -> Attachment:
    """Return the scan of a pledge; the caller has checked that the reader may see who signed it.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = session.scalar(
        select(Attachment)
        .join(Pledge, Pledge.attachment_id == Attachment.id)
        .where(Pledge.uid == pledge, Pledge.shop_id == shop_id)
    )
    if row is None:
        raise NotFoundError("There is no scan of this pledge.")
    return row


def pledges_of(session: Session, shop_id: int) -> list[Pledge]:
    """Return a shop's pledges, newest first; the shop itself must have been read as the actor may."""
    query = select(Pledge).where(Pledge.shop_id == shop_id)
    return list(session.scalars(query.order_by(Pledge.signed_on.desc(), Pledge.id.desc())))


def counting_since(day: date, settings: Settings) -> datetime:
    """Return the first moment whose offences count on a day."""
    return _midnight(counted_from(day, settings.offence_lapse_months), settings)


def problems_of(session: Session, actor: Actor, offences: list[Offence]) -> dict[int, dict[str, Any]]:
    """Uid and case number of the problems that offences belong to, by id, where the actor may see them."""
    ids = {one.problem_id for one in offences if one.problem_id is not None}
    if not ids or not actor.may(Permission.PROBLEM_READ):
        return {}
    seen = within(actor.scope(Permission.PROBLEM_READ), Problem)
    rows = session.execute(select(Problem.id, Problem.uid).where(Problem.id.in_(ids), seen))
    return {number: {"uid": str(uid), "number": number} for number, uid in rows}
