"""Tables of who is told, and of what was sent."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, BigId, Identified, text_enum

__all__ = ["Delivery", "DeliveryState", "Target", "Webhook"]


class Target(StrEnum):
    """What kind of receiver it is."""

    STANDARD = "standard"
    """A system that reads JSON, signed as the Standard Webhooks specification says."""
    WECOM = "wecom"
    """A text robot of a group in WeCom (企业微信)."""
    DINGTALK = "dingtalk"
    """A text robot of a group in DingTalk (钉钉)."""


class Webhook(Base, Identified):
    """Somebody who is told, from when on, of which steps, and where."""

    __tablename__ = "webhook"

    name: Mapped[str] = mapped_column(String(200))
    target: Mapped[Target] = mapped_column(text_enum(Target))
    url: Mapped[str] = mapped_column(String(1000))
    secret: Mapped[str] = mapped_column(String(200), default="")
    actions: Mapped[list[Any]] = mapped_column(JSON, default=list)
    """Steps that are told, or ``recorded``; none: all."""
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    """Only problems in this area or below it."""
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    """Only problems of this organisation."""
    active: Mapped[bool] = mapped_column(default=True)
    made_by: Mapped[str] = mapped_column(String(100))
    made_at: Mapped[datetime]
    told_until: Mapped[int] = mapped_column(BigInteger)
    """Entry of the trail up to which everything was put down for sending."""


class DeliveryState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class Delivery(Base):
    """One message, sent until it is acknowledged or given up."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_state_due_at", "state", "due_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"), index=True)
    message: Mapped[str] = mapped_column(String(40), unique=True)
    """Its name: a receiver that gets it twice takes it once."""
    body: Mapped[str] = mapped_column(Text)
    events: Mapped[int] = mapped_column(Integer)
    """How many lines of history it tells of."""
    state: Mapped[DeliveryState] = mapped_column(text_enum(DeliveryState), default=DeliveryState.WAITING)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    made_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """When it is sent next."""
    delivered_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(String(300), default="")
    """What the receiver said last, or why it was not reached."""
