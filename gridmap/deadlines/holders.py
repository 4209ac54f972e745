"""Who answers for a problem while nobody has to fix it: for its check, its dispatch, its verification."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from gridmap.people.models import Grant, Login, Person
from gridmap.people.permissions import ROLE_PERMISSIONS, Permission
from gridmap.places.ground import first_at, inherited
from gridmap.problems.models import State
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.places.ground import Ground

__all__ = ["stage_holders"]

_NEEDED: Mapping[State, Permission] = MappingProxyType(
    {
        State.RECORDED: Permission.PROBLEM_CHECK,
        State.CHECKED: Permission.PROBLEM_DISPATCH,
        State.RETURNED: Permission.PROBLEM_DISPATCH,
        State.FIXED: Permission.PROBLEM_VERIFY,
        State.VERIFIED: Permission.PROBLEM_CLOSE,
    }
)
"""What whoever leads a problem out of a stage must be allowed."""


def stage_holders(
    session: Session, ground: Ground, state: NDArray[np.int16], area: NDArray[np.int64], *, day: date
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Persons and organisations who answer for the stage that problems are in.

    It is who may take the step in the problem's area, or in the next area above where somebody may; of
    several whose role came first. Those who fix do not count: who verifies is not who fixed. Where nobody is
    named, it is the office of the area, and in the end the headquarters.

    Parameters
    ----------
    session, ground
        On the day.
    state
        Positions in `State`, shape (n,).
    area
        Ids of areas, shape (n,); -1: none.
    day
        In the installation's time zone.

    Returns
    -------
    tuple
        Ids of persons and of organisations, shape (n,) each; -1: nobody.
    """
    person, organisation = (np.full(state.size, -1, dtype=np.int64) for _ in range(2))
    areas = pd.Index(ground.area_ids)
    at = areas.get_indexer(pd.Index(area))
    for permission in dict.fromkeys(_NEEDED.values()):
        here = np.isin(
            state, [list(State).index(one) for one, needed in _NEEDED.items() if needed is permission]
        )
        if not here.any():
            continue
        grants = _grants(session, permission, day)
        where = areas.get_indexer(pd.Index(grants["area_id"]))
        everywhere = np.flatnonzero(grants["area_id"] < 0)[:1]
        for found, name in ((person, "person_id"), (organisation, "organisation_id")):
            near = inherited(first_at(len(areas), where, grants[name]), ground.area_parent)
            whole = grants[name][everywhere[0]] if everywhere.size else -1
            found[here] = np.append(np.where(near >= 0, near, whole), whole)[at[here]]
    office = np.append(ground.office, ground.headquarters)[at]
    office = np.where(office >= 0, office, ground.headquarters)
    return person, np.where(organisation >= 0, organisation, office)


def _grants(session: Session, permission: Permission, day: date) -> dict[str, NDArray[np.int64]]:
    roles = [
        role
        for role, given in ROLE_PERMISSIONS.items()
        if permission in given and Permission.PROBLEM_FIX not in given
    ]
    return read_columns(
        session,
        select(
            Grant.id,
            Grant.area_id,
            Person.id.label("person_id"),
            func.coalesce(Person.organisation_id, -1).label("organisation_id"),
        )
        .join(Login, Login.id == Grant.login_id)
        .join(Person, Person.id == Login.person_id)
        .where(
            Grant.role.in_(roles),
            Grant.organisation_id.is_(None),
            Login.disabled.is_(False),
            Person.in_force(day),
        )
        .order_by(Grant.id),
    )
