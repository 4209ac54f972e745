"""The ``gridmap`` command with everything in it: the domain's commands and the server."""

from __future__ import annotations

import gc
import socket
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from gridmap.cli import prepare, program, run
from gridmap.errors import SettingError
from gridmap.language import gettext
from gridmap.store.engine import open_engine
from gridmap.store.schema import check_schema

if TYPE_CHECKING:
    from gridmap.config import Settings

__all__ = ["main"]


@program.command(context_settings={"ignore_unknown_options": True})
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option(
    "--demo",
    is_flag=True,
    help="Prepare the store and build the demo district where it is empty, with the options of gridmap demo.",
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def serve(
    context: click.Context, *, host: str | None, port: int | None, demo: bool, options: tuple[str, ...]
) -> None:
    """Start the server; Ctrl-C ends it."""
    # What was read so far is never garbage: nothing looks through it while the rest is read.
    gc.freeze()
    settings: Settings = replace(context.obj, host=host or context.obj.host, port=port or context.obj.port)
    if demo:
        context.invoke(prepare)
        _build_demo(context, options)
    elif options:
        raise click.UsageError(gettext("Expected no more arguments; found {found}.", found=" ".join(options)))
    else:
        _check_store(settings)
    _check_address(settings)
    _load()
    click.echo(
        gettext("Serving on {address} (Ctrl-C ends)", address=f"http://{settings.host}:{settings.port}/")
    )
    Granian(
        "web.app:from_environment",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        # A worker that is told to end while it still starts never hears of it.
        workers_kill_timeout=10,
        blocking_threads=4,
        log_access=False,
        log_level=LogLevels.warning,
        websockets=False,
    ).serve()


def _build_demo(context: click.Context, options: tuple[str, ...]) -> None:
    command = program.get_command(context, "demo")
    if command is not None:
        with command.make_context("demo", ["--if-empty", *options], parent=context) as inner:
            command.invoke(inner)


def _load() -> None:
    """Read the application once for all workers, which are forked from this process."""
    gc.disable()
    import_module("web.app")
    # Nothing of it is ever garbage: do not look through it again and again, here and in the workers.
    gc.freeze()
    gc.enable()


def _check_store(settings: Settings) -> None:
    engine = open_engine(settings.store_url)
    try:
        check_schema(engine)
    finally:
        engine.dispose()


def _check_address(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingError(
                "The server cannot listen on {host}:{port}: {reason}. Set GRIDMAP_PORT to another port.",
                host=settings.host,
                port=settings.port,
                reason=error.strerror or str(error),
            ) from error


def main() -> None:
    """Run the command."""
    run(program)
