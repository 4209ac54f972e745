"""One-time codes by a clock that the test holds."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyotp
import pytest
from sqlalchemy import func, select

from gridmap.config import Settings
from gridmap.errors import ConflictError, InvalidValueError, PermissionDeniedError
from gridmap.people.codes import (
    begin_codes,
    confirm_codes,
    has_codes,
    recovery_codes_left,
    remove_codes,
    use_code,
)
from gridmap.people.logins import create_login
from gridmap.people.models import Login, OneTimeCode, Person, RecoveryCode
from gridmap.people.permissions import Role
from gridmap.store.engine import open_engine, reading, writing
from gridmap.trail.keeper import TrailKeeper

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 5, 9, 4, 0, 5, tzinfo=UTC)
PASSWORD = "long enough"  # noqa: S105 - of a throwaway login
KEY = "the installation's key"
STEP = timedelta(seconds=30)


@pytest.fixture
def login(engine):
    with writing(engine) as session:
        made = create_login(
            session, person=Person(name="甲"), username="hq", password=PASSWORD, role=Role.HEADQUARTERS
        )
        return made.id


@pytest.fixture
def device(engine, login):
    with writing(engine) as session:
        secret, address = begin_codes(session, session.get_one(Login, login), key=KEY)
    assert address.startswith("otpauth://totp/gridmap:hq?secret=" + secret)
    return pyotp.TOTP(secret)


def confirm(engine, login, device, now=NOW):
    with writing(engine) as session:
        return confirm_codes(session, login, device.at(now), key=KEY, now=now)


def use(engine, login, code, now):
    with writing(engine) as session:
        use_code(session, login, code, key=KEY, now=now)


def refused(engine, login, code, now):
    with pytest.raises(PermissionDeniedError):
        use(engine, login, code, now)


def test_nothing_is_in_force_before_a_right_code(engine, login, device):
    with reading(engine) as session:
        assert not has_codes(session, login)
    refused(engine, login, device.at(NOW), NOW)
    with pytest.raises(InvalidValueError):
        confirm(engine, login, pyotp.TOTP(pyotp.random_base32()))
    assert len(set(confirm(engine, login, device))) == 10
    with reading(engine) as session:
        assert has_codes(session, login)
    with pytest.raises(ConflictError), writing(engine) as session:
        begin_codes(session, session.get_one(Login, login), key=KEY)
    with pytest.raises(ConflictError):
        confirm(engine, login, device, NOW + STEP)


def test_a_code_is_good_once_and_no_earlier_one_after_it(engine, login, device):
    confirm(engine, login, device)
    refused(engine, login, device.at(NOW), NOW)
    later = NOW + 4 * STEP
    use(engine, login, device.at(later), later)
    refused(engine, login, device.at(later), later)
    refused(engine, login, device.at(later - STEP), later)
    use(engine, login, device.at(later + STEP), later)


@pytest.mark.parametrize(("off", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_off_by_one_step(engine, login, device, off, good):
    confirm(engine, login, device)
    later = NOW + 20 * STEP
    (use if good else refused)(engine, login, device.at(later + off * STEP), later)


def test_a_recovery_code_is_good_once_however_it_is_written(engine, login, device):
    codes = confirm(engine, login, device)
    use(engine, login, codes[0].upper().replace("-", " "), NOW)
    refused(engine, login, codes[0], NOW)
    with reading(engine) as session:
        assert recovery_codes_left(session, login) == 9


def test_a_copy_of_the_database_makes_no_code(engine, login, device):
    codes = confirm(engine, login, device)
    with reading(engine) as session:
        row = session.scalar(select(OneTimeCode))
        kept = bytes(row.sealed_secret)
        hashes = {bytes(one) for one in session.scalars(select(RecoveryCode.code_hash))}
    assert device.byte_secret() not in kept
    assert not hashes & {code.replace("-", "").encode() for code in codes}


def test_taking_them_away_takes_everything_away(engine, login, device):
    confirm(engine, login, device)
    with writing(engine) as session:
        remove_codes(session, login)
    with reading(engine) as session:
        assert not has_codes(session, login)
        assert session.scalar(select(func.count(RecoveryCode.id))) == 0
    with writing(engine) as session:
        fresh, _ = begin_codes(session, session.get_one(Login, login), key=KEY)
    assert fresh != device.secret


def present(store: tuple[str, Path], login: int, code: str, start, results) -> None:
    engine = open_engine(store[0], keeper=TrailKeeper.of(Settings(data_dir=store[1])))
    start.wait()
    try:
        use(engine, login, code, NOW + 4 * STEP)
        results.put("in")
    except PermissionDeniedError:
        results.put("refused")
    engine.dispose()


def test_one_code_lets_one_of_several_processes_in(engine, store_url, tmp_path, login, device):
    confirm(engine, login, device)
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(3), context.Queue()
    code = device.at(NOW + 4 * STEP)
    askers = [
        context.Process(target=present, args=((store_url, tmp_path), login, code, start, results))
        for _ in range(3)
    ]
    for one in askers:
        one.start()
    assert sorted(results.get(timeout=120) for _ in askers) == ["in", "refused", "refused"]
    for one in askers:
        one.join(60)
