from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from gridmap.people.models import Credential, Login
from gridmap.people.permissions import Role
from gridmap.store.engine import writing
from web.access import needs_of
from web.app import create_app


def test_every_route_says_who_may_use_it(app):
    undecided = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and needs_of(app.view_functions[rule.endpoint]) is None
    ]
    assert undecided == []


def test_a_wrong_password_says_nothing_about_the_name(app, sign_in):
    sign_in()
    answers = [
        app.test_client().post("/sign-in", data={"username": name, "password": "wrong"})
        for name in ("headquarters-None-None", "nobody")
    ]
    texts = {re.sub(r'(csrf_token" value|nonce)="[^"]*"', "", answer.text) for answer in answers}
    assert [answer.status_code for answer in answers] == [401, 401]
    assert len(texts) == 1


def test_a_sign_in_leads_only_to_this_site(app, sign_in):
    sign_in()
    for target, expected in [
        ("/cells?x=1", "/cells?x=1"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("http:evil.example", "/"),
        ("", "/"),
    ]:
        answer = app.test_client().post(
            "/sign-in",
            data={"username": "headquarters-None-None", "password": "correct horse", "next": target},
        )
        assert answer.headers["Location"] == expected


def test_a_page_keeps_to_this_host(app):
    answer = app.test_client().get("/sign-in")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_a_form_without_its_token_is_refused(settings):
    app = create_app(settings)
    assert app.test_client().post("/sign-in", data={"username": "x", "password": "y"}).status_code == 400
    app.extensions["gridmap"].engine.dispose()


NAME, RIGHT = "headquarters-None-None", "correct horse"


def enter(app, password=RIGHT, name=NAME):
    client = app.test_client()
    return client, client.post("/sign-in", data={"username": name, "password": password})


def secret_of(client):
    with client.session_transaction() as session:
        return session.get("secret")


def test_a_planted_session_is_not_the_one_after_signing_in(app, sign_in):
    """Session fixation: what somebody else put in the browser before is worth nothing afterwards."""
    attacker = sign_in()
    planted = secret_of(attacker)
    victim = app.test_client()
    with victim.session_transaction() as session:
        session.update(secret=planted, seen=2_000_000_000, planted="x")
    victim.post("/sign-in", data={"username": NAME, "password": RIGHT})
    assert secret_of(victim) != planted
    with victim.session_transaction() as session:
        assert "planted" not in session


def test_signing_out_ends_the_session_for_whoever_copied_the_cookie(app, sign_in):
    client = sign_in()
    copied = secret_of(client)
    assert client.post("/sign-out").status_code == 302
    thief = app.test_client()
    with thief.session_transaction() as session:
        session.update(secret=copied, seen=2_000_000_000)
    assert thief.get("/account").headers["Location"].startswith("/sign-in")


def test_signing_out_everywhere_else_leaves_this_one(app, sign_in):
    here = sign_in()
    others = [enter(app)[0] for _ in range(2)]
    assert here.get("/account").text.count("/end") == 3
    assert here.post("/account/sessions/end").status_code == 302
    assert here.get("/account").status_code == 200
    assert [one.get("/account").status_code for one in others] == [302, 302]


def test_one_session_can_be_ended_but_nobody_elses(app, sign_in):
    here, other = sign_in(), enter(app)[0]
    uid = re.search(r"/account/sessions/([0-9a-f-]{36})/end", here.get("/account").text)[1]
    stranger = sign_in(Role.READ_ONLY)
    assert stranger.post(f"/account/sessions/{uid}/end").status_code == 404
    assert other.get("/account").status_code == 200
    assert here.post(f"/account/sessions/{uid}/end").status_code == 302
    assert other.get("/account").status_code == 302


def test_a_session_ends_when_it_is_not_used_and_in_any_case_some_day(app, sign_in):
    client = sign_in()
    with client.session_transaction() as session:
        session["seen"] -= 720 * 60 + 1
    assert client.get("/account").status_code == 302
    other = enter(app)[0]
    with writing(app.extensions["gridmap"].engine) as session:
        session.execute(update(Credential).values(expires_at=datetime.now(UTC)))
    assert other.get("/account").status_code == 302


def test_a_changed_password_ends_the_others_and_renews_this_session(app, sign_in):
    here = sign_in()
    other, before = enter(app)[0], secret_of(here)
    wrong = here.post(
        "/account/password", data={"old": "no", "new": "battery staple", "again": "battery staple"}
    )
    assert wrong.status_code == 422
    for new in ("short", NAME, "aaaaaaaaaa", RIGHT):
        assert (
            here.post("/account/password", data={"old": RIGHT, "new": new, "again": new}).status_code == 422
        )
    differ = here.post("/account/password", data={"old": RIGHT, "new": "battery staple", "again": "battery"})
    assert differ.status_code == 422
    done = here.post(
        "/account/password", data={"old": RIGHT, "new": "battery staple", "again": "battery staple"}
    )
    assert done.status_code == 302
    assert secret_of(here) != before
    assert here.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert enter(app)[1].status_code == 401
    assert enter(app, "battery staple")[1].status_code == 302


def test_a_password_that_somebody_else_chose_must_be_changed_first(app, sign_in):
    sign_in()
    with writing(app.extensions["gridmap"].engine) as session:
        session.execute(update(Login).values(must_change=True))
    client, answer = enter(app)
    assert answer.status_code == 302
    assert client.get("/").headers["Location"] == "/account"
    assert client.get("/api/v1/cells").status_code == 403
    assert client.get("/account").status_code == 200
    client.post("/account/password", data={"old": RIGHT, "new": "battery staple", "again": "battery staple"})
    assert client.get("/").status_code == 200


def test_other_roles_give_the_session_a_new_identity(app, sign_in):
    client = sign_in()
    before = secret_of(client)
    with writing(app.extensions["gridmap"].engine) as session:
        session.execute(update(Login).values(rights_epoch=1))
    assert client.get("/account").status_code == 200
    assert secret_of(client) != before
    late = app.test_client()
    with late.session_transaction() as session:
        session.update(secret=before, seen=2_000_000_000)
    # Requests that were under way still pass; a minute later they would not.
    assert late.get("/account").status_code == 200
    with writing(app.extensions["gridmap"].engine) as session:
        session.execute(update(Credential).values(renewed_at=datetime.now(UTC) - timedelta(minutes=2)))
    assert late.get("/account").status_code == 302
    assert client.get("/account").status_code == 200


def test_guessing_is_slowed_down_alike_for_every_name(app, sign_in):
    sign_in()
    for name in (NAME, "nobody"):
        answers = [enter(app, "wrong", name)[1] for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]
        assert 25 <= int(answers[-1].headers["Retry-After"]) <= 30
    assert enter(app)[1].status_code == 429


def test_the_cookie_is_for_this_host_and_not_for_scripts(settings):
    app = create_app(replace(settings, secure_cookies=True))
    answer = app.test_client().get("/sign-in", base_url="https://grid.example")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-gridmap=")
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= parts
    assert not any(part.startswith("Domain") for part in parts)
    assert "max-age=" in answer.headers["Strict-Transport-Security"]
    app.extensions["gridmap"].engine.dispose()
