"""What lies outside somebody's limits shows in no answer: every word and uid of it is looked for in all."""

from __future__ import annotations

import html
import io
import re
import time
import uuid
from urllib.parse import quote

import pytest

from gridmap.people.permissions import Role

from .access_table import ROUTES
from .two_sides import READERS, asked, grant_of, texts


@pytest.fixture
def store_url(spatialite_url):
    """Return one store: what differs between the two is in `test_limits`, which runs on both."""
    return spatialite_url


def shown(client, side, *, but=lambda word, question: False):
    """What of a side is shown, each with the first question that brought it out."""
    found = {}
    wanted = side.words | set(side.uids.values())
    for question, answer in asked(client, side):
        assert answer.status_code < 500, question
        said = texts(answer)
        for word in wanted - found.keys():
            # What was asked with may come back; nothing else.
            if word not in question and (word in said or quote(word) in said) and not but(word, question):
                found[word] = question
    return found


GROUND = ("area", "cell", "point", "road")
"""Everybody with a login and no limit of area sees these everywhere."""
HOLDERS = re.compile(r"/api/v1/(cells|points|roads|areas)/|/export.html ")


def decided(side, where):
    """Say what is shown on purpose."""
    ground = {text for name in GROUND for text in (getattr(side, name).name, side.uids[name])}
    body = {side.body.name, side.uids["body"]}

    def shown_on_purpose(word, question):
        if "area" not in where and word in ground:
            return True
        # Whoever sees a place sees which organisation holds it, and asks any of them to join in.
        holds = "area" not in where and HOLDERS.match(question)
        return word in body and bool(holds or question == "/joint {}")

    return shown_on_purpose


@pytest.mark.parametrize("reader", READERS)
def test_nothing_of_the_other_side_is_shown(reader, sign_in, sides):
    role, where = READERS[reader]
    client = sign_in(role, **grant_of(sides.own, where))
    assert shown(client, sides.foreign, but=decided(sides.foreign, where)) == {}


def test_all_of_it_is_shown_to_those_who_may(sign_in, sides):
    """Without this the test above would find nothing in answers that say nothing."""
    found = shown(sign_in(), sides.foreign)
    assert sides.foreign.words - found.keys() == set()


def changed(client, method, path, line, **headers):
    body = line.json
    if isinstance(body, dict) and "uid" in body:
        body = body | {"uid": str(uuid.uuid4())}
    with client.open(
        path,
        method=method,
        query_string=line.query,
        json=body,
        data=line.form,
        headers=(line.headers or {}) | headers,
    ) as answer:
        # What is made anew for each page tells nothing.
        said = re.sub(
            r"nonce(-|=\")[\w-]+|csrf[-_]token\"[^>]+",
            "",
            html.unescape(answer.data.decode("utf-8", "replace")),
        )
        return answer.status_code, said, answer.headers.get("ETag")


ABOUT = {"problem", "number", "shop", "attachment", "operation", "notice", "person", *GROUND}


@pytest.mark.parametrize("reader", ["manager", "lead"])
def test_what_lies_outside_is_answered_as_what_is_not_there(reader, sign_in, sides):
    """Not a word, a status or a tag tells a uid of somebody else's thing from one that was made up."""
    role, where = READERS[reader]
    client, everything = sign_in(role, **grant_of(sides.own, where)), sign_in()
    compared = 0
    for name, line in ROUTES.items():
        in_sight = "area" not in where and line.of in GROUND
        if line.of not in ABOUT or in_sight or line.outside != 404 or name.startswith("GET /public"):
            continue
        method, rule = name.split(" ", 1)
        rule = re.sub(
            r"<(uuid:login|action)>",
            lambda found: {"action": "release"}.get(found[1], str(uuid.UUID(int=8))),
            rule,
        )
        foreign = str(sides.foreign.number) if line.of == "number" else sides.foreign.uids[line.of]
        nothing = "987654321" if line.of == "number" else str(uuid.UUID(int=9))
        addresses = [re.sub(r"<[^>]+>", thing, rule) for thing in (foreign, nothing)]
        tag = changed(everything, "GET", addresses[0], line)[2] if method in {"GET", "PATCH"} else None
        for more in ({}, {"If-None-Match": tag}, {"If-Match": tag}) if tag else ({},):
            (status, said, _), (other, expected, _) = (
                changed(client, method, address, line, **more) for address in addresses
            )
            assert (name, status) == (name, other)
            assert status in {403, 404}, name
            assert (said if line.of == "number" else said.replace(foreign, nothing)) == expected, name
            compared += 1
    assert compared > 20


