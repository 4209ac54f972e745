"""What holds for every route of the API, found by walking them."""

from __future__ import annotations

import re

import pytest

from gridmap.people.permissions import ROLE_PERMISSIONS, Permission, Role
from web.access import needs_of
from web.validation import TEMPLATES

PATHS = {
    "/api/v1/areas": {},
    "/api/v1/cells": {},
    "/api/v1/points": {},
    "/api/v1/roads": {},
    "/api/v1/areas/<uid>": {},
    "/api/v1/cells/<uid>": {},
    "/api/v1/points/<uid>": {},
    "/api/v1/roads/<uid>": {},
    "/api/v1/shops": {},
    "/api/v1/shops/<uid>": {},
    "/api/v1/shops/<uid>/offences": {},
    "/api/v1/shops/<uid>/pledges": {},
    "/api/v1/cells/load": {},
    "/api/v1/problems": {},
    "/api/v1/problems/<uid>": {},
    "/api/v1/problems/similar": {"lon": "121.405", "lat": "31.205"},
    "/api/v1/problems/by-number/<number>": {},
    "/api/v1/events": {},
    "/api/v1/summary": {},
    "/api/v1/filters": {},
    "/api/v1/figures": {},
    "/api/v1/forecast": {},
    "/api/v1/figures/problems": {},
    "/api/v1/persons": {"organisation": "00000000-0000-4000-8000-000000000000"},
    "/api/v1/search": {"q": "人民"},
    "/api/v1/tiles/cells/<z>/<x>/<y>.mvt": {},
    "/api/v1/tiles/points/<z>/<x>/<y>.mvt": {},
    "/api/v1/tiles/roads/<z>/<x>/<y>.mvt": {},
    "/api/v1/tiles/problems/<z>/<x>/<y>.mvt": {},
    "/api/v1/tiles/base/<z>/<x>/<y>.mvt": {},
    "/api/v1/heat/<z>/<x>/<y>.png": {},
    "/api/v1/heat/legend": {"z": "14"},
}
OPEN = {"/api/v1/openapi.json"}
WRITES = {
    "/api/v1/shops/<uid>/offences/<offence>/evidence",
    "/api/v1/tracks",
    "/api/v1/problems/<uid>/steps",
    "/api/v1/problems/steps",
    "/api/v1/problems/cells",
    "/api/v1/batches/<uid>/undo",
}
"""Routes that only write; what they do is tested where they are at home."""
WEBHOOKS = {"/api/v1/webhooks", "/api/v1/webhooks/<uid>", "/api/v1/webhooks/<uid>/deliveries"}
"""Never remembered by anybody; tested in test_webhooks.py."""
FILES = {
    "/api/v1/attachments",
    "/api/v1/attachments/<uid>",
    "/api/v1/attachments/<uid>/thumbnail",
    "/api/v1/attachments/<uid>/original",
    "/api/v1/uploads",
    "/api/v1/uploads/<uid>",
}
"""Tested in test_attachments.py and test_uploads.py."""


def filled(rule, town):
    """An address with something behind it."""
    places = {"areas": town.district, "cells": town.cells[0], "points": town.point, "roads": town.road}
    places["shops"] = town.shop
    uid = next((str(place.uid) for kind, place in places.items() if f"/{kind}/" in rule), None)
    uid = uid or town.frame["uid"].iloc[0]
    values = {"<uid>": uid, "<number>": str(town.frame["number"].iloc[0])}
    values |= {"<z>": "13", "<x>": "6858", "<y>": "3350"}
    for name, value in values.items():
        rule = rule.replace(name, value)
    return rule


def test_every_route_is_known_here(app):
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    assert rules == set(PATHS) | OPEN | WRITES | FILES | WEBHOOKS


