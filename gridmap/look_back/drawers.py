"""Whose the samples are that were drawn when only the name of whoever drew them was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from gridmap.look_back.models import LookBackSample
from gridmap.people.models import Login, Person
from gridmap.people.permissions import OWNER

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ["name_drawers"]


def name_drawers(session: Session) -> None:
    """Give samples without an account that of the only person of the name, if they have one account.

    Where two people have the name, nobody gets it: what a sample says of the whole city is then for who sees
    the whole city. To be done once, as names change.
    """
    alone = select(Person.name).group_by(Person.name).having(func.count() == 1)
    accounts = (
        select(Person.name, func.min(Login.id).label("login_id"))
        .join(Login, Login.person_id == Person.id)
        .where(Person.name.in_(alone), Person.name != OWNER)
        .group_by(Person.name)
        .having(func.count() == 1)
        .subquery()
    )
    account = select(accounts.c.login_id).where(accounts.c.name == LookBackSample.actor).scalar_subquery()
    session.execute(
        update(LookBackSample)
        .where(LookBackSample.login_id.is_(None), LookBackSample.actor.in_(select(accounts.c.name)))
        .values(login_id=account),
        execution_options={"synchronize_session": False},
    )