def test_a_job_a_file_and_an_upload_are_their_owners(sign_in, sides):
    owner = sign_in(Role.SUPERVISION, **grant_of(sides.foreign, "area"))
    others = [sign_in(Role.SUPERVISION, **grant_of(sides.own, "area")), sign_in()]
    made = owner.post("/ledger/export?state=all", data={"column": ["number", "photo_before"]})
    assert owner.get(made.headers["Location"]).status_code == 200
    job = made.headers["Location"].rpartition("/")[2]
    for _ in range(200):
        state = owner.get(f"/jobs/{job}").json
        if state["state"] != "running":
            break
        time.sleep(0.05)
    assert state["state"] == "done", state
    assert f"/ledger/file/{job}" in owner.get(made.headers["Location"]).text
    with owner.get(f"/ledger/file/{job}") as file:
        assert file.status_code == 200
        content = file.data
    sent = owner.post("/ledger/back", data={"file": (io.BytesIO(content), "a.xlsx")})
    preview = sent.headers["Location"]
    assert owner.get(preview).status_code == 200
    for address in (f"/jobs/{job}", f"/ledger/made/{job}", f"/ledger/file/{job}", preview):
        nothing = re.sub(r"[0-9a-f-]{32,36}", str(uuid.UUID(int=9)), address)
        for other in others:
            assert other.get(address).status_code == other.get(nothing).status_code == 404
    assert others[0].post(f"/jobs/{job}/stop").status_code == 404
    assert others[0].post(preview.split("?")[0] + "/apply").status_code == 404


def test_what_a_form_names_outside_is_answered_as_what_is_not_there(sign_in, sides):
    """Numbers and uids in what is sent: of steps on many, merging, notices, offences, uploads, dispatch."""
    client = sign_in(Role.AREA_MANAGER, **grant_of(sides.own, "area"))
    own, foreign = sides.own.uids, sides.foreign.uids
    nothing, none = str(uuid.UUID(int=9, version=4)), 987654321

    def said(answer):
        text = html.unescape(answer.data.decode("utf-8", "replace"))
        text = re.sub(r"nonce(-|=\")[\w-]+|csrf[-_]token\"[^>]+", "", text)
        for known, made_up in ((foreign["problem"], nothing), (foreign["body"], nothing)):
            text = text.replace(known, made_up)
        return answer.status_code, re.sub(rf"(?<!\d){sides.foreign.number}(?!\d)", str(none), text)

    def dispatch(organisation):
        step = {"action": "dispatch", "organisation": organisation}
        return client.post(f"/api/v1/problems/{own['checked']}/steps", json=step)

    asked = {
        "many": lambda uid, number: client.post(
            "/api/v1/problems/steps", json={"step": {"action": "check"}, "uids": [uid], "preview": True}
        ),
        "merge": lambda uid, number: client.post(
            f"/api/v1/problems/{own['problem']}/steps", json={"action": "merge", "other": uid}
        ),
        "notice": lambda uid, number: client.get("/notices/new", query_string={"problems": number}),
        "issue": lambda uid, number: client.post(
            "/notices", data={"problems": number, "kind": "supervision"}
        ),
        "offence": lambda uid, number: client.post(
            f"/api/v1/shops/{own['shop']}/offences",
            json={"uid": str(uuid.uuid4()), "category": "A1", "problem": uid},
        ),
    }
    for name, ask in asked.items():
        told, expected = said(ask(foreign["problem"], sides.foreign.number)), said(ask(nothing, none))
        assert told == expected, name
    assert said(dispatch(foreign["body"]))[0] in {200, 404, 409, 422}
