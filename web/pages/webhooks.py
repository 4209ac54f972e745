"""Who is told of what happens to problems, and what became of each message."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select

from gridmap.errors import GridmapError, InvalidValueError
from gridmap.labels import label
from gridmap.language import explain, gettext
from gridmap.people.models import Organisation
from gridmap.people.permissions import Permission
from gridmap.places.models import Area
from gridmap.store.engine import writing
from gridmap.webhooks import service
from gridmap.webhooks.messages import trial_body
from gridmap.webhooks.models import Target
from gridmap.webhooks.sending import send_one
from gridmap.webhooks.signing import masked_url
from gridmap.workflow.transitions import Action
from web.access import needs
from web.errors import status_of
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

pages = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@pages.get("")
@needs(Permission.WEBHOOK_MANAGE, everywhere=True)
def show() -> str:
    """Show who is told, the last messages, and a form."""
    return _page()


def _page(message: str = "", *, good: bool = False) -> str:
    areas = db().execute(select(Area.uid, Area.name).where(Area.valid_to.is_(None)).order_by(Area.code))
    bodies = db().execute(select(Organisation.uid, Organisation.name).order_by(Organisation.name))
    return render_template(
        "webhooks.html",
        hooks=service.webhooks(db(), actor()),
        deliveries=service.deliveries(db(), actor()),
        targets=[(target.value, label(target)) for target in Target],
        told=[(name, _name(name)) for name in service.TOLD],
        names={name: _name(name) for name in service.TOLD},
        areas=areas.all(),
        bodies=bodies.all(),
        label=label,
        masked=masked_url,
        message=message,
        good=good,
        given=request.form,
    )


def _name(action: str) -> str:
    return label(Action(action)) if action in set(Action) else gettext("recorded")


@pages.post("")
@needs(Permission.WEBHOOK_MANAGE, everywhere=True)
def add() -> Response | tuple[str, int]:
    """Tell somebody from now on."""
    form = request.form
    try:
        wish = service.Wish(
            name=form.get("name", ""),
            target=_target(form.get("target", "")),
            url=form.get("url", "").strip(),
            secret=form.get("secret", "").strip(),
            actions=tuple(form.getlist("actions")),
            area=uuid.UUID(form["area"]) if form.get("area") else None,
            organisation=uuid.UUID(form["organisation"]) if form.get("organisation") else None,
        )
        with writing(installation().engine) as session:
            service.add_webhook(session, actor(), wish, now=datetime.now(UTC))
    except GridmapError as error:
        return _page(explain(error)), status_of(error)
    return redirect(url_for("webhooks.show"))


def _target(given: str) -> Target:
    if given not in set(Target):
        raise InvalidValueError("Expected one of {expected}.", parameter="target", expected=", ".join(Target))
    return Target(given)


@pages.post("/<uuid:uid>/switch")
@needs(Permission.WEBHOOK_MANAGE, everywhere=True)
def switch(uid: uuid.UUID) -> Response:
    """Stop telling somebody, or tell them again."""
    with writing(installation().engine) as session:
        service.switch(session, actor(), uid, on=request.form.get("on") == "1")
    return redirect(url_for("webhooks.show"))


@pages.post("/<uuid:uid>/try")
@needs(Permission.WEBHOOK_MANAGE, everywhere=True)
def trial(uid: uuid.UUID) -> str:
    """Send a message that only tries whether it arrives, and say what came back."""
    hook = next((hook for hook, _ in service.webhooks(db(), actor()) if hook.uid == uid), None)
    if hook is None:
        return _page(gettext("There is no webhook {uid}.", uid=str(uid)))
    answer, taken, _ = send_one(
        hook.target,
        url=hook.url,
        secret=hook.secret,
        message=f"msg_{uuid.uuid4().hex}",
        body=trial_body(hook.target),
        now=datetime.now(UTC),
    )
    text = gettext("It arrived: {answer}") if taken else gettext("It did not arrive: {answer}")
    return _page(text.format(answer=answer), good=taken)


@pages.post("/messages/<int:number>/resend")
@needs(Permission.WEBHOOK_MANAGE, everywhere=True)
def resend(number: int) -> Response:
    """Send a message that was given up once more."""
    with writing(installation().engine) as session:
        service.resend(session, actor(), number, now=datetime.now(UTC))
    return redirect(url_for("webhooks.show"))
