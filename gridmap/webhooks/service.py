"""Saying who is told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.people.models import Organisation
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.problems.models import EventKind
from gridmap.store.claim import claim
from gridmap.webhooks.collecting import head_of
from gridmap.webhooks.models import Delivery, DeliveryState, Target, Webhook
from gridmap.webhooks.signing import is_secret
from gridmap.workflow.transitions import Action

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = [
    "TOLD",
    "Wish",
    "add_webhook",
    "change_webhook",
    "deliveries",
    "remove_webhook",
    "resend",
    "switch",
    "webhooks",
]

TOLD = (EventKind.RECORDED.value, *(action.value for action in Action))
"""What can be told."""
_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants to be told of what."""

    name: str
    target: Target
    url: str
    secret: str = ""
    actions: tuple[str, ...] = ()
    area: uuid.UUID | None = None
    organisation: uuid.UUID | None = None
    uid: uuid.UUID | None = None
    """Made by whoever asks: the same one twice is one webhook."""


def add_webhook(session: Session, actor: Actor, wish: Wish, *, now: datetime) -> tuple[Webhook, bool]:
    """Tell somebody from now on; return it, and whether it is new.

    Raises
    ------
    PermissionDeniedError
        If the actor does not hold `webhook:manage` without limits.
    InvalidValueError
        If a value is of no use.
    ConflictError
        If another webhook has its uid.
    """
    actor.scope_everywhere(Permission.WEBHOOK_MANAGE)
    known = None
    if wish.uid is not None:
        claim(session, wish.uid)
        known = session.scalar(select(Webhook).where(Webhook.uid == wish.uid))
    if known is not None:
        if (known.target, known.url, known.name) != (wish.target, wish.url, wish.name.strip()):
            raise ConflictError("Another webhook has the identity {uid}.", uid=str(wish.uid))
        return known, False
    made = Webhook(uid=wish.uid or uuid.uuid4(), made_by=actor.name, made_at=now, told_until=head_of(session))
    _put(session, made, wish)
    session.add(made)
    session.flush()
    return made, True


def change_webhook(session: Session, actor: Actor, uid: uuid.UUID, changes: Mapping[str, Any]) -> Webhook:
    """Change who is told of what; messages that wait go to the address that holds by then.

    Parameters
    ----------
    changes
        New values of fields of `Wish`, by name; the others stay.

    Raises
    ------
    PermissionDeniedError, NotFoundError, InvalidValueError
        If the actor may not, there is no such webhook, or a value is of no use.
    """
    hook = _find(session, actor, uid)
    wish = Wish(
        name=hook.name,
        target=hook.target,
        url=hook.url,
        secret=hook.secret,
        actions=tuple(hook.actions),
        area=session.scalar(select(Area.uid).where(Area.id == hook.area_id)),
        organisation=session.scalar(select(Organisation.uid).where(Organisation.id == hook.organisation_id)),
    )
    _put(session, hook, replace(wish, **changes))
    session.flush()
    return hook


def remove_webhook(session: Session, actor: Actor, uid: uuid.UUID) -> None:
    """Tell somebody no more; what still waits to be sent goes with it, and the trail keeps that it was there.

    Raises
    ------
    PermissionDeniedError, NotFoundError
        If the actor may not, or there is no such webhook.
    """
    hook = _find(session, actor, uid)
    session.execute(delete(Delivery).where(Delivery.webhook_id == hook.id))
    session.delete(hook)
    session.flush()


def _find(session: Session, actor: Actor, uid: uuid.UUID) -> Webhook:
    actor.scope_everywhere(Permission.WEBHOOK_MANAGE)
    hook = session.scalar(select(Webhook).where(Webhook.uid == uid).with_for_update())
    if hook is None:
        raise NotFoundError("There is no webhook {uid}.", uid=str(uid))
    return hook


