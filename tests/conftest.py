"""Real databases, a real browser's path and the real data for every test that asks."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from playwright.sync_api import sync_playwright
from sqlalchemy import make_url

sys.path.insert(0, str(Path(__file__).parent))

from postgis_server import PostgisServer, find_binaries
from strict import (  # the hooks work by being here
    is_strict,
    missing,
    pytest_make_collect_report,  # noqa: F401
    pytest_runtest_makereport,  # noqa: F401
)

from gridmap.config import LANGUAGES, Settings
from gridmap.language import speak
from gridmap.people import passwords
from gridmap.store.engine import open_engine
from gridmap.store.schema import migrate
from gridmap.trail.keeper import TrailKeeper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from sqlalchemy.engine import Engine

ROOT = Path(__file__).resolve().parents[1]
_numbers = itertools.count()
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
]
_LONG = ("browser", "wheel")

# Where everything must pass, the same examples each time: a change is not judged by chance. Other runs look
# for new ones.
settings.register_profile("same", derandomize=True, database=None, deadline=None, print_blob=True)
if is_strict():
    settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what is heavy or shares a long preparation on one of the parallel workers, and begin with it."""
    for item in items:
        for name in _LONG:
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.xdist_group(name))
    # Last, one worker would be busy with them while the others have nothing left to do.
    items.sort(key=lambda item: not any(map(item.get_closest_marker, _LONG)))


@pytest.fixture(scope="session", autouse=True)
def installations_hasher() -> Iterator[PasswordHasher]:
    """Argon2 at its cheapest: with the real cost, a third of the tests' time were logins.

    Returns what an installation hashes with.
    """
    with pytest.MonkeyPatch.context() as patch:
        hasher = passwords._hasher
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield hasher


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    """The default language for every test: a request leaves the thread it ran on with its own."""
    with speak(LANGUAGES[0]):
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = Path(os.environ.get("GRIDMAP_REAL_DATA", ROOT.parent / "shared" / "data")).resolve()
    if not folder.is_dir():
        missing(f"The real data are not at {folder}; set GRIDMAP_REAL_DATA.")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of a process: two of them would be in each other's way."""
    program = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    if program is None:
        missing("Chromium is not installed.")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def spatialite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "template.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
        connection.exec_driver_sql("BEGIN")
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def postgis_server() -> Iterator[PostgisServer]:
    binaries = find_binaries()
    if binaries is None:
        missing("PostgreSQL's server is not installed; install postgresql and postgresql-postgis.")
        return
    server = PostgisServer(binaries)
    try:
        with psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE DATABASE template_gridmap")
        engine = open_engine(server.url("template_gridmap"))
        migrate(engine)
        engine.dispose()
        yield server
    finally:
        server.stop()


@pytest.fixture
def spatialite_url(spatialite_template: Path, tmp_path: Path) -> str:
    file = tmp_path / "store.sqlite"
    shutil.copy(spatialite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgis_url(postgis_server: PostgisServer) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    admin = postgis_server.url("postgres").replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_gridmap")
    yield postgis_server.url(name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["spatialite", pytest.param("postgis", marks=pytest.mark.postgis)])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty, prepared store; a test that asks for it runs on both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def keeper(tmp_path: Path) -> TrailKeeper:
    """Keeps the trail of a throwaway installation, as one with its data folder at `tmp_path` does."""
    return TrailKeeper.of(Settings(data_dir=tmp_path))


@pytest.fixture
def engine(store_url: str, keeper: TrailKeeper) -> Iterator[Engine]:
    engine = open_engine(make_url(store_url).render_as_string(hide_password=False), keeper=keeper)
    yield engine
    engine.dispose()
