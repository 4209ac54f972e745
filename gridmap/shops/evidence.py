"""Use cases and reads of what proves an offence or a pledge: photos, videos, scans."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.evidence.models import Attachment, Doubt, Stage
from gridmap.evidence.service import add_attachment, compare, hold_own
from gridmap.people.permissions import Permission
from gridmap.shops.models import AppealState, Offence, OffencePhoto, Pledge, Shopfront
from gridmap.shops.recording import hold_shop

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.evidence.examination import Examined
    from gridmap.people.permissions import Actor

__all__ = ["add_scan", "name_proofs", "photo_of", "photos_of", "prove_offence", "proven_of"]


def prove_offence(
    session: Session,
    actor: Actor,
    uid: uuid.UUID,
    photos: Sequence[Examined],
    *,
    settings: Settings,
    now: datetime,
) -> list[Attachment]:
    """Add photos and videos to an offence, when it is recorded or later; sent again, they are there once.

    Where and when the camera says they were taken is compared with the place and time of the offence.

    Raises
    ------
    NotFoundError, PermissionDeniedError
        If there is no such offence in sight, or the actor may not record there or add evidence.
    InvalidValueError
        If the offence would have more than one problem may have.
    ConflictError
        If the shop is closed, or something else has an identity that was given.
    """
    offence = _hold(session, actor, uid, settings=settings, now=now)
    made = []
    for photo in photos:
        stated = replace(
            photo.upload,
            stage=Stage.OFFENCE,
            problem=None,
            lon=offence.lon,
            lat=offence.lat,
            taken_at=offence.at,
        )
        row = add_attachment(session, actor, replace(photo, upload=stated), settings=settings, now=now)
        _tie(session, offence, row)
        made.append(row)
    _check_number(session, offence, settings)
    return made


def name_proofs(
    session: Session,
    actor: Actor,
    uid: uuid.UUID,
    uploads: Sequence[uuid.UUID],
    *,
    settings: Settings,
    now: datetime,
) -> Offence:
    """Let what a login sent before prove an offence; named again, it is there once.

    Parameters
    ----------
    uid
        Of the offence.
    uploads
        Uids of photos and videos of the stage ``offence``.

    Raises
    ------
    NotFoundError, PermissionDeniedError, InvalidValueError, ConflictError
        As for `prove_offence`; also if this login sent nothing under one of the uids.
    """
    offence = _hold(session, actor, uid, settings=settings, now=now)
    actor.scope(Permission.EVIDENCE_ADD)
    for row in hold_own(session, actor, uploads):
        known = session.scalar(select(OffencePhoto.id).where(OffencePhoto.attachment_id == row.id))
        if known is None:
            compare(row, lon=offence.lon, lat=offence.lat, at=offence.at, settings=settings)
        _tie(session, offence, row)
    _check_number(session, offence, settings)
    return offence


def _hold(session: Session, actor: Actor, uid: uuid.UUID, *, settings: Settings, now: datetime) -> Offence:
    """Hold the shop of an offence, and return the offence."""
    shop_uid = session.scalar(
        select(Shopfront.uid).join(Offence, Offence.shop_id == Shopfront.id).where(Offence.uid == uid)
    )
    if shop_uid is None:
        raise NotFoundError("There is no such offence, or it lies outside what you may see.")
    hold_shop(session, actor, shop_uid, Permission.SHOP_RECORD, now.astimezone(settings.zone).date())
    return session.scalars(select(Offence).where(Offence.uid == uid)).one()


def _check_number(session: Session, offence: Offence, settings: Settings) -> None:
    there = session.scalar(select(func.count()).where(OffencePhoto.offence_id == offence.id)) or 0
    if there > settings.evidence_per_problem:
        raise InvalidValueError(
            "Expected at most {most} photos and videos for one violation; found {found}.",
            parameter="photo",
            most=settings.evidence_per_problem,
            found=there,
        )


def _tie(session: Session, offence: Offence, row: Attachment) -> None:
    known = session.scalar(select(OffencePhoto).where(OffencePhoto.attachment_id == row.id))
    if row.stage is not Stage.OFFENCE or (known is not None and known.offence_id != offence.id):
        raise ConflictError("A photo or video that was named proves something else already.")
    if known is not None:
        return
    elsewhere = (
        select(Attachment.id)
        .outerjoin(OffencePhoto, OffencePhoto.attachment_id == Attachment.id)
        .where(
            Attachment.sha256 == row.sha256,
            (OffencePhoto.offence_id != offence.id)
            | (
                Attachment.problem_id.is_not(None)
                & Attachment.problem_id.is_distinct_from(offence.problem_id)
            ),
        )
    )
    if session.scalar(elsewhere.limit(1)) is not None:
        row.doubts |= Doubt.REUSED
    session.add(OffencePhoto(offence_id=offence.id, attachment_id=row.id))
    session.flush()


def photos_of(session: Session, offence_ids: Iterable[int]) -> dict[int, list[Attachment]]:
    """Return what proves offences, by offence, in the order in which it was sent.

    The caller has checked that the reader may see their shop and who stands before it.
    """
    query = (
        select(OffencePhoto.offence_id, Attachment)
        .join(Attachment, Attachment.id == OffencePhoto.attachment_id)
        .where(OffencePhoto.offence_id.in_(list(offence_ids)))
        .order_by(OffencePhoto.id)
    )
    found: dict[int, list[Attachment]] = {}
    for offence_id, row in session.execute(query):
        found.setdefault(offence_id, []).append(row)
    return found


def photo_of(session: Session, shop_id: int, offence: uuid.UUID, photo: uuid.UUID) -> Attachment:
    """Return a photo or video of an offence; the caller has checked as for `photos_of`.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = session.scalar(
        select(Attachment)
        .join(OffencePhoto, OffencePhoto.attachment_id == Attachment.id)
        .join(Offence, Offence.id == OffencePhoto.offence_id)
        .where(Attachment.uid == photo, Offence.uid == offence, Offence.shop_id == shop_id)
    )
    if row is None:
        raise NotFoundError("There is no such photo or video, or it lies outside what you may see.")
    return row


