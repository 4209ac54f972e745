from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from gridmap.config import Settings
from gridmap.coverage.audit import FindingKind, audit_coverage
from gridmap.demo.build import Demo, build_demo
from gridmap.demo.presence import PASSWORD, demo_logins, holds_demo, is_empty
from gridmap.errors import ConflictError, InvalidValueError
from gridmap.jobs import silent
from gridmap.people.logins import actor_of
from gridmap.people.models import Login, Organisation, OrganisationKind
from gridmap.people.permissions import Actor, Role
from gridmap.places.models import Building, GridCell, Street, Surface
from gridmap.problems.models import Event, EventKind, Flag, Problem, State
from gridmap.store.clock import read_clock
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from sqlalchemy.engine import Engine

OPEN = [state for state in State if not state.resolved]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def build(engine: Engine, settings: Settings, now: datetime, **options: int | bool) -> Demo:
    sizes = {"cells": 60, "problems": 5000, "seed": 7} | options
    with writing(engine) as session:
        return build_demo(session, Actor.owner(), now=now, settings=settings, progress=silent, **sizes)


def test_a_demo_is_written_whole(engine, settings, now, today: date) -> None:
    with reading(engine) as session:
        assert is_empty(session)
        assert not holds_demo(session)
    demo = build(engine, settings, now)
    with reading(engine) as session:
        assert holds_demo(session)
        assert not is_empty(session)
        assert session.scalar(select(func.count(Problem.id))) == 5000
        imported = select(func.count(Event.id)).where(Event.kind == EventKind.IMPORTED)
        assert session.scalar(imported) == 5000
        assert session.scalar(select(func.count(GridCell.id))) == demo.counts["cells"] == 60
        for table in (Street, Building, Surface):
            assert session.scalar(select(func.count(table.id))) > 30
        check_problems(session, now)
        check_audit(session, demo, today)
        check_logins(session)


def check_problems(session, now: datetime) -> None:
    flags = dict(session.execute(select(Problem.flags, func.count()).group_by(Problem.flags)).all())
    assert set(flags) == {
        0,
        Flag.DEFAULT_COORDINATE.value,
        Flag.IMPOSSIBLE_TIMES.value,
        Flag.OUTSIDE_CELLS.value,
    }
    assert flags[Flag.DEFAULT_COORDINATE.value] == 112
    unresolved = session.scalar(select(func.count(Problem.id)).where(Problem.state.in_(OPEN)))
    overdue = session.scalar(
        select(func.count(Problem.id)).where(Problem.state.in_(OPEN), Problem.due_at < now)
    )
    assert unresolved == pytest.approx(1500, abs=30)
    assert 0.2 < overdue / unresolved < 0.6
    everywhere = session.scalar(select(func.count(Problem.id)).where(Problem.organisation_id.is_(None)))
    assert everywhere == 0
    department = (
        select(func.count(Problem.id))
        .join(Organisation, Problem.organisation_id == Organisation.id)
        .where(Organisation.kind == OrganisationKind.DEPARTMENT)
    )
    assert session.scalar(department) > 500


def check_audit(session, demo: Demo, today: date) -> None:
    audit = audit_coverage(session, Actor.owner(), on=today, progress=silent)
    named = {
        kind: {finding.names[0] for finding in audit.findings if finding.kind is kind}
        for kind in audit.counts
    }
    expected = {
        FindingKind.CELL_WITHOUT_HOLDER: demo.gaps["cells"],
        FindingKind.POINT_WITHOUT_HOLDER: demo.gaps["points"],
        FindingKind.ROAD_WITHOUT_HOLDER: demo.gaps["roads"],
        FindingKind.PERSON_WITHOUT_DUTY: demo.gaps["people"],
    }
    assert set(named) == set(expected)
    for kind, names in expected.items():
        assert len(named[kind]) == len(names)
        assert all(any(code in name for name in named[kind]) for code in names)


def check_logins(session) -> None:
    logins = demo_logins(session)
    assert {role for _, role in logins} == {role.value for role in Role} - {Role.PUBLIC.value}
    for username, _ in logins:
        login = session.scalars(select(Login).where(Login.username == username)).one()
        assert PasswordHasher().verify(login.password_hash, PASSWORD)
        assert actor_of(session, login.id, login.session_epoch) is not None


def test_a_store_with_something_in_it_is_left_alone_unless_told(engine, settings, now) -> None:
    build(engine, settings, now, cells=8, problems=60)
    with pytest.raises(ConflictError, match="not empty"):
        build(engine, settings, now, cells=9, problems=60)
    with reading(engine) as session:
        assert session.scalar(select(func.count(GridCell.id))) == 8
        before = read_clock(session)
    build(engine, settings, now, cells=9, problems=61, replace=True)
    with reading(engine) as session:
        assert session.scalar(select(func.count(GridCell.id))) == 9
        assert session.scalar(select(func.count(Problem.id))) == 61
        assert read_clock(session).rebuild > before.change


@pytest.mark.parametrize(("cells", "problems"), [(0, 5), (-1, 5), (60, -1), (20_001, 0)])
def test_sizes_out_of_range_are_refused(engine, settings, now, cells: int, problems: int) -> None:
    with pytest.raises(InvalidValueError, match="Expected"):
        build(engine, settings, now, cells=cells, problems=problems)


def test_a_district_without_problems_can_be_built(engine, settings, now) -> None:
    assert build(engine, settings, now, cells=1, problems=0).counts["problems"] == 0
