"""The ``gridmap`` command."""

from __future__ import annotations

import resource
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING

import click

from geodata.errors import GeodataError
from gridmap.config import Settings
from gridmap.errors import GridmapError
from gridmap.language import explain, gettext, use_language
from gridmap.look_back.drawers import name_drawers
from gridmap.store.engine import open_engine, writing
from gridmap.trail.genesis import begin_trail
from gridmap.trail.keeper import TrailKeeper
from gridmap.trail.origin import Origin, set_origin
from gridmap.trail.upgrade import bring_up

if TYPE_CHECKING:
    from typing import ClassVar

__all__ = ["Program", "prepare", "program", "run"]


class Program(click.Group):
    """The command's parts, each read when it is asked for: no command waits for what another one needs."""

    parts: ClassVar[dict[str, str]] = {
        "deadlines": "gridmap.deadlines.command:deadlines",
        "demo": "gridmap.demo.command:demo",
        "evidence": "gridmap.evidence.command:evidence",
        "import": "gridmap.imports.command:imports",
        "login": "gridmap.people.command:logins",
        "open311": "gridmap.residents.command:open311",
        "places": "gridmap.coverage.command:places",
        "residents": "gridmap.residents.command:residents",
        "verify-trail": "gridmap.trail.command:verify_trail",
        "webhooks": "gridmap.webhooks.command:webhooks",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all parts."""
        return sorted({*super().list_commands(ctx), *self.parts})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Read the part of a name; None if there is none."""
        if cmd_name not in self.parts:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.parts[cmd_name].partition(":")
        part: click.Command = getattr(import_module(module), name)
        return part


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gridmap")
@click.option("--measure", is_flag=True, help="Say at the end how long it took and how much memory.")
@click.pass_context
def program(context: click.Context, *, measure: bool) -> None:
    """Grid management for cities under assessment."""
    if measure:
        begun = time.monotonic()
        context.call_on_close(lambda: click.echo(_cost(time.monotonic() - begun)))
    context.obj = Settings.from_environment()
    use_language(context.obj.language)
    set_origin(Origin.of_command(sys.argv[1:]))


def _cost(seconds: float) -> str:
    """What a command has cost; memory is the most that the process held at one time."""
    unit = 1 if sys.platform == "darwin" else 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return gettext(
        "Took {seconds} s and at most {most} MB of memory.", seconds=f"{seconds:.1f}", most=most // 2**20
    )


@program.group()
def store() -> None:
    """The database."""


@store.command()
@click.pass_obj
def prepare(settings: Settings) -> None:
    """Create the tables, or bring them up to this version."""
    keeper = TrailKeeper.of(settings)
    engine = open_engine(settings.store_url, keeper=keeper)
    try:
        stood_at = bring_up(engine, keeper)
        taken = begin_trail(engine)
        if stood_at is not None and stood_at < "0032":
            with writing(engine) as session:
                name_drawers(session)
    finally:
        engine.dispose()
    if taken:
        click.echo(gettext("The trail begins with {rows} rows that were there.", rows=taken))
    click.echo(gettext("The store is ready."))


def run(command: click.Group) -> None:
    """Run a command; what the user did wrong is one line, not a traceback."""
    try:
        command(prog_name="gridmap")
    except (GridmapError, GeodataError) as error:
        click.echo(f"gridmap: {explain(error)}", err=True)
        sys.exit(1)
