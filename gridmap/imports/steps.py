"""One table's share of an import: which rows are new, which differ, and writing them undoably."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import func, insert, select, update

from gridmap.imports.models import ImportChange
from gridmap.places.models import Responsibility
from gridmap.store.base import Valid
from gridmap.store.bulk import insert_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.store.base import Base

__all__ = ["Draft", "Matched", "match", "write"]

_HELD_BY = {
    "area": "area_id",
    "grid_cell": "cell_id",
    "inspection_point": "point_id",
    "priority_road": "road_id",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """Rows that a file asks for in one table.

    Parameters
    ----------
    model
        Mapped class of the table.
    key
        Columns by which a row of the file and a row of the table are the same thing; for a column that is a
        reference, the UUIDs of what is referred to.
    columns
        Column name to object array of shape (n,).
    references
        Foreign-key column to (mapped class, object array of UUIDs or None of shape (n,)).
    geometry
        Shapes in EPSG:4326, shape (n,); None for a table without.
    keep
        Columns of `columns` that are written on creation but never compared or changed.
    lasting
        Whether a row stays the same one when its shape changes, because its history hangs on it.
    located
        Columns that say where it lies, found anew when its shape changes (`gridmap.places.locating`).
    """

    model: type[Base]
    key: tuple[str, ...]
    columns: Mapping[str, NDArray[np.object_]]
    references: Mapping[str, tuple[type[Base], NDArray[np.object_]]] = field(default_factory=dict)
    geometry: NDArray[np.object_] | None = None
    keep: frozenset[str] = frozenset()
    lasting: bool = False
    located: tuple[str, ...] = ()

    def __len__(self) -> int:
        return (
            len(next(iter(self.columns.values())))
            if self.columns
            else len(next(iter(self.references.values()))[1])
        )

    def frame(self) -> pd.DataFrame:
        """Values, and references as UUIDs, by column."""
        columns = dict(self.columns) | {name: uids for name, (_, uids) in self.references.items()}
        return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()})


@dataclass(frozen=True, slots=True)
class Matched:
    """A draft held against the table: per row the UUID it has or will have, and what would happen to it."""

    draft: Draft
    uids: NDArray[np.object_]
    created: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    reshaped: NDArray[np.bool_]
    """Rows whose shape differs; unless the draft is lasting, the old row ends and a new one begins."""
    before: pd.DataFrame
    """The table's rows (``id``, ``uid``, columns, ``geometry``) in the draft's order; empty where created."""


def _existing(session: Session, draft: Draft, on: date) -> pd.DataFrame:
    model: Any = draft.model
    columns = [model.id, model.uid]
    names = ["id", "uid"]
    joins = []
    for name in draft.frame().columns:
        if name in draft.references:
            target: Any = draft.references[name][0].__table__.alias()
            columns.append(target.c.uid)
            joins.append((target, getattr(model, name) == target.c.id))
        else:
            columns.append(getattr(model, name))
        names.append(name)
    if draft.geometry is not None:
        columns.append(func.ST_AsBinary(model.geometry))
        names.append("geometry")
    if issubclass(draft.model, Valid) and "valid_from" not in names:
        columns.append(model.valid_from)
        names.append("valid_from")
    query = select(*columns)
    for target, condition in joins:
        query = query.outerjoin(target, condition)
    if issubclass(draft.model, Valid):
        query = query.where(model.in_force(on))
    frame = pd.DataFrame(session.execute(query).all(), columns=names, dtype=object)
    if draft.geometry is not None:
        frame["geometry"] = np.asarray(shapely.from_wkb(frame["geometry"].to_numpy()), dtype=object)
    return frame


def _comparable(column: pd.Series) -> pd.Series:
    return column.map(lambda v: v.value if isinstance(v, Enum) else v).where(column.notna(), None)


def match(session: Session, draft: Draft, *, on: date) -> Matched:
    """Hold a draft against the rows in force on a day.

    A key that stands more than once in the table takes its newest row; one that stands more than once in the
    draft is the caller's to refuse beforehand.
    """
    wanted = draft.frame()
    existing = _existing(session, draft, on)
    key = list(draft.key)
    for frame in (wanted, existing):
        frame["_key"] = pd.Series(list(zip(*(_comparable(frame[k]) for k in key), strict=True)), dtype=object)
    existing = existing.drop_duplicates("_key", keep="last").set_index("_key")
    before = existing.reindex(wanted["_key"]).reset_index(drop=True)
    created = before["id"].isna().to_numpy()

    differs = np.zeros(len(wanted), dtype=bool)
    for name in wanted.columns.difference(["_key", *key, *draft.keep]):
        mine, theirs = _comparable(wanted[name]), _comparable(before[name])
        differs |= ((mine != theirs) & ~(mine.isna() & theirs.isna())).to_numpy(dtype=bool)
    reshaped = np.zeros(len(wanted), dtype=bool)
    if draft.geometry is not None:
        old = before["geometry"].where(~created, None).to_numpy()
        reshaped = (
            ~shapely.equals_identical(shapely.normalize(draft.geometry), shapely.normalize(old)) & ~created
        )
    uids = before["uid"].to_numpy(dtype=object).copy()
    uids[created] = [uuid.uuid4() for _ in range(int(created.sum()))]
    return Matched(draft, uids, created, (differs | reshaped) & ~created, reshaped, before)


@dataclass(frozen=True, slots=True)
class _Job:
    """What writing needs at every turn; `ids` are the references' ids by column."""

    session: Session
    matched: Matched
    ids: Mapping[str, NDArray[np.object_]]
    import_id: int


