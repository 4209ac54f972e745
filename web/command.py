"""The ``gridmap`` command with everything in it: the domain's commands and the server."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from gridmap.cli import program, run
from gridmap.errors import SettingError
from gridmap.language import gettext
from gridmap.store.engine import open_engine
from gridmap.store.schema import check_schema

if TYPE_CHECKING:
    from gridmap.config import Settings

__all__ = ["main"]


@program.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.pass_obj
def serve(settings: Settings, host: str | None, port: int | None) -> None:
    """Start the server; Ctrl-C ends it."""
    settings = replace(settings, host=host or settings.host, port=port or settings.port)
    check_schema(open_engine(settings.store_url))
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
        blocking_threads=4,
        log_access=False,
        log_level=LogLevels.warning,
        websockets=False,
    ).serve()


def main() -> None:
    """Run the command."""
    run(program)
