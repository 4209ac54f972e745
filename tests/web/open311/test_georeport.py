"""GeoReport v2 as its specification and as FixMyStreet's client have it."""

from __future__ import annotations

import io
import json
import re
import uuid
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from open311_reader import picture, read_xml
from sqlalchemy import select, update

from gridmap.errors import InvalidValueError
from gridmap.evidence.models import Attachment
from gridmap.people.permissions import Actor
from gridmap.places.models import InspectionPoint, Street
from gridmap.problems.models import Event, EventKind, Problem, State
from gridmap.residents.models import ApiKey, Said
from gridmap.residents.moderation import decide_note, decide_publication, revoke_key
from gridmap.store.engine import reading, writing

V2 = "/open311/v2"
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
ELEMENTS = [
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description",
    "agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime",
    "address", "address_id", "zipcode", "lat", "long", "media_url",
]  # fmt: skip


def test_discovery_says_where_and_how(desk):
    xml = desk.client.get("/open311/discovery.xml")
    assert xml.content_type == "text/xml; charset=utf-8"
    found = read_xml(xml.text)
    (endpoint,) = found["endpoints"]["endpoint"]
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"].endswith("/open311/v2")
    assert endpoint["formats"]["format"] == ["text/xml", "application/json"]
    assert set(found) == {"changeset", "contact", "key_service", "endpoints"}
    as_json = desk.client.get("/open311/discovery.json")
    assert as_json.content_type == "application/json; charset=utf-8"
    assert as_json.json["endpoints"][0]["formats"] == ["text/xml", "application/json"]


def test_services_and_what_they_ask(desk):
    services = read_xml(desk.client.get(f"{V2}/services.xml").text)["service"]
    assert [(one["service_code"], one["metadata"], one["type"]) for one in services] == [
        ("0404", "true", "realtime"),
        ("0801", "true", "realtime"),
    ]
    assert desk.client.get(f"{V2}/services.json").json[0]["group"] == "街面秩序"
    asked = read_xml(desk.client.get(f"{V2}/services/0801.xml").text)
    assert asked["service_code"] == "0801"
    (attribute,) = asked["attributes"]["attribute"]
    assert (attribute["code"], attribute["datatype"], attribute["required"]) == ("MINUTES", "number", "true")
    unknown = desk.client.get(f"{V2}/services/9999.xml")
    assert unknown.status_code == 404
    assert read_xml(unknown.text)["error"][0]["code"] == "404"


GOLDEN = """<?xml version="1.0" encoding="utf-8"?>
<service_requests>
  <request>
    <service_request_id>{uid}</service_request_id>
    <service_notice>待审核。</service_notice>
    <account_id />
  </request>
</service_requests>
"""


def test_a_report_is_held_until_somebody_has_looked(desk):
    answer = desk.post(first_name="三", last_name="张", phone="138 1234 5678", email="z@example.org")
    assert answer.status_code == 201
    uid = desk.made(answer)
    assert answer.text == GOLDEN.format(uid=uid)
    problem, publication, _ = desk.problem(uid)
    assert (problem.state, problem.source.value, publication.state.value) == (
        State.RECORDED,
        "resident",
        "held",
    )
    assert problem.area_id == desk.area
    assert desk.requests() == []
    assert desk.client.get(f"{V2}/requests/{uid}.xml").status_code == 404
    assert desk.client.get(f"{V2}/tokens/{uid}.xml").status_code == 404
    # The system that sent it still finds it, and nobody else's key does.
    own = read_xml(desk.client.get(f"{V2}/requests/{uid}.xml?api_key={desk.key}").text)["request"]
    assert [one["service_request_id"] for one in own] == [uid]
    assert desk.client.get(f"{V2}/requests/{uid}.xml?api_key={desk.trusted}").status_code == 404
    token = read_xml(desk.client.get(f"{V2}/tokens/{uid}.xml?api_key={desk.key}").text)["request"]
    assert token == [{"service_request_id": uid, "token": uid}]

    desk.publish(uid)
    (shown,) = desk.requests()
    assert list(shown) == ELEMENTS
    assert (shown["status"], shown["description"]) == ("open", "已审核的文字")
    assert (shown["lat"], shown["long"]) == ("31.205", "121.405")
    assert TIME.fullmatch(shown["requested_datetime"])
    assert TIME.fullmatch(shown["updated_datetime"])
    text = desk.client.get(f"{V2}/requests.json?extensions=true").text
    for private in ("张三", "13812345678", "z@example.org", "车停在盲道上"):
        assert private not in text
    desk.publish(uid, publish=False, text="骗人的")
    assert desk.requests() == []
    # Its sender is told what became of it, and nobody else.
    (own,) = desk.client.get(f"{V2}/requests/{uid}.json?api_key={desk.key}").json
    assert (own["service_request_id"], own["description"]) == (uid, None)
    assert own["status_notes"] == "经审核，不予公开。"
    assert desk.client.get(f"{V2}/requests/{uid}.xml?api_key={desk.trusted}").status_code == 404


