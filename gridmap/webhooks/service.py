"""Saying who is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import func, select

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.people.models import Organisation
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.problems.models import EventKind
from gridmap.webhooks.collecting import head_of
from gridmap.webhooks.models import Delivery, DeliveryState, Target, Webhook
from gridmap.workflow.transitions import Action

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["TOLD", "Wish", "add_webhook", "deliveries", "resend", "switch", "webhooks"]

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


def add_webhook(session: Session, actor: Actor, wish: Wish, *, now: datetime) -> Webhook:
    """Tell somebody from now on.

    Raises
    ------
    PermissionDeniedError
        If the actor does not hold `webhook:manage` without limits.
    InvalidValueError
        If a value is of no use.
    """
    actor.scope_everywhere(Permission.WEBHOOK_MANAGE)
    parts = urlsplit(wish.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
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
    made = Webhook(
        name=wish.name.strip(),
        target=wish.target,
        url=wish.url,
        secret=wish.secret,
        actions=list(wish.actions),
        area_id=_id(session, Area, wish.area, "area"),
        organisation_id=_id(session, Organisation, wish.organisation, "organisation"),
        made_by=actor.name,
        made_at=now,
        told_until=head_of(session),
    )
    session.add(made)
    session.flush()
    return made


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
    actor.scope_everywhere(Permission.WEBHOOK_MANAGE)
    hook = session.scalar(select(Webhook).where(Webhook.uid == uid))
    if hook is None:
        raise NotFoundError("There is no webhook {uid}.", uid=str(uid))
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


def deliveries(session: Session, actor: Actor) -> list[tuple[Delivery, str]]:
    """The last messages, newest first, each with its receiver's name."""
    actor.scope_everywhere(Permission.WEBHOOK_MANAGE)
    rows = session.execute(
        select(Delivery, Webhook.name)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .order_by(Delivery.id.desc())
        .limit(_SHOWN)
    )
    return [(delivery, name) for delivery, name in rows]
