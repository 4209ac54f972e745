"""How much one caller may ask for, and how large it may be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridmap.people.logins import create_login
from gridmap.people.models import Person
from gridmap.people.permissions import Role
from gridmap.store.engine import writing
from web.app import create_app

PASSWORD = "correct horse"  # noqa: S105 - of a throwaway login


@pytest.fixture
def limited(settings):
    """A function that starts the application with other limits."""
    apps = []

    def start(**more):
        app = create_app(replace(settings, **more))
        app.config["WTF_CSRF_ENABLED"] = False
        apps.append(app)
        return app

    yield start
    for app in apps:
        app.extensions["gridmap"].engine.dispose()


def codes(client, path, count, method="get", **more):
    return [getattr(client, method)(path, **more).status_code for _ in range(count)]


def test_one_address_may_ask_so_often_without_a_login(limited):
    app = limited(open_requests_per_minute=5)
    assert codes(app.test_client(), "/sign-in", 7) == [200] * 5 + [429] * 2
    refused = app.test_client().get("/api/v1/openapi.json")
    assert refused.status_code == 429
    assert refused.content_type == "application/problem+json"
    assert refused.json["status"] == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 120
    other = app.test_client()
    other.environ_base["REMOTE_ADDR"] = "10.0.0.9"
    assert codes(other, "/sign-in", 2) == [200] * 2


def test_processes_share_what_is_allowed(limited):
    app = limited(open_requests_per_minute=6, workers=3)
    assert codes(app.test_client(), "/sign-in", 3) == [200, 200, 429]


def test_the_proxys_word_counts_only_where_there_is_one(limited):
    for proxies, expected in ((0, [200, 200, 429]), (1, [200, 200, 200])):
        client = limited(open_requests_per_minute=2, trusted_proxies=proxies).test_client()
        found = [
            client.get("/sign-in", headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in range(3)
        ]
        assert found == expected


def test_one_login_may_change_so_much_and_look_at_all_of_it(limited):
    app = limited(writes_per_minute=3)
    with writing(app.extensions["gridmap"].engine) as session:
        for name in ("a", "b"):
            create_login(
                session, person=Person(name=name), username=name, password=PASSWORD, role=Role.HEADQUARTERS
            )
    clients = []
    for name in ("a", "b"):
        client = app.test_client()
        client.post("/sign-in", data={"username": name, "password": PASSWORD})
        clients.append(client)
    assert codes(clients[0], "/api/v1/problems", 5, "post", json={}) == [422] * 3 + [429] * 2
    assert codes(clients[0], "/account", 5) == [200] * 5
    assert codes(clients[1], "/api/v1/problems", 2, "post", json={}) == [422] * 2


def test_nobody_sends_much_before_it_is_known_who_it_is(limited):
    client = limited().test_client()
    big = {"username": "x" * (2**20 + 1), "password": "y"}
    assert client.post("/sign-in", data=big).status_code == 413
