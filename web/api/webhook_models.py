"""Bodies and answers of the API of webhooks."""

from __future__ import annotations

import uuid
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gridmap.webhooks.models import Target
from gridmap.webhooks.service import Wish
from web.api.models import Answer, Ref
from web.api.parameters import Query

__all__ = [
    "DeliveriesAnswer",
    "DeliveriesQuery",
    "WebhookAnswer",
    "WebhookBody",
    "WebhookChanges",
    "WebhookMade",
    "WebhooksAnswer",
]

_ACTIONS = "`recorded`, or steps; none: everything"
_SECRET = "For the signature, Base64 after `whsec_`, or any text"  # noqa: S105 - says what it is


class WebhookBody(BaseModel):
    """Who is to be told. The uid is made by the client: sending it twice makes one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uid: uuid.UUID
    name: str = Field(min_length=1, max_length=200)
    target: Target = Target.STANDARD
    url: str = Field(min_length=1, max_length=1000, description="Starts with https:// or http://")
    secret: str | None = Field(None, max_length=200, description=f"{_SECRET}; a system gets one if none")
    actions: list[str] = Field(default=[], max_length=50, description=_ACTIONS)
    area: uuid.UUID | None = Field(None, description="Only in this area and those below it")
    organisation: uuid.UUID | None = Field(None, description="Only of this organisation")

    def wish(self, secret: str) -> Wish:
        """Return it as the use case takes it."""
        return Wish(**self.model_dump() | {"secret": secret, "actions": tuple(self.actions)})


class WebhookChanges(BaseModel):
    """What is to be another way; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field("", min_length=1, max_length=200)
    url: str = Field("", min_length=1, max_length=1000)
    secret: str = Field("", max_length=200, description=f"{_SECRET}; empty: nothing is signed")
    renew_secret: bool = Field(default=False, description="Make a new secret and tell it, this once")
    actions: list[str] = Field(default=[], max_length=50, description=_ACTIONS)
    area: uuid.UUID | None = None
    organisation: uuid.UUID | None = None
    active: bool = Field(default=True, description="Whether anything is told")

    def changes(self) -> dict[str, Any]:
        """Return the fields of a wish that were given."""
        given = self.model_dump(exclude_unset=True, exclude={"active", "renew_secret"})
        return given | ({"actions": tuple(self.actions)} if "actions" in given else {})


class WebhookAnswer(Answer):
    """Somebody who is told. The secret and the values in the address's query are never shown."""

    uid: str
    name: str
    target: str
    target_name: str
    url: str = Field(description="With … in place of what may be a key")
    signed: bool = Field(description="Whether there is a secret for the signature")
    actions: list[str]
    area: Ref | None
    organisation: Ref | None
    active: bool
    made_by: str
    made_at: str
    waiting: int = Field(description="Messages to be sent")
    delivered: int
    given_up: int


class WebhookMade(WebhookAnswer):
    """A webhook that was made or changed."""

    secret: str | None = Field(description="A secret that was made for it, told this once")


class WebhooksAnswer(Answer):
    """Everybody who is told."""

    webhooks: list[WebhookAnswer]


class DeliveriesQuery(Query):
    """Which messages."""

    limit: int = Field(50, ge=1, le=500)
    before: int | None = Field(None, ge=1, le=2**62, description="`next` of the page before")


class DeliveryAnswer(Answer):
    """One message and what became of it."""

    number: int
    message: str = Field(description="Its name; a receiver that gets it twice takes it once")
    events: int = Field(description="How many lines of history it tells of")
    state: str
    state_name: str
    attempts: int
    made_at: str
    due_at: str = Field(description="When it is sent next, or was")
    delivered_at: str | None
    answer: str = Field(description="What the receiver said last, or why it was not reached")


class DeliveriesAnswer(Answer):
    """A page of messages, newest first. `next` asks for the following page."""

    deliveries: list[DeliveryAnswer]
    next: int | None
