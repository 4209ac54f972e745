"""Two communities of two cells each, a squad to each, a headquarters, and problems in them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import shapely

from gridmap.config import Settings
from gridmap.people.models import Organisation, OrganisationKind, Person
from gridmap.people.permissions import Actor
from gridmap.places.models import (
    Area,
    GridCell,
    InspectionPoint,
    PriorityRoad,
    Responsibility,
    ResponsibilityRole,
)
from gridmap.problems.models import Category, Problem, State
from gridmap.problems.service import Report, record_problem
from gridmap.store.engine import writing

WEST, SOUTH, SIDE = 121.0, 31.0, 0.01
NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)


def shape(west, south, east, north):
    return f"SRID=4326;{shapely.multipolygons([shapely.box(west, south, east, north)]).wkt}"


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path)


@pytest.fixture
def city(engine):
    """Cells A1, A2 (community A), B1, B2 (community B) from west to east; B2 is held by nobody."""
    found = SimpleNamespace(areas={}, cells={}, squads={}, workers={}, categories={})
    with writing(engine) as session:
        district = Area(
            code="D",
            name="示范区",
            level="district",
            geometry=shape(WEST, SOUTH, WEST + 5 * SIDE, SOUTH + SIDE),
        )
        session.add(district)
        session.flush()
        found.district = district
        for i, letter in enumerate("AB"):
            west = WEST + 2 * i * SIDE
            area = Area(
                code=letter,
                name=f"{letter}社区",
                level="community",
                parent_id=district.id,
                geometry=shape(west, SOUTH, west + 2 * SIDE, SOUTH + SIDE),
            )
            squad = Organisation(name=f"{letter}中队", kind=OrganisationKind.SQUAD)
            session.add_all([area, squad])
            session.flush()
            found.areas[letter], found.squads[letter] = area, squad
            for k in (1, 2):
                code, x = f"{letter}{k}", west + (k - 1) * SIDE
                cell = GridCell(
                    code=code,
                    name=f"{code}网格",
                    area_id=area.id,
                    geometry=shape(x, SOUTH, x + SIDE, SOUTH + SIDE),
                )
                worker = Person(name=f"{code}网格员", organisation_id=squad.id)
                session.add_all([cell, worker])
                session.flush()
                found.cells[code], found.workers[code] = cell, worker
                if code != "B2":
                    session.add(
                        Responsibility(
                            role=ResponsibilityRole.GRID_WORKER, person_id=worker.id, cell_id=cell.id
                        )
                    )
        found.headquarters = Organisation(name="指挥部", kind=OrganisationKind.HEADQUARTERS)
        found.company = Organisation(name="市政公司", kind=OrganisationKind.CONTRACTOR)
        session.add_all([found.headquarters, found.company])
        session.flush()
        found.market = InspectionPoint(
            code="P1",
            name="菜市场",
            site_type="market",
            geometry=f"SRID=4326;POINT({WEST + SIDE / 2} {SOUTH + SIDE / 2})",
        )
        found.road = PriorityRoad(
            code="R1",
            name="人民路",
            geometry=f"SRID=4326;MULTILINESTRING(({WEST} {SOUTH + 0.009},{WEST + 4 * SIDE} {SOUTH + 0.009}))",
        )
        session.add_all([found.market, found.road])
        for code, parent in (("01", None), ("0101", "01"), ("0102", "01"), ("02", None), ("0201", "02")):
            category = Category(
                code=code, name=f"类别{code}", parent_id=parent and found.categories[parent].id, severity=2
            )
            session.add(category)
            session.flush()
            found.categories[code] = category
    return found


@pytest.fixture
def record(engine, settings, city):
    """Record a problem at a distance in cells from the west and south, as the owner of the installation."""

    def _record(x, y=0.5, category="0101", *, state=None, geometry=None, now=NOW, **more):
        place = geometry or {"type": "Point", "coordinates": [WEST + x * SIDE, SOUTH + y * SIDE]}
        report = Report(uid=uuid.uuid4(), category=category, geometry=place, **more)
        with writing(engine) as session:
            problem, _ = record_problem(session, Actor.owner(), report, settings=settings, now=now)
            if state is not None:
                problem.state = State(state)
            return session.get(Problem, problem.id)

    return _record
