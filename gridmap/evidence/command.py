"""The ``gridmap evidence`` commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gridmap.evidence.files import Vault
from gridmap.evidence.queries import known_files
from gridmap.imports.command import open_store
from gridmap.language import gettext
from gridmap.store.engine import reading

if TYPE_CHECKING:
    from gridmap.config import Settings

__all__ = ["evidence"]


@click.group()
def evidence() -> None:
    """Photos and videos that prove what was found and fixed."""


@evidence.command()
@click.pass_obj
def sweep(settings: Settings) -> None:
    """Remove files that no photo or video needs any more: of interrupted uploads, older than a day."""
    with reading(open_store(settings)) as session:
        known = known_files(session)
    swept = Vault(settings.data_dir).sweep(known)
    click.echo(
        gettext(
            "{files} files removed, {megabytes} MB.", files=swept.files, megabytes=f"{swept.size / 2**20:.1f}"
        )
    )
