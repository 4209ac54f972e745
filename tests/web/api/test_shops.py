from __future__ import annotations

import html
import io
import uuid
from datetime import date

from open311_reader import picture

from gridmap.people.permissions import Role
from gridmap.shops.models import Shopfront
from gridmap.store.engine import writing


def body(**more):
    return {"uid": str(uuid.uuid4()), "category": "A1", **more}


def test_an_offence_is_recorded_and_the_next_step_explained(sign_in, town):
    client = sign_in()
    address = f"/api/v1/shops/{town.shop.uid}"
    before = client.get(address)
    assert before.json["next_step"] == "told"
    assert "首违不罚" in before.json["next_step_why"]
    sent = body(note="桌椅占道")
    first = client.post(f"{address}/offences", json=sent)
    assert (first.status_code, first.json["step"]) == (201, "told")
    assert client.post(f"{address}/offences", json=sent).status_code == 200
    after = client.get(address)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert (after.json["standing"], after.json["next_step"]) == (1, "taught")
    refused = client.post(f"{address}/offences", json=body(step="banned"))
    assert refused.status_code == 422
    assert refused.json["errors"][0]["parameter"] == "reason"
    listed = client.get(f"{address}/offences").json["offences"]
    assert [one["uid"] for one in listed] == [sent["uid"]]
    assert client.get("/api/v1/shops?repeated=1").json["features"] == []


def test_a_pledge_is_taken_in(sign_in, town):
    client = sign_in()
    address = f"/api/v1/shops/{town.shop.uid}"
    assert len(client.get("/api/v1/shops?pledge=missing").json["features"]) == 1
    sent = {"uid": str(uuid.uuid4()), "signed_on": "2026-01-05", "signed_by": "王店主"}
    assert client.post(f"{address}/pledges", json=sent).status_code == 201
    assert client.post(f"{address}/pledges", json=sent).status_code == 200
    assert client.get(address).json["pledge_signed_on"] == "2026-01-05"
    assert client.get("/api/v1/shops?pledge=missing").json["features"] == []


def test_the_search_finds_shops_where_they_may_be_read(app, sign_in, town):
    east, west = (area.id for area in town.communities)

    def found(client, text):
        hits = client.get("/api/v1/search", query_string={"q": text}).json["results"]
        return [one for one in hits if one["kind"] == "shop"]

    reader = sign_in(Role.READ_ONLY, area_id=east)
    (hit,) = found(reader, "王记")
    assert (hit["uid"], hit["name"]) == (str(town.shop.uid), "王记面馆")
    assert 121 < hit["lon"] < 122
    assert found(sign_in(Role.READ_ONLY, area_id=west), "王记") == []
    assert found(reader, "13812345678") == [], "nobody is found by a phone"
    assert found(sign_in(Role.ASSESSOR, area_id=east), "王记") == []
    with writing(app.extensions["gridmap"].engine) as session:
        session.get_one(Shopfront, town.shop.id).valid_to = date(2020, 1, 1)
    assert found(sign_in(), "王记") == [], "a closed shop is gone"


def test_who_may_see_whom(sign_in, town):
    east, west = (area.id for area in town.communities)
    address = f"/api/v1/shops/{town.shop.uid}"
    worker = sign_in(Role.GRID_WORKER, area_id=east)
    assert worker.get(address).json["phone"] == "13812345678"
    reader = sign_in(Role.READ_ONLY, area_id=east)
    assert reader.get(address).json["phone"] == "138****5678"
    assert reader.post(f"{address}/offences", json=body()).status_code == 403
    stranger = sign_in(Role.AREA_MANAGER, area_id=west)
    for path in ("", "/offences", "/pledges"):
        assert stranger.get(address + path).status_code == 404
    assert stranger.post(f"{address}/offences", json=body()).status_code == 404
    assert stranger.get("/api/v1/shops").json["features"] == []
    assert "王记面馆" not in stranger.get("/shops").text
    assert stranger.get(f"/shops/{town.shop.uid}").status_code == 404
    squad = sign_in(Role.ORGANISATION_LEAD, organisation_id=town.squads[1].id)
    assert squad.get(address).status_code == 404
    assert sign_in(Role.ASSESSOR).get("/api/v1/shops").status_code == 403


