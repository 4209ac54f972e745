from __future__ import annotations

import re

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
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]


def test_a_form_without_its_token_is_refused(settings):
    app = create_app(settings)
    assert app.test_client().post("/sign-in", data={"username": "x", "password": "y"}).status_code == 400
    app.extensions["gridmap"].engine.dispose()
