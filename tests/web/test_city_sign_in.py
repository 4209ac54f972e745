"""Signing in through a real identity provider on loopback, and everything it might say that is not so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import func, select, update

from gridmap.people.logins import create_login
from gridmap.people.models import Grant, Login, OutsideIdentity, Person
from gridmap.people.permissions import Role
from gridmap.store.engine import reading, writing
from web.app import create_app

from .identity_provider import Provider

PASSWORD = "correct horse"  # noqa: S105 - of a throwaway login


@pytest.fixture
def provider():
    found = Provider()
    yield found
    found.stop()


@pytest.fixture
def city(settings, provider):
    """The application with a provider, and a login hq."""
    app = create_app(
        replace(
            settings,
            oidc_issuer=provider.issuer,
            oidc_client_id=provider.client_id,
            oidc_client_secret=provider.client_secret,
        )
    )
    with writing(app.extensions["gridmap"].engine) as session:
        create_login(session, person=Person(name="甲"), username="hq", password=PASSWORD, role=Role.READ_ONLY)
    yield app
    app.extensions["gridmap"].engine.dispose()


def come_back(client, target="/account", change=lambda address: address):
    """Go to the provider as a browser does, and return what the application says afterwards."""
    away = client.get("/sign-in/city", query_string={"next": target})
    assert away.status_code == 302, away.text
    back = requests.get(away.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
    parts = urlsplit(change(back))
    return client.get(f"{parts.path}?{parts.query}")


def signed_in(client):
    return client.get("/account").status_code == 200


def test_whoever_the_provider_knows_comes_in_as_the_login_that_is_there(city):
    client = city.test_client()
    assert "/sign-in/city" in client.get("/sign-in").text
    answer = come_back(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account")
    assert signed_in(client)
    assert client.get("/coverage").status_code == 403
    with reading(city.extensions["gridmap"].engine) as session:
        assert session.scalar(select(func.count(Login.id))) == 1
        assert list(session.scalars(select(Grant.role))) == [Role.READ_ONLY]


def test_it_leads_only_to_this_site(city):
    assert come_back(city.test_client(), "//evil.example").headers["Location"] == "/"


def test_nobody_gets_a_login_from_outside(city, provider):
    provider.person = {"sub": "p-9", "preferred_username": "stranger"}
    client = city.test_client()
    assert come_back(client).status_code == 401
    assert not signed_in(client)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(city, provider, claims):
    provider.claims = claims
    client = city.test_client()
    assert come_back(client).status_code == 401
    assert not signed_in(client)


def test_a_token_signed_by_somebody_else_or_by_nobody_is_refused(city, provider):
    provider.forged = True
    client = city.test_client()
    assert come_back(client).status_code == 401
    provider.forged, provider.algorithm, provider.algorithms = False, "none", ["none", "RS256"]
    assert come_back(client).status_code == 401
    assert not signed_in(client)


def test_a_code_of_another_browser_is_refused(city):
    """State ties the answer to the browser that asked, PKCE the code; neither can be swapped."""
    victim, attacker = city.test_client(), city.test_client()
    away = attacker.get("/sign-in/city").headers["Location"]
    back = urlsplit(requests.get(away, allow_redirects=False, timeout=10).headers["Location"])
    assert victim.get(f"{back.path}?{back.query}").status_code == 401
    code = parse_qs(back.query)["code"][0]
    swapped = come_back(
        victim,
        change=lambda address: address.replace(parse_qs(urlsplit(address).query)["code"][0], code),
    )
    assert swapped.status_code == 401
    assert not signed_in(victim)
    assert victim.get("/sign-in/city/done?error=access_denied").status_code == 401
    assert victim.get("/sign-in/city/done").status_code == 401


def test_a_name_that_went_to_somebody_else_lets_nobody_in(city, provider):
    assert come_back(city.test_client()).status_code == 302
    provider.person = {"sub": "p-2", "preferred_username": "hq"}
    assert come_back(city.test_client()).status_code == 401
    provider.person = {"sub": "p-1", "preferred_username": "renamed"}
    assert come_back(city.test_client()).status_code == 302
    with reading(city.extensions["gridmap"].engine) as session:
        assert session.scalar(select(func.count(OutsideIdentity.id))) == 1


def test_who_is_disabled_or_has_left_stays_out(city):
    engine = city.extensions["gridmap"].engine
    with writing(engine) as session:
        session.execute(update(Login).values(disabled=True))
    assert come_back(city.test_client()).status_code == 401
    with writing(engine) as session:
        session.execute(update(Login).values(disabled=False))
        session.execute(update(Person).values(valid_to=date(2020, 1, 1)))
    assert come_back(city.test_client()).status_code == 401


@pytest.mark.parametrize(("verified", "status"), [(True, 302), (False, 401), ("true", 401), (None, 401)])
def test_an_address_counts_only_if_it_is_verified(settings, provider, verified, status):
    app = create_app(
        replace(
            settings,
            oidc_issuer=provider.issuer,
            oidc_client_id=provider.client_id,
            oidc_client_secret=provider.client_secret,
            oidc_claim="email",
        )
    )
    with writing(app.extensions["gridmap"].engine) as session:
        create_login(
            session, person=Person(name="甲"), username="a@b.cn", password=PASSWORD, role=Role.READ_ONLY
        )
    provider.person = {"sub": "p-1", "email": "a@b.cn", "email_verified": verified}
    assert come_back(app.test_client()).status_code == status
    app.extensions["gridmap"].engine.dispose()


def test_a_provider_that_does_not_answer_is_said_and_not_waited_for(city, provider):
    provider.stop()
    try:
        answer = city.test_client().get("/sign-in/city")
        assert answer.status_code == 401
    finally:
        provider.__post_init__()
