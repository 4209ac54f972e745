"""The use cases of an import: say what it would do, do it, take it back."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import Date, delete, func, or_, select, update

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.imports.kinds import KINDS
from gridmap.imports.models import Import, ImportChange, ImportState
from gridmap.imports.osm import OSM, plan_osm
from gridmap.imports.reading import read
from gridmap.imports.steps import write
from gridmap.people.permissions import Permission
from gridmap.places.locating import locate_places
from gridmap.problems.models import LinkKind, ProblemLink
from gridmap.store.base import Base, UTCDateTime
from gridmap.store.clock import next_change

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.imports.plan import Counts, Kind, Plan, Writer
    from gridmap.imports.steps import Matched
    from gridmap.people.permissions import Actor

__all__ = ["apply_import", "list_imports", "permission_of", "plan_import", "record_change", "undo_import"]

# What refers to something comes before it.
_DELETION_ORDER = (
    "offence",
    "pledge",
    "event",
    "problem",
    "responsibility",
    "shopfront",
    "inspection_point",
    "priority_road",
    "street",
    "road_rule",
    "building",
    "surface",
    "grid_cell",
    "category",
    "person",
    "organisation",
    "area",
)
# Derived columns that locating fills again.
_DERIVED = {
    "inspection_point": ("area_id", "cell_id"),
    "priority_road": ("area_id",),
    "grid_cell": ("area_id",),
    "shopfront": ("area_id", "cell_id", "road_id", "organisation_id"),
}


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise InvalidValueError(
            "Expected a kind of import among {expected}; found {found!r}.",
            parameter="kind",
            expected=", ".join(KINDS),
            found=name,
        )
    return KINDS[name]


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
    # Whoever imports rewrites the ground of the whole city, so a limited holding is not enough.
    writer.actor.scope_everywhere(kind.permission)
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
    """Write steps as one change that `undo_import` can take back.

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


def list_imports(session: Session, limit: int = 50) -> list[Import]:
    """The newest imports first."""
    return list(session.scalars(select(Import).order_by(Import.id.desc()).limit(limit)))


def undo_import(
    session: Session, actor: Actor, uid: uuid.UUID, *, settings: Settings, now: datetime
) -> Import:
    """Take an import back: what it created goes, what it changed is as it was.

    Raises
    ------
    NotFoundError
        If there is no such import.
    ConflictError
        If it is undone already, or something made or changed since then rests on it.
    """
    record = session.scalar(select(Import).where(Import.uid == uid))
    if record is None:
        raise NotFoundError("There is no import {uid}.", uid=str(uid))
    actor.scope_everywhere(permission_of(record.kind))
    if record.state is ImportState.UNDONE:
        raise ConflictError("This import was undone already, on {day}.", day=str(record.undone_at))
    _refuse_if_built_on(session, record)
    tables = Base.metadata.tables
    for name in _DERIVED:
        _forget_derived(session, tables[name], record.id)
    _unlink(session, tables, record.id)
    for name in _DELETION_ORDER:
        session.execute(delete(tables[name]).where(tables[name].c.import_id == record.id))
    _restore(session, record.id)
    record.state = ImportState.UNDONE
    record.undone_at = now
    session.flush()
    locate_places(session, on=now.date(), reach_metres=settings.road_reach_metres)
    next_change(session, rebuild=True)
    return record


def _refuse_if_built_on(session: Session, record: Import) -> None:
    tables = Base.metadata.tables
    for name in _DELETION_ORDER:
        mine = tables[name]
        made = select(mine.c.id).where(mine.c.import_id == record.id)
        for other in tables.values():
            if other.name == ProblemLink.__tablename__:  # goes with the problem, see `_unlink`
                continue
            for key in other.foreign_keys:
                goes_too = key.ondelete == "CASCADE" or key.parent.name in _DERIVED.get(other.name, ())
                if key.column.table is not mine or goes_too:
                    continue
                users = select(func.count()).select_from(other).where(key.parent.in_(made))
                if "import_id" in other.c:
                    users = users.where(or_(other.c.import_id.is_(None), other.c.import_id != record.id))
                if count := session.scalar(users):
                    raise ConflictError(
                        "{count} rows of “{other}” made since then rest on rows of “{mine}” from this "
                        "import; undo those first.",
                        count=count,
                        other=other.name,
                        mine=name,
                    )
        later = (
            select(Import.file_name)
            .join(ImportChange, ImportChange.import_id == Import.id)
            .where(
                Import.id > record.id,
                Import.state == ImportState.APPLIED,
                ImportChange.table_name == name,
                or_(
                    ImportChange.row_uid.in_(select(mine.c.uid).where(mine.c.import_id == record.id)),
                    ImportChange.row_uid.in_(
                        select(ImportChange.row_uid).where(
                            ImportChange.import_id == record.id, ImportChange.table_name == name
                        )
                    ),
                ),
            )
        )
        if file_name := session.scalar(later.limit(1)):
            raise ConflictError(
                "The later import of “{file}” changed the same rows; undo it first.", file=file_name
            )


def _unlink(session: Session, tables: Mapping[str, Table], import_id: int) -> None:
    """Remove the links of problems that go; what had come back after one of them has not come back."""
    link, problem = tables["problem_link"], tables["problem"]
    going = select(problem.c.id).where(problem.c.import_id == import_id)
    back = select(link.c.problem_id).where(link.c.other_id.in_(going), link.c.kind == LinkKind.RECURRENCE)
    session.execute(update(problem).where(problem.c.id.in_(back)).values(recurrence=False))
    session.execute(delete(link).where(link.c.problem_id.in_(going) | link.c.other_id.in_(going)))


def _forget_derived(session: Session, table: Table, import_id: int) -> None:
    for column in _DERIVED[table.name]:
        target = next(iter(table.c[column].foreign_keys)).column.table
        made = select(target.c.id).where(target.c.import_id == import_id)
        session.execute(update(table).where(table.c[column].in_(made)).values({column: None}))


def _restore(session: Session, import_id: int) -> None:
    changes = session.scalars(
        select(ImportChange).where(ImportChange.import_id == import_id).order_by(ImportChange.id.desc())
    ).all()
    for change in changes:
        table = Base.metadata.tables[change.table_name]
        values = {name: _decode(table, name, value) for name, value in change.before.items()}
        session.execute(update(table).where(table.c.uid == change.row_uid).values(values))


def _decode(table: Table, name: str, value: Any) -> Any:
    kind = table.c[name].type
    if value is None:
        return None
    if name == "geometry":
        return f"SRID=4326;{shapely.to_wkt(shapely.from_wkb(value), rounding_precision=-1)}"
    if isinstance(kind, UTCDateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    enum = getattr(kind, "enum_class", None)
    return enum(value) if enum else value