def write(session: Session, matched: Matched, *, import_id: int, on: date) -> None:
    """Create and change what `matched` says; what a row was before is kept for undo."""
    draft = matched.draft
    ids = {name: _ids_of(session, model, uids) for name, (model, uids) in draft.references.items()}
    dated = issubclass(draft.model, Valid)
    succeeds = np.zeros(len(matched.uids), dtype=bool)
    if dated and not draft.lasting:
        began_earlier = np.array(
            [d is not None and d < on for d in matched.before["valid_from"].where(~matched.created, None)]
        )
        succeeds = matched.reshaped & began_earlier
    job = _Job(session, matched, ids, import_id)
    _create(job, np.flatnonzero(matched.created), {})
    _succeed(job, np.flatnonzero(succeeds), on)
    _change(job, np.flatnonzero(matched.changed & ~succeeds))


def _ids_of(session: Session, model: Any, uids: NDArray[np.object_]) -> NDArray[np.object_]:
    known: dict[Any, int] = dict(session.execute(select(model.uid, model.id)).all())
    return _objects([None if uid is None else known[uid] for uid in uids])


def _create(job: _Job, rows: NDArray[np.intp], more: Mapping[str, Any]) -> None:
    if not len(rows):
        return
    matched, draft = job.matched, job.matched.draft
    columns: dict[str, Any] = {name: _plain(column[rows]) for name, column in draft.columns.items()}
    columns |= {name: column[rows] for name, column in job.ids.items()}
    columns["uid"] = matched.uids[rows]
    columns |= {"import_id": job.import_id, **more}
    if draft.geometry is not None:
        columns["geometry"] = draft.geometry[rows]
    insert_rows(job.session, draft.model, columns)


def _objects(values: list[Any]) -> NDArray[np.object_]:
    array = np.empty(len(values), dtype=np.object_)
    array[:] = values
    return array


def _plain(column: NDArray[np.object_]) -> NDArray[np.object_]:
    return _objects([value.value if isinstance(value, Enum) else value for value in column])


def _succeed(job: _Job, rows: NDArray[np.intp], on: date) -> None:
    """End the old rows today, begin new ones, and hand the responsibilities over."""
    if not len(rows):
        return
    session, matched, import_id = job.session, job.matched, job.import_id
    model: Any = matched.draft.model
    old_uids = matched.uids[rows].copy()
    old_ids = [int(i) for i in matched.before["id"].iloc[rows]]
    matched.uids[rows] = [uuid.uuid4() for _ in rows]
    _remember(session, model, import_id, old_uids, [{"valid_to": None}] * len(rows))
    session.execute(update(model), [{"id": i, "valid_to": on} for i in old_ids])
    kept = {
        name: matched.before[name].iloc[rows].to_numpy()
        for name in matched.draft.keep & {*matched.draft.columns}
    }
    _create(job, rows, {"valid_from": on, **kept})
    place = _HELD_BY.get(model.__tablename__)
    if place is None:
        return
    new_ids = dict(zip(old_ids, _ids_of(session, model, matched.uids[rows]), strict=True))
    held = session.scalars(
        select(Responsibility).where(getattr(Responsibility, place).in_(old_ids), Responsibility.in_force(on))
    ).all()
    _remember(
        session,
        Responsibility,
        import_id,
        [r.uid for r in held],
        [{"valid_to": encode(r.valid_to)} for r in held],
    )
    for one in held:
        copied = {
            c.key: getattr(one, c.key) for c in Responsibility.__table__.columns if c.key not in {"id", "uid"}
        }
        session.add(
            Responsibility(
                **(copied | {place: new_ids[getattr(one, place)], "valid_from": on, "import_id": import_id})
            )
        )
        one.valid_to = on
    session.flush()


def _change(job: _Job, rows: NDArray[np.intp]) -> None:
    if not len(rows):
        return
    session, matched, ids = job.session, job.matched, job.ids
    draft = matched.draft
    model: Any = draft.model
    names = [n for n in (*draft.columns, *draft.references) if n not in draft.key and n not in draft.keep]
    stored = {
        row.uid: row for row in session.scalars(select(model).where(model.uid.in_(list(matched.uids[rows]))))
    }
    befores = []
    for row in rows:
        one = stored[matched.uids[row]]
        before = {name: encode(getattr(one, name)) for name in names}
        for name in names:
            setattr(one, name, (ids[name] if name in ids else draft.columns[name])[row])
        if matched.reshaped[row] and draft.geometry is not None:
            before["geometry"] = shapely.to_wkb(matched.before["geometry"].iloc[row], hex=True)
            one.geometry = f"SRID=4326;{shapely.to_wkt(draft.geometry[row], rounding_precision=-1)}"
            for name in draft.located:
                before[name] = None
                setattr(one, name, None)
        befores.append(before)
    session.flush()
    _remember(session, model, job.import_id, list(matched.uids[rows]), befores)


def _remember(session: Session, model: Any, import_id: int, uids: Any, befores: list[dict[str, Any]]) -> None:
    rows = [
        {"import_id": import_id, "table_name": model.__tablename__, "row_uid": uid, "before": before}
        for uid, before in zip(uids, befores, strict=True)
    ]
    if rows:
        session.execute(insert(ImportChange), rows)


def encode(value: Any) -> Any:
    """Value as JSON can hold it."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
