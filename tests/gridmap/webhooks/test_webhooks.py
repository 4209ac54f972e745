"""Messages that reach a real receiver, or are tried again until they do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from gridmap.config import Settings
from gridmap.errors import InvalidValueError, PermissionDeniedError
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import Area
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.service import Report, record_problem
from gridmap.store.engine import reading, writing
from gridmap.webhooks.models import Delivery, DeliveryState, Target, Webhook
from gridmap.webhooks.sending import send_due
from gridmap.webhooks.service import Wish, add_webhook, resend, switch
from gridmap.webhooks.signing import BACKOFF, address
from gridmap.workflow.service import take
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import Action

NOW = datetime(2026, 5, 11, 2, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret of some length").decode()


@pytest.fixture
def receiver():
    """A server on this machine that keeps what it gets and answers as it is told."""
    got = []
    state = SimpleNamespace(status=200, answer=b"ok")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(SimpleNamespace(path=self.path, headers=dict(self.headers), body=body))
            self.send_response(state.status)
            self.end_headers()
            self.wfile.write(state.answer)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/hook?key=1", got=got, state=state)
    server.shutdown()
    server.server_close()


@pytest.fixture
def office(engine, tmp_path):
    settings = Settings(data_dir=tmp_path)
    with writing(engine) as session:
        ensure_categories(session)
        areas = []
        for number, west in enumerate((121.0, 121.01)):
            box = f"(({west} 31,{west + 0.01} 31,{west + 0.01} 31.01,{west} 31.01,{west} 31))"
            shape = f"SRID=4326;MULTIPOLYGON({box})"
            areas.append(Area(code=f"A{number}", name=f"社区{number}", level="community", geometry=shape))
        session.add_all(areas)

    def record(lon=121.005):
        point = {"type": "Point", "coordinates": [lon, 31.005]}
        report = Report(uid=uuid.uuid4(), category="0401", geometry=point, description="秘密", found_at=NOW)
        with writing(engine) as session:
            made, _ = record_problem(session, Actor.owner(), report, settings=settings, now=NOW)
            return made.id

    def check(*numbers):
        with writing(engine) as session:
            step = Step(action=Action.CHECK, note="属实")
            take(session, Actor.owner(), numbers, step, settings=settings, now=NOW)

    def add(**more):
        wish = Wish(**{"name": "平台", "target": Target.STANDARD, "secret": SECRET} | more)
        with writing(engine) as session:
            return add_webhook(session, Actor.owner(), wish, now=NOW)[0].uid

    def send(after=timedelta(0)):
        return send_due(engine, settings=settings, now=NOW + after)

    return SimpleNamespace(record=record, check=check, add=add, send=send, areas=areas)


def test_a_system_gets_signed_events_once(office, receiver):
    before = office.record()
    office.add(url=receiver.url)
    number = office.record()
    office.check(before, number)
    assert office.send().delivered == 2
    assert office.send().delivered == 0
    events = [event for one in receiver.got for event in json.loads(one.body)["events"]]
    assert [event["type"] for event in events] == ["problem.recorded", "problem.check", "problem.check"]
    assert {event["problem"]["number"] for event in events} == {before, number}
    assert "owner" not in receiver.got[1].body.decode()
    for one in receiver.got:
        text = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
        mac = hmac.new(b"a secret of some length", text, hashlib.sha256).digest()
        assert one.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"


def test_only_what_is_wanted_and_where(office, receiver):
    office.add(url=receiver.url, area=office.areas[1].uid, actions=("check",))
    here, there = office.record(121.005), office.record(121.015)
    office.check(here, there)
    office.send()
    events = [event for one in receiver.got for event in json.loads(one.body)["events"]]
    assert [(event["type"], event["problem"]["number"]) for event in events] == [("problem.check", there)]


def test_a_group_robot_gets_text_and_its_own_error_counts(engine, office, receiver):
    office.add(url=receiver.url, target=Target.DINGTALK, secret="SEC1")  # noqa: S106 - of this test
    receiver.state.answer = b'{"errcode": 310000, "errmsg": "sign not match"}'
    numbers = [office.record() for _ in range(14)]
    office.check(*numbers)
    office.send()
    text = json.loads(receiver.got[-1].body)
    assert text["msgtype"] == "text"
    assert text["text"]["content"].splitlines()[-1] == "… 另有 2 条" or "2" in text["text"]["content"]
    assert "timestamp=" in receiver.got[0].path
    assert "sign=" in receiver.got[0].path
    with reading(engine) as session:
        assert {one.state for one in session.scalars(select(Delivery))} == {DeliveryState.WAITING}
    receiver.state.answer = b'{"errcode": 0, "errmsg": "ok"}'
    assert office.send(timedelta(seconds=BACKOFF[0] + 1)).failed == 0


def test_it_is_tried_again_later_and_later_and_then_given_up(engine, office, receiver):
    office.add(url=receiver.url)
    office.record()
    receiver.state.status = 500
    waited = timedelta(0)
    for pause in (*BACKOFF, None):
        assert office.send(waited).failed == 1
        assert office.send(waited).failed == 0
        if pause is not None:
            waited += timedelta(seconds=pause)
    with reading(engine) as session:
        one = session.scalars(select(Delivery)).one()
    assert (one.state, one.attempts) == (DeliveryState.GIVEN_UP, len(BACKOFF) + 1)
    assert one.answer.startswith("500")
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    receiver.state.status = 204
    with writing(engine) as session:
        resend(session, Actor.owner(), one.id, now=NOW + waited)
    assert office.send(waited).delivered == 1


def test_a_receiver_that_is_gone_or_switched_off_is_left_alone(engine, office, receiver):
    uid = office.add(url=receiver.url)
    office.record()
    receiver.state.status = 410
    office.send()
    with reading(engine) as session:
        assert session.scalars(select(Webhook.active)).all() == [False]
    office.record()
    assert office.send().delivered == 0
    with writing(engine) as session:
        switch(session, Actor.owner(), uid, on=True)
    receiver.state.status = 200
    office.record()
    assert office.send().delivered == 1, "what happened while it was off is not told"


def test_nothing_is_lost_when_nobody_listens(office, receiver):
    office.add(url="http://127.0.0.1:9/nobody")
    office.record()
    assert office.send().failed == 1
    assert office.send(timedelta(seconds=BACKOFF[0])).failed == 1


def test_an_address_without_a_secret_is_left_as_it_is():
    assert address(Target.DINGTALK, url="https://x/y", secret="", now=NOW) == "https://x/y"
    assert address(Target.WECOM, url="https://x/y", secret="s", now=NOW) == "https://x/y"  # noqa: S106 - of this test


@pytest.mark.parametrize(
    ("more", "parameter"),
    [({"url": "ftp://x"}, "url"), ({"url": "https://x", "actions": ("fly",)}, "actions")],
)
def test_a_useless_wish_is_refused(office, more, parameter):
    with pytest.raises(InvalidValueError) as caught:
        office.add(**more)
    assert caught.value.parameter == parameter


def test_only_the_headquarters_say_who_is_told(engine):
    lead = Actor(name="甲", holdings=(Holding(Role.HEADQUARTERS, areas=frozenset({1})),))
    wish = Wish(name="x", target=Target.STANDARD, url="https://x")
    with writing(engine) as session, pytest.raises(PermissionDeniedError):
        add_webhook(session, lead, wish, now=NOW)
