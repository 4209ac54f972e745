"""The lines that a step adds to problems' histories, with how each problem stood before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import Boolean, Enum, select

from gridmap.people.models import Organisation, Person
from gridmap.problems.models import Event, EventKind, Problem
from gridmap.store.base import UTCDateTime
from gridmap.store.bulk import insert_rows, reserve_ids

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor
    from gridmap.problems.models import Batch
    from gridmap.workflow.changes import Columns
    from gridmap.workflow.lives import Lives
    from gridmap.workflow.step import Step

__all__ = ["before_of", "details_of", "write_history"]


def write_history(
    session: Session,
    actor: Actor,
    lives: Lives,
    step: Step,
    *,
    new: Columns,
    batch: Batch,
    details: dict[str, Any],
    now: datetime,
) -> NDArray[np.int64]:
    """Add a line to the history of each problem; return the lines' ids, in the order of `lives`.

    Parameters
    ----------
    lives
        How they stood before.
    new
        What the step changes.
    details
        What the step said beyond its note: one value for all, or an array with one for each.
    """
    said: dict[str, Any] = {**details}
    if step.until is not None:
        said["until"] = step.until.isoformat()
    if step.more is not None:
        said["more"] = step.more
    if "organisation_id" in new:
        said["organisation"] = _names(session, Organisation, new["organisation_id"])
        said["person"] = _names(session, Person, new["person_id"])
    ids = reserve_ids(session, Event, len(lives))
    state = new.get("state", lives["state"])
    insert_rows(
        session,
        Event,
        {
            "id": ids,
            "problem_id": lives["id"],
            "kind": EventKind.STATE,
            "at": now,
            "recorded_at": now,
            "actor": actor.name,
            "person_id": actor.person_id,
            "state": state,
            "action": step.action.value,
            "note": step.note.strip() or None,
            "batch_id": batch.id,
            "details": details_of(said, {name: lives[name] for name in new}, len(lives)),
        },
    )
    return ids


def _names(session: Session, model: type[Organisation | Person], ids: NDArray[np.int64]) -> NDArray[Any]:
    """Uids of organisations or persons by id, None for nobody; names are read when they are shown."""
    known = np.unique(ids[ids >= 0])
    rows = session.execute(select(model.id, model.uid).where(model.id.in_(known.tolist())))
    uids = pd.Series({number: str(uid) for number, uid in rows}, dtype=object)
    found = pd.Series(ids).map(uids)
    return np.asarray(found.where(found.notna(), None), dtype=object)


def details_of(said: dict[str, Any], before: Columns, count: int) -> list[str]:
    """Details of lines of history, one JSON object for each problem.

    Parameters
    ----------
    said
        By name, one value for all or an array with one for each.
    before
        How the problems stood, in the conventions of `Lives`; `before_of` reads it back.
    count
        How many problems there are.
    """
    index = pd.RangeIndex(count)
    earlier = pd.DataFrame({name: _plain(name, values) for name, values in before.items()}, index=index)
    columns: dict[str, Any] = {**said, "before": pd.Series(earlier.to_dict("records"), index=index)}
    frame = pd.DataFrame(columns, index=index)
    text: str = frame.to_json(orient="records", lines=True, force_ascii=False)
    return text.splitlines()


def _plain(name: str, values: NDArray[Any]) -> pd.Series[Any]:
    """A column as JSON holds it: times as text, states by name, nothing as null."""
    column = Problem.__table__.c[name]
    lacking = np.zeros(len(values), dtype=bool)
    plain: NDArray[Any]
    if isinstance(column.type, Enum):
        plain = np.array(column.type.enums, dtype=object)[values]
        lacking = np.asarray(values < 0)
    elif isinstance(column.type, UTCDateTime):
        plain = np.datetime_as_string(values, unit="us", timezone="UTC").astype(object)
        lacking = np.isnat(values)
    else:
        plain = np.asarray(values).astype(object)
        lacking = np.asarray(values < 0) if column.nullable else lacking
    plain[lacking] = None
    return pd.Series(plain, dtype="object")


def before_of(details: list[dict[str, Any]]) -> dict[str, Any]:
    """Read back, as columns that `update_rows` takes, how problems stood before a step.

    Parameters
    ----------
    details
        Of the step's lines, each with the same columns under ``before``.
    """
    earlier = pd.DataFrame([said["before"] for said in details], dtype=object)
    return {str(name): _column(str(name), earlier[name]) for name in earlier.columns}


def _column(name: str, values: pd.Series[Any]) -> Any:
    kind = Problem.__table__.c[name].type
    if isinstance(kind, UTCDateTime):
        times = pd.to_datetime(values, utc=True, format="ISO8601").dt.tz_localize(None)
        return times.to_numpy(dtype="datetime64[us]")
    if isinstance(kind, Enum):
        return np.asarray(pd.Categorical(values, categories=list(kind.enums)).codes)
    lacking = values.isna().to_numpy()
    filled = values.where(~lacking, 0).to_numpy()
    whole: Any = filled.astype(bool if isinstance(kind, Boolean) else np.int64)
    return np.ma.MaskedArray(whole, mask=lacking)