def _put(session: Session, hook: Webhook, wish: Wish) -> None:
    """Check a wish and write it to its row."""
    try:
        parts = urlsplit(wish.url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise InvalidValueError(
            "Expected an address that starts with https:// or http://; found {found}.",
            parameter="url",
            found=wish.url or "–",
        )
    if not wish.name.strip():
        raise InvalidValueError("Expected a name.", parameter="name")
    unknown = sorted(set(wish.actions) - set(TOLD))
    if unknown:
        raise InvalidValueError(
            "Expected one or several of {expected}.", parameter="actions", expected=", ".join(TOLD)
        )
    if not is_secret(wish.secret):
        raise InvalidValueError("Expected Base64 after whsec_ in a secret.", parameter="secret")
    hook.name, hook.target, hook.url = wish.name.strip(), wish.target, wish.url
    hook.secret, hook.actions = wish.secret, list(wish.actions)
    hook.area_id = _id(session, Area, wish.area, "area")
    hook.organisation_id = _id(session, Organisation, wish.organisation, "organisation")


def _id(
    session: Session, model: type[Area | Organisation], uid: uuid.UUID | None, parameter: str
) -> int | None:
    if uid is None:
        return None
    found: int | None = session.scalar(select(model.id).where(model.uid == uid))
    if found is None:
        raise InvalidValueError("There is nothing with the uid {found}.", parameter=parameter, found=str(uid))
    return found


def switch(session: Session, actor: Actor, uid: uuid.UUID, *, on: bool) -> Webhook:
    """Stop telling somebody, or tell them again, from now on.

    Raises
    ------
    PermissionDeniedError, NotFoundError
        If the actor may not, or there is no such webhook.
    """
    hook = _find(session, actor, uid)
    if on and not hook.active:
        hook.told_until = head_of(session)
    hook.active = on
    session.flush()
    return hook


def resend(session: Session, actor: Actor, number: int, *, now: datetime) -> None:
    """Send a message that was given up once more.

    Raises
    ------
    PermissionDeniedError, NotFoundError
        If the actor may not, or there is no such message that was given up.
    """
    actor.scope_everywhere(Permission.WEBHOOK_MANAGE)
    found = session.get(Delivery, number)
    if found is None or found.state is not DeliveryState.GIVEN_UP:
        raise NotFoundError("There is no message {number} that was given up.", number=number)
    found.state, found.due_at, found.attempts = DeliveryState.WAITING, now, 0
    session.flush()


def webhooks(session: Session, actor: Actor) -> list[tuple[Webhook, dict[str, int]]]:
    """Everybody who is told, each with how many messages are in which state."""
    actor.scope_everywhere(Permission.WEBHOOK_MANAGE)
    counts: dict[int, dict[str, int]] = {}
    rows = session.execute(
        select(Delivery.webhook_id, Delivery.state, func.count()).group_by(
            Delivery.webhook_id, Delivery.state
        )
    )
    for hook_id, state, count in rows:
        counts.setdefault(hook_id, {})[state.value] = count
    hooks = session.scalars(select(Webhook).order_by(Webhook.id))
    return [(hook, counts.get(hook.id, {})) for hook in hooks]


def deliveries(
    session: Session,
    actor: Actor,
    *,
    uid: uuid.UUID | None = None,
    before: int | None = None,
    limit: int = _SHOWN,
) -> list[tuple[Delivery, str]]:
    """The last messages, newest first, each with its receiver's name.

    Parameters
    ----------
    uid
        Only those to this webhook.
    before
        Only those that were put down before the one of this number.
    limit
        At most so many.

    Raises
    ------
    PermissionDeniedError, NotFoundError
        If the actor may not, or there is no such webhook.
    """
    actor.scope_everywhere(Permission.WEBHOOK_MANAGE)
    query = select(Delivery, Webhook.name).join(Webhook, Webhook.id == Delivery.webhook_id)
    if uid is not None:
        if session.scalar(select(Webhook.id).where(Webhook.uid == uid)) is None:
            raise NotFoundError("There is no webhook {uid}.", uid=str(uid))
        query = query.where(Webhook.uid == uid)
    if before is not None:
        query = query.where(Delivery.id < before)
    rows = session.execute(query.order_by(Delivery.id.desc()).limit(limit))
    return [(delivery, name) for delivery, name in rows]
