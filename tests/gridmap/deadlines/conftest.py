"""Calendars to count in, and a second way to count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gridmap.config import Settings
from gridmap.deadlines.calendar import load_calendar
from gridmap.people.models import Organisation, OrganisationKind, Person
from gridmap.places.models import Area, AreaLevel, Responsibility, ResponsibilityRole
from gridmap.problems.models import Category, Problem, State, TimeUnit
from gridmap.store.clock import next_change
from gridmap.store.engine import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from gridmap.deadlines.calendar import WorkingCalendar

MINUTE = timedelta(minutes=1)
CONTINUOUS = {TimeUnit.URGENT_HOUR: 1, TimeUnit.URGENT_DAY: 24, TimeUnit.CALENDAR_DAY: 24}


@pytest.fixture
def calendar(tmp_path: Path) -> WorkingCalendar:
    return load_calendar(Settings(data_dir=tmp_path))


class Walker:
    """Limits counted minute by minute in plain Python, from the words of the specification."""

    def __init__(self, is_working_day, hours, zone) -> None:
        self.is_working_day, self.hours, self.zone = is_working_day, hours, zone
        self.day = sum(end - start for start, end in hours)

    def working(self, moment: datetime) -> bool:
        local = moment.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return self.is_working_day(local.date()) and any(start <= minute < end for start, end in self.hours)

    def due(self, start: datetime, allowed: int, unit: TimeUnit) -> datetime:
        if unit in CONTINUOUS:
            return start.astimezone(UTC) + timedelta(hours=allowed * CONTINUOUS[unit])
        left = allowed * (60 if unit is TimeUnit.WORKING_HOUR else self.day)
        at = start.astimezone(UTC)
        while left:
            if self.working(at):
                left -= 1
            at += MINUTE
        return at

    def used(self, start: datetime, end: datetime, unit: TimeUnit) -> int:
        if unit in CONTINUOUS:
            return (end - start) // timedelta(microseconds=1)
        at, minutes = start.astimezone(UTC), 0
        while at < end:
            minutes += self.working(at)
            at += MINUTE
        return minutes * 60_000_000


@pytest.fixture(scope="session")
def walker() -> type[Walker]:
    return Walker


def _stamp(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


@pytest.fixture(scope="session")
def stamp() -> Callable[[datetime], np.datetime64]:
    """Turn an aware time into what columns hold."""
    return _stamp


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def city(engine: Engine) -> SimpleNamespace:
    """Two communities with an organisation each, a leader in charge of the first, a headquarters."""
    with writing(engine) as session:
        areas = [
            Area(
                code=f"31010100100{at}",
                name=name,
                level=AreaLevel.COMMUNITY,
                geometry=_box(121.4 + at / 100),
            )
            for at, name in enumerate(("东风社区", "西园社区"))
        ]
        session.add_all(areas)
        session.flush()
        squads = [
            Organisation(name=f"{area.name}中队", kind=OrganisationKind.SQUAD, area_id=area.id)
            for area in areas
        ]
        head = Organisation(name="创文办", kind=OrganisationKind.HEADQUARTERS)
        category = Category(code="A", name="占道经营", name_en="Occupying the road")
        session.add_all([*squads, head, category])
        session.flush()
        workers = [Person(name=f"队员{at}", organisation_id=squads[at].id) for at in (0, 1)]
        leader = Person(name="包挂领导", organisation_id=head.id)
        session.add_all([*workers, leader])
        session.flush()
        session.add(
            Responsibility(
                role=ResponsibilityRole.LEADER_IN_CHARGE,
                person_id=leader.id,
                area_id=areas[0].id,
                valid_from=date(2026, 1, 1),
            )
        )
    return SimpleNamespace(
        areas=areas, squads=squads, head=head, category=category, workers=workers, leader=leader
    )


def _box(west: float) -> str:
    corners = ((west, 31.2), (west + 0.01, 31.2), (west + 0.01, 31.21), (west, 31.21), (west, 31.2))
    return f"SRID=4326;MULTIPOLYGON((({','.join(f'{x} {y}' for x, y in corners)})))"


@pytest.fixture
def add_problem(engine: Engine, city: SimpleNamespace) -> Callable[..., int]:
    """Write a problem of one of the two communities and return its number."""

    def add(due_at: datetime | None, *, at: int = 0, state: State = State.DISPATCHED, **more: Any) -> int:
        values = {
            "organisation_id": city.squads[at].id,
            "person_id": city.workers[at].id,
            "area_id": city.areas[at].id,
        } | more
        with writing(engine) as session:
            problem = Problem(
                category_id=city.category.id,
                state=state,
                found_at=datetime(2026, 5, 8, tzinfo=UTC),
                due_at=due_at,
                address="人民路1号",
                lon=121.405 + at / 100,
                lat=31.205,
                geometry=f"SRID=4326;POINT({121.405 + at / 100} 31.205)",
                change=next_change(session),
                **values,
            )
            session.add(problem)
            session.flush()
            return problem.id

    return add