def proven_of(session: Session, shop_id: int, since: datetime) -> int:
    """Return how many offences of a shop that count since a moment have a photo or video."""
    counts = Offence.appeal_state.is_(None) | (Offence.appeal_state != AppealState.UPHELD)
    query = (
        select(func.count(Offence.id.distinct()))
        .join(OffencePhoto, OffencePhoto.offence_id == Offence.id)
        .where(Offence.shop_id == shop_id, Offence.at >= since, counts)
    )
    return session.scalar(query) or 0


def add_scan(
    session: Session,
    actor: Actor,
    shop_uid: uuid.UUID,
    pledge_uid: uuid.UUID,
    scan: Examined,
    *,
    settings: Settings,
    now: datetime,
) -> Pledge:
    """Add the picture of the paper to a pledge that was taken in without one; sent again, it is there once.

    Raises
    ------
    NotFoundError, PermissionDeniedError
        If there is no such pledge in sight, or the actor may not record there or add evidence.
    ConflictError
        If it has another scan, or the shop is closed.
    """
    shop = hold_shop(session, actor, shop_uid, Permission.SHOP_RECORD, now.astimezone(settings.zone).date())
    pledge = session.scalar(select(Pledge).where(Pledge.uid == pledge_uid, Pledge.shop_id == shop.id))
    if pledge is None:
        raise NotFoundError("There is no such pledge, or it lies outside what you may see.")
    if pledge.attachment_id is not None:
        there = session.get_one(Attachment, pledge.attachment_id)
        if there.sha256 != scan.original.sha256:
            raise ConflictError("This pledge has a scan already.")
        return pledge
    pledge.attachment_id = add_attachment(session, actor, scan, settings=settings, now=now).id
    session.flush()
    return pledge
