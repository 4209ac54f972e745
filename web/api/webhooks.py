"""Who is told of what happens to problems, and what became of each message."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from flask import Response

from gridmap.errors import InvalidValueError
from gridmap.labels import label
from gridmap.people.permissions import Permission
from gridmap.places.cards import named
from gridmap.store.engine import writing
from gridmap.webhooks import service
from gridmap.webhooks.models import DeliveryState, Target, Webhook
from gridmap.webhooks.signing import make_secret, masked_url
from web.access import needs
from web.api.answering import as_json, directory, now
from web.api.blueprint import WEBHOOKS, api
from web.api.models import Fault
from web.api.parameters import NoQuery, UidPath
from web.api.webhook_models import (
    DeliveriesAnswer,
    DeliveriesQuery,
    WebhookBody,
    WebhookChanges,
    WebhookMade,
    WebhooksAnswer,
)
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from pydantic import BaseModel
    from sqlalchemy.orm import Session

    from gridmap.webhooks.models import Delivery


def _told(hook: Webhook, counts: dict[str, int]) -> dict[str, Any]:
    names = directory()
    return {
        "uid": str(hook.uid),
        "name": hook.name,
        "target": hook.target.value,
        "target_name": label(hook.target),
        "url": masked_url(hook.url),
        "signed": bool(hook.secret),
        "actions": list(hook.actions),
        "area": named(names.areas.get(hook.area_id)),
        "organisation": named(names.organisations.get(hook.organisation_id)),
        "active": hook.active,
        "made_by": hook.made_by,
        "made_at": hook.made_at.isoformat(),
        **{state.value: counts.get(state.value, 0) for state in DeliveryState},
    }


def _answer(model: type[BaseModel], content: dict[str, Any], status: int = 200) -> Response:
    body = as_json(model, content)
    answer = Response(body.content, status=status, content_type=body.kind)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@api.get("/webhooks", tags=[WEBHOOKS], responses={"200": WebhooksAnswer})
@needs(Permission.WEBHOOK_MANAGE, everywhere=True)
def webhooks(query: NoQuery) -> Response:  # noqa: ARG001 - it takes none
    """List who is told, and how many messages wait, arrived or were given up."""
    found = service.webhooks(db(), actor())
    return _answer(WebhooksAnswer, {"webhooks": [_told(hook, counts) for hook, counts in found]})


@api.post(
    "/webhooks",
    tags=[WEBHOOKS],
    responses={"200": WebhookMade, "201": WebhookMade, "409": Fault},
)
@needs(Permission.WEBHOOK_MANAGE, everywhere=True)
def make_webhook(body: WebhookBody) -> Response:
    """Tell somebody from now on; 201, or 200 where the same uid was sent before."""
    made = make_secret() if body.secret is None and body.target is Target.STANDARD else None
    with writing(installation().engine) as session:
        hook, fresh = service.add_webhook(session, actor(), body.wish(made or body.secret or ""), now=now())
        told = _told(hook, _counts(session, hook)) | {"secret": made if fresh else None}
    return _answer(WebhookMade, told, 201 if fresh else 200)


@api.patch("/webhooks/<uid>", tags=[WEBHOOKS], responses={"200": WebhookMade, "404": Fault})
@needs(Permission.WEBHOOK_MANAGE, everywhere=True)
def change_webhook(path: UidPath, body: WebhookChanges) -> Response:
    """Change who is told of what, stop telling them for a while, or give them a new secret."""
    uid, changes = uuid.UUID(path.uid), body.changes()
    made = make_secret() if body.renew_secret else None
    with writing(installation().engine) as session:
        hook = service.change_webhook(session, actor(), uid, changes | ({"secret": made} if made else {}))
        if made and hook.target is not Target.STANDARD:
            raise InvalidValueError(
                "Expected a secret from the robot's own settings; found a wish for a new one.",
                parameter="renew_secret",
            )
        if "active" in body.model_fields_set:
            service.switch(session, actor(), uid, on=body.active)
        told = _told(hook, _counts(session, hook)) | {"secret": made}
    return _answer(WebhookMade, told)


def _counts(session: Session, hook: Webhook) -> dict[str, int]:
    return next(counts for one, counts in service.webhooks(session, actor()) if one is hook)


@api.delete("/webhooks/<uid>", tags=[WEBHOOKS], responses={"204": None, "404": Fault})
@needs(Permission.WEBHOOK_MANAGE, everywhere=True)
def remove_webhook(path: UidPath) -> Response:
    """Tell somebody no more; what waits to be sent goes with it."""
    with writing(installation().engine) as session:
        service.remove_webhook(session, actor(), uuid.UUID(path.uid))
    return Response(status=204)


@api.get("/webhooks/<uid>/deliveries", tags=[WEBHOOKS], responses={"200": DeliveriesAnswer, "404": Fault})
@needs(Permission.WEBHOOK_MANAGE, everywhere=True)
def webhook_deliveries(path: UidPath, query: DeliveriesQuery) -> Response:
    """List the messages to somebody, newest first, and what became of each."""
    found = service.deliveries(
        db(), actor(), uid=uuid.UUID(path.uid), before=query.before, limit=query.limit + 1
    )
    rows = [one for one, _ in found[: query.limit]]
    following = rows[-1].id if len(found) > query.limit else None
    return _answer(DeliveriesAnswer, {"deliveries": [_sent(one) for one in rows], "next": following})


def _sent(one: Delivery) -> dict[str, Any]:
    return {
        "number": one.id,
        "message": one.message,
        "events": one.events,
        "state": one.state.value,
        "state_name": label(one.state),
        "attempts": one.attempts,
        "made_at": one.made_at.isoformat(),
        "due_at": one.due_at.isoformat(),
        "delivered_at": one.delivered_at and one.delivered_at.isoformat(),
        "answer": one.answer,
    }
