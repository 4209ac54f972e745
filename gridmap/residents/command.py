"""The ``gridmap open311`` and ``gridmap residents`` commands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from gridmap.imports.command import open_store
from gridmap.language import gettext
from gridmap.people.permissions import Actor
from gridmap.residents.models import ApiKey
from gridmap.residents.moderation import create_key, forget_reporters, revoke_key
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    import uuid

    from gridmap.config import Settings

__all__ = ["open311", "residents"]


@click.group("open311")
def open311() -> None:
    """Keys of other systems that report through Open311."""


@open311.command("key")
@click.argument("name")
@click.option("--trusted", is_flag=True, help="What it sends is published without being looked at.")
@click.pass_obj
def key(settings: Settings, *, name: str, trusted: bool) -> None:
    """Make a key for the system NAME; it is shown this once."""
    with writing(open_store(settings)) as session:
        _, made = create_key(session, Actor.owner(), name, trusted=trusted, now=datetime.now(UTC))
    click.echo(made)


@open311.command("keys")
@click.pass_obj
def keys(settings: Settings) -> None:
    """List the keys."""
    with reading(open_store(settings)) as session:
        for one in session.scalars(select(ApiKey).order_by(ApiKey.id)):
            state = "revoked" if one.revoked_at else "trusted" if one.trusted else "held"
            click.echo(f"{one.uid}  {one.made_at.astimezone(settings.zone):%Y-%m-%d}  {state:<8} {one.name}")


@open311.command("revoke")
@click.argument("uid", type=click.UUID)
@click.pass_obj
def revoke(settings: Settings, uid: uuid.UUID) -> None:
    """Let the key UID open nothing any more."""
    with writing(open_store(settings)) as session:
        row = revoke_key(session, Actor.owner(), uid, now=datetime.now(UTC))
        name = row.name
    click.echo(gettext("Revoked: {name}", name=name))


@click.group("residents")
def residents() -> None:
    """What is kept of people who report."""


@residents.command("forget")
@click.pass_obj
def forget(settings: Settings) -> None:
    """Remove who reported longer ago than the installation keeps that; run it every day."""
    with writing(open_store(settings)) as session:
        count = forget_reporters(session, settings=settings, now=datetime.now(UTC))
    click.echo(gettext("Removed the names and numbers of {n} reporters.", n=count))
