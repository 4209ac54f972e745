"""What one running server holds, and what one request holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from flask import current_app, g

from gridmap.forecast.service import Forecasts
from gridmap.hotspots.heat import Denominators
from gridmap.hotspots.reader import MapReader
from gridmap.patrols.network import NetworkKeeper
from gridmap.patrols.questions import QuestionKeeper
from gridmap.patrols.tracks.ground import GroundKeeper
from gridmap.places.base_tiles import BaseTiles
from gridmap.places.place_tiles import ShapeKeeper
from gridmap.store.clock import read_clocks
from gridmap.store.engine import reading
from gridmap.store.identity import identify_store
from web.answer_store import AnswerStore

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import date

    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.jobs import Jobs
    from gridmap.people.credentials import Recognised
    from gridmap.people.permissions import Actor
    from gridmap.store.clock import Clocks

__all__ = ["Installation", "actor", "clocks", "db", "installation", "now", "today"]


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings, the store, the jobs and the memory of one server."""

    settings: Settings
    engine: Engine
    jobs: Jobs
    reader: MapReader
    shapes: ShapeKeeper
    base_tiles: BaseTiles
    denominators: Denominators
    network: NetworkKeeper
    questions: QuestionKeeper
    walkable: GroundKeeper
    forecasts: Forecasts
    answers: AnswerStore
    recognised: dict[Any, Recognised | None]
    """Whom secrets belong to, by their hash and the clocks; see `web.sessions`."""
    touched: dict[int, datetime]
    """When tokens were last noted as used, by id."""
    store_id: str
    """Tells answers of this start of the server from those of another database at the same address."""

    @classmethod
    def start(cls, settings: Settings, engine: Engine, jobs: Jobs) -> Installation:
        """Prepare what a server keeps in memory; nothing is read yet."""
        return cls(
            settings=settings,
            engine=engine,
            jobs=jobs,
            reader=MapReader(engine, settings.data_dir / "snapshot"),
            shapes=ShapeKeeper(),
            base_tiles=BaseTiles(settings.data_dir / "tiles"),
            denominators=Denominators(),
            network=NetworkKeeper(settings.data_dir / "network"),
            questions=QuestionKeeper(),
            walkable=GroundKeeper(),
            forecasts=Forecasts(settings.data_dir / "forecast"),
            answers=AnswerStore(),
            recognised={},
            touched={},
            store_id=identify_store(engine),
        )


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


def clocks() -> Clocks:
    """Return the clocks as this request's session sees them."""
    if "clocks" not in g:
        g.clocks = read_clocks(db())
    return cast("Clocks", g.clocks)


def now() -> datetime:
    """Return the time of this request."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    time: datetime = g.now
    return time


def today() -> date:
    """Return the day of this request in the installation's time zone."""
    return now().astimezone(installation().settings.zone).date()


def actor() -> Actor:
    """Return who makes this request; a route that names a permission always has one."""
    return cast("Actor", g.actor)
