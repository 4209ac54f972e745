"""The tus protocol 1.0.0 as its text has it, and uploads that are interrupted."""

from __future__ import annotations

import base64
import os
import random
import uuid

import pytest
from pictures import photo
from sqlalchemy import func, select

from gridmap.evidence.files import Vault
from gridmap.evidence.models import Attachment
from gridmap.people.permissions import Role
from gridmap.store.engine import reading

TUS = {"Tus-Resumable": "1.0.0"}
PIECES = "application/offset+octet-stream"


def metadata(**said):
    return ",".join(
        f"{name} {base64.b64encode(str(value).encode()).decode()}" for name, value in said.items()
    )


def begin(client, content, *, headers=None, **said):
    said = {"uid": str(uuid.uuid4()), "filename": "IMG_1.jpg", "stage": "after"} | said
    given = {"Upload-Length": str(len(content)), "Upload-Metadata": metadata(**said)} | TUS | (headers or {})
    return client.post("/api/v1/uploads", headers=given), f"/api/v1/uploads/{said['uid']}"


def patch(client, address, piece, at, **more):
    headers = TUS | {"Upload-Offset": str(at)} | more.pop("headers", {})
    return client.patch(address, data=piece, headers=headers, content_type=more.pop("content_type", PIECES))


def offset(client, address):
    answer = client.head(address, headers=TUS)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return int(answer.headers["Upload-Offset"])


def count(app):
    with reading(app.extensions["gridmap"].engine) as session:
        return session.scalar(select(func.count(Attachment.id)))


def test_what_the_server_speaks(app, sign_in):
    for address in ("/api/v1/uploads", f"/api/v1/uploads/{uuid.uuid4()}"):
        answer = app.test_client().options(address)
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert set(answer.headers["Tus-Extension"].split(",")) >= {"creation", "expiration", "termination"}
        assert int(answer.headers["Tus-Max-Size"]) == 200 << 20
    refused = sign_in().head(f"/api/v1/uploads/{uuid.uuid4()}")
    assert refused.status_code == 412
    assert refused.headers["Tus-Version"] == "1.0.0"
    older = sign_in(Role.SUPERVISION).post("/api/v1/uploads", headers={"Tus-Resumable": "0.2.2"})
    assert older.status_code == 412


def test_an_upload_in_pieces_becomes_an_attachment(app, sign_in):
    client, content = sign_in(), photo()
    made, address = begin(client, content)
    assert made.status_code == 201
    assert made.headers["Location"].endswith(address)
    assert made.headers["Upload-Expires"].endswith("GMT")
    assert made.headers["Tus-Resumable"] == "1.0.0"
    at = 0
    for end in (1, 700, 700, len(content) - 1, len(content)):
        answer = patch(client, address, content[at:end], at)
        assert answer.status_code == 204
        assert int(answer.headers["Upload-Offset"]) == end
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        assert offset(client, address) == end
        at = end
        again, _ = begin(client, content, uid=address.rsplit("/", 1)[1])
        assert (again.status_code, int(again.headers["Upload-Offset"])) == (201, end)
    assert count(app) == 1
    uid = address.rsplit("/", 1)[1]
    with client.get(f"/api/v1/attachments/{uid}") as shown:
        assert shown.content_type == "image/jpeg"
    with client.get(f"/api/v1/attachments/{uid}/original") as original:
        assert original.get_data() == content
    # Whoever lost the last answer asks, or begins again, and learns that it is done.
    assert offset(client, address) == len(content)
    assert patch(client, address, b"", len(content)).status_code == 204
    assert begin(client, content, uid=uid)[0].status_code == 201
    assert count(app) == 1
    assert not list(Vault(app.extensions["gridmap"].settings.data_dir).incoming.iterdir())


def test_a_small_one_goes_with_its_creation(app, sign_in):
    client, content = sign_in(), photo()
    headers = TUS | {"Upload-Length": str(len(content)), "Upload-Metadata": metadata(uid=uuid.uuid4())}
    answer = client.post("/api/v1/uploads", data=content, headers=headers, content_type=PIECES)
    assert answer.status_code == 201
    assert int(answer.headers["Upload-Offset"]) == len(content)
    assert count(app) == 1


def test_a_piece_that_does_not_fit_changes_nothing(sign_in):
    client, content = sign_in(), photo()
    _, address = begin(client, content)
    patch(client, address, content[:500], 0)
    assert patch(client, address, content[:500], 0).status_code == 409
    assert patch(client, address, content[600:], 600).status_code == 409
    assert patch(client, address, b"x", 500, content_type="image/jpeg").status_code == 415
    assert patch(client, address, b"x", "x").status_code == 422
    assert patch(client, address, b"x", -1).status_code == 422
    assert offset(client, address) == 500


