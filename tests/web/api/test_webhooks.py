"""Webhooks through the API: made, changed and removed, with a secret that is told once."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from gridmap.people.permissions import Role
from gridmap.places.models import Area
from gridmap.store.engine import reading, writing
from gridmap.webhooks.models import Delivery, Webhook

HOOKS = "/api/v1/webhooks"
SHAPE = "SRID=4326;MULTIPOLYGON(((121 31,121.1 31,121.1 31.1,121 31.1,121 31)))"


def body(**more):
    url = "https://example.org/in?key=hidden-key"
    return {"uid": str(uuid.uuid4()), "name": "热线", "url": url, "actions": ["close"]} | more


def stored(app, what=Webhook.secret):
    with reading(app.extensions["gridmap"].engine) as session:
        return session.scalars(select(what).order_by(Webhook.id)).all()


def test_a_webhook_is_made_once_and_its_secret_told_once(app, sign_in):
    client, wish = sign_in(), body()
    made = client.post(HOOKS, json=wish)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    secret = made.json["secret"]
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert stored(app) == [secret]
    again = client.post(HOOKS, json=wish)
    assert (again.status_code, again.json["secret"], stored(app)) == (200, None, [secret])
    assert client.post(HOOKS, json=wish | {"name": "别的"}).status_code == 409
    listed = client.get(HOOKS)
    (one,) = listed.json["webhooks"]
    assert (one["signed"], one["active"], one["actions"]) == (True, True, ["close"])
    for answer in (listed, client.get("/webhooks")):
        assert secret not in answer.text
        assert "hidden-key" not in answer.text


def test_it_is_changed_switched_and_given_a_new_secret(app, sign_in):
    client = sign_in()
    with writing(app.extensions["gridmap"].engine) as session:
        area = Area(code="A", name="东风社区", level="community", geometry=SHAPE)
        session.add(area)
        session.flush()
        area_uid = str(area.uid)
    uid = client.post(HOOKS, json=body(secret="a text")).json["uid"]  # noqa: S106 - nobody's
    at = f"{HOOKS}/{uid}"
    told = client.patch(at, json={"area": area_uid, "name": "二号热线", "active": False}).json
    assert (told["area"]["uid"], told["name"], told["active"]) == (area_uid, "二号热线", False)
    assert (told["actions"], told["secret"], stored(app)) == (["close"], None, ["a text"])
    renewed = client.patch(at, json={"renew_secret": True, "area": None, "active": True}).json
    assert (renewed["area"], renewed["active"], stored(app)) == (None, True, [renewed["secret"]])
    assert client.patch(at, json={"secret": ""}).json["signed"] is False
    for wrong, parameter in (
        ({"url": "ftp://example.org"}, "url"),
        ({"url": "http://["}, "url"),
        ({"actions": ["sleep"]}, "actions"),
        ({"secret": "whsec_???"}, "secret"),
        ({"secret": "whsec_密钥"}, "secret"),
        ({"area": str(uuid.uuid4())}, "area"),
        ({"name": None}, "name"),
    ):
        answer = client.patch(at, json=wrong)
        assert answer.status_code == 422, wrong
        assert [fault["parameter"] for fault in answer.json["errors"]] == [parameter]


def test_its_messages_are_listed_page_by_page_and_go_with_it(app, sign_in):
    client = sign_in()
    uid = client.post(HOOKS, json=body()).json["uid"]
    with writing(app.extensions["gridmap"].engine) as session:
        hook, now = session.scalars(select(Webhook)).one(), datetime.now(UTC)
        sent = {"webhook_id": hook.id, "body": "{}", "made_at": now, "due_at": now, "answer": "503"}
        session.add_all(Delivery(message=f"msg_{n}", events=n, **sent) for n in range(3))
    page = client.get(f"{HOOKS}/{uid}/deliveries", query_string={"limit": 2}).json
    assert [one["message"] for one in page["deliveries"]] == ["msg_2", "msg_1"]
    assert page["deliveries"][0]["state"] == "waiting"
    rest = client.get(f"{HOOKS}/{uid}/deliveries", query_string={"before": page["next"]}).json
    assert ([one["message"] for one in rest["deliveries"]], rest["next"]) == (["msg_0"], None)
    assert client.get(HOOKS).json["webhooks"][0]["waiting"] == 3
    assert client.delete(f"{HOOKS}/{uid}").status_code == 204
    assert client.delete(f"{HOOKS}/{uid}").status_code == 404
    assert client.get(f"{HOOKS}/{uid}/deliveries").status_code == 404
    assert stored(app) == []
    with reading(app.extensions["gridmap"].engine) as session:
        assert session.scalar(select(func.count(Delivery.id))) == 0


@pytest.mark.parametrize("role", [Role.SUPERVISION, Role.AREA_MANAGER])
def test_it_is_for_the_headquarters(sign_in, role):
    client = sign_in(role)
    assert client.get(HOOKS).status_code == client.post(HOOKS, json=body()).status_code == 403
