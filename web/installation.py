"""What one running server holds, and what one request holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app, g

from gridmap.store.engine import reading

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.jobs import Jobs
    from gridmap.people.permissions import Actor

__all__ = ["Installation", "actor", "db", "installation"]


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings, the store and the jobs of one server."""

    settings: Settings
    engine: Engine
    jobs: Jobs


def installation() -> Installation:
    """Return the running server's installation."""
    return cast("Installation", current_app.extensions["gridmap"])


def db() -> Session:
    """Return this request's reading session, opened at first use."""
    if "db" not in g:
        g.db_context = reading(installation().engine)
        g.db = g.db_context.__enter__()
    return cast("Session", g.db)


def close_db(_error: BaseException | None = None) -> None:
    """End this request's reading session."""
    context: AbstractContextManager[Session] | None = g.pop("db_context", None)
    g.pop("db", None)
    if context is not None:
        context.__exit__(None, None, None)


def actor() -> Actor:
    """Return who makes this request; a route that names a permission always has one."""
    return cast("Actor", g.actor)