def test_a_trusted_key_publishes_at_once(desk):
    uid = desk.made(desk.post(desk.trusted))
    assert [one["service_request_id"] for one in desk.requests()] == [uid]


def test_json_is_the_same_tree(desk):
    uid = desk.post(desk.trusted, suffix="json").json[0]["service_request_id"]
    (shown,) = desk.client.get(f"{V2}/requests/{uid}.json").json
    assert list(shown) == ELEMENTS
    assert (shown["service_request_id"], shown["lat"], shown["zipcode"]) == (uid, 31.205, None)
    xml = desk.requests()[0]
    assert {name: None if value is None else str(value) for name, value in shown.items()} == xml


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"key": "wrong"}, 403, "api_key"),
        ({"key": ""}, 403, "api_key"),
        ({"service_code": ""}, 400, "service_code"),
        ({"service_code": "04"}, 404, "service_code"),
        ({"service_code": "none"}, 404, "service_code"),
        ({"lat": "", "address_string": "人民路1号"}, 400, "lat"),
        ({"lat": "", "long": ""}, 400, "lat"),
        ({"lat": "91"}, 400, "lat"),
        ({"long": "nan"}, 400, "long"),
        ({"service_code": "0801"}, 400, "MINUTES"),
        ({"service_code": "0801", "attribute[MINUTES]": "lots"}, 400, "MINUTES"),
        ({"description": "x" * 4001}, 400, "description"),
        ({"media_url": "javascript:alert(1)"}, 400, "media_url"),
        ({"email": "nobody"}, 400, "email"),
        ({"phone": "abc"}, 400, "phone"),
    ],
)
def test_errors_are_told_as_the_specification_says(desk, fields, status, said):
    for suffix in ("xml", "json"):
        answer = desk.post(suffix=suffix, **fields)
        assert answer.status_code == status, answer.text
        faults = json.loads(answer.text) if suffix == "json" else read_xml(answer.text)["error"]
        assert [str(fault["code"]) for fault in faults] == [str(status)]
        assert said in faults[0]["description"]
    assert desk.requests() == []


def test_a_revoked_key_opens_nothing(desk):
    with writing(desk.engine) as session:
        for row in session.query(ApiKey).all():
            revoke_key(session, Actor.owner(), row.uid, now=datetime.now(UTC))
    assert desk.post().status_code == 403


def test_only_hashes_of_keys_are_kept(desk):
    with reading(desk.engine) as session:
        kept = " ".join(str(vars(row)) for row in session.query(ApiKey).all())
    assert desk.key not in kept
    assert desk.trusted not in kept


