"""Use cases of shops: keeping them, pledges, offences, appeals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.evidence.service import add_attachment
from gridmap.labels import label
from gridmap.language import N_
from gridmap.people.permissions import Permission
from gridmap.places.ground import ground_on
from gridmap.problems.models import Category, Problem
from gridmap.shops.locating import whereabouts
from gridmap.shops.models import AppealState, Offence, Pledge, Shopfront, Step
from gridmap.shops.queries import advice_for, find_shop
from gridmap.shops.rules import REFUSALS, Verdict, judge
from gridmap.store.claim import claim

if TYPE_CHECKING:
    import uuid
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.evidence.examination import Examined
    from gridmap.people.permissions import Actor

__all__ = [
    "NewOffence",
    "NewPledge",
    "ShopRecord",
    "appeal_offence",
    "close_shop",
    "decide_appeal",
    "record_offence",
    "save_shop",
    "sign_pledge",
]

_LONGEST = {
    "code": 60,
    "name": 200,
    "licence": 40,
    "trade": 100,
    "owner": 100,
    "phone": 40,
    "address": 300,
    "signed_by": 100,
    "note": 5000,
    "reason": 5000,
    "goods": 5000,
    "appeal": 5000,
    "decision": 5000,
}
_CLOCK_AHEAD = timedelta(minutes=5)
_NOT_THERE = N_("There is no such shop, or it lies outside what you may see.")
_NOT_YOURS = N_("You may see this shop, but not record anything here.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRecord:
    """What is known of a shop. `lon` and `lat` are degrees, EPSG:4326; the uid is made by whoever records."""

    uid: uuid.UUID
    name: str
    lon: float
    lat: float
    code: str = ""
    licence: str = ""
    trade: str = ""
    owner: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPledge:
    """A pledge as it was signed; the same uid sent twice is one pledge."""

    uid: uuid.UUID
    signed_on: date
    signed_by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOffence:
    """An offence as an officer records it; the same uid sent twice is one offence.

    Parameters
    ----------
    category
        Code.
    step
        What was done about it; None: the step that follows on the ladder.
    at
        When it was seen; None: now.
    reason
        Why another step than the one that follows.
    goods
        What was held.
    lon, lat
        Where, if not at the shop itself.
    problem
        Uid of the problem that it belongs to.
    """

    uid: uuid.UUID
    category: str
    step: Step | None = None
    at: datetime | None = None
    reason: str = ""
    note: str = ""
    goods: str = ""
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    problem: uuid.UUID | None = None


def _check_texts(values: dict[str, str]) -> None:
    for name, value in values.items():
        if len(value) > _LONGEST[name]:
            raise InvalidValueError(
                "Expected at most {longest} characters; found {found}.",
                parameter=name,
                longest=_LONGEST[name],
                found=len(value),
            )


def _needed(name: str, value: str) -> str:
    text = value.strip()
    if not text:
        raise InvalidValueError("This is needed.", parameter=name)
    return text


def _place(lon: float, lat: float) -> str:
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidValueError(
            "Expected longitudes in [-180, 180] and latitudes in [-90, 90]; found bounds {bounds}.",
            parameter="lon",
            bounds=(lon, lat),
        )
    return f"SRID=4326;POINT({lon!r} {lat!r})"


def _shop(session: Session, actor: Actor, uid: uuid.UUID, permission: Permission, now: datetime) -> Shopfront:
    """Return the shop, locked until the transaction ends, if the actor holds a permission there."""
    scope = actor.scope(permission)
    shop = session.scalar(select(Shopfront).where(Shopfront.uid == uid).with_for_update())
    if shop is None or not actor.scope(Permission.SHOP_READ).covers(shop.area_id, shop.organisation_id):
        raise NotFoundError(_NOT_THERE)
    if not scope.covers(shop.area_id, shop.organisation_id):
        raise PermissionDeniedError(_NOT_YOURS)
    if shop.valid_to is not None and shop.valid_to <= now.date():
        raise ConflictError("This shop closed on {day}.", day=shop.valid_to.isoformat())
    return shop


def save_shop(
    session: Session, actor: Actor, record: ShopRecord, *, settings: Settings, now: datetime
) -> tuple[Shopfront, bool]:
    """Record a shop, or change the one that has this uid; return it, and whether it is new.

    Area, cell, road and the organisation that enforces are found from the ground.

    Raises
    ------
    PermissionDeniedError
        If the actor may not keep shops, or not there.
    InvalidValueError
        If the name is missing, a text too long, or the place none on earth.
    """
    scope = actor.scope(Permission.SHOP_MANAGE)
    name = _needed("name", record.name)
    texts = {field: getattr(record, field).strip() for field in ("licence", "trade", "owner", "address")}
    _check_texts(texts | {"name": name, "code": record.code, "phone": record.phone})
    geometry = _place(record.lon, record.lat)
    today = now.astimezone(settings.zone).date()
    ground = ground_on(session, today, reach_metres=settings.road_reach_metres)
    found = whereabouts(ground, np.array([record.lon]), np.array([record.lat]))
    ids = {column: None if one[0] < 0 else int(one[0]) for column, one in found.items()}
    if not scope.covers(ids["area_id"], ids["organisation_id"]):
        raise PermissionDeniedError("This place lies outside the areas in which you keep shops.")
    claim(session, record.uid)
    shop = session.scalar(select(Shopfront).where(Shopfront.uid == record.uid).with_for_update())
    if shop is None:
        shop = Shopfront(uid=record.uid, valid_from=today, geometry=geometry)
        session.add(shop)
        fresh = True
    else:
        shop = _shop(session, actor, record.uid, Permission.SHOP_MANAGE, now)
        fresh = False
        _, _, old = find_shop(session, shop.id)
        if shapely.get_type_id(old) != 0 and shapely.contains_xy(old, record.lon, record.lat):
            geometry = f"SRID=4326;{shapely.to_wkt(old, rounding_precision=-1)}"
    shop.name, shop.geometry = name, geometry
    shop.code = record.code.strip() or shop.code or name
    shop.phone = record.phone.strip() or None
    for field, value in (texts | ids).items():
        setattr(shop, field, value)
    session.flush()
    return shop, fresh


def close_shop(
    session: Session, actor: Actor, uid: uuid.UUID, *, settings: Settings, now: datetime
) -> Shopfront:
    """Let a shop be closed from today; its record stays."""
    shop = _shop(session, actor, uid, Permission.SHOP_MANAGE, now)
    shop.valid_to = now.astimezone(settings.zone).date()
    session.flush()
    return shop


def sign_pledge(
    session: Session,
    actor: Actor,
    shop_uid: uuid.UUID,
    pledge: NewPledge,
    *,
    scan: Examined | None = None,
    settings: Settings,
    now: datetime,
) -> tuple[Pledge, bool]:
    """Take a signed pledge in; earlier ones end with it. Return it, and whether it is new.

    Parameters
    ----------
    scan
        Picture of the paper, as `gridmap.evidence.examination.examine` returns it.

    Raises
    ------
    NotFoundError, PermissionDeniedError
        If there is no such shop in sight, or the actor may not record there.
    InvalidValueError
        If nobody signed, or on a day in the future.
    ConflictError
        If another pledge has this uid, or the shop is closed.
    """
    shop = _shop(session, actor, shop_uid, Permission.SHOP_RECORD, now)
    known = session.scalar(select(Pledge).where(Pledge.uid == pledge.uid))
    if known is not None:
        if known.shop_id != shop.id:
            raise ConflictError("Another pledge has the identity {uid}.", uid=str(pledge.uid))
        return known, False
    signed_by = _needed("signed_by", pledge.signed_by)
    _check_texts({"signed_by": signed_by, "note": pledge.note})
    today = now.astimezone(settings.zone).date()
    if pledge.signed_on > today:
        raise InvalidValueError(
            "Expected a day that is not in the future; found {found}.",
            parameter="signed_on",
            found=pledge.signed_on.isoformat(),
        )
    later = [one.signed_on for one in _pledges(session, shop.id) if one.signed_on > pledge.signed_on]
    for one in _pledges(session, shop.id):
        if one.ended_on is None and one.signed_on <= pledge.signed_on:
            one.ended_on = pledge.signed_on
    made = Pledge(
        uid=pledge.uid,
        shop_id=shop.id,
        signed_on=pledge.signed_on,
        signed_by=signed_by,
        note=pledge.note.strip(),
        ended_on=min(later, default=None),
        actor=actor.name,
        recorded_at=now,
    )
    if scan is not None:
        made.attachment_id = add_attachment(session, actor, scan, settings=settings, now=now).id
    session.add(made)
    session.flush()
    return made, True


def _pledges(session: Session, shop_id: int) -> list[Pledge]:
    return list(session.scalars(select(Pledge).where(Pledge.shop_id == shop_id)))


def record_offence(
    session: Session,
    actor: Actor,
    shop_uid: uuid.UUID,
    offence: NewOffence,
    *,
    settings: Settings,
    now: datetime,
) -> tuple[Offence, bool]:
    """Record an offence and the step that was taken; return it, and whether it is new.

    Raises
    ------
    NotFoundError, PermissionDeniedError
        If there is no such shop, category or problem in sight, or the actor may not record there.
    InvalidValueError
        If the step is not the one that follows and no reason is given, or the first violation would be
        punished; if a text is too long or the time lies in the future.
    ConflictError
        If another offence has this uid, or the shop is closed.
    """
    shop = _shop(session, actor, shop_uid, Permission.SHOP_RECORD, now)
    known = session.scalar(select(Offence).where(Offence.uid == offence.uid))
    if known is not None:
        if known.shop_id != shop.id:
            raise ConflictError("Another offence has the identity {uid}.", uid=str(offence.uid))
        return known, False
    texts = {name: getattr(offence, name).strip() for name in ("reason", "note", "goods", "address")}
    _check_texts(texts)
    at = offence.at or now
    if at > now + _CLOCK_AHEAD:
        raise InvalidValueError(
            "Expected a time that is not in the future; found {found}.",
            parameter="at",
            found=at.isoformat(),
        )
    at = min(at, now)
    category = session.scalar(
        select(Category.id).where(Category.code == offence.category, Category.valid_to.is_(None))
    )
    if category is None:
        raise NotFoundError("There is no category {code}.", code=offence.category)
    advice = advice_for(session, shop.id, at=at, settings=settings)
    step = offence.step or advice.step
    verdict = judge(step, advice, texts["reason"])
    if verdict is not Verdict.ALLOWED:
        raise InvalidValueError(
            REFUSALS[verdict],
            parameter="step" if verdict is Verdict.FIRST_UNPUNISHED else "reason",
            asked=label(step),
            expected=label(advice.step),
        )
    if step is Step.GOODS_HELD:
        _needed("goods", texts["goods"])
    lon, lat, _ = find_shop(session, shop.id)
    if offence.lon is not None and offence.lat is not None:
        _place(offence.lon, offence.lat)
        lon, lat = offence.lon, offence.lat
    if step is advice.step:
        texts["reason"] = ""
    texts["address"] = texts["address"] or shop.address
    made = Offence(
        uid=offence.uid,
        shop_id=shop.id,
        category_id=category,
        problem_id=_problem(session, actor, offence.problem),
        at=at,
        recorded_at=now,
        step=step,
        expected=advice.step,
        lon=lon,
        lat=lat,
        person_id=actor.person_id,
        actor=actor.name,
        **texts,
    )
    session.add(made)
    session.flush()
    return made, True


def _problem(session: Session, actor: Actor, uid: uuid.UUID | None) -> int | None:
    if uid is None:
        return None
    problem = session.scalar(select(Problem).where(Problem.uid == uid))
    if problem is None or not actor.scope(Permission.PROBLEM_READ).covers(
        problem.area_id, problem.organisation_id
    ):
        raise NotFoundError("There is no such problem, or it lies outside what you may see.")
    return problem.id


def _offence(
    session: Session, actor: Actor, uid: uuid.UUID, permission: Permission, now: datetime
) -> tuple[Shopfront, Offence]:
    shop_uid = session.scalar(
        select(Shopfront.uid).join(Offence, Offence.shop_id == Shopfront.id).where(Offence.uid == uid)
    )
    if shop_uid is None:
        raise NotFoundError("There is no such offence, or it lies outside what you may see.")
    shop = _shop(session, actor, shop_uid, permission, now)
    return shop, session.scalars(select(Offence).where(Offence.uid == uid)).one()


def appeal_offence(session: Session, actor: Actor, uid: uuid.UUID, text: str, *, now: datetime) -> Offence:
    """Write down that the shop appeals against an offence, and what it says.

    Raises
    ------
    ConflictError
        If there is an appeal already.
    """
    _, offence = _offence(session, actor, uid, Permission.SHOP_RECORD, now)
    text = _needed("appeal", text)
    _check_texts({"appeal": text})
    if offence.appeal_state is not None:
        raise ConflictError("There is an appeal against this offence already.")
    offence.appeal, offence.appealed_at, offence.appeal_state = text, now, AppealState.OPEN
    session.flush()
    return offence


def decide_appeal(
    session: Session, actor: Actor, uid: uuid.UUID, *, uphold: bool, decision: str, now: datetime
) -> Offence:
    """Decide an appeal; where it is upheld, the offence does not count any more.

    Raises
    ------
    PermissionDeniedError
        If the actor may not decide there, or recorded the offence.
    ConflictError
        If there is no open appeal.
    """
    _, offence = _offence(session, actor, uid, Permission.SHOP_MANAGE, now)
    decision = _needed("decision", decision)
    _check_texts({"decision": decision})
    if offence.appeal_state is not AppealState.OPEN:
        raise ConflictError("There is no open appeal against this offence.")
    if actor.person_id is not None and offence.person_id == actor.person_id:
        raise PermissionDeniedError("Whoever recorded an offence does not decide the appeal against it.")
    offence.appeal_state = AppealState.UPHELD if uphold else AppealState.DISMISSED
    offence.decision, offence.decided_by, offence.decided_at = decision, actor.name, now
    session.flush()
    return offence
