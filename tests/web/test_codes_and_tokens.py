"""One-time codes at the sign-in, and tokens for machines, as a browser and a program meet them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select, update

from gridmap.people.models import Credential, CredentialKind, CredentialUse, Login
from gridmap.people.permissions import Role
from gridmap.store.engine import reading, writing
from web.app import create_app

NAME, RIGHT = "headquarters-None-None", "correct horse"


def set_up(client):
    page = client.get("/account/codes").text
    secret = re.search(r"<code>([A-Z2-7 ]{32,})</code>", page)[1].replace(" ", "")
    assert "<svg" in page
    device = pyotp.TOTP(secret)
    done = client.post("/account/codes", data={"code": device.now()})
    assert done.status_code == 200
    return device, re.findall(r"<code>((?:[a-z2-7]{4}-){3}[a-z2-7]{4})</code>", done.text)


def enter(app):
    client = app.test_client()
    return client, client.post("/sign-in", data={"username": NAME, "password": RIGHT, "next": "/account"})


def test_the_password_alone_lets_nobody_in_any_more(app, sign_in):
    owner = sign_in()
    _, recovery = set_up(owner)
    assert owner.get("/account").status_code == 200
    client, answer = enter(app)
    assert answer.headers["Location"] == "/sign-in/code"
    assert client.get("/account").headers["Location"].startswith("/sign-in")
    assert client.get("/sign-in/code").status_code == 200
    wrong = client.post("/sign-in/code", data={"code": "000000x"})
    assert wrong.status_code == 401
    right = client.post("/sign-in/code", data={"code": recovery[0]})
    assert (right.status_code, right.headers["Location"]) == (302, "/account")
    assert client.get("/account").status_code == 200
    again = enter(app)[0]
    assert again.post("/sign-in/code", data={"code": recovery[0]}).status_code == 401


def test_guessing_codes_is_slowed_down(app, sign_in):
    set_up(sign_in())
    client = enter(app)[0]
    answers = [client.post("/sign-in/code", data={"code": f"{n:06}x"}).status_code for n in range(6)]
    assert answers == [401] * 5 + [429]


def test_the_code_form_is_for_whoever_has_just_proved_the_password(app, sign_in):
    set_up(sign_in())
    assert app.test_client().post("/sign-in/code", data={"code": "1"}).headers["Location"] == "/sign-in"
    client = enter(app)[0]
    with client.session_transaction() as session:
        session["proved"] = session["proved"] | {"at": session["proved"]["at"] - 601}
    assert client.get("/sign-in/code").headers["Location"] == "/sign-in"
    client = enter(app)[0]
    with writing(app.extensions["gridmap"].engine) as session:
        session.execute(update(Login).values(session_epoch=Login.session_epoch + 1))
    assert client.get("/sign-in/code").headers["Location"] == "/sign-in"


def test_taking_codes_away_needs_the_password(app, sign_in):
    owner = sign_in()
    set_up(owner)
    assert owner.post("/account/codes/remove", data={"password": "wrong"}).status_code == 422
    assert owner.post("/account/codes/remove", data={"password": RIGHT}).status_code == 302
    assert enter(app)[1].headers["Location"] == "/account"


def test_a_role_can_need_codes(settings, sign_in):
    app = create_app(replace(settings, code_roles="headquarters, supervision"))
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in()
    client, answer = enter(app)
    assert answer.headers["Location"] == "/account"
    assert client.get("/").headers["Location"] == "/account/codes"
    assert client.get("/api/v1/cells").status_code == 403
    set_up(client)
    assert client.get("/").status_code == 200
    app.extensions["gridmap"].engine.dispose()


@pytest.fixture
def machine(app, sign_in):
    """A function that makes a token and returns a client that shows it and nothing else."""

    def make(*permissions, role=Role.HEADQUARTERS, **limits):
        owner = sign_in(role, **limits)
        until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
        page = owner.post(
            "/account/tokens", data={"name": "报表", "permission": list(permissions), "until": until}
        )
        assert page.status_code == 200, page.text
        token = re.search(r"gridmap_[\w-]{43}", page.text)[0]
        assert token not in owner.get("/account/tokens").text
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client, owner, token

    return make


def test_a_token_does_what_it_is_limited_to_and_needs_no_form_token(app, machine):
    client, owner, token = machine("place:read", "problem:create")
    app.config["WTF_CSRF_ENABLED"] = True
    assert client.get("/api/v1/cells").status_code == 200
    assert client.get("/api/v1/problems").status_code == 403
    # Refused for what is in it, not for want of a form's token.
    assert client.post("/api/v1/problems", json={}).status_code == 422
    assert client.get("/account").status_code == 403
    assert client.get("/account/tokens").status_code == 403
    with reading(app.extensions["gridmap"].engine) as session:
        kept = session.scalars(select(Credential).where(Credential.kind == CredentialKind.TOKEN)).one()
        assert token.encode() not in bytes(kept.secret_hash)
        assert session.get(CredentialUse, kept.id) is not None
    # A cookie beside a token that is no good does not help, and the other way round.
    owner.environ_base["HTTP_AUTHORIZATION"] = "Bearer nothing"
    assert owner.get("/api/v1/cells").status_code == 401
    assert owner.post("/api/v1/problems", json={}).status_code in {400, 401}


def test_a_cookie_alone_cannot_change_anything_from_another_site(app, sign_in):
    client = sign_in()
    app.config["WTF_CSRF_ENABLED"] = True
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        answer = client.post("/api/v1/problems", data="{}", content_type=kind)
        assert answer.status_code == 400
    assert client.post("/account/sessions/end").status_code == 400


def test_a_token_can_be_revoked_expires_and_ends_with_the_password(app, machine):
    client, owner, _ = machine("place:read")
    uid = re.search(r"/account/sessions/([0-9a-f-]{36})/end", owner.get("/account/tokens").text)[1]
    owner.post(f"/account/sessions/{uid}/end")
    assert client.get("/api/v1/cells").status_code == 401
    client, owner, _ = machine("place:read", role=Role.READ_ONLY)
    assert client.get("/api/v1/cells").status_code == 200
    with writing(app.extensions["gridmap"].engine) as session:
        session.execute(update(Credential).values(expires_at=datetime.now(UTC)))
    assert client.get("/api/v1/cells").status_code == 401
    client, owner, _ = machine("place:read", role=Role.GRID_WORKER)
    owner.post("/account/password", data={"old": RIGHT, "new": "battery staple", "again": "battery staple"})
    assert client.get("/api/v1/cells").status_code == 401


def test_nobody_makes_a_token_for_more_than_they_hold(sign_in):
    owner = sign_in(Role.READ_ONLY)
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    for permissions in (["problem:dispatch"], ["nonsense"], []):
        answer = owner.post("/account/tokens", data={"name": "x", "permission": permissions, "until": until})
        assert answer.status_code == 422
        assert "gridmap_" not in answer.text
    for day in ("2020-01-01", "2999-01-01", "soon"):
        answer = owner.post("/account/tokens", data={"name": "x", "permission": ["place:read"], "until": day})
        assert answer.status_code == 422


def test_a_token_of_somebody_with_limits_has_them_too(machine):
    client, owner, _ = machine("place:read", "problem:read", role=Role.GRID_WORKER, organisation_id=None)
    assert client.get("/api/v1/problems").status_code == owner.get("/api/v1/problems").status_code == 200
    assert client.get("/api/v1/cells").headers["ETag"] != owner.get("/api/v1/cells").headers["ETag"]


def test_who_may_not_is_told_what_it_needs_in_words(sign_in):
    answer = sign_in(Role.READ_ONLY).get("/imports")
    assert answer.status_code == 403
    assert "此操作需要权限：导入问题（problem:import）。" in answer.text
