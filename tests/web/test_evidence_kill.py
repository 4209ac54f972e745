"""A server that is killed at any moment loses no photo that it acknowledged."""

from __future__ import annotations

import base64
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
import requests
from pictures import photo
from sqlalchemy import make_url, select

from gridmap.evidence.files import Vault
from gridmap.evidence.models import Attachment
from gridmap.evidence.queries import known_files
from gridmap.people.logins import create_login
from gridmap.people.models import Person
from gridmap.people.permissions import Role
from gridmap.store.engine import reading, writing

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse"  # noqa: S105 - of a throwaway login
TUS = {"Tus-Resumable": "1.0.0"}
PIECES = {"Content-Type": "application/offset+octet-stream"}


class Server:
    """A server of its own process group, and a signed-in client."""

    def __init__(self, folder, store_url):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = os.environ | {
            "GRIDMAP_DATA_DIR": str(folder),
            "GRIDMAP_DATABASE_URL": make_url(store_url).render_as_string(hide_password=False),
            "GRIDMAP_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = (folder / "server.log").open("a")

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "web", "serve"],
            env=self.environment,
            cwd=ROOT,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.client = requests.Session()
        for _ in range(600):
            try:
                page = self.client.get(f"{self.address}/sign-in", timeout=5)
                break
            except requests.RequestException:
                time.sleep(0.1)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
        form = {"username": "hq", "password": PASSWORD, "csrf_token": token}
        self.client.post(f"{self.address}/sign-in", data=form, timeout=30)
        page = self.client.get(f"{self.address}/", timeout=60)
        self.client.headers["X-CSRFToken"] = re.search(r'"csrf": "([^"]+)"', page.text)[1]

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def upload(self, method, uid, **more):
        headers = TUS | more.pop("headers", {})
        return self.client.request(
            method, f"{self.address}/api/v1/uploads/{uid}", headers=headers, timeout=60, **more
        )


@pytest.fixture
def server(engine, store_url, tmp_path):
    with writing(engine) as session:
        create_login(
            session, person=Person(name="总"), username="hq", password=PASSWORD, role=Role.HEADQUARTERS
        )
    found = Server(tmp_path, store_url)
    found.start()
    yield found
    found.kill()
    found.log.close()


def send_until_it_dies(server, acknowledged, seeds):
    while True:
        uid = str(uuid.uuid4())
        files = {"file": ("a.jpg", photo((320, 240), seed=next(seeds)))}
        try:
            answer = server.client.post(
                f"{server.address}/api/v1/attachments", data={"uid": uid}, files=files, timeout=60
            )
        except requests.RequestException:
            return
        if answer.status_code == 201:
            acknowledged.append(uid)


def test_a_kill_loses_no_acknowledged_photo(server, engine, tmp_path):
    chance = random.Random(5)  # noqa: S311 - not for secrets
    acknowledged: list[str] = []
    seeds = iter(range(10**6))
    slow, content = uuid.uuid4(), photo((900, 700))
    half = len(content) // 2
    said = f"uid {base64.b64encode(str(slow).encode()).decode()}"
    headers = TUS | {"Upload-Length": str(len(content)), "Upload-Metadata": said}
    begun = server.client.post(f"{server.address}/api/v1/uploads", headers=headers, timeout=60)
    assert begun.status_code == 201, begun.text
    more = server.upload("PATCH", slow, headers=PIECES | {"Upload-Offset": "0"}, data=content[:half])
    assert more.status_code == 204
    for _ in range(3):
        senders = [
            threading.Thread(target=send_until_it_dies, args=(server, acknowledged, seeds)) for _ in range(2)
        ]
        known = len(acknowledged)
        for sender in senders:
            sender.start()
        while len(acknowledged) < known + 2:
            time.sleep(0.05)
        time.sleep(chance.random())
        server.kill()
        for sender in senders:
            sender.join()
        server.start()
        assert server.upload("HEAD", slow).headers["Upload-Offset"] == str(half)
    rest = server.upload("PATCH", slow, headers=PIECES | {"Upload-Offset": str(half)}, data=content[half:])
    assert rest.status_code == 204, rest.text
    vault = Vault(tmp_path)
    with reading(engine) as session:
        there = {str(uid) for uid in session.scalars(select(Attachment.uid))}
        assert {*acknowledged, str(slow)} <= there
        assert len(acknowledged) >= 6
        for sha256 in known_files(session):
            assert vault.intact(sha256)
        original = session.scalar(select(Attachment.sha256).where(Attachment.uid == slow))
    assert vault.path(original).read_bytes() == content