def test_faults_of_a_beginning(sign_in):
    client = sign_in()
    for headers, status in (
        ({"Upload-Length": "many"}, 422),
        ({"Upload-Length": "0"}, 422),
        ({"Upload-Length": str(10**12)}, 413),
        ({"Upload-Length": "²"}, 422),
        ({"Upload-Metadata": "uid ???"}, 422),
        ({"Upload-Metadata": metadata(uid="no")}, 422),
        ({"Upload-Metadata": metadata(uid=uuid.uuid4(), colour="red")}, 422),
        ({"Upload-Metadata": ""}, 422),
    ):
        assert begin(client, b"12345", headers=headers)[0].status_code == status, headers
    uid = str(uuid.uuid4())
    assert begin(client, b"12345", uid=uid)[0].status_code == 201
    assert begin(client, b"12345", uid=uid)[0].status_code == 201
    assert begin(client, b"1234567", uid=uid)[0].status_code == 409


def test_more_than_announced_is_refused(app, sign_in):
    client, content = sign_in(), photo()
    _, address = begin(client, content)
    assert patch(client, address, content + b"more", 0).status_code == 422
    assert count(app) == 0


def test_a_refused_file_is_forgotten(app, sign_in):
    client, content = sign_in(), b"<!doctype html><p>hello"
    _, address = begin(client, content)
    answer = patch(client, address, content, 0)
    assert answer.status_code == 422
    assert "网页" in answer.json["detail"]
    assert client.head(address, headers=TUS).status_code == 404
    assert not list(Vault(app.extensions["gridmap"].settings.data_dir).incoming.iterdir())


def test_an_upload_can_be_ended_and_is_given_up_in_time(app, sign_in):
    client, content = sign_in(), photo()
    _, address = begin(client, content)
    assert client.delete(address, headers=TUS).status_code == 204
    assert client.head(address, headers=TUS).status_code == 404
    assert client.delete(address, headers=TUS).status_code == 404
    assert patch(client, address, content, 0).status_code == 404
    _, old = begin(client, content)
    (folder,) = Vault(app.extensions["gridmap"].settings.data_dir).incoming.iterdir()
    os.utime(folder, (1, 1))
    assert client.head(old, headers=TUS).status_code == 404
    begin(client, content)
    assert not folder.exists()


def test_nobody_touches_an_upload_of_somebody_else(sign_in):
    client, other, content = sign_in(), sign_in(Role.SUPERVISION), photo()
    _, address = begin(client, content)
    assert other.head(address, headers=TUS).status_code == 404
    assert patch(other, address, content, 0).status_code == 404
    assert other.delete(address, headers=TUS).status_code == 404
    assert begin(other, content, uid=address.rsplit("/", 1)[1])[0].status_code == 409
    assert begin(sign_in(Role.READ_ONLY), content)[0].status_code == 403


def test_a_network_that_lets_only_post_through(app, sign_in):
    client, content = sign_in(), photo()
    _, address = begin(client, content)
    headers = TUS | {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}
    answer = client.post(address, data=content[:100], headers=headers, content_type=PIECES)
    assert answer.status_code == 204
    assert offset(client, address) == 100
    ended = client.post(address, headers=TUS | {"X-HTTP-Method-Override": "DELETE"})
    assert ended.status_code == 204


def test_a_page_of_another_site_cannot_send(app, sign_in):
    client, content = sign_in(), photo()
    _, address = begin(client, content)
    app.config["WTF_CSRF_ENABLED"] = True
    assert patch(client, address, content, 0).status_code == 400
    assert begin(client, content)[0].status_code == 400
    assert offset(client, address) == 0


class Dropped:
    """A body whose connection is lost after some bytes."""

    def __init__(self, content):
        self.content = content

    def read(self, size=-1):
        piece, self.content = self.content[:size], self.content[size:]
        if not piece:
            raise ConnectionResetError
        return piece


@pytest.mark.parametrize("seed", range(4))
def test_an_upload_goes_on_after_every_interruption(app, sign_in, seed):
    """At random places the connection is lost, or the server starts anew."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    client, content = sign_in(), photo((900, 700))
    _, address = begin(client, content)
    at = 0
    while at < len(content):
        lost = chance.randint(0, len(content) - at)
        if chance.random() < 0.6:
            environ = {"wsgi.input": Dropped(content[at : at + lost]), "wsgi.input_terminated": False}
            client.patch(
                address,
                headers=TUS | {"Upload-Offset": str(at), "Content-Length": str(len(content) - at)},
                content_type=PIECES,
                environ_overrides=environ,
            )
        else:
            patch(client, address, content[at : at + lost], at)
        found = offset(client, address)
        assert at <= found <= at + lost
        at = found
    assert count(app) == 1
    with client.get(f"/api/v1/attachments/{address.rsplit('/', 1)[1]}/original") as original:
        assert original.get_data() == content
