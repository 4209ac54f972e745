"""Use cases of offences and of appeals against them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.labels import label
from gridmap.people.permissions import Permission
from gridmap.problems.models import Category, Problem
from gridmap.shops.models import AppealState, Offence, Shopfront, Step
from gridmap.shops.queries import advice_for, find_shop
from gridmap.shops.recording import check_texts, hold_shop, needed, place_of
from gridmap.shops.rules import REFUSALS, Verdict, judge

if TYPE_CHECKING:
    import uuid
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor

__all__ = ["NewOffence", "appeal_offence", "decide_appeal", "record_offence"]


_CLOCK_AHEAD = timedelta(minutes=5)


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
    shop = hold_shop(session, actor, shop_uid, Permission.SHOP_RECORD, now.astimezone(settings.zone).date())
    known = session.scalar(select(Offence).where(Offence.uid == offence.uid))
    if known is not None:
        if known.shop_id != shop.id:
            raise ConflictError("Another offence has the identity {uid}.", uid=str(offence.uid))
        return known, False
    texts = {name: getattr(offence, name).strip() for name in ("reason", "note", "goods", "address")}
    check_texts(texts)
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
        needed("goods", texts["goods"])
    lon, lat, _ = find_shop(session, shop.id)
    if offence.lon is not None and offence.lat is not None:
        place_of(offence.lon, offence.lat)
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
    session: Session, actor: Actor, uid: uuid.UUID, permission: Permission, today: date
) -> tuple[Shopfront, Offence]:
    shop_uid = session.scalar(
        select(Shopfront.uid).join(Offence, Offence.shop_id == Shopfront.id).where(Offence.uid == uid)
    )
    if shop_uid is None:
        raise NotFoundError("There is no such offence, or it lies outside what you may see.")
    shop = hold_shop(session, actor, shop_uid, permission, today)
    return shop, session.scalars(select(Offence).where(Offence.uid == uid)).one()


def appeal_offence(
    session: Session, actor: Actor, uid: uuid.UUID, text: str, *, settings: Settings, now: datetime
) -> Offence:
    """Write down that the shop appeals against an offence, and what it says.

    Raises
    ------
    ConflictError
        If there is an appeal already.
    """
    _, offence = _offence(session, actor, uid, Permission.SHOP_RECORD, now.astimezone(settings.zone).date())
    text = needed("appeal", text)
    check_texts({"appeal": text})
    if offence.appeal_state is not None:
        raise ConflictError("There is an appeal against this offence already.")
    offence.appeal, offence.appealed_at, offence.appeal_state = text, now, AppealState.OPEN
    session.flush()
    return offence


def decide_appeal(
    session: Session,
    actor: Actor,
    uid: uuid.UUID,
    *,
    uphold: bool,
    decision: str,
    settings: Settings,
    now: datetime,
) -> Offence:
    """Decide an appeal; where it is upheld, the offence does not count any more.

    Raises
    ------
    PermissionDeniedError
        If the actor may not decide there, or recorded the offence.
    ConflictError
        If there is no open appeal.
    """
    _, offence = _offence(session, actor, uid, Permission.SHOP_MANAGE, now.astimezone(settings.zone).date())
    decision = needed("decision", decision)
    check_texts({"decision": decision})
    if offence.appeal_state is not AppealState.OPEN:
        raise ConflictError("There is no open appeal against this offence.")
    if actor.person_id is not None and offence.person_id == actor.person_id:
        raise PermissionDeniedError("Whoever recorded an offence does not decide the appeal against it.")
    offence.appeal_state = AppealState.UPHELD if uphold else AppealState.DISMISSED
    offence.decision, offence.decided_by, offence.decided_at = decision, actor.name, now
    session.flush()
    return offence
