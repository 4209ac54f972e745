"""Use cases of pledges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError
from gridmap.evidence.service import add_attachment
from gridmap.people.permissions import Permission
from gridmap.shops.models import Pledge
from gridmap.shops.recording import check_texts, hold_shop, needed

if TYPE_CHECKING:
    import uuid
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.evidence.examination import Examined
    from gridmap.people.permissions import Actor

__all__ = ["NewPledge", "sign_pledge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPledge:
    """A pledge as it was signed; the same uid sent twice is one pledge."""

    uid: uuid.UUID
    signed_on: date
    signed_by: str
    note: str = ""


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

    What the same person signed on the same day and came in without a scan is this pledge: it gets the scan.

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
    shop = hold_shop(session, actor, shop_uid, Permission.SHOP_RECORD, now.astimezone(settings.zone).date())
    known = session.scalar(select(Pledge).where(Pledge.uid == pledge.uid))
    if known is not None:
        if known.shop_id != shop.id:
            raise ConflictError("Another pledge has the identity {uid}.", uid=str(pledge.uid))
        return known, False
    signed_by = needed("signed_by", pledge.signed_by)
    check_texts({"signed_by": signed_by, "note": pledge.note})
    today = now.astimezone(settings.zone).date()
    if pledge.signed_on > today:
        raise InvalidValueError(
            "Expected a day that is not in the future; found {found}.",
            parameter="signed_on",
            found=pledge.signed_on.isoformat(),
        )
    same = next(
        (
            one
            for one in _pledges(session, shop.id)
            if (one.signed_on, one.signed_by) == (pledge.signed_on, signed_by) and one.attachment_id is None
        ),
        None,
    )
    if same is not None:
        same.note = same.note or pledge.note.strip()
        if scan is not None:
            same.attachment_id = add_attachment(session, actor, scan, settings=settings, now=now).id
        session.flush()
        return same, False
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