def test_filters_and_pages(desk):
    first = desk.made(desk.post(desk.trusted))
    second = desk.made(desk.post(desk.trusted, service_code="0801", **{"attribute[MINUTES]": "20"}))
    third = desk.made(desk.post(desk.trusted))
    old = desk.made(desk.post(desk.trusted))
    now = datetime.now(UTC)
    with writing(desk.engine) as session:
        where = Problem.uid == uuid.UUID(third)
        session.execute(update(Problem).where(where).values(state=State.CLOSED))
        long_ago = now - timedelta(days=120)
        session.execute(update(Problem).where(Problem.uid == uuid.UUID(old)).values(found_at=long_ago))

    def ids(**query):
        return {one["service_request_id"] for one in desk.requests(**query)}

    assert ids() == {first, second, third}
    assert ids(status="open") == {first, second}
    assert ids(status="closed") == {third}
    assert ids(status="open,closed") == {first, second, third}
    assert ids(service_code="0801") == {second}
    assert ids(service_code="0801,0404", status="") == {first, second, third}
    assert ids(service_request_id=f"{old},{first},{uuid.uuid4()},7", status="closed", start_date="x") == {
        old,
        first,
    }
    start = (now - timedelta(days=130)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ids(start_date=start) == {old}
    assert ids(start_date=start, end_date=(now - timedelta(days=119)).isoformat()) == {old}
    assert ids(end_date=(now - timedelta(days=100)).isoformat()) == {old}
    pages = [ids(page=page, page_size=2) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [2, 1, 0]
    assert pages[0] | pages[1] == {first, second, third}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"}, 400),
        ({"start_date": "2026-06-01T00:00:00Z", "end_date": "2026-05-01T00:00:00Z"}, 400),
        ({"start_date": "yesterday"}, 400),
        ({"start_date": "2026-01-01"}, 400),
        ({"end_date": "0001-01-01T00:00:00Z"}, 400),
        ({"start_date": "9999-12-31T00:00:00Z"}, 400),
        ({"status": "pending"}, 400),
        ({"page": "0"}, 400),
        ({"page_size": "1001"}, 400),
        ({"page_size": "many"}, 400),
        ({"service_code": "9999"}, 404),
    ],
)
def test_what_cannot_be_asked(desk, query, status):
    answer = desk.client.get(f"{V2}/requests.xml", query_string=query)
    assert answer.status_code == status, answer.text
    assert read_xml(answer.text)["error"][0]["code"] == str(status)


def test_another_jurisdiction_is_not_found(desk):
    settings = desk.app.extensions["gridmap"].settings
    object.__setattr__(settings, "open311_jurisdiction", "city.gov")
    for path in ("services.xml", "requests.xml", "servicerequestupdates.xml", "services/0404.xml"):
        other = desk.client.get(f"{V2}/{path}?jurisdiction_id=other.gov")
        assert (other.status_code, read_xml(other.text)["error"][0]["code"]) == (404, "404")
        assert desk.client.get(f"{V2}/{path}?jurisdiction_id=city.gov").status_code == 200
        assert desk.client.get(f"{V2}/{path}").status_code == 200


def test_photos_as_files_and_addresses_as_text(desk):
    fields = {
        "api_key": desk.trusted, "service_code": "0404", "lat": "31.205", "long": "121.405",
        "description": "两张", "media_url": ["http://a.example/1.jpg", "https://a.example/2.jpg"],
        "photo1": (io.BytesIO(picture("red")), "1.jpg", "image/jpeg"),
        "photo2": (io.BytesIO(picture("blue")), "2.jpg", "image/jpeg"),
    }  # fmt: skip
    answer = desk.client.post(f"{V2}/requests.xml", data=fields, content_type="multipart/form-data")
    assert answer.status_code == 201, answer.text
    (shown,) = desk.client.get(f"{V2}/requests.json?extensions=true").json
    urls = shown["extended_attributes"]["media_urls"]
    assert urls[2:] == ["http://a.example/1.jpg", "https://a.example/2.jpg"]
    assert shown["media_url"] == urls[0]
    with desk.client.get(urls[0]) as photo:
        assert (photo.status_code, photo.content_type) == (200, "image/jpeg")
    desk.publish(desk.made(answer), photos=())
    assert desk.client.get(urls[0]).status_code == 404
    bad = {**fields, "photo1": (io.BytesIO(b"<svg/>"), "x.jpg", "image/jpeg")}
    bad["photo2"] = (io.BytesIO(picture()), "2.jpg", "image/jpeg")
    refused = desk.client.post(f"{V2}/requests.xml", data=bad, content_type="multipart/form-data")
    assert refused.status_code == 400


