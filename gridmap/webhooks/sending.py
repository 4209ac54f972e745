"""Sending what was put down, until it is acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.store.engine import reading, writing
from gridmap.webhooks.collecting import collect, head_of
from gridmap.webhooks.models import Delivery, DeliveryState, Target, Webhook
from gridmap.webhooks.signing import BACKOFF, accepted, address, headers

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gridmap.config import Settings

__all__ = ["Sent", "send_due", "send_one"]

_LEASE = timedelta(minutes=2)
"""Whoever takes a message has this long; then another one may."""
_AT_ONCE = 20
_TIMEOUT = (5, 10)
_LONGEST_ANSWER = 300


@dataclass(frozen=True, slots=True)
class Sent:
    """How many messages were acknowledged, and how many were not."""

    delivered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Message:
    id: int
    target: Target
    url: str
    secret: str
    message: str
    body: str
    attempts: int


def send_due(engine: Engine, *, settings: Settings, now: datetime | None = None) -> Sent:
    """Put down what has happened, and send what is due; no transaction is open while a receiver answers.

    Safe to run in several processes at once: each takes other messages.
    """
    moment = now or datetime.now(UTC)
    if _something_happened(engine):
        with writing(engine) as session:
            collect(session, settings=settings, now=moment)
    delivered = failed = 0
    for one in _take(engine, moment):
        answer, taken, gone = send_one(
            one.target, url=one.url, secret=one.secret, message=one.message, body=one.body, now=moment
        )
        _settle(engine, one, answer=answer, taken=taken, gone=gone, now=moment)
        delivered, failed = delivered + taken, failed + (not taken)
    return Sent(delivered, failed)


def _something_happened(engine: Engine) -> bool:
    with reading(engine) as session:
        oldest = session.scalar(select(Webhook.told_until).where(Webhook.active).order_by(Webhook.told_until))
        return oldest is not None and oldest < head_of(session)


def _take(engine: Engine, now: datetime) -> list[_Message]:
    """Messages that are due, reserved for whoever asks."""
    due = (
        select(Delivery, Webhook)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .where(Delivery.state == DeliveryState.WAITING, Delivery.due_at <= now, Webhook.active)
        .order_by(Delivery.due_at, Delivery.id)
        .limit(_AT_ONCE)
    )
    with reading(engine) as session:
        if session.execute(due).first() is None:
            return []
    with writing(engine) as session:
        rows = session.execute(due.with_for_update(of=Delivery, skip_locked=True)).all()
        taken = [
            _Message(one.id, hook.target, hook.url, hook.secret, one.message, one.body, one.attempts + 1)
            for one, hook in rows
        ]
        for one, _ in rows:
            one.due_at = now + _LEASE
            one.attempts += 1
    return taken


def send_one(
    target: Target, *, url: str, secret: str, message: str, body: str, now: datetime
) -> tuple[str, bool, bool]:
    """Send one message; return the answer, whether it was taken, and whether the receiver is gone (410)."""
    import requests

    try:
        answer = requests.post(
            address(target, url=url, secret=secret, now=now),
            data=body.encode(),
            headers=headers(target, message=message, body=body, secret=secret, now=now),
            timeout=_TIMEOUT,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        return type(error).__name__, False, False
    text = answer.text[:_LONGEST_ANSWER]
    shown = f"{answer.status_code} {text}".strip()[:_LONGEST_ANSWER]
    return shown, accepted(target, answer.status_code, answer.text), answer.status_code == requests.codes.gone


def _settle(engine: Engine, one: _Message, *, answer: str, taken: bool, gone: bool, now: datetime) -> None:
    with writing(engine) as session:
        row = session.get(Delivery, one.id)
        if row is None:  # whom it was for is told no more since
            return
        row.answer = answer
        if taken:
            row.state, row.delivered_at = DeliveryState.DELIVERED, now
        elif gone or one.attempts > len(BACKOFF):
            row.state = DeliveryState.GIVEN_UP
        else:
            row.due_at = now + timedelta(seconds=BACKOFF[one.attempts - 1])
        if gone:
            session.get_one(Webhook, row.webhook_id).active = False
