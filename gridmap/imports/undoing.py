"""Taking an import back: what it created goes, what it changed is as it was, and no later work is lost."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import ColumnElement, Date, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from gridmap.errors import ConflictError, NotFoundError
from gridmap.imports.by_hand import refuse_if_changed_by_hand
from gridmap.imports.kinds import KINDS
from gridmap.imports.models import Import, ImportChange, ImportState
from gridmap.imports.service import permission_of
from gridmap.places.locating import locate_places
from gridmap.problems.bulk import within
from gridmap.problems.models import ALTERING, Event, EventKind, LinkKind, Problem, ProblemLink
from gridmap.shops.models import Pledge
from gridmap.store.base import Base, UTCDateTime
from gridmap.store.bulk import insert_rows
from gridmap.store.clock import next_change
from gridmap.store.extract import read_columns
from gridmap.store.selection import among

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping

    from sqlalchemy import Select, Table
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor, Scope

__all__ = ["undo_import"]

_NUMBERS_TOLD = 10
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
# Told by their own history, see `_refuse_if_moved_on`.
_WITH_HISTORY = frozenset({"problem", "event"})
# Derived columns that locating fills again.
_DERIVED = {
    "inspection_point": ("area_id", "cell_id"),
    "priority_road": ("area_id",),
    "grid_cell": ("area_id",),
    "shopfront": ("area_id", "cell_id", "road_id", "organisation_id"),
}


def undo_import(
    session: Session, actor: Actor, uid: uuid.UUID, *, settings: Settings, now: datetime
) -> Import:
    """Take an import back: what it created goes, what it changed is as it was.

    A problem that was there before keeps its whole history, with a line that says that the import was undone.
    One that the import created goes with its history; the trail keeps that it was there and who removed it.

    Raises
    ------
    NotFoundError
        If there is no such import, or the actor is limited to areas and it is not theirs.
    ConflictError
        If it is undone already, or something made or changed since then rests on it: a step taken on one of
        its problems, a later import, rows that refer to its rows, the scan of one of its pledges, what
        somebody changed by hand. Nothing is changed then.
    """
    record = session.scalar(select(Import).where(Import.uid == uid))
    scope = None if record is None else actor.scope(permission_of(record.kind))
    if record is None or scope is None or not (scope.everywhere or _own(session, actor, scope, record)):
        raise NotFoundError("There is no import {uid}, or it is not yours to take back.", uid=str(uid))
    if record.state is ImportState.UNDONE:
        raise ConflictError("This import was undone already, on {day}.", day=str(record.undone_at))
    _refuse_if_moved_on(session, record)
    _refuse_if_built_on(session, record)
    _refuse_if_proven(session, record)
    places = [name for name in _DELETION_ORDER if name not in _WITH_HISTORY]
    derived = {column for columns in _DERIVED.values() for column in columns}
    refuse_if_changed_by_hand(session, record, places, derived=derived)
    tables = Base.metadata.tables
    for name in _DERIVED:
        _forget_derived(session, tables[name], record.id)
    _unlink(session, tables, record.id)
    for name in _DELETION_ORDER:
        session.execute(delete(tables[name]).where(_goes(tables, name, record.id)))
    _restore(session, actor, record.id, now=now)
    record.state = ImportState.UNDONE
    record.undone_at = now
    session.flush()
    locate_places(session, on=now.date(), reach_metres=settings.road_reach_metres)
    session.execute(
        update(Problem)
        .where(Problem.uid.in_(_changed("problem", record.id)))
        .values(change=next_change(session, rebuild=True)),
        execution_options={"synchronize_session": False},
    )
    return record


def _own(session: Session, actor: Actor, scope: Scope, record: Import) -> bool:
    """Whether somebody limited to areas brought it in, and everything it touched lies in them today."""
    if record.login_id is None or record.login_id != actor.login_id:
        return False
    areas = read_columns(session, select(Problem.area_id).where(_touched(record)).distinct())
    return KINDS[record.kind].limited and bool(within(scope, areas["area_id"]).all())


def _touched(record: Import) -> ColumnElement[bool]:
    """Which problems an import created or changed."""
    return or_(Problem.import_id == record.id, Problem.uid.in_(_changed("problem", record.id)))


def _changed(table: str, import_id: int) -> Select[uuid.UUID]:
    """Uids of the rows of a table that an import changed."""
    return select(ImportChange.row_uid).where(
        ImportChange.import_id == import_id, ImportChange.table_name == table
    )


def _goes(tables: Mapping[str, Table], name: str, import_id: int) -> ColumnElement[bool]:
    """Which rows of a table go with an import: those it created, and the history of such problems."""
    if name != Event.__tablename__:
        return tables[name].c.import_id == import_id
    problem = tables["problem"]
    return tables[name].c.problem_id.in_(select(problem.c.id).where(problem.c.import_id == import_id))


def _refuse_if_moved_on(session: Session, record: Import) -> None:
    """Refuse if anybody changed how one of the problems stands after the import did; they are held fast."""
    its = _touched(record)
    session.execute(select(Problem.id).where(its).order_by(Problem.id).with_for_update()).all()
    own, later = aliased(Event), aliased(Event)
    last = (
        select(func.max(own.id))
        .where(own.problem_id == Problem.id, own.import_id == record.id)
        .scalar_subquery()
    )
    # Imports of earlier versions left no line where they changed something else than the state.
    after = or_(later.id > last, and_(last.is_(None), later.recorded_at > record.applied_at))
    moved = exists().where(
        later.problem_id == Problem.id, later.kind.in_(ALTERING), later.import_id.is_(None), after
    )
    numbers = session.scalars(select(Problem.id).where(its, moved).order_by(Problem.id)).all()
    if numbers:
        raise ConflictError(
            "{count} problems of this import were changed in gridmap since: {numbers}. Undoing it would lose "
            "that work, so nothing was undone.",
            count=len(numbers),
            numbers=", ".join(map(str, numbers[:_NUMBERS_TOLD]))
            + (" …" if len(numbers) > _NUMBERS_TOLD else ""),
        )


def _refuse_if_built_on(session: Session, record: Import) -> None:
    tables = Base.metadata.tables
    for name in _DELETION_ORDER:
        mine = tables[name]
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
        made = select(mine.c.id).where(_goes(tables, name, record.id))
        for other in tables.values():
            if other.name == ProblemLink.__tablename__:  # goes with the problem, see `_unlink`
                continue
            for key in other.foreign_keys:
                goes_too = key.ondelete == "CASCADE" or key.parent.name in _DERIVED.get(other.name, ())
                if key.column.table is not mine or goes_too:
                    continue
                users = select(func.count()).select_from(other).where(key.parent.in_(made))
                if "import_id" in other.c:
                    # What an import that is undone by now left in a history goes with its problem.
                    gone = select(Import.id).where(
                        or_(Import.id == record.id, Import.state == ImportState.UNDONE)
                    )
                    users = users.where(or_(other.c.import_id.is_(None), other.c.import_id.not_in(gone)))
                if count := session.scalar(users):
                    raise ConflictError(
                        "{count} rows of “{other}” made since then rest on rows of “{mine}” from this "
                        "import; undo those first.",
                        count=count,
                        other=other.name,
                        mine=name,
                    )


def _refuse_if_proven(session: Session, record: Import) -> None:
    """Refuse if a pledge of the import got its scan since: no list brings one."""
    proven = select(func.count()).where(Pledge.import_id == record.id, Pledge.attachment_id.is_not(None))
    if count := session.scalar(proven):
        raise ConflictError(
            "{count} pledges of this import have got their scan since. Undoing it would lose that work, so "
            "nothing was undone.",
            count=count,
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


def _restore(session: Session, actor: Actor, import_id: int, *, now: datetime) -> None:
    changes = session.scalars(
        select(ImportChange).where(ImportChange.import_id == import_id).order_by(ImportChange.id.desc())
    ).all()
    query = select(Problem.uid, Problem.id).where(Problem.uid.in_(_changed("problem", import_id)))
    numbers: dict[uuid.UUID, int] = dict(session.execute(query).all())
    problems = []
    for change in changes:
        table = Base.metadata.tables[change.table_name]
        values = {name: _decode(table, name, value) for name, value in change.before.items()}
        if table is Problem.__table__:
            problems.append({"id": numbers[change.row_uid], **values})
        else:
            session.execute(update(table).where(table.c.uid == change.row_uid).values(values))
    if not problems:
        return
    session.execute(update(Problem), problems)
    restored = read_columns(
        session, select(Problem.id, Problem.state).where(among(session, Problem.id, list(numbers.values())))
    )
    insert_rows(
        session,
        Event,
        {
            "problem_id": restored["id"],
            "kind": EventKind.UNDONE,
            "at": now,
            "recorded_at": now,
            "actor": actor.name,
            "person_id": actor.person_id,
            "state": restored["state"],
            "details": {},
            "import_id": import_id,
        },
    )


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