def test_updates_as_fixmystreet_fetches_them(desk):
    uid = desk.made(desk.post(desk.trusted))
    held = desk.made(desk.post())
    with writing(desk.engine) as session:
        problem = session.query(Problem).where(Problem.uid == uuid.UUID(uid)).one()
        for state in (State.CHECKED, State.CHECKED, State.DISPATCHED, State.CLOSED):
            now = datetime.now(UTC)
            session.add(
                Event(
                    problem_id=problem.id,
                    kind=EventKind.STATE,
                    at=now,
                    recorded_at=now,
                    actor="李科长",
                    note="内部说明",
                    state=state,
                )
            )
            session.flush()
    start, end = datetime.now(UTC) - timedelta(hours=2), datetime.now(UTC) + timedelta(minutes=1)
    query = {"api_key": desk.key, "start_date": start.isoformat(), "end_date": end.isoformat()}
    answer = desk.client.get(f"{V2}/servicerequestupdates.xml", query_string=query)
    assert ET.fromstring(answer.text).tag == "service_request_updates"  # noqa: S314 - our own answer
    updates = read_xml(answer.text)["request_update"]
    assert [one["status"] for one in updates] == ["OPEN", "OPEN", "OPEN", "CLOSED"]
    assert {one["service_request_id"] for one in updates} == {uid}
    assert len({one["update_id"] for one in updates}) == 4
    assert all(TIME.fullmatch(one["updated_datetime"]) for one in updates)
    for private in ("李科长", "内部说明", held):
        assert private not in answer.text
    halves = []
    for number in (1, 2, 3):
        query |= {"page": number, "page_size": 2}
        text = desk.client.get(f"{V2}/servicerequestupdates.xml", query_string=query).text
        halves += read_xml(text).get("request_update", [])
    assert halves == updates
    del query["page"], query["page_size"]
    query["end_date"] = (start + timedelta(minutes=1)).isoformat()
    assert read_xml(desk.client.get(f"{V2}/servicerequestupdates.xml", query_string=query).text) == {}


def test_updates_as_fixmystreet_sends_them(desk):
    uid = desk.made(desk.post(desk.trusted))
    sent = {
        "api_key": desk.key, "service_request_id": uid, "update_id": "8812", "status": "CLOSED",
        "updated_datetime": "2026-05-01T08:00:00+08:00", "description": "已经清走了",
        "last_name": "王", "first_name": "五", "email": "w@example.org",
    }  # fmt: skip
    first = desk.client.post(f"{V2}/servicerequestupdates.xml", data=sent)
    assert first.status_code == 201
    (made,) = read_xml(first.text)["request_update"]
    again = desk.client.post(f"{V2}/servicerequestupdates.xml", data=sent)
    assert (again.status_code, read_xml(again.text)["request_update"]) == (200, [made])
    kinds = [event.kind.value for event in desk.events(uid)]
    assert kinds.count("resident") == 1
    assert "已经清走了" not in desk.client.get(f"{V2}/servicerequestupdates.xml").text
    assert desk.problem(uid)[2].last_said is None, "not before somebody has looked at it"
    trusted = {**sent, "api_key": desk.trusted}
    assert desk.client.post(f"{V2}/servicerequestupdates.xml", data=trusted).status_code == 201
    assert desk.problem(uid)[2].last_said is Said.SOLVED
    for change, status in (
        ({"api_key": "x"}, 403),
        ({"service_request_id": str(uuid.uuid4())}, 404),
        ({"service_request_id": ""}, 400),
        ({"updated_datetime": "now"}, 400),
        ({"description": "", "status": "OPEN", "update_id": "9"}, 400),
    ):
        answer = desk.client.post(f"{V2}/servicerequestupdates.xml", data={**sent, **change})
        assert answer.status_code == status, answer.text


