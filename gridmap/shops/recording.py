"""What every change of a shop's record needs: the shop itself, held, and its fields checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.language import N_
from gridmap.people.permissions import Permission
from gridmap.shops.models import Shopfront

if TYPE_CHECKING:
    import uuid
    from datetime import date

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["check_texts", "hold_shop", "needed", "place_of"]


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
_NOT_THERE = N_("There is no such shop, or it lies outside what you may see.")
_NOT_YOURS = N_("You may see this shop, but not record anything here.")


def check_texts(values: dict[str, str]) -> None:
    """Refuse a text that is longer than its field.

    Raises
    ------
    InvalidValueError
        Naming the field.
    """
    for name, value in values.items():
        if len(value) > _LONGEST[name]:
            raise InvalidValueError(
                "Expected at most {longest} characters; found {found}.",
                parameter=name,
                longest=_LONGEST[name],
                found=len(value),
            )


def needed(name: str, value: str) -> str:
    """Return a text without blanks around it.

    Raises
    ------
    InvalidValueError
        If there is nothing.
    """
    text = value.strip()
    if not text:
        raise InvalidValueError("This is needed.", parameter=name)
    return text


def place_of(lon: float, lat: float) -> str:
    """Return a place as the store takes it; degrees.

    Raises
    ------
    InvalidValueError
        If it lies on no earth.
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidValueError(
            "Expected longitudes in [-180, 180] and latitudes in [-90, 90]; found bounds {bounds}.",
            parameter="lon",
            bounds=(lon, lat),
        )
    return f"SRID=4326;POINT({lon!r} {lat!r})"


def hold_shop(
    session: Session, actor: Actor, uid: uuid.UUID, permission: Permission, today: date
) -> Shopfront:
    """Return the shop, locked until the transaction ends, if the actor holds a permission there.

    Parameters
    ----------
    today
        In the installation's time zone, as shops close by its days.
    """
    scope = actor.scope(permission)
    shop = session.scalar(select(Shopfront).where(Shopfront.uid == uid).with_for_update())
    if shop is None or not actor.scope(Permission.SHOP_READ).covers(shop.area_id, shop.organisation_id):
        raise NotFoundError(_NOT_THERE)
    if not scope.covers(shop.area_id, shop.organisation_id):
        raise PermissionDeniedError(_NOT_YOURS)
    if shop.valid_to is not None and shop.valid_to <= today:
        raise ConflictError("This shop closed on {day}.", day=shop.valid_to.isoformat())
    return shop
