"""``gridmap webhooks …``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gridmap.installation import open_store
from gridmap.language import gettext
from gridmap.webhooks.sender import send_once

if TYPE_CHECKING:
    from gridmap.config import Settings

__all__ = ["webhooks"]


@click.group()
def webhooks() -> None:
    """Telling other systems and group chats."""


@webhooks.command()
@click.pass_obj
def send(settings: Settings) -> None:
    """Send what is due once, for where the server itself sends nothing."""
    sent = send_once(open_store(settings), settings)
    if sent is None:
        click.echo(gettext("Another process is sending."))
    else:
        click.echo(
            gettext("{delivered} delivered, {failed} failed.", delivered=sent.delivered, failed=sent.failed)
        )
