"""The ``gridmap demo`` command."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gridmap.demo.presence import PASSWORD, demo_logins, holds_demo, is_empty
from gridmap.imports.command import shown_progress
from gridmap.installation import open_store
from gridmap.labels import label
from gridmap.language import gettext
from gridmap.people.permissions import Actor, Role
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from gridmap.config import Settings

__all__ = ["demo"]


@click.command()
@click.option("--cells", default=60, show_default=True, help="Grid cells.")
@click.option("--problems", default=5000, show_default=True, help="Problems of three months.")
@click.option("--seed", default=7, show_default=True, help="The same seed builds the same district.")
@click.option(
    "--now", type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d"]), help="Last moment of the three months."
)
@click.option("--replace", is_flag=True, help="Remove everything in the store first.")
@click.option("--if-empty", is_flag=True, help="Do nothing where the store holds anything.")
@click.pass_obj
def demo(
    settings: Settings,
    *,
    cells: int,
    problems: int,
    seed: int,
    now: datetime | None,
    replace: bool,
    if_empty: bool,
) -> None:
    """Build a made-up district to try everything on."""
    end = now.replace(tzinfo=settings.zone) if now else datetime.now(UTC)
    engine = open_store(settings)
    try:
        if if_empty:
            with reading(engine) as session:
                if _stands(session):
                    return
        from gridmap.demo.build import build_demo  # noqa: PLC0415  # not needed where a district stands

        with shown_progress() as progress, writing(engine) as session:
            # Of two that start together the other one may have been first.
            if if_empty and _stands(session):
                return
            built = build_demo(
                session,
                Actor.owner(),
                cells=cells,
                problems=problems,
                seed=seed,
                now=end,
                settings=settings,
                progress=progress,
                replace=replace,
            )
    finally:
        engine.dispose()
    click.echo(
        gettext(
            "The demo district is ready: {cells} cells, {points} points, {roads} roads, {people} people, "
            "{problems} problems.",
            **built.counts,
        )
    )
    _show_logins(built.logins)


def _stands(session: Session) -> bool:
    """Whether the store holds anything; says the logins if it is the demo district."""
    if is_empty(session):
        return False
    if holds_demo(session):
        _show_logins(demo_logins(session))
    return True


def _show_logins(logins: Iterable[tuple[str, str]]) -> None:
    click.echo(gettext("Logins (password {password}):", password=PASSWORD))
    for username, role in logins:
        click.echo(f"  {username:<12} {label(Role(role))}")
