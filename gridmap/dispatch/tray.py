"""The headquarters' tray: problems that wait for dispatch and that no rule and no duty gives to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from gridmap.dispatch.rules import NOBODY
from gridmap.dispatch.service import ASKED, choose_among
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.problems.limits import inside
from gridmap.problems.models import Problem, State
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor

__all__ = ["Tray", "read_tray"]

_WAITING = (State.RECORDED, State.CHECKED, State.RETURNED)


@dataclass(frozen=True, slots=True, eq=False)
class Tray:
    """What lies in the tray, the longest waiting first: ids and why, shape (n,)."""

    numbers: NDArray[np.int64]
    reasons: NDArray[np.object_]


def read_tray(session: Session, actor: Actor, *, settings: Settings, now: datetime) -> Tray:
    """Return the undispatched problems that somebody must give to an organisation by hand.

    Those are the ones that today's rules and duties give to nobody but the headquarters, and those that an
    organisation has returned as not theirs although the rules would give them to it again.

    Raises
    ------
    PermissionDeniedError
        If the actor may not dispatch.
    """
    scope = actor.scope(Permission.PROBLEM_DISPATCH)
    query = select(*ASKED, Problem.state, Problem.area_id, Problem.organisation_id).where(
        Problem.state.in_(_WAITING), inside(scope)
    )
    columns = read_columns(session, query)
    choice = choose_among(session, columns, settings=settings, now=now)
    nobodys = choice.organisation == NOBODY
    returned = columns["state"] == list(State).index(State.RETURNED)
    again = returned & (choice.organisation == columns["organisation_id"])
    rows = np.flatnonzero(nobodys | again)
    rows = rows[np.argsort(columns["found_at"][rows], kind="stable")]
    reasons = choice.reasons
    reasons[again & ~nobodys] = gettext("returned as not theirs by the organisation that would get it again")
    return Tray(columns["id"][rows], reasons[rows])
