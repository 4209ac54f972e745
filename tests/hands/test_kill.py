"""The server is killed at random moments while people report: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import hashlib
import logging
import os
import random
import threading
import time
import uuid
from collections import Counter

import pytest
import requests
from pictures import photo
from sqlalchemy import select

from gridmap.evidence.files import Vault
from gridmap.evidence.models import Attachment, AttachmentState
from gridmap.problems.models import Event, EventKind, Problem
from gridmap.store.engine import reading

REPORTS = int(os.environ.get("GRIDMAP_HANDS_REPORTS", "60"))
"""How many; the full size, by hand, is 1000 with 25 kills of two processes."""
KILLS = int(os.environ.get("GRIDMAP_HANDS_KILLS", "3"))
WORKERS = int(os.environ.get("GRIDMAP_HANDS_WORKERS", "1"))
SENDERS = 4
PLACE = (121.005, 31.005)
LONGEST_WAIT = 600


class Sender(threading.Thread):
    """A phone: sends a report, then its photo, and each again until it is acknowledged."""

    def __init__(self, who, count, seed):
        super().__init__(daemon=True)
        self.http = requests.Session()
        self.http.cookies.update(who["cookies"])
        self.http.headers["X-CSRFToken"] = who["token"]
        self.address = who["address"] + "/api/v1"
        self.count, self.seed = count, seed
        self.acknowledged: list[tuple[str, str, str]] = []
        self.answers: Counter[object] = Counter()
        self.fault: BaseException | None = None

    def run(self):
        try:
            for number in range(self.count):
                report, picture = str(uuid.uuid4()), str(uuid.uuid4())
                place = {"lon": PLACE[0], "lat": PLACE[1]}
                self.send(
                    "problems", json={"uid": report, "category": "0401", "description": "占道", **place}
                )
                content = photo((48, 36), seed=10_000 * self.seed + number)
                said = {"uid": picture, "problem": report, "stage": "found"}
                self.send("attachments", data=said, files={"file": ("a.jpg", content, "image/jpeg")})
                self.acknowledged.append((report, picture, hashlib.sha256(content).hexdigest()))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test tells it
            self.fault = error
        finally:
            self.http.close()

    def send(self, path, **content):
        deadline = time.monotonic() + LONGEST_WAIT
        while time.monotonic() < deadline:
            try:
                answer = self.http.post(f"{self.address}/{path}", timeout=120, **content)
            except requests.RequestException as error:
                self.answers[type(error).__name__] += 1
                time.sleep(0.05)
                continue
            self.answers[answer.status_code] += 1
            if answer.status_code in {200, 201}:
                return
            message = f"{path}: {answer.status_code} {answer.text[:300]}"
            raise AssertionError(message)
        message = f"{path}: no answer within {LONGEST_WAIT} s"
        raise AssertionError(message)


@pytest.fixture
def workers():
    return WORKERS


def answered(senders):
    return sum(sender.answers[status] for sender in senders for status in (200, 201))


def kill_at_random(server, senders):
    """Kill and start it again while they send; return how often it was killed.

    Answers, not seconds, say when: a slow machine comes through, a fast one is not spared.
    """
    chance = random.Random(7)  # noqa: S311 - moments
    kills = 0
    for awaited in sorted(chance.sample(range(1, 2 * SENDERS * (REPORTS // SENDERS)), KILLS)):
        while answered(senders) < awaited and any(sender.is_alive() for sender in senders):
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.1))
        if any(sender.is_alive() for sender in senders):
            server.kill()
            server.start()
            kills += 1
    return kills


def test_every_acknowledged_report_is_there_once_and_whole(server, store, settings, town, findings):
    who = [server.sign_in(name) for name in town.names[:SENDERS]]
    senders = [Sender(one, REPORTS // SENDERS, seed) for seed, one in enumerate(who)]
    for sender in senders:
        sender.start()
    kills = kill_at_random(server, senders)
    for sender in senders:
        sender.join()
    assert [sender.fault for sender in senders if sender.fault] == []
    server.stop()
    answers = sum((sender.answers for sender in senders), Counter())
    logging.getLogger(__name__).info("%s kills, answers: %s", kills, dict(answers))
    assert kills >= KILLS - 1
    assert any(isinstance(kind, str) for kind in answers), "no kill met a request"

    acknowledged = [report for sender in senders for report in sender.acknowledged]
    assert len(acknowledged) == REPORTS // SENDERS * SENDERS
    vault = Vault(settings.data_dir)
    with reading(store) as session:
        problems = {str(uid): one for one, uid in session.execute(select(Problem.id, Problem.uid))}
        assert set(problems) == {report for report, _, _ in acknowledged}
        lines = Counter(tuple(row) for row in session.execute(select(Event.problem_id, Event.kind)))
        whole = (EventKind.RECORDED, EventKind.ASSIGNED, EventKind.EVIDENCE)
        assert lines == {(one, kind): 1 for one in problems.values() for kind in whole}
        proof = {row.id: row.problem_id for row in session.execute(select(Event.id, Event.problem_id))}
        pictures = {str(one.uid): one for one in session.scalars(select(Attachment))}
        assert set(pictures) == {picture for _, picture, _ in acknowledged}
        for report, picture, sha256 in acknowledged:
            one = pictures[picture]
            assert one.problem_id == problems[report] == proof[one.event_id]
            assert one.state is AttachmentState.READY
            assert one.sha256 == sha256
            for digest in (one.sha256, one.shown_sha256, one.thumbnail_sha256):
                assert vault.intact(digest)
    assert findings() == []
