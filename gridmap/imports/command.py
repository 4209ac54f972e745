"""The ``gridmap import`` commands."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from gridmap.errors import InvalidValueError
from gridmap.imports.foreseen import foresee_import
from gridmap.imports.kinds import KINDS
from gridmap.imports.plan import ImportOptions, Plan, Writer
from gridmap.imports.service import apply_import, list_imports, plan_import
from gridmap.imports.undoing import undo_import
from gridmap.installation import open_store
from gridmap.language import gettext
from gridmap.people.permissions import Actor
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterator

    from gridmap.config import Settings
    from gridmap.dispatch.foreseeing import Foreseen
    from gridmap.jobs import Progress

__all__ = ["imports", "open_store", "shown_progress"]

_REASONS_SHOWN = 20


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Progress as one line on the terminal's error stream; silent where there is no terminal."""
    stream = sys.stderr
    tty = stream.isatty()

    def progress(done: float, total: float, what: str = "") -> None:
        if tty:
            share = f"{done / total:4.0%}" if total else "    "
            stream.write(f"\r\x1b[K{share} {gettext(what)}")
            stream.flush()

    yield progress
    if tty:
        stream.write("\r\x1b[K")


@click.group("import")
def imports() -> None:
    """Bring a city in: preview, apply, list, undo."""


@imports.command("file")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--datum", help="Coordinate system of the file: wgs84, cgcs2000, gcj02, bd09, EPSG:…")
@click.option(
    "--map", "mapping", multiple=True, metavar="FIELD=HEADING", help="Which column holds which field."
)
@click.option("--set", "more", multiple=True, metavar="NAME=VALUE", help="An option of this kind of import.")
@click.option("--layer", help="Layer or sheet to read.")
@click.option("--encoding", help="Encoding of the file, where it is not recognised.")
@click.option("--timezone", help="Time zone of times without an offset.")
@click.option("--skip-refused", is_flag=True, help="Take the good rows although others are refused.")
@click.option("--preview", is_flag=True, help="Only say what would happen.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def import_file(
    settings: Settings,
    *,
    kind: str,
    file: Path,
    datum: str | None,
    mapping: tuple[str, ...],
    more: tuple[str, ...],
    layer: str | None,
    encoding: str | None,
    timezone: str | None,
    skip_refused: bool,
    preview: bool,
    yes: bool,
) -> None:
    """Import FILE as KIND: shows what would happen, asks, and does it."""
    options = ImportOptions(
        datum=datum,
        mapping=_pairs(mapping),
        layer=layer,
        encoding=encoding,
        skip_refused=skip_refused,
        zone=ZoneInfo(timezone or settings.timezone),
        more=_pairs(more),
    )
    engine = open_store(settings)
    now = datetime.now(UTC)
    with shown_progress() as progress:
        with reading(engine) as session:
            writer = Writer(
                session=session,
                actor=Actor.owner(),
                now=now,
                options=options,
                progress=progress,
                settings=settings,
            )
            plan = plan_import(file, kind, writer)
        moves = foresee_import(engine, file, plan, writer)
        _show(plan, settings)
        _show_moves(moves)
        if preview or not (plan.counts.created or plan.counts.changed):
            return
        if not yes:
            click.confirm(gettext("Import this?"), abort=True)
        with writing(engine) as session:
            record, _ = apply_import(file, kind, replace(writer, session=session))
            uid = record.uid
    click.echo(gettext("Imported. To take it back: gridmap import undo {uid}", uid=str(uid)))


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidValueError("Expected NAME=VALUE; found “{found}”.", found=text)
        pairs[name] = value
    return pairs


def _show(plan: Plan, settings: Settings) -> None:
    counts = plan.counts
    click.echo(
        gettext(
            "{read} rows read: {created} new, {changed} changed, {unchanged} unchanged, {refused} refused.",
            read=counts.read,
            created=counts.created,
            changed=counts.changed,
            unchanged=counts.unchanged,
            refused=counts.refused,
        )
    )
    for field, heading in plan.reading.headings.items():
        shown = heading or gettext("(not in the file)")
        click.echo(f"  {field:<16} ← {shown}")
    for note in plan.reading.notes:
        click.echo(f"  {gettext(note.message, **note.params)}")
    for number, reason in plan.reading.faults.explained(plan.reading.table.row_numbers, _REASONS_SHOWN):
        click.echo("  " + gettext("row {number}: {reason}", number=number, reason=reason))
    if counts.refused > _REASONS_SHOWN and len(plan.reading.faults):
        click.echo("  " + gettext("… and {n} more", n=counts.refused - _REASONS_SHOWN))
    if plan.kept:
        click.echo(
            "  " + gettext("{n} rows of problems that moved on here keep their state:", n=len(plan.kept))
        )
        numbers = plan.reading.table.row_numbers
        for number, reason in plan.kept.explained(numbers, settings.zone, _REASONS_SHOWN):
            click.echo("  " + gettext("row {number}: {reason}", number=number, reason=reason))


def _show_moves(moves: list[Foreseen]) -> None:
    if not moves:
        return
    click.echo(gettext("Open problems that would belong elsewhere"))
    for one in moves:
        click.echo(f"  {gettext(one.title)}")
        for old, new, count in one.lines[:_REASONS_SHOWN]:
            click.echo(f"    {old or gettext('none')} → {new or gettext('none')}: {count}")
        if len(one.lines) > _REASONS_SHOWN:
            click.echo("    " + gettext("… and {n} more", n=len(one.lines) - _REASONS_SHOWN))
    click.echo(f"  {gettext('Nothing moves by itself: afterwards you move them on the page of moves.')}")


@imports.command("list")
@click.pass_obj
def show_imports(settings: Settings) -> None:
    """List the imports, newest first."""
    with reading(open_store(settings)) as session:
        for one in list_imports(session, Actor.owner()):
            counts = one.counts
            click.echo(
                f"{one.uid}  {one.applied_at.astimezone(settings.zone):%Y-%m-%d %H:%M}  "
                f"{one.kind:<9} {one.state.value:<8} "
                f"+{counts['created']} ~{counts['changed']} !{counts['refused']}  {one.file_name}"
            )


@imports.command("undo")
@click.argument("uid", type=click.UUID)
@click.pass_obj
def undo(settings: Settings, uid: uuid.UUID) -> None:
    """Take the import UID back."""
    with writing(open_store(settings)) as session:
        record = undo_import(session, Actor.owner(), uid, settings=settings, now=datetime.now(UTC))
    click.echo(gettext("Undone: {file}", file=record.file_name))
