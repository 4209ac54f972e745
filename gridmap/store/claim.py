"""One maker for each identity: what is sent twice at the same moment is made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

if TYPE_CHECKING:
    import uuid

    from sqlalchemy.orm import Session

__all__ = ["claim"]


def claim(session: Session, uid: uuid.UUID) -> None:
    """Wait until nobody else makes the thing of this identity, and keep others from it until the end.

    Call it before looking whether the thing is there already. On SpatiaLite only one writes at a time anyway.

    Parameters
    ----------
    session
        Of a writing transaction.
    uid
        Chosen by the client.
    """
    if session.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(uid.bytes[:8], signed=True)
        session.execute(select(func.pg_advisory_xact_lock(key)))
