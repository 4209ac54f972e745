"""A small town with every kind of thing in it, and the same things as data frames."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from gridmap.people.models import Organisation, OrganisationKind, Person
from gridmap.places.models import (
    Area,
    AreaLevel,
    Building,
    GridCell,
    InspectionPoint,
    PriorityRoad,
    Responsibility,
    ResponsibilityRole,
    Street,
    Surface,
)
from gridmap.problems.models import Category, Event, EventKind, Problem, Source, State
from gridmap.shops.models import Shopfront
from gridmap.store.clock import next_change
from gridmap.store.engine import writing

if TYPE_CHECKING:
    from flask import Flask

WEST, SOUTH, SIDE = 121.40, 31.20, 0.01
COUNT = 400


def box(west, south, east, north):
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    return f"SRID=4326;MULTIPOLYGON((({ring})))"


def line(kind, *points):
    text = ",".join(f"{x} {y}" for x, y in points)
    return f"SRID=4326;MULTILINESTRING(({text}))" if kind == "multi" else f"SRID=4326;LINESTRING({text})"


def make_ground(session):
    """A district with two communities of eight cells each, one organisation to each, and a third one."""
    district = Area(code="310101", name="示范区", level=AreaLevel.DISTRICT)
    district.geometry = box(WEST, SOUTH, WEST + 4 * SIDE, SOUTH + 4 * SIDE)
    session.add(district)
    session.flush()
    communities, cells, squads, workers = [], [], [], []
    for i, name in enumerate(("东风社区", "西园社区")):
        west = WEST + 2 * i * SIDE
        area = Area(
            code=f"31010100100{i + 1}",
            name=name,
            level=AreaLevel.COMMUNITY,
            parent_id=district.id,
            geometry=box(west, SOUTH, west + 2 * SIDE, SOUTH + 4 * SIDE),
        )
        session.add(area)
        session.flush()
        communities.append(area)
        squad = Organisation(name=f"{name}中队", kind=OrganisationKind.SQUAD, area_id=area.id)
        session.add(squad)
        session.flush()
        squads.append(squad)
        for k in range(8):
            x, y = west + (k % 2) * SIDE, SOUTH + (k // 2) * SIDE
            cell = GridCell(
                code=f"{area.code}{k + 1:03d}",
                name=f"{name}第{k + 1}网格",
                area_id=area.id,
                geometry=box(x, y, x + SIDE, y + SIDE),
                last_patrol_at=None if k == 0 else datetime(2026, 4, k, tzinfo=UTC),
            )
            worker = Person(name=f"工{i}{k}", phone=f"1390000{i}{k:03d}", organisation_id=squad.id)
            session.add_all([cell, worker])
            session.flush()
            cells.append(cell)
            workers.append(worker)
            if k != 7:  # one cell of each community is held by nobody
                session.add(
                    Responsibility(
                        role=ResponsibilityRole.GRID_WORKER,
                        person_id=worker.id,
                        cell_id=cell.id,
                        valid_from=date(2026, 1, 1),
                    )
                )
    other = Organisation(name="市政公司", kind=OrganisationKind.CONTRACTOR)
    session.add(other)
    session.flush()
    point = InspectionPoint(
        code="P1",
        name="东风菜市场",
        site_type="market",
        area_id=communities[0].id,
        cell_id=cells[0].id,
        geometry=f"SRID=4326;POINT({WEST + SIDE / 2} {SOUTH + SIDE / 2})",
    )
    far = InspectionPoint(
        code="P2",
        name="西园小学",
        site_type="school",
        area_id=communities[1].id,
        geometry=box(WEST + 3 * SIDE, SOUTH, WEST + 3 * SIDE + 0.001, SOUTH + 0.001),
    )
    road = PriorityRoad(
        code="R1",
        name="人民路",
        level=1,
        hours="07:20-08:10",
        patrols_per_day=3,
        area_id=communities[0].id,
        geometry=line("multi", (WEST, SOUTH + SIDE), (WEST + 2 * SIDE, SOUTH + SIDE)),
    )
    streets = [
        Street(
            source_ref=f"w{i}",
            name="人民路" if i < 4 else "",
            road_class="primary" if i < 4 else "footway",
            geometry=line("one", (WEST + i * SIDE, SOUTH), (WEST + i * SIDE, SOUTH + 4 * SIDE)),
        )
        for i in range(5)
    ]
    building = Building(
        source_ref="b1", name="百货大楼", geometry=box(WEST, SOUTH, WEST + 0.001, SOUTH + 0.001)
    )
    water = Surface(
        source_ref="s1", name="荷花池", kind="water", geometry=box(WEST, SOUTH, WEST + 0.005, SOUTH + 0.002)
    )
    shop = Shopfront(
        code="S1",
        name="王记面馆",
        owner="王店主",
        phone="13812345678",
        area_id=communities[0].id,
        cell_id=cells[0].id,
        organisation_id=squads[0].id,
        geometry=f"SRID=4326;POINT({WEST + SIDE / 3} {SOUTH + SIDE / 3})",
    )
    session.add_all([point, far, road, shop, *streets, building, water])
    majors = [Category(code="A", name="市容环境", name_en="Appearance"), Category(code="B", name="街面秩序")]
    session.add_all(majors)
    session.flush()
    minors = [
        Category(code=f"{major.code}{k}", name=f"{major.name}{k}", parent_id=major.id, severity=k)
        for major in majors
        for k in (1, 2, 3)
    ]
    session.add_all(minors)
    session.flush()
    return SimpleNamespace(
        district=district,
        communities=communities,
        cells=cells,
        squads=squads,
        other=other,
        workers=workers,
        point=point,
        far=far,
        road=road,
        shop=shop,
        categories=minors,
    )


def new_problem(ground, rng, change, *, now):
    lon = WEST - SIDE / 2 + rng.random() * 5 * SIDE
    lat = SOUTH + rng.random() * 4 * SIDE
    column, row = int((lon - WEST) // SIDE), int((lat - SOUTH) // SIDE)
    inside = 0 <= column < 4
    cell = ground.cells[(column // 2) * 8 + row * 2 + column % 2] if inside else None
    state = State(rng.choice([state.value for state in State]))
    found = (now - timedelta(hours=float(rng.random() * 24 * 80))).replace(microsecond=0)
    organisations = [*ground.squads, ground.other, None]
    organisation = organisations[int(rng.choice(4, p=[0.4, 0.3, 0.2, 0.1]))]
    return Problem(
        category_id=ground.categories[int(rng.integers(6))].id,
        state=state,
        source=Source(rng.choice([source.value for source in Source])),
        severity=int(rng.integers(1, 6)),
        flags=int(rng.choice([0, 0, 0, 0, 1, 2])) | (0 if inside else 4),
        found_at=found,
        due_at=None if rng.random() < 0.1 else found + timedelta(hours=float(rng.integers(1, 900))),
        closed_at=found + timedelta(hours=float(rng.integers(1, 400))) if state.resolved else None,
        address=f"人民路{int(rng.integers(1, 30))}号",
        description="占道",
        lon=lon,
        lat=lat,
        geometry=f"SRID=4326;POINT({lon} {lat})",
        area_id=cell.area_id if cell else None,
        cell_id=cell.id if cell else None,
        road_id=ground.road.id if rng.random() < 0.1 else None,
        person_id=ground.workers[int(rng.integers(16))].id if rng.random() < 0.8 else None,
        organisation_id=organisation.id if organisation else None,
        change=change,
    )


def first_line(problem):
    return Event(
        problem_id=problem.id,
        kind=EventKind.RECORDED,
        at=problem.found_at,
        recorded_at=problem.found_at,
        actor="测试",
        state=State.RECORDED,
        details={},
    )


def make_problem(session, ground, rng, change, *, now):
    problem = new_problem(ground, rng, change, now=now)
    session.add(problem)
    session.flush()
    session.add(first_line(problem))
    return problem


def make_town(app, count=COUNT):
    now = datetime.now(UTC)
    rng = np.random.default_rng(11)
    with writing(app.extensions["gridmap"].engine) as session:
        ground = make_ground(session)
        change = next_change(session)
        made = [new_problem(ground, rng, change, now=now) for _ in range(count)]
        session.add_all(made)
        session.flush()
        session.add_all(first_line(problem) for problem in made)
        session.flush()
        ground.frame = pd.DataFrame(
            {
                "number": p.id,
                "uid": str(p.uid),
                "lon": p.lon,
                "lat": p.lat,
                "category": p.category_id,
                "state": p.state.value,
                "resolved": p.state.resolved,
                "source": p.source.value,
                "severity": p.severity,
                "doubtful": bool(p.flags & 3),
                "found": p.found_at,
                "due": p.due_at,
                "closed": p.closed_at,
                "address": p.address,
                "area": p.area_id,
                "cell": p.cell_id,
                "person": p.person_id,
                "organisation": p.organisation_id,
            }
            for p in made
        )
    ground.now = now
    ground.rng = rng
    return ground


@pytest.fixture
def town(app: Flask):
    return make_town(app)