def test_what_xml_cannot_hold_is_left_out(desk):
    uid = desk.made(desk.post(desk.trusted, description="一\x08二<b>&\r\n三"))
    (shown,) = desk.requests()
    assert shown["service_request_id"] == uid
    assert shown["description"] == "一二<b>&\n三"


def test_whoever_polls_is_told_what_is_published_later(desk):
    """As FixMyStreet asks: since the last time, and what lies outside of that by its own time is dropped."""

    def poll(start, end):
        asked = {"start_date": start.isoformat(), "end_date": end.isoformat()}
        return desk.client.get(f"{V2}/servicerequestupdates.json", query_string=asked).json

    uid = desk.made(desk.post())
    sent = {
        "api_key": desk.key, "service_request_id": uid, "status": "OPEN", "description": "还在",
        "updated_datetime": "2026-05-01T08:00:00+08:00",
        "media_url": ["http://a.example/face.jpg", "http://a.example/car.jpg"],
        "photo": (io.BytesIO(picture()), "1.jpg", "image/jpeg"),
    }  # fmt: skip
    kind = "multipart/form-data"
    answer = desk.client.post(f"{V2}/servicerequestupdates.xml", data=sent, content_type=kind)
    note = uuid.UUID(read_xml(answer.text)["request_update"][0]["update_id"])
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=1), now + timedelta(hours=1)
    assert poll(start, end) == []
    with writing(desk.engine) as session:
        decide_publication(
            session, Actor.owner(), uuid.UUID(uid), publish=True, text="路口", now=end + timedelta(minutes=1)
        )
    assert poll(start, end) == []
    (first,) = poll(end, end + timedelta(hours=1))
    assert (first["status"], first["media_url"]) == ("OPEN", None)

    def becomes(session, state, hours):
        problem = session.query(Problem).where(Problem.uid == uuid.UUID(uid)).one()
        at, problem.state = end + timedelta(hours=hours), state
        line = {"kind": EventKind.STATE, "at": at, "recorded_at": at, "actor": "x", "state": state}
        session.add(Event(problem_id=problem.id, **line))
        session.flush()

    with writing(desk.engine) as session:
        becomes(session, State.CLOSED, 3)
        (photo,) = session.scalars(select(Attachment.uid))
        decide_note(
            session, Actor.owner(), note, publish=True, text="还在那里", photos=[photo],
            urls=["http://a.example/car.jpg"], now=end + timedelta(hours=4),
        )  # fmt: skip
        becomes(session, State.CHECKED, 5)
    (said,) = poll(end + timedelta(hours=3, minutes=30), end + timedelta(hours=4, minutes=30))
    assert said["description"] == "还在那里"
    assert said["status"] == "CLOSED", "as it was when this became public"
    assert said["media_url"].endswith(f"/public/photos/{photo}")
    with desk.client.get(said["media_url"]) as shown:
        assert shown.status_code == 200
    assert said["updated_datetime"] == (end + timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Whoever decides on the report again leaves what came with the remark.
    desk.publish(uid)
    with desk.client.get(said["media_url"]) as shown:
        assert shown.status_code == 200
    assert len(poll(end, end + timedelta(hours=6))) == 4
    with writing(desk.engine) as session:
        decide_note(session, Actor.owner(), note, publish=False, text="", now=end)
    assert desk.client.get(said["media_url"]).status_code == 404


def test_only_what_was_ticked_is_published(desk):
    fields = {"attribute[PLATE]": "京A12345", "address_string": "王家门口", "media_url": "http://a.example/1"}
    uid = desk.made(desk.post(**fields))

    def leaks():
        text = desk.client.get(f"{V2}/requests.json?extensions=true").text
        text += desk.client.get("/public/problems.json").text
        return {one for one in (*fields.values(), "办公室改过") if one in text}

    desk.publish(uid)
    assert leaks() == set()
    with writing(desk.engine) as session:
        decide = {"publish": True, "text": "车", "now": datetime.now(UTC)}
        shown = {"address": "人民路", "answers": ["PLATE"], "urls": ["http://a.example/1"]}
        decide_publication(session, Actor.owner(), uuid.UUID(uid), **decide, **shown)
    assert leaks() == {"京A12345", "http://a.example/1"}
    (listed,) = desk.client.get(f"{V2}/requests.json").json
    assert listed["address"] == "人民路"
    with writing(desk.engine) as session:
        session.execute(update(Problem).values(address="办公室改过"))
    assert desk.client.get(f"{V2}/requests.json").json == [listed]
    for wrong in ({"answers": ["POLE"]}, {"urls": ["http://b.example"]}):
        with writing(desk.engine) as session, pytest.raises(InvalidValueError):
            decide_publication(session, Actor.owner(), uuid.UUID(uid), **decide, **wrong)


def test_a_report_needs_no_description(desk):
    uid = desk.made(desk.post(desk.trusted, description=""))
    assert [(one["service_request_id"], one["description"]) for one in desk.requests()] == [(uid, None)]


def test_errors_before_any_route_are_told_in_its_format(desk):
    for path, status in (("/open311/v2/nothing.json", 404), ("/open311/none", 404)):
        answer = desk.client.get(path)
        assert answer.status_code == status
        if path.endswith("json"):
            assert answer.json[0]["code"] == status
        else:
            assert read_xml(answer.text)["error"][0]["code"] == str(status)
    assert desk.client.delete(f"{V2}/services.json").json[0]["code"] == 405
    object.__setattr__(desk.app.extensions["gridmap"].settings, "open_requests_per_minute", 1)
    answers = [desk.client.get(f"{V2}/services.xml") for _ in range(3)]
    full = answers[-1]
    assert full.status_code == 429
    assert read_xml(full.text)["error"][0]["code"] == "429"
    assert int(full.headers["Retry-After"]) > 0


def test_an_address_that_is_known_is_a_place(desk):
    day = {"valid_from": date(2020, 1, 1)}
    with writing(desk.engine) as session:
        for code, name, address, lon in (
            ("P1", "东风市场", "人民路1号", 121.401),
            ("P2", "同名", "", 121.402),
            ("P3", "同名", "", 121.409),
        ):
            shape = f"SRID=4326;POINT({lon} 31.204)"
            point = InspectionPoint(
                code=code, name=name, address=address, site_type="market", geometry=shape, **day
            )
            session.add(point)
        line = "SRID=4326;LINESTRING(121.40 31.206,121.41 31.206)"
        session.add(Street(source_ref="w1", name="人民路", road_class="residential", geometry=line))

    def reported(**fields):
        answer = desk.post(desk.trusted, lat="", long="", **fields)
        if answer.status_code != 201:
            return answer.status_code, read_xml(answer.text)["error"][0]["description"]
        shown = desk.requests(service_request_id=desk.made(answer))[0]
        return float(shown["long"]), float(shown["lat"])

    assert reported(address_id="P1") == (121.401, 31.204)
    assert reported(address_string="人民路１号") == (121.401, 31.204)
    assert reported(address_string="东风市场") == (121.401, 31.204)
    lon, lat = reported(address_string="人民路")
    assert (121.401 < lon < 121.409, lat) == (True, 31.206)
    for fields, said in (
        ({"address_id": "P9"}, "P9"),
        ({"address_string": "同名"}, "多处"),
        ({"address_string": "人民路2号"}, "人民路2号"),
        ({}, "address_string"),
    ):
        status, text = reported(**fields)
        assert (status, said in text) == (400, True), text