def test_pages_record_and_say_what_is_wrong(sign_in, town):
    client = sign_in()
    page = f"/shops/{town.shop.uid}"
    assert "王记面馆" in client.get("/shops").text
    wrong = client.post(
        f"{page}/offences", data={"uid": str(uuid.uuid4()), "category": "A1", "step": "banned"}
    )
    assert wrong.status_code == 422
    assert "首违不罚" in wrong.text
    sent = {"uid": str(uuid.uuid4()), "category": "A1", "step": "told", "at": "2026-03-01T09:30"}
    assert client.post(f"{page}/offences", data=sent).status_code == 302
    assert "2026-03-01 09:30" in client.get(page).text
    offence = sent["uid"]
    assert client.post(f"{page}/offences/{offence}/appeal", data={"appeal": "当天停业"}).status_code == 302
    other = f"/shops/{uuid.uuid4()}/offences/{offence}/appeal"
    assert client.post(other, data={"appeal": "x"}).status_code == 404
    pledge = {"uid": str(uuid.uuid4()), "signed_on": "2026-02-30", "signed_by": "王"}
    assert client.post(f"{page}/pledges", data=pledge).status_code == 422
    assert client.post(f"{page}/pledges", data=pledge | {"signed_on": "2026-02-20"}).status_code == 302
    form = {"name": "新店", "lon": "121.405", "lat": "31.205", "fresh": "1"}
    made = client.post(f"/shops/{uuid.uuid4()}/edit", data=form)
    assert made.status_code == 302
    assert "新店" in client.get(made.headers["Location"]).text
    assert client.post(f"/shops/{uuid.uuid4()}/edit", data=form | {"lon": "east"}).status_code == 422
    assert client.post(f"{page}/close").status_code == 302
    assert "王记面馆" not in client.get("/shops").text


def test_the_scan_of_a_pledge_is_for_those_who_may_see_who_signed(sign_in, town):
    client = sign_in()
    page = f"/shops/{town.shop.uid}"
    uid = str(uuid.uuid4())
    sent = {"uid": uid, "signed_on": "2026-02-20", "signed_by": "王店主"}
    bad = sent | {"scan": (io.BytesIO(b"%PDF-1.4"), "a.pdf", "application/pdf")}
    assert client.post(f"{page}/pledges", data=bad, content_type="multipart/form-data").status_code == 422
    for _ in range(2):
        good = sent | {"scan": (io.BytesIO(picture()), "a.jpg", "image/jpeg")}
        answer = client.post(f"{page}/pledges", data=good, content_type="multipart/form-data")
        assert answer.status_code == 302
    scan = f"{page}/pledges/{uid}/scan"
    assert scan in client.get(page).text
    with client.get(scan) as shown:
        assert (shown.status_code, shown.content_type) == (200, "image/jpeg")
    east, west = (area.id for area in town.communities)
    with sign_in(Role.READ_ONLY, area_id=east).get(scan) as shown:
        assert shown.status_code == 200
    assert sign_in(Role.AREA_MANAGER, area_id=west).get(scan).status_code == 404
    assert client.get(f"{page}/pledges/{uuid.uuid4()}/scan").status_code == 404


def photos(uid, *colours, **more):
    files = [(io.BytesIO(picture(colour)), f"{colour}.jpg", "image/jpeg") for colour in colours]
    return {"uid": uid, **more, "photo": files}


def send(client, address, data):
    return client.post(address, data=data, content_type="multipart/form-data").status_code


def test_an_offence_has_photos_from_the_start_and_later(sign_in, town):
    client = sign_in()
    page, api = f"/shops/{town.shop.uid}", f"/api/v1/shops/{town.shop.uid}"
    uid = str(uuid.uuid4())
    for _ in range(2):
        sent = photos(uid, "red", "blue", category="A1", step="told", at="2026-03-01T09:30")
        assert send(client, f"{page}/offences", sent) == 302
    (offence,) = client.get(f"{api}/offences").json["offences"]
    assert [one["kind"] for one in offence["evidence"]] == ["photo", "photo"]
    before = client.get(f"{api}/offences").headers["ETag"]
    again = str(uuid.uuid4())
    for _ in range(2):
        assert send(client, f"{page}/offences/{uid}/evidence", photos(again, "green")) == 302
    answer = client.get(f"{api}/offences")
    assert answer.headers["ETag"] != before, "whoever remembers the list learns of the new photo"
    (offence,) = answer.json["offences"]
    assert len(offence["evidence"]) == 3
    assert "有照片或视频佐证：1 起" in client.get(api).json["next_step_why"]
    shown = client.get(page).text
    for one in offence["evidence"]:
        assert shown.count(html.escape(one["thumbnail_url"])) == 2, "with the ladder and with the offence"
        for address in (one["url"], one["thumbnail_url"]):
            with client.get(address) as file:
                assert (file.status_code, file.content_type) == (200, "image/jpeg")
    with client.get(offence["evidence"][0]["url"]) as file:
        assert b"Exif" not in file.data
    assert send(client, f"{page}/offences/{uid}/evidence", {"uid": again}) == 422
    bad = {"uid": again, "photo": [(io.BytesIO(b"%PDF-1.4"), "a.pdf", "application/pdf")]}
    assert send(client, f"{page}/offences/{uid}/evidence", bad) == 422
    elsewhere = f"/shops/{uuid.uuid4()}/offences/{uid}/evidence"
    assert send(client, elsewhere, photos(str(uuid.uuid4()), "red")) == 404


