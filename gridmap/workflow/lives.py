"""How problems stand, as columns, held fast until the transaction ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import case, exists, select

from gridmap.problems.models import Category, Problem, Request, RequestState
from gridmap.store.extract import read_columns
from gridmap.store.selection import among
from gridmap.workflow.clock import Clocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy.orm import Session

__all__ = ["COUNTERS", "Lives", "hold_lives", "read_lives"]

COUNTERS = ("rework", "returns", "suspensions", "extensions", "look_backs", "reopened")

_ON_TIME = case((Problem.on_time.is_(None), -1), (Problem.on_time.is_(True), 1), else_=0)
_ASKED = exists().where(Request.problem_id == Problem.id, Request.state == RequestState.OPEN)
_READ: Mapping[str, Any] = {
    "id": Problem.id,
    "change": Problem.change,
    "category_id": Problem.category_id,
    "state": Problem.state,
    "area_id": Problem.area_id,
    "road_id": Problem.road_id,
    "severity": Problem.severity,
    "found_at": Problem.found_at,
    "organisation_id": Problem.organisation_id,
    "person_id": Problem.person_id,
    "fixed_by_id": Problem.fixed_by_id,
    "time_allowed": Problem.time_allowed,
    "time_unit": Problem.time_unit,
    "clock_since": Problem.clock_since,
    "clock_used": Problem.clock_used,
    "fix_due_at": Problem.fix_due_at,
    "due_at": Problem.due_at,
    "checked_at": Problem.checked_at,
    "dispatched_at": Problem.dispatched_at,
    "fixed_at": Problem.fixed_at,
    "closed_at": Problem.closed_at,
    "on_time": _ON_TIME,
    "asked": case((_ASKED, 1), else_=0),
    "needs_photo": case((Category.after_photo, 1), else_=0),
    "category_allowed": Category.time_allowed,
    "category_unit": Category.time_unit,
    **{name: getattr(Problem, name) for name in COUNTERS},
}


@dataclass(frozen=True, slots=True, eq=False)
class Lives:
    """Problems that there are, in ascending order of ids: columns of shape (n,) by name.

    An id of -1 is none, and so is -1 in `time_allowed`, `time_unit` and `on_time`; a time of NaT is none.
    """

    columns: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.columns["id"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column."""
        return self.columns[name]

    def where(self, chosen: NDArray[np.bool_]) -> Lives:
        """Some of them."""
        return Lives({name: values[chosen] for name, values in self.columns.items()})

    @property
    def clocks(self) -> Clocks:
        """Their clocks of fixing; one that never started stands, with the time that its category allows."""
        given = self["time_allowed"] >= 0
        return Clocks(
            allowed=np.where(given, self["time_allowed"], self["category_allowed"]).astype(np.int64),
            unit=np.where(given, self["time_unit"], self["category_unit"]).astype(np.int64),
            since=self["clock_since"],
            used=np.maximum(self["clock_used"], 0).astype(np.int64),
            due=np.where(np.isnat(self["fix_due_at"]), self["due_at"], self["fix_due_at"]),
        )


def read_lives(session: Session, numbers: ArrayLike) -> Lives:
    """Read how problems stand; a number that there is not is left out.

    Parameters
    ----------
    numbers
        Case numbers, shape (n,).
    """
    columns: list[Any] = [column.label(name) for name, column in _READ.items()]
    wanted = among(session, Problem.id, numbers)
    query = select(*columns).join(Category, Category.id == Problem.category_id).where(wanted)
    found = read_columns(session, query)
    order = np.argsort(found["id"])
    return Lives({name: values[order] for name, values in found.items()})


def hold_lives(session: Session, numbers: ArrayLike) -> Lives:
    """Read how problems stand; nobody else changes them until this transaction ends.

    Whoever wants several waits for them in the order of their numbers, so that two never wait for each other.
    """
    if session.get_bind().dialect.name == "postgresql":
        held = select(Problem.id).where(among(session, Problem.id, numbers)).order_by(Problem.id)
        session.execute(held.with_for_update()).all()
    return read_lives(session, numbers)
