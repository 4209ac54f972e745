"""The ``gridmap verify-trail`` command."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gridmap.evidence.files import Vault
from gridmap.imports.command import shown_progress
from gridmap.installation import open_store
from gridmap.language import gettext
from gridmap.store.engine import reading
from gridmap.trail.chain import ChainKey
from gridmap.trail.findings import say
from gridmap.trail.keeper import TrailKeeper
from gridmap.trail.verify import verify

if TYPE_CHECKING:
    from gridmap.config import Settings

__all__ = ["verify_trail"]


@click.command("verify-trail")
@click.option("--since", type=int, default=1, show_default=True, help="Number of the first entry to check.")
@click.option(
    "--former-key",
    "former",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with a signing key that was in use before.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def verify_trail(settings: Settings, *, since: int, former: tuple[Path, ...], as_json: bool) -> None:
    """Find whatever was changed outside the trail; ends with 1 if there is anything."""
    keeper = TrailKeeper.of(settings)
    keys = [keeper.key, *(ChainKey(file.read_text().strip()) for file in former)]
    engine = open_store(settings)
    with shown_progress() as progress, reading(engine) as session:
        verdict = verify(
            session, keys, keeper.anchors, vault=Vault(settings.data_dir), since=since, progress=progress
        )
    engine.dispose()
    if as_json:
        click.echo(json.dumps(asdict(verdict), ensure_ascii=False, indent=1))
    else:
        for finding in verdict.findings:
            click.echo(say(finding))
        click.echo(
            gettext(
                "{entries} entries, {rows} rows, {files} files checked; {findings} findings. The trail ends "
                "at {seq}, {hash}.",
                entries=verdict.entries,
                rows=verdict.rows,
                files=verdict.files,
                findings=len(verdict.findings),
                seq=verdict.seq,
                hash=verdict.hash[:16],
            )
        )
    if verdict.findings:
        sys.exit(1)
