"""Whether a store holds a demo district, and how to sign in to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gridmap.demo.names import DISTRICT_CODE
from gridmap.people.models import Grant, Login, Person
from gridmap.places.models import Area

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ["PASSWORD", "demo_logins", "holds_demo", "is_empty"]

USERNAMES = ("hq", "supervision", "viewer", "lead", "manager", "patrol", "worker", "assessor")
PASSWORD = "gridmap-demo"  # noqa: S105 - every demo login has it, and the page says so


def holds_demo(session: Session) -> bool:
    """Whether the store holds a demo district, whose passwords everybody knows."""
    return session.scalar(select(Area.id).where(Area.code == DISTRICT_CODE)) is not None


def demo_logins(session: Session) -> list[tuple[str, str]]:
    """User names and roles of the demo's own logins; one that somebody added is nobody's business."""
    rows = session.execute(
        select(Login.username, Grant.role)
        .join(Grant.login)
        .where(Login.username.in_(USERNAMES), Login.session_epoch == 0, Login.disabled.is_(False))
        .order_by(Login.id)
    )
    return [(username, role.value) for username, role in rows]


def is_empty(session: Session) -> bool:
    """Whether nobody and no ground is in the store."""
    return (
        session.scalar(select(Area.id).limit(1)) is None
        and session.scalar(select(Person.id).limit(1)) is None
    )
