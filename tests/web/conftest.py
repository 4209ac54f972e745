"""The application on a prepared store, and logins for every role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jinja2 import FileSystemBytecodeCache

from gridmap.config import Settings
from gridmap.people.logins import create_login
from gridmap.people.models import Person
from gridmap.people.permissions import Role
from gridmap.store.engine import writing
from web.app import create_app

from .two_sides import sides  # noqa: F401 - a fixture works by being here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

PASSWORD = "correct horse"  # noqa: S105 - of throwaway logins


@pytest.fixture
def settings(tmp_path: Path, store_url: str) -> Settings:
    # Tests ask more in a minute than people do.
    return Settings(
        data_dir=tmp_path, database_url=store_url, open_requests_per_minute=0, writes_per_minute=0
    )


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates as they were compiled for an earlier test."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(settings: Settings, compiled_templates: FileSystemBytecodeCache) -> Iterator[Flask]:
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    app.jinja_env.bytecode_cache = compiled_templates
    yield app
    app.extensions["gridmap"].engine.dispose()


@pytest.fixture
def sign_in(app: Flask) -> Callable[..., FlaskClient]:
    """Make a login with a role and limits, and return a client that is signed in as it."""

    def _sign_in(
        role: Role = Role.HEADQUARTERS, *, area_id: int | None = None, organisation_id: int | None = None
    ) -> FlaskClient:
        name = f"{role.value}-{area_id}-{organisation_id}"
        with writing(app.extensions["gridmap"].engine) as session:
            create_login(
                session,
                person=Person(name=name),
                username=name,
                password=PASSWORD,
                role=role,
                area_id=area_id,
                organisation_id=organisation_id,
            )
        client = app.test_client()
        answer = client.post("/sign-in", data={"username": name, "password": PASSWORD})
        assert answer.status_code == 302
        return client

    return _sign_in