def test_an_offence_has_photos_through_the_api(sign_in, town):
    client, other = sign_in(), sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    api, uid = f"/api/v1/shops/{town.shop.uid}/offences", str(uuid.uuid4())

    def upload(who, colour, stage="offence"):
        fields = {"uid": str(uuid.uuid4()), "stage": stage}
        file = (io.BytesIO(picture(colour)), "a.jpg", "image/jpeg")
        assert who.post("/api/v1/attachments", data=fields | {"file": file}).status_code == 201
        return fields["uid"]

    first, later = upload(client, "red"), upload(client, "green")
    body = {"uid": uid, "category": "A1", "attachments": [first]}
    assert [client.post(api, json=body).status_code for _ in range(2)] == [201, 200]
    for _ in range(2):
        told = client.post(f"{api}/{uid}/evidence", json={"attachments": [later]})
        assert told.status_code == 200
        assert [one["uid"] for one in told.json["evidence"]] == [first, later]
    for wrong, status in (
        (upload(other, "blue"), 404),
        (str(uuid.uuid4()), 404),
        (upload(client, "black", stage="after"), 409),
    ):
        assert client.post(f"{api}/{uid}/evidence", json={"attachments": [wrong]}).status_code == status
    second = {"uid": str(uuid.uuid4()), "category": "A1", "attachments": [first]}
    assert client.post(api, json=second).status_code == 409, "it proves something else already"
    assert len(client.get(api).json["offences"]) == 1, "and nothing of it was recorded"
    foreign = sign_in(Role.AREA_MANAGER, area_id=town.communities[1].id)
    assert foreign.post(f"{api}/{uid}/evidence", json={"attachments": [first]}).status_code == 404
    page = f"/shops/{town.shop.uid}"
    assert client.post(f"{page}/close").status_code == 302
    assert client.post(f"{api}/{uid}/evidence", json={"attachments": [later]}).status_code == 409
    scan = {"scan": (io.BytesIO(picture("red")), "a.jpg", "image/jpeg")}
    assert send(client, f"{page}/pledges/{uuid.uuid4()}/scan", scan) == 409, (
        "a closed shop takes nothing more"
    )


def test_the_photo_of_another_offence_is_doubted(sign_in, town):
    client = sign_in()
    page = f"/shops/{town.shop.uid}"
    for step in ("told", "taught"):
        assert (
            send(client, f"{page}/offences", photos(str(uuid.uuid4()), "red", category="A1", step=step))
            == 302
        )
    listed = client.get(f"/api/v1{page}/offences").json["offences"]
    assert [one["evidence"][0]["doubts"] for one in listed] == [["reused"], []]


def test_photos_of_offences_are_for_those_who_see_the_shop(sign_in, town):
    client = sign_in()
    page, uid = f"/shops/{town.shop.uid}", str(uuid.uuid4())
    assert send(client, f"{page}/offences", photos(uid, "red", category="A1", step="told")) == 302
    (offence,) = client.get(f"/api/v1{page}/offences").json["offences"]
    url = offence["evidence"][0]["url"]
    east, west = (area.id for area in town.communities)
    reader = sign_in(Role.READ_ONLY, area_id=east)
    with reader.get(url) as file:
        assert file.status_code == 200
    assert send(reader, f"{page}/offences/{uid}/evidence", photos(str(uuid.uuid4()), "blue")) == 403
    stranger = sign_in(Role.AREA_MANAGER, area_id=west)
    for address in (url, f"{url}?small=1", f"/api/v1/attachments/{offence['evidence'][0]['uid']}"):
        assert stranger.get(address).status_code == 404
    assert send(stranger, f"{page}/offences/{uid}/evidence", photos(str(uuid.uuid4()), "blue")) == 404
    assert len(client.get(f"/api/v1{page}/offences").json["offences"][0]["evidence"]) == 1


def test_a_pledge_gets_its_scan_later(sign_in, town):
    client = sign_in()
    page, uid = f"/shops/{town.shop.uid}", str(uuid.uuid4())
    sent = {"uid": uid, "signed_on": "2026-01-05", "signed_by": "王店主"}
    assert client.post(f"/api/v1{page}/pledges", json=sent).json["scanned"] is False
    address = f"{page}/pledges/{uid}/scan"
    assert f'action="{address}"' in client.get(page).text

    def scan(colour):
        return {"scan": (io.BytesIO(picture(colour)), "a.jpg", "image/jpeg")}

    _, west = (area.id for area in town.communities)
    assert send(sign_in(Role.AREA_MANAGER, area_id=west), address, scan("red")) == 404
    assert [send(client, address, scan(colour)) for colour in ("red", "red", "blue")] == [302, 302, 409]
    assert send(client, f"{page}/pledges/{uuid.uuid4()}/scan", scan("red")) == 404
    (pledge,) = client.get(f"/api/v1{page}/pledges").json["pledges"]
    assert (pledge["uid"], pledge["scanned"], pledge["ended_on"]) == (uid, True, None)
    with client.get(address) as file:
        assert (file.status_code, file.content_type) == (200, "image/jpeg")
