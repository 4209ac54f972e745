"""Engines, sessions and the clock of changes."""

from __future__ import annotations

import importlib
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self
from weakref import WeakKeyDictionary

from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from gridmap.errors import StoreError
from gridmap.store.witness import WritingSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from sqlalchemy.engine import Connection, Engine

    from gridmap.store.witness import Keeper

__all__ = ["open_engine", "reading", "write_if_free", "writing"]

_WAIT_SECONDS = 60
_CROSSED = frozenset({"40001", "40P01"})
"""What PostgreSQL calls transactions that cannot both be: serialization failure, deadlock."""
_PRAGMAS = (
    # SpatiaLite sets a time of its own when it is loaded.
    f"busy_timeout={_WAIT_SECONDS * 1000}",
    "foreign_keys=ON",
    "journal_mode=WAL",
    "synchronous=FULL",
    "cache_size=-65536",
    "temp_store=MEMORY",
)


def open_engine(url: str, *, keeper: Keeper | None = None) -> Engine:
    """Open the store named by a SQLAlchemy URL, ``sqlite:///file`` or ``postgresql://…``.

    Parameters
    ----------
    url
        Its address.
    keeper
        Keeps the trail; without one the store can be read and prepared, and not written.

    Raises
    ------
    StoreError
        If the URL is of another kind.
    """
    # Foreign keys name tables of other domains; all must be known before the first query.
    importlib.import_module("gridmap.store.tables")
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _open_spatialite(url)
    elif parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=30,
            # The just-in-time compiler costs more than it saves on queries of this size.
            connect_args={"options": "-c jit=off -c timezone=UTC"},
        )
    else:
        raise StoreError(
            "Expected a database address that starts with sqlite:/// or postgresql://; found {found!r}.",
            found=parsed.render_as_string(hide_password=True),
        )
    if keeper is not None:
        engine.update_execution_options(gridmap_keeper=keeper)
        event.listen(engine, "before_cursor_execute", keeper.refuse_unseen)
    return engine


def _driver() -> ModuleType:
    """The sqlite3 module that can load extensions: some Python builds have theirs switched off."""
    if hasattr(sqlite3.Connection, "enable_load_extension"):
        return sqlite3
    import pysqlite3  # noqa: PLC0415 - only where it is needed

    module: ModuleType = pysqlite3
    return module


def _bind_geometry_libraries() -> None:
    """Load the libraries that bring a GEOS or PROJ of their own, before SpatiaLite brings the system's.

    SQLite makes the symbols of an extension, and of the libraries it needs, visible to whatever is loaded
    later; a wheel loaded after it would call into a GEOS of another version and end the process.
    """
    for name in ("shapely", "pyproj", "pyogrio"):
        importlib.import_module(name)


def _open_spatialite(url: str) -> Engine:
    _bind_geometry_libraries()
    file = make_url(url).database
    if file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, module=_driver(), connect_args={"timeout": _WAIT_SECONDS, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver must not open transactions of its own; "begin" below does.
        connection.isolation_level = None
        try:
            connection.enable_load_extension(True)  # noqa: FBT003 - the driver's signature
            connection.load_extension("mod_spatialite")
            connection.enable_load_extension(False)  # noqa: FBT003 - the driver's signature
        except Exception as error:
            raise StoreError(
                "The embedded store needs SpatiaLite; install the system package libsqlite3-mod-spatialite."
            ) from error
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name='spatial_ref_sys'").fetchone():
            connection.execute("SELECT InitSpatialMetaData(1, 'WGS84')")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the write lock at once: upgrading a read transaction later fails without waiting.
        options = connection.get_execution_options()
        wait = options.get("gridmap_wait_ms", _WAIT_SECONDS * 1000)
        if connection.info.get("gridmap_wait_ms", _WAIT_SECONDS * 1000) != wait:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={wait}")
            connection.info["gridmap_wait_ms"] = wait
        write = options.get("gridmap_write", False)
        if isinstance(write, _Turn):
            write.take(wait / 1000)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


class _Turn:
    """One writer's turn at a SpatiaLite store, among those of this process.

    SQLite lets writers ask again and again, and whoever is lucky comes first; here they come in turn, and
    only one of each process asks.
    """

    _locks: ClassVar[WeakKeyDictionary[Any, threading.Lock]] = WeakKeyDictionary()

    def __init__(self, engine: Engine) -> None:
        self._lock = self._locks.setdefault(engine.pool, threading.Lock())
        self._mine = False

    def take(self, seconds: float) -> None:
        """Wait for it, as long as the store itself would be waited for."""
        if not self._mine and not self._lock.acquire(timeout=seconds):
            raise _busy()
        self._mine = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._mine:
            self._mine = False
            self._lock.release()


def _busy() -> StoreError:
    return StoreError(
        "The store was busy for {seconds} seconds; nothing was changed. Please try again.",
        seconds=_WAIT_SECONDS,
    )


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Session for reads, which all see the store at one moment; nothing is ever committed."""
    if engine.dialect.name == "postgresql":
        # Otherwise every query sees what was committed meanwhile: a record could bear a later one's version.
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with Session(engine, expire_on_commit=False) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Session for one unit of work: committed at the end of the block, rolled back on an error.

    What it changes is in the trail, under whoever acts; see `gridmap.trail.origin`.

    Raises
    ------
    StoreError
        If the store stayed busy for a minute, or another writer was in the way and this one was given up.
    """
    keeper: Keeper | None = engine.get_execution_options().get("gridmap_keeper")
    if keeper is None:
        message = "Expected a store with a keeper of the trail, as gridmap.installation.open_store has it."
        raise RuntimeError(message)
    turn = _Turn(engine)
    try:
        with (
            turn,
            WritingSession(engine.execution_options(gridmap_write=turn), expire_on_commit=False) as session,
            session.begin(),
            keeper.watch(session) as witness,
        ):
            yield session
            witness.close()
    except DBAPIError as error:
        if "database is locked" in str(error.orig):
            raise _busy() from error
        if getattr(error.orig, "sqlstate", None) in _CROSSED:
            raise StoreError(
                "Somebody else changed the same at the same moment; nothing was changed. Please try again."
            ) from error
        raise
    witness.committed()


_SHORT_WAIT_MS = 50


def write_if_free(engine: Engine, work: Callable[[Session], None]) -> bool:
    """Write something that may as well be left out, without waiting for other writers; return whether it was.

    Parameters
    ----------
    engine
        The store.
    work
        Gets the session of a writing transaction; committed when it returns.
    """
    try:
        with writing(engine.execution_options(gridmap_wait_ms=_SHORT_WAIT_MS)) as session:
            if engine.dialect.name == "postgresql":
                session.execute(text(f"SET LOCAL lock_timeout = '{_SHORT_WAIT_MS}ms'"))
            work(session)
    except StoreError:
        return False
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != "55P03":
            raise
        return False
    return True
