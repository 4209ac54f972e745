"""Shops: taking one in, changing what is known of it, closing it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for

from gridmap.errors import GridmapError, InvalidValueError
from gridmap.language import explain
from gridmap.people.permissions import Permission
from gridmap.shops.service import ShopRecord, close_shop, save_shop
from gridmap.store.engine import writing
from web.access import needs
from web.api.answering import now
from web.errors import status_of
from web.installation import actor, db, installation
from web.pages.shops import row_of, text_of, written

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

pages = Blueprint("shop_forms", __name__, url_prefix="/shops")


@pages.get("/new")
@needs(Permission.SHOP_MANAGE)
def new() -> tuple[str, int]:
    """Show the form for a shop that is not known yet."""
    given = {"lon": request.args.get("lon", ""), "lat": request.args.get("lat", "")}
    return _form(uuid.uuid4(), given, fresh=True)


@pages.get("/<uuid:uid>/edit")
@needs(Permission.SHOP_MANAGE)
def edit(uid: uuid.UUID) -> tuple[str, int]:
    """Show the form with what is known."""
    return _form(uid, row_of(db(), uid), fresh=False)


def _form(
    uid: uuid.UUID, given: Any, *, fresh: bool, message: str | None = None, status: int = 200
) -> tuple[str, int]:
    page = render_template("shop_form.html", uid=uid, given=given, fresh=fresh, message=message)
    return page, status


@pages.post("/<uuid:uid>/edit")
@needs(Permission.SHOP_MANAGE)
def save(uid: uuid.UUID) -> Response | tuple[str, int]:
    """Record a new shop, or change what is known of one."""
    try:
        with writing(installation().engine) as session:
            try:
                lon, lat = float(text_of("lon")), float(text_of("lat"))
            except ValueError as error:
                raise InvalidValueError(
                    "Expected a number; found “{found}”.", parameter="lon", found=text_of("lon")
                ) from error
            names = ("name", "code", "licence", "trade", "owner", "phone", "address")
            record = ShopRecord(uid=uid, lon=lon, lat=lat, **{name: text_of(name) for name in names})
            save_shop(session, actor(), record, settings=installation().settings, now=now())
    except GridmapError as error:
        return _form(
            uid,
            request.form,
            fresh=request.form.get("fresh") == "1",
            message=explain(error),
            status=int(status_of(error)),
        )
    return redirect(url_for("shops.show", uid=uid))


@pages.post("/<uuid:uid>/close")
@needs(Permission.SHOP_MANAGE)
def close(uid: uuid.UUID) -> Response | tuple[str, int]:
    """Let a shop be closed from today."""
    return written(
        uid,
        lambda session: close_shop(session, actor(), uid, settings=installation().settings, now=now()),
    )
