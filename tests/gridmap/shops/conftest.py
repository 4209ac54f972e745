"""A street with two communities, a shop in each, and officers of both."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from gridmap.config import Settings
from gridmap.people.models import Organisation, OrganisationKind, Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import (
    Area,
    AreaLevel,
    GridCell,
    PriorityRoad,
    Responsibility,
    ResponsibilityRole,
)
from gridmap.problems.models import Category
from gridmap.shops.service import ShopRecord, save_shop
from gridmap.store.engine import writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)


def square(west: float, south: float, side: float = 0.01) -> str:
    east, north = west + side, south + side
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    return f"SRID=4326;MULTIPOLYGON((({ring})))"


@dataclass
class Street:
    engine: Engine
    settings: Settings
    areas: list[int]
    squads: list[int]
    cells: list[int]
    road: int
    shops: list[uuid.UUID]
    officers: list[Actor]
    now: datetime = NOW

    def actor(self, role: Role, *, area: int | None = None, squad: int | None = None) -> Actor:
        holding = Holding(
            role,
            None if area is None else frozenset({self.areas[area]}),
            None if squad is None else frozenset({self.squads[squad]}),
        )
        return Actor(name=f"{role.value} {area} {squad}", holdings=(holding,))

    def do(self, use_case: Any, actor: Actor, *args: Any, now: datetime = NOW, **more: Any) -> Any:
        with writing(self.engine) as session:
            return use_case(session, actor, *args, now=now, **more)


@pytest.fixture
def street(engine: Engine, tmp_path: Any) -> Street:
    settings = Settings(data_dir=tmp_path)
    with writing(engine) as session:
        areas, squads, cells, officers = [], [], [], []
        for i, west in enumerate((121.40, 121.41)):
            area = Area(code=f"A{i}", name=f"{i}社区", level=AreaLevel.COMMUNITY, geometry=square(west, 31.2))
            session.add(area)
            session.flush()
            squad = Organisation(name=f"{i}中队", kind=OrganisationKind.SQUAD, area_id=area.id)
            cell = GridCell(code=f"C{i}", name="", area_id=area.id, geometry=square(west, 31.2))
            session.add_all([squad, cell])
            session.flush()
            officer = Person(name=f"队员{i}", phone="13900000001", organisation_id=squad.id)
            session.add(officer)
            session.flush()
            session.add(
                Responsibility(role=ResponsibilityRole.ENFORCEMENT, area_id=area.id, organisation_id=squad.id)
            )
            areas.append(area.id)
            squads.append(squad.id)
            cells.append(cell.id)
            holding = Holding(Role.PATROL_MEMBER, frozenset({area.id}))
            officers.append(Actor(officer.name, (holding,), person_id=officer.id))
        road = PriorityRoad(
            code="R", name="人民路", geometry="SRID=4326;MULTILINESTRING((121.4 31.205,121.42 31.205))"
        )
        session.add_all([road, Category(code="0401", name="占道经营")])
        session.flush()
        shops = []
        for i, lon in enumerate((121.405, 121.415)):
            record = ShopRecord(
                uid=uuid.uuid4(), name=f"店{i}", lon=lon, lat=31.2052, owner="王店主", phone="13812345678"
            )
            shop, fresh = save_shop(session, Actor.owner(), record, settings=settings, now=NOW)
            assert fresh
            shops.append(shop.uid)
        return Street(engine, settings, areas, squads, cells, road.id, shops, officers)
