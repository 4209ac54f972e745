"""What a transaction sees of others, and what comes of two that cannot both be."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from gridmap.errors import StoreError
from gridmap.people.models import Attempts, Organisation
from gridmap.store.claim import claim
from gridmap.store.engine import open_engine, reading, writing

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def pair(engine):
    with writing(engine) as session:
        bodies = [Organisation(name="甲"), Organisation(name="乙")]
        session.add_all(bodies)
    return [body.id for body in bodies]


def rename(session, body):
    session.execute(update(Organisation).where(Organisation.id == body).values(name="丁"))


def name(session, body):
    return session.scalar(select(Organisation.name).where(Organisation.id == body))


def test_all_that_is_read_is_of_one_moment(engine, pair):
    with reading(engine) as session:
        assert name(session, pair[0]) == "甲"
        with writing(engine) as other:
            rename(other, pair[1])
        assert name(session, pair[1]) == "乙"


@pytest.mark.postgis
def test_of_two_that_wait_for_each_other_one_is_asked_to_try_again(postgis_url, keeper):
    engine = open_engine(postgis_url, keeper=keeper)
    with writing(engine) as session:
        session.add_all(Attempts(key=key, last_at=NOW) for key in (b"1", b"2"))
    both_hold, outcomes = threading.Barrier(2), []

    def count(session, key):
        session.execute(update(Attempts).where(Attempts.key == key).values(failures=Attempts.failures + 1))

    def work(mine, others):
        try:
            with writing(engine) as session:
                count(session, mine)
                both_hold.wait(20)
                count(session, others)
        except StoreError as error:
            outcomes.append(error.message)

    threads = [threading.Thread(target=work, args=names) for names in ((b"1", b"2"), (b"2", b"1"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with reading(engine) as session:
        assert session.scalars(select(Attempts.failures)).all() == [1, 1]
    engine.dispose()
    assert len(outcomes) == 1
    assert "try again" in outcomes[0]


def test_one_makes_what_two_send(engine):
    uid, made = uuid.uuid4(), []

    def work():
        with writing(engine) as session:
            claim(session, uid)
            if session.scalar(select(Organisation.id).where(Organisation.uid == uid)) is None:
                session.add(Organisation(uid=uid, name="丙"))
                session.flush()
                made.append(uid)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert made == [uid]
