"""The pages of dispatch: rules are changed after a preview only, and the tray shows what waits."""

from __future__ import annotations

import re
import uuid

import pytest
from sqlalchemy import select

from gridmap.dispatch.models import DispatchRule
from gridmap.people.models import Organisation, OrganisationKind
from gridmap.people.permissions import Role
from gridmap.problems.catalogue import ensure_categories
from gridmap.store.engine import reading, writing


@pytest.fixture
def bodies(app):
    """Two organisations; the categories the service begins with."""
    with writing(app.extensions["gridmap"].engine) as session:
        ensure_categories(session)
        found = [
            Organisation(name="市政公司"),
            Organisation(name="创文指挥部", kind=OrganisationKind.HEADQUARTERS),
        ]
        session.add_all(found)
        session.flush()
        return [str(one.uid) for one in found]


def hidden(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page)[1]


def rules(app):
    with reading(app.extensions["gridmap"].engine) as session:
        return [row.name for row in session.scalars(select(DispatchRule)) if row.valid_to is None]


def test_a_rule_is_previewed_added_tried_and_ended(app, bodies, sign_in):
    client = sign_in()
    report = {"uid": str(uuid.uuid4()), "category": "0401", "lon": 121.0, "lat": 31.0}
    recorded = client.post("/api/v1/problems", json=report)
    assert recorded.status_code == 201
    form = client.get("/dispatch/rules/form").text
    said = {name: hidden(form, name) for name in ("kind", "uid", "seen")}
    said |= {"name": "占道归市政", "category": "04", "hours": "", "organisation": bodies[0]}
    shown = client.post("/dispatch/rules/preview", data=said).text
    assert "市政公司" in shown
    assert "创文指挥部" in shown
    assert rules(app) == []
    assert client.post("/dispatch/rules/apply", data=said).status_code == 302
    assert rules(app) == ["占道归市政"]

    tried = client.post("/dispatch/rules/try", data={"place": str(recorded.json["number"])}).text
    assert "规则 1：占道归市政" in tried
    ending = {"kind": "end", "uid": said["uid"], "seen": said["seen"]}
    assert client.post("/dispatch/rules/apply", data=ending).status_code == 409, (
        "the rules have changed since"
    )
    ending["seen"] = hidden(client.get("/dispatch/rules").text, "seen")
    assert client.post("/dispatch/rules/apply", data=ending).status_code == 302
    assert rules(app) == []


def test_what_is_wrong_with_a_rule_stands_in_the_form(bodies, sign_in):
    client = sign_in()
    said = {"kind": "add", "uid": str(uuid.uuid4()), "name": "一", "hours": "夜里", "organisation": bodies[0]}
    shown = client.post("/dispatch/rules/preview", data=said).text
    assert "夜里" in shown
    assert 'role="alert"' in shown
    assert f'value="{bodies[0]}" selected' in shown
    asked = client.post("/dispatch/rules/try", data={"place": "人民路"}).text
    assert "人民路" in asked


def test_the_tray_shows_what_nobody_takes(bodies, sign_in):
    client = sign_in()
    report = {"uid": str(uuid.uuid4()), "category": "0401", "lon": 121.0, "lat": 31.0, "address": "桥下"}
    number = client.post("/api/v1/problems", json=report).json["number"]
    page = client.get("/tray").text
    assert f">{number}<" in page
    assert "桥下" in page
    assert f'data-uid="{report["uid"]}" data-state="recorded"' in page
    assert sign_in(Role.GRID_WORKER).get("/tray").status_code == 403
    assert sign_in(Role.AREA_MANAGER).get("/dispatch/rules").status_code == 403
