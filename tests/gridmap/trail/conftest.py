"""A small town with a history, and ways to tamper with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sqlalchemy import text

from gridmap.people.logins import create_login
from gridmap.people.models import Organisation, Person
from gridmap.people.permissions import Role
from gridmap.places.models import Area, AreaLevel
from gridmap.problems.models import Category, Event, EventKind, Problem, State
from gridmap.store.bulk import insert_rows, reserve_ids
from gridmap.store.clock import next_change
from gridmap.store.engine import reading, writing
from gridmap.trail.origin import Origin, acting
from gridmap.trail.verify import verify

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
MANY = 300


@dataclass
class Tampering:
    """Whoever can write the database, past the service."""

    engine: Engine
    keeper: Any

    def sql(self, statement: str, **values: Any) -> int:
        with self.engine.execution_options(gridmap_write=True).begin() as connection:
            return connection.execute(text(statement), values).rowcount

    def findings(self, **options: Any) -> list[tuple[str, str]]:
        with reading(self.engine) as session:
            verdict = verify(session, [self.keeper.key], self.keeper.anchors, **options)
        return [(finding.kind.value, finding.where) for finding in verdict.findings]

    def verdict(self):
        with reading(self.engine) as session:
            return verify(session, [self.keeper.key], self.keeper.anchors)


@pytest.fixture
def tampering(engine, keeper):
    return Tampering(engine, keeper)


@pytest.fixture
def history(engine):
    """Entries 1 to 5: people, a district, many problems, one problem changed, a login."""
    with acting(Origin("张三", "web 10.0.0.7 POST /api/v1/problems", 5)):
        with writing(engine) as session:
            person = Person(name="甲", phone="13900001111", organisation=Organisation(name="某中队"))
            session.add(person)
        with writing(engine) as session:
            area = Area(code="310101", name="示范区", level=AreaLevel.DISTRICT)
            area.geometry = "SRID=4326;MULTIPOLYGON(((121 31,121.1 31,121.1 31.1,121 31.1,121 31)))"
            category = Category(code="0101", name="占道经营")
            session.add_all([area, category])
        with writing(engine) as session:
            rng = np.random.default_rng(5)
            ids = reserve_ids(session, Problem, MANY)
            insert_rows(
                session,
                Problem,
                {
                    "id": ids,
                    "category_id": category.id,
                    "found_at": np.datetime64("2026-01-01", "us") + rng.integers(0, 10**12, MANY),
                    "geometry": np.column_stack([rng.uniform(121, 122, MANY), rng.uniform(31, 32, MANY)]),
                    "lon": rng.uniform(121, 122, MANY),
                    "lat": 31.5,
                    "description": [f"第{n}处“占道”" for n in range(MANY)],
                    "change": next_change(session),
                },
            )
            insert_rows(
                session,
                Event,
                {
                    "problem_id": ids,
                    "kind": EventKind.IMPORTED,
                    "at": NOW,
                    "recorded_at": NOW,
                    "actor": "甲",
                    "details": [{"n": n} for n in range(MANY)],
                },
            )
        with writing(engine) as session:
            problem = session.get_one(Problem, int(ids[7]))
            problem.state = State.CHECKED
            session.add(
                Event(
                    problem_id=problem.id,
                    kind=EventKind.STATE,
                    at=NOW,
                    recorded_at=NOW,
                    actor="乙",
                    details={},
                )
            )
            problem.change = next_change(session)
        with writing(engine) as session:
            create_login(
                session,
                person=session.get_one(Person, person.id),
                username="jia",
                password="very secret",  # noqa: S106 - of a throwaway login
                role=Role.GRID_WORKER,
            )
    return SimpleNamespace(ids=[int(i) for i in ids], person=person, area=area, category=category)
