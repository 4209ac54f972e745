"""A real server on either store, and people who work with it all at once."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from real_server import PASSWORD, Server

from gridmap.config import Settings
from gridmap.evidence.files import Vault
from gridmap.installation import open_store
from gridmap.people.logins import create_login
from gridmap.people.models import Organisation, Person
from gridmap.people.permissions import Role
from gridmap.places.models import Area, GridCell, Responsibility, ResponsibilityRole
from gridmap.problems.catalogue import ensure_categories
from gridmap.store.engine import reading, writing
from gridmap.trail.keeper import TrailKeeper
from gridmap.trail.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine

WRITERS = 20
SQUARE = "SRID=4326;MULTIPOLYGON(((121 31,121.01 31,121.01 31.01,121 31.01,121 31)))"


@pytest.fixture
def settings(tmp_path: Path, store_url: str) -> Settings:
    return Settings(data_dir=tmp_path, database_url=store_url)


@pytest.fixture
def store(settings: Settings) -> Iterator[Engine]:
    engine = open_store(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def town(store: Engine) -> SimpleNamespace:
    """One cell with its worker, two organisations, and a login of the headquarters for each writer."""
    with writing(store) as session:
        ensure_categories(session)
        area = Area(code="A", name="东风社区", level="community", geometry=SQUARE)
        session.add(area)
        session.flush()
        cell = GridCell(code="C", name="第一网格", area_id=area.id, geometry=SQUARE)
        bodies = [Organisation(name=f"单位{n}") for n in range(2)]
        worker = Person(name="工", organisation=bodies[0])
        session.add_all([cell, *bodies, worker])
        session.flush()
        session.add(Responsibility(role=ResponsibilityRole.GRID_WORKER, person_id=worker.id, cell_id=cell.id))
        names = [f"writer{n}" for n in range(WRITERS)]
        for name in names:
            create_login(
                session,
                person=Person(name=name),
                username=name,
                password=PASSWORD,
                role=Role.HEADQUARTERS,
            )
    return SimpleNamespace(names=names, bodies=[str(body.uid) for body in bodies])


@pytest.fixture
def workers() -> int:
    """Of the server's processes."""
    return 2


@pytest.fixture
def server(town: SimpleNamespace, settings: Settings, workers: int) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(settings.data_dir, settings.store_url, port, workers)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def findings(store: Engine, settings: Settings) -> Callable[[], list[tuple[str, str]]]:
    """Say what verify-trail finds."""

    def _find() -> list[tuple[str, str]]:
        keeper = TrailKeeper.of(settings)
        with reading(store) as session:
            verdict = verify(session, [keeper.key], keeper.anchors, vault=Vault(settings.data_dir))
        return [(one.kind.value, one.where) for one in verdict.findings]

    return _find
