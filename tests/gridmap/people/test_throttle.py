"""Guessing is slowed down, by a clock that the test holds, in one process and in several."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from argon2 import Type
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from gridmap.config import Settings
from gridmap.errors import PermissionDeniedError, ThrottledError
from gridmap.people.logins import create_login
from gridmap.people.models import Attempts, Login, Person
from gridmap.people.permissions import Role
from gridmap.people.signing_in import prove_password
from gridmap.people.throttle import ADDRESS, NAME, Allowance, Subject, charge, release, settle, waiting
from gridmap.store.engine import open_engine, reading, writing
from gridmap.trail.keeper import TrailKeeper

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
DAY = date(2026, 5, 9)
RIGHT = "a right password"


@given(st.integers(0, 500), st.sampled_from([NAME, ADDRESS]))
def test_the_wait_grows_and_has_a_bound(failures, allowance: Allowance):
    wait = allowance.wait(failures)
    assert timedelta(0) <= wait <= allowance.wait(failures + 1) <= allowance.longest
    assert (wait == timedelta(0)) == (failures < allowance.free)


def fail(engine, subjects, now):
    with writing(engine) as session:
        charge(session, subjects, now=now)


def test_five_failures_are_free_then_each_doubles_the_wait(engine):
    name, moment = [Subject.name("hq")], NOW
    for expected in (0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600):
        fail(engine, name, moment)
        if expected:
            with pytest.raises(ThrottledError) as refused:
                fail(engine, name, moment + timedelta(seconds=expected - 1))
            assert refused.value.retry_after == 1
        moment += timedelta(seconds=expected)
    with reading(engine) as session:
        assert waiting(session, name, now=moment - timedelta(seconds=1)) == {name[0].key: moment}
        assert waiting(session, name, now=moment) == {}


def test_trying_while_waiting_does_not_make_the_wait_longer(engine):
    name = [Subject.name("hq")]
    for _ in range(5):
        fail(engine, name, NOW)
    for second in range(30):
        with pytest.raises(ThrottledError):
            fail(engine, name, NOW + timedelta(seconds=second))
    fail(engine, name, NOW + timedelta(seconds=30))


def test_a_day_without_attempts_is_forgotten_and_headquarters_can_release(engine):
    name = [Subject.name("hq")]
    for _ in range(5):
        fail(engine, name, NOW)
    fail(engine, name, NOW + timedelta(hours=24, seconds=1))
    with reading(engine) as session:
        assert session.scalar(select(Attempts.failures)) == 1
    for _ in range(4):
        fail(engine, name, NOW + timedelta(hours=25))
    with writing(engine) as session:
        release(session, name)
    fail(engine, name, NOW + timedelta(hours=25))


def test_a_success_clears_the_name_but_only_itself_from_the_address(engine):
    name, address = Subject.name("hq"), Subject.address("10.0.0.1")
    for _ in range(3):
        fail(engine, [name, address], NOW)
    with writing(engine) as session:
        settle(session, [name, address], passed=[name])
    with reading(engine) as session:
        left = {bytes(row.key): row.failures for row in session.scalars(select(Attempts))}
    assert left == {address.key: 2}


def test_made_up_names_do_not_pile_up(engine):
    for number in range(20):
        fail(engine, [Subject.name(f"nobody {number}")], NOW)
    fail(engine, [Subject.name("hq")], NOW + timedelta(days=2))
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(Attempts)) == 1


def test_names_are_counted_however_they_are_written_and_networks_as_one():
    assert Subject.name("HQ ") == Subject.name("hq")
    assert Subject.address("2001:db8::1") == Subject.address("2001:db8::2:1")
    assert Subject.address("2001:db8::1") != Subject.address("2001:db8:0:1::1")
    assert Subject.address("::ffff:10.0.0.1") == Subject.address("10.0.0.1")
    assert Subject.address("10.0.0.1") != Subject.address("10.0.0.2")
    assert Subject.name("1") != Subject.code(1)


def prove(engine, username, password, now=NOW, address="10.0.0.1"):
    return prove_password(engine, username, password, address=address, day=DAY, now=now)


def outcome(engine, *attempt, **more):
    try:
        prove(engine, *attempt, **more)
    except (PermissionDeniedError, ThrottledError) as error:
        return type(error), str(error)
    return None


def make(engine, username="hq"):
    with writing(engine) as session:
        create_login(
            session, person=Person(name="甲"), username=username, password=RIGHT, role=Role.HEADQUARTERS
        )


def test_nothing_tells_a_name_that_exists_from_one_that_does_not(engine):
    make(engine)
    answers = [[outcome(engine, name, "wrong") for _ in range(7)] for name in ("hq", "nobody")]
    assert answers[0] == answers[1]
    assert [kind for kind, _ in answers[0]] == [PermissionDeniedError] * 5 + [ThrottledError] * 2
    # The right password is not even tried while the name has to wait, and works afterwards.
    assert outcome(engine, "hq", RIGHT)[0] is ThrottledError
    assert outcome(engine, "hq", RIGHT, now=NOW + timedelta(seconds=30)) is None
    with reading(engine) as session:
        assert session.get(Attempts, Subject.name("hq").key) is None


def test_many_names_from_one_address_are_slowed_down_too(engine):
    for number in range(ADDRESS.free):
        fail(engine, [Subject.name(f"n{number}"), Subject.address("10.0.0.1")], NOW)
    assert outcome(engine, "another", "wrong")[0] is ThrottledError
    assert outcome(engine, "another", "wrong", address="10.0.0.2")[0] is PermissionDeniedError


def test_an_installation_hashes_as_argon2s_authors_recommend(installations_hasher):
    """RFC 9106, section 4: the second choice, for memory that many sign-ins share."""
    assert installations_hasher.type is Type.ID
    assert installations_hasher.memory_cost >= 64 * 1024
    assert installations_hasher.time_cost >= 3


def test_a_hash_by_old_parameters_is_renewed_at_the_next_sign_in(engine):
    from argon2 import PasswordHasher  # noqa: PLC0415 - an older installation's parameters

    make(engine)
    with writing(engine) as session:
        login = session.scalar(select(Login))
        login.password_hash = old = PasswordHasher(time_cost=1, memory_cost=1024).hash(RIGHT)
    prove(engine, "hq", RIGHT)
    with reading(engine) as session:
        new = session.scalar(select(Login.password_hash))
    assert new != old
    prove(engine, "hq", RIGHT)
    with reading(engine) as session:
        assert session.scalar(select(Login.password_hash)) == new


def test_who_has_left_cannot_sign_in(engine):
    make(engine)
    with writing(engine) as session:
        session.scalar(select(Person)).valid_to = DAY
    assert outcome(engine, "hq", RIGHT)[0] is PermissionDeniedError


def guess(store: tuple[str, Path], username: str, count: int, start, results) -> None:
    engine = open_engine(store[0], keeper=TrailKeeper.of(Settings(data_dir=store[1])))
    start.wait()
    found = [outcome(engine, username, f"guess {n}") for n in range(count)]
    results.put([kind.__name__ for kind, _ in found])
    engine.dispose()


@pytest.mark.parametrize("username", ["hq", "nobody"])
def test_several_processes_get_no_more_guesses_than_one(engine, store_url, tmp_path, username):
    make(engine)
    store = (store_url, tmp_path)
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(4), context.Queue()
    guessers = [context.Process(target=guess, args=(store, username, 4, start, results)) for _ in range(4)]
    for one in guessers:
        one.start()
    answers = [kind for _ in guessers for kind in results.get(timeout=120)]
    for one in guessers:
        one.join(60)
    assert answers.count("PermissionDeniedError") == NAME.free
    assert answers.count("ThrottledError") == 16 - NAME.free
