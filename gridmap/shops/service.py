"""Use cases of shops: taking them in, changing and closing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from gridmap.errors import PermissionDeniedError
from gridmap.people.permissions import Permission
from gridmap.places.ground import ground_on
from gridmap.shops.locating import whereabouts
from gridmap.shops.models import Shopfront
from gridmap.shops.queries import find_shop
from gridmap.shops.recording import check_texts, hold_shop, needed, place_of
from gridmap.store.claim import claim

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor

__all__ = ["ShopRecord", "close_shop", "save_shop"]


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
    name = needed("name", record.name)
    texts = {field: getattr(record, field).strip() for field in ("licence", "trade", "owner", "address")}
    check_texts(texts | {"name": name, "code": record.code, "phone": record.phone})
    geometry = place_of(record.lon, record.lat)
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
        shop = hold_shop(
            session, actor, record.uid, Permission.SHOP_MANAGE, now.astimezone(settings.zone).date()
        )
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
    shop = hold_shop(session, actor, uid, Permission.SHOP_MANAGE, now.astimezone(settings.zone).date())
    shop.valid_to = now.astimezone(settings.zone).date()
    session.flush()
    return shop
