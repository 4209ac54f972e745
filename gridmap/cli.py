"""The ``gridmap`` command."""

from __future__ import annotations

import sys

import click

from geodata.errors import GeodataError
from gridmap.config import Settings
from gridmap.coverage.command import places
from gridmap.deadlines.command import deadlines
from gridmap.demo.command import demo
from gridmap.errors import GridmapError
from gridmap.evidence.command import evidence
from gridmap.imports.command import imports
from gridmap.language import explain, gettext, use_language
from gridmap.people.command import logins
from gridmap.residents.command import open311, residents
from gridmap.store.engine import open_engine
from gridmap.store.schema import migrate
from gridmap.trail.command import verify_trail
from gridmap.trail.genesis import begin_trail
from gridmap.trail.keeper import TrailKeeper
from gridmap.trail.origin import Origin, set_origin
from gridmap.webhooks.command import webhooks

__all__ = ["program", "run"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gridmap")
@click.pass_context
def program(context: click.Context) -> None:
    """Grid management for cities under assessment."""
    context.obj = Settings.from_environment()
    use_language(context.obj.language)
    set_origin(Origin.of_command(sys.argv[1:]))


@program.group()
def store() -> None:
    """The database."""


@store.command("prepare")
@click.pass_obj
def prepare(settings: Settings) -> None:
    """Create the tables, or bring them up to this version."""
    engine = open_engine(settings.store_url, keeper=TrailKeeper.of(settings))
    migrate(engine)
    if taken := begin_trail(engine):
        click.echo(gettext("The trail begins with {rows} rows that were there.", rows=taken))
    click.echo(gettext("The store is ready."))


program.add_command(deadlines)
program.add_command(demo)
program.add_command(evidence)
program.add_command(imports)
program.add_command(logins)
program.add_command(open311)
program.add_command(places)
program.add_command(residents)
program.add_command(verify_trail)
program.add_command(webhooks)


def run(command: click.Group) -> None:
    """Run a command; what the user did wrong is one line, not a traceback."""
    try:
        command(prog_name="gridmap")
    except (GridmapError, GeodataError) as error:
        click.echo(f"gridmap: {explain(error)}", err=True)
        sys.exit(1)
