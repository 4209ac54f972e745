"""A town of two communities and four organisations, in which operations are planned."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from gridmap.joint.queries import read_operations
from gridmap.joint.service import Draft, plan_operation
from gridmap.people.models import Organisation
from gridmap.people.permissions import Actor, Holding, Permission
from gridmap.places.models import Area
from gridmap.problems.models import Category, Problem
from gridmap.store.engine import reading, writing

OWNER = Actor.owner()
NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
SHAPE = "SRID=4326;MULTIPOLYGON(((121 31,121.1 31,121.1 31.1,121 31.1,121 31)))"


class Town:
    def __init__(self, engine):
        self.engine = engine
        with writing(engine) as session:
            areas = [Area(code=code, name=code, level="community", geometry=SHAPE) for code in "AB"]
            bodies = [Organisation(name=name) for name in ("城管", "公安", "市监", "外单位")]
            category = Category(code="01", name="占道")
            session.add_all([*areas, *bodies, category])
            session.flush()
            self.areas, self.bodies = areas, bodies
            self.problems = []
            for area in areas:
                problem = Problem(
                    category_id=category.id,
                    found_at=NOW,
                    geometry="SRID=4326;POINT(121.05 31.05)",
                    lon=121.05,
                    lat=31.05,
                    area_id=area.id,
                    organisation_id=bodies[0].id,
                    change=1,
                )
                session.add(problem)
                session.flush()
                self.problems.append(problem.id)

    def draft(self, **more):
        said = {
            "uid": uuid.uuid4(),
            "name": "清理违建水池",
            "area": str(self.areas[0].uid),
            "leader": str(self.bodies[0].uid),
            "participants": tuple(str(body.uid) for body in self.bodies[:3]),
            "starts_at": NOW - timedelta(hours=1),
        }
        return Draft(**(said | more))

    def plan(self, actor=OWNER, **more):
        draft = self.draft(**more)
        with writing(self.engine) as session:
            plan_operation(session, actor, draft, now=NOW)
        return draft.uid

    def do(self, use_case, *values, actor=OWNER, **more):
        with writing(self.engine) as session:
            return use_case(session, actor, *values, now=NOW, **more)

    def seen(self, actor):
        with reading(self.engine) as session:
            return read_operations(session, actor.scope(Permission.PROBLEM_READ))

    @staticmethod
    def holder(role, *, area=None, body=None):
        areas = None if area is None else frozenset({area.id})
        bodies = None if body is None else frozenset({body.id})
        return Actor("甲", (Holding(role, areas=areas, organisations=bodies),))


@pytest.fixture
def town(engine):
    return Town(engine)
