"""The use cases of an import: say what it would do, and do it; see `undoing` for taking it back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.errors import InvalidValueError
from gridmap.imports.kinds import KINDS
from gridmap.imports.models import Import
from gridmap.imports.osm import OSM, plan_osm
from gridmap.imports.reading import read
from gridmap.imports.steps import write
from gridmap.people.permissions import Permission
from gridmap.places.locating import locate_places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from gridmap.imports.plan import Counts, Kind, Plan, Writer
    from gridmap.imports.steps import Matched
    from gridmap.people.permissions import Actor

__all__ = ["apply_import", "kinds_for", "list_imports", "permission_of", "plan_import", "record_change"]


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise InvalidValueError(
            "Expected a kind of import among {expected}; found {found!r}.",
            parameter="kind",
            expected=", ".join(KINDS),
            found=name,
        )
    return KINDS[name]


def _scope(actor: Actor, kind: Kind) -> None:
    if kind.limited:
        actor.scope(kind.permission)
    else:
        actor.scope_everywhere(kind.permission)


def kinds_for(actor: Actor) -> list[Kind]:
    """What somebody may import, in their own area at least."""
    return [
        kind
        for kind in KINDS.values()
        if actor.may_everywhere(kind.permission) or (kind.limited and actor.may(kind.permission))
    ]


def permission_of(kind: str) -> Permission:
    """Permission that a kind of change needs, imports and cells drawn or mended alike."""
    return _kind(kind).permission if kind in KINDS else Permission.PLACE_DRAW


def plan_import(file: Path, kind_name: str, writer: Writer) -> Plan:
    """Read a file and say what importing it would do; nothing is written.

    Raises
    ------
    InvalidValueError
        If what was stated about the file does not fit it.
    PermissionDeniedError
        If the actor may not import this kind.
    geodata.errors.GeodataError
        If the file cannot be read.
    """
    kind = _kind(kind_name)
    _scope(writer.actor, kind)
    if kind.plan is None:
        return plan_osm(file, writer)
    writer.progress(0, 1, "Reading the file")
    reading = read(file, kind, writer.options)
    writer.progress(0, 1, "Comparing with the store")
    return kind.plan(reading, writer)


def apply_import(
    file: Path, kind_name: str, writer: Writer, *, file_name: str | None = None
) -> tuple[Import, Plan]:
    """Import a file: everything or nothing, unless the options say that refused rows may be left out.

    Parameters
    ----------
    file
        The file on this machine.
    kind_name
        Kind of import.
    writer
        Of a writing transaction.
    file_name
        Name to remember, where the file came under another one.

    Returns
    -------
    tuple
        The record of the import, and what it did.

    Raises
    ------
    InvalidValueError
        If rows are refused and the options do not allow to leave them out; nothing is written then.
    """
    plan = plan_import(file, kind_name, writer)
    if plan.counts.refused and not writer.options.skip_refused and kind_name != OSM.name:
        raise InvalidValueError(
            "{refused} of {read} rows are refused, so nothing was imported. Mend them, or state that the "
            "good rows are to be taken without them.",
            parameter="skip_refused",
            refused=plan.counts.refused,
            read=plan.counts.read,
        )
    apply = plan.apply
    record = record_change(
        writer,
        kind_name,
        file_name or file.name,
        plan.steps,
        plan.counts,
        digest=_digest(file),
        more=None if apply is None else lambda import_id: apply(writer, import_id),
    )
    return record, plan


def record_change(
    writer: Writer,
    kind: str,
    title: str,
    steps: Sequence[Matched],
    counts: Counts,
    *,
    digest: str = "",
    more: Callable[[int], None] | None = None,
) -> Import:
    """Write steps as one change that `gridmap.imports.undoing.undo_import` can take back.

    Parameters
    ----------
    writer
        Of a writing transaction.
    kind, title, digest
        What is remembered of where the change came from.
    steps
        What to write, in this order.
    counts
        What is remembered of how much it was.
    more
        Writes what is not in `steps`, before the derived columns are filled; called with the record's id.
    """
    session = writer.session
    record = Import(
        kind=kind,
        file_name=title,
        sha256=digest,
        options=writer.options.stated(),
        counts={name: getattr(counts, name) for name in counts.__slots__},
        actor=writer.actor.name,
        login_id=writer.actor.login_id,
        applied_at=writer.now,
    )
    session.add(record)
    session.flush()
    for done, step in enumerate(steps):
        writer.progress(done, len(steps) + 1, "Writing")
        write(session, step, import_id=record.id, on=writer.now.date())
    if more is not None:
        more(record.id)
    if steps:
        locate_places(session, on=writer.now.date(), reach_metres=writer.settings.road_reach_metres)
    writer.progress(1, 1, "Done")
    return record


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def list_imports(session: Session, actor: Actor, limit: int = 50) -> list[Import]:
    """The newest imports first; only their own for whoever may not import places everywhere."""
    query = select(Import).order_by(Import.id.desc()).limit(limit)
    if not actor.may_everywhere(Permission.PLACE_IMPORT):
        query = query.where(Import.login_id == actor.login_id)
    return list(session.scalars(query))