@pytest.mark.parametrize("rule", PATHS)
def test_a_route(app, sign_in, town, rule):
    address, query = filled(rule, town), PATHS[rule]
    endpoint = next(r.endpoint for r in app.url_map.iter_rules() if r.rule == rule and "GET" in r.methods)
    permission = needs_of(app.view_functions[endpoint])
    assert isinstance(permission, Permission)

    refused = app.test_client().get(address, query_string=query)
    assert refused.status_code == 401
    assert refused.content_type == "application/problem+json"

    client = sign_in()
    answer = client.get(address, query_string=query)
    assert answer.status_code == 200, answer.text
    assert answer.data or "tiles" in rule
    strong = "/problems/<uid>" in rule or "by-number" in rule
    assert answer.headers["ETag"].startswith('"' if strong else 'W/"')
    assert "private" in answer.headers["Cache-Control"]
    again = client.get(address, query_string=query, headers={"If-None-Match": answer.headers["ETag"]})
    if again.status_code == 200:
        # What depends on the time is answered anew each minute, and one has just begun.
        tag = again.headers["ETag"]
        assert tag != answer.headers["ETag"]
        answer, again = again, client.get(address, query_string=query, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == answer.headers["ETag"]

    wrong = client.get(address, query_string={**query, "colour": "red"})
    assert wrong.status_code == 422
    assert [fault["parameter"] for fault in wrong.json["errors"]] == ["colour"]
    assert wrong.json["errors"][0]["found"] == "red"
    twice = client.get(address, query_string=[*query.items(), ("area", "1"), ("area", "2")])
    assert twice.status_code == 422
    assert "area" in {fault["parameter"] for fault in twice.json["errors"]}

    lacking = next((role for role in Role if permission not in ROLE_PERMISSIONS[role]), None)
    if lacking is not None:
        assert sign_in(lacking).get(address, query_string=query).status_code == 403


@pytest.mark.parametrize("kind", ["areas", "cells", "points", "roads", "problems", "shops"])
def test_nothing_behind_a_uid(sign_in, town, kind):
    client = sign_in()
    unknown = client.get(f"/api/v1/{kind}/00000000-0000-4000-8000-000000000000")
    assert unknown.status_code == 404
    assert unknown.json["status"] == 404
    malformed = client.get(f"/api/v1/{kind}/1")
    assert malformed.status_code == 422
    assert malformed.json["errors"][0]["parameter"] == "uid"


FAULTY = [
    ("problems", {"bbox": "1,2,3"}, "bbox"),
    ("problems", {"bbox": "3,2,1,4"}, "bbox"),
    ("problems", {"limit": "0"}, "limit"),
    ("events", {"limit": "1001"}, "limit"),
    ("events", {"since": "yesterday"}, "since"),
    ("events", {"kind": "moon"}, "kind"),
    ("events", {"cursor": "abc"}, "cursor"),
    ("problems", {"limit": "1001"}, "limit"),
    ("problems", {"limit": "many"}, "limit"),
    ("problems", {"sort": "best"}, "sort"),
    ("problems", {"cursor": "abc"}, "cursor"),
    ("problems", {"cell": "7"}, "cell"),
    ("problems", {"cell": "00000000-0000-4000-8000-000000000000"}, "cell"),
    ("cells", {"cursor": "abc"}, "cursor"),
    ("cells", {"limit": "5001"}, "limit"),
    ("cells", {"simplify": "x"}, "simplify"),
    ("cells/load", {"category": "Z9"}, "category"),
    ("cells/load", {"state": "open"}, "state"),
    ("cells/load", {"source": "moon"}, "source"),
    ("cells/load", {"overdue": "perhaps"}, "overdue"),
    ("cells/load", {"age_min": "-1"}, "age_min"),
    ("cells/load", {"age_max": "nan"}, "age_max"),
    ("cells/load", {"since": "yesterday"}, "since"),
    ("cells/load", {"until": "2026-02-30"}, "until"),
    ("cells/load", {"at": "20260301"}, "at"),
    ("cells/load", {"at": "9999-01-01"}, "at"),
    ("cells/load", {"area": "00000000-0000-4000-8000-000000000000"}, "area"),
    ("cells/load", {"organisation": "00000000-0000-4000-8000-000000000000"}, "organisation"),
    ("figures", {"first": "2026-02-30"}, "first"),
    ("figures", {"last": "1969-01-01"}, "last"),
    ("figures", {"first": "2026-03-02", "last": "2026-03-01"}, "last"),
    ("figures", {"basis": "moon"}, "basis"),
    ("figures", {"by": "colour"}, "by"),
    ("figures", {"sort": "best"}, "sort"),
    ("figures", {"limit": "5001"}, "limit"),
    ("figures/problems", {"figure": "best"}, "figure"),
    ("figures/problems", {"sort": "best"}, "sort"),
    ("heat/legend", {}, "z"),
    ("heat/legend", {"z": "30"}, "z"),
    ("heat/12/1/1.png", {"weight": "heavy"}, "weight"),
    ("heat/12/1/1.png", {"per": "head"}, "per"),
    ("heat/12/1/1.png", {"scale": "3"}, "scale"),
    ("heat/23/1/1.png", {}, "z"),
    ("tiles/base/16/1/1.mvt", {}, "z"),
    ("tiles/cells/x/1/1.mvt", {}, "z"),
    ("search", {}, "q"),
    ("search", {"q": ""}, "q"),
    ("search", {"q": "x" * 101}, "q"),
]


def test_a_bad_parameter_is_named(sign_in, town):
    client = sign_in()
    for path, query, parameter in FAULTY:
        answer = client.get(f"/api/v1/{path}", query_string=query)
        assert answer.status_code == 422, (path, query, answer.text)
        assert answer.content_type == "application/problem+json"
        assert parameter in {fault["parameter"] for fault in answer.json["errors"]}
        assert answer.json["detail"]
        assert "{" not in answer.json["errors"][0]["message"]


@pytest.mark.parametrize("tile", ["tiles/cells/3/9/1.mvt", "tiles/problems/0/1/0.mvt", "heat/2/0/4.png"])
def test_there_is_no_such_tile(sign_in, town, tile):
    assert sign_in().get(f"/api/v1/{tile}").status_code == 422


def test_the_common_faults_are_said_in_own_words(sign_in, town):
    answer = sign_in().get("/api/v1/problems?limit=x&sort=best&language=en")
    said = {fault["parameter"]: fault["message"] for fault in answer.json["errors"]}
    assert said["limit"] == TEMPLATES["int_parsing"]
    assert said["sort"].startswith("Expected one of ")


def test_choices_are_listed_in_the_readers_language(sign_in):
    client = sign_in()
    for address in (
        "/api/v1/forecast?span=year",
        "/api/v1/figures?basis=never",
        "/api/v1/figures?by=nothing",
    ):
        answer = client.get(address)
        [fault] = answer.json["errors"]
        assert (answer.status_code, "之一" in fault["message"]) == (422, True), address
        assert not re.search(r"\bor\b|'", fault["message"]), fault
        assert " or " not in client.get(address.replace("/api/v1", "")).text
    chinese = sign_in(Role.SUPERVISION).get("/api/v1/problems?limit=x&bbox=1&colour=1&language=zh_CN").json
    assert len(chinese["errors"]) == 3
    assert not any(re.search("Expected|parameter", fault["message"]) for fault in chinese["errors"])


def test_the_description_has_every_route_and_its_answers(app):
    document = app.test_client().get("/api/v1/openapi.json").json
    described = {path.replace("{", "<").replace("}", ">"): item for path, item in document["paths"].items()}
    assert set(PATHS) | FILES | WEBHOOKS <= set(described)
    for rule, query in PATHS.items():
        operation = described[rule]["get"]
        assert "200" in operation["responses"]
        assert operation["responses"]["422"]["content"]
        assert operation["summary"]
        named = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert set(re.findall(r"<(\w+)>", rule)) | set(query) <= named
    named = {p["name"] for p in described["/api/v1/cells/load"]["get"]["parameters"]}
    assert {"category", "state", "overdue", "age_min", "area", "since", "at", "doubtful"} <= named
