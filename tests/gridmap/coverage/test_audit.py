from __future__ import annotations

from collections import Counter
from datetime import date

import geopandas
import pytest
import shapely
from sqlalchemy import select

from gridmap.coverage.audit import FindingKind, audit_coverage
from gridmap.coverage.repair import apply_repair, offer_repair
from gridmap.imports.plan import ImportOptions, Writer
from gridmap.jobs import silent
from gridmap.people.models import Organisation, OrganisationKind, Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import (
    Area,
    GridCell,
    InspectionPoint,
    PriorityRoad,
    Responsibility,
    ResponsibilityRole,
)
from gridmap.store.engine import reading, writing

ON = date(2026, 5, 9)
SIZE = 0.01


def square(column, row, west=121.0, south=31.0):
    return shapely.box(
        west + SIZE * column, south + SIZE * row, west + SIZE * (column + 1), south + SIZE * (row + 1)
    )


@pytest.fixture
def city(importer, tmp_path):
    """Nine cells that tile a community, each held; a point and a road, held; one busy person."""
    geopandas.GeoDataFrame(
        {"code": ["A1"], "name": ["试验社区"]}, geometry=[shapely.box(121, 31, 121.03, 31.03)], crs=4326
    ).to_file(tmp_path / "a.gpkg")
    importer.apply("areas", tmp_path / "a.gpkg")
    shapes = [square(c, r) for r in range(3) for c in range(3)]
    geopandas.GeoDataFrame({"code": [f"C{i}" for i in range(9)]}, geometry=shapes, crs=4326).to_file(
        tmp_path / "c.gpkg"
    )
    importer.apply("cells", tmp_path / "c.gpkg")
    geopandas.GeoDataFrame({"name": ["市场"]}, geometry=[shapely.Point(121.005, 31.005)], crs=4326).to_file(
        tmp_path / "p.gpkg"
    )
    importer.apply("points", tmp_path / "p.gpkg")
    line = shapely.LineString([(121.001, 31.001), (121.02, 31.001)])
    geopandas.GeoDataFrame({"name": ["大街"]}, geometry=[line], crs=4326).to_file(tmp_path / "r.gpkg")
    importer.apply("roads", tmp_path / "r.gpkg")
    with writing(importer.engine) as session:
        person = Person(name="甲", organisation=Organisation(name="某社区", kind=OrganisationKind.COMMUNITY))
        session.add(person)
        session.flush()
        places = [{"cell_id": i} for i in session.scalars(select(GridCell.id))]
        places += [{"point_id": i} for i in session.scalars(select(InspectionPoint.id))]
        places += [{"road_id": i} for i in session.scalars(select(PriorityRoad.id))]
        session.add_all(
            Responsibility(role=ResponsibilityRole.GRID_WORKER, person_id=person.id, **place)
            for place in places
        )
    return importer


def found(engine, actor=None):
    with reading(engine) as session:
        return audit_coverage(session, actor or Actor.owner(), on=ON, progress=silent)


def cell(code, *shapes):
    return GridCell(code=code, geometry=f"SRID=4326;{shapely.multipolygons(list(shapes)).wkt}")


def test_a_clean_city_has_no_findings(city):
    assert found(city.engine).findings == ()


def test_every_planted_defect_is_found_and_nothing_else(city):
    with writing(city.engine) as session:
        area = session.scalars(select(Area)).one()
        session.delete(
            session.scalars(select(Responsibility).where(Responsibility.cell_id.is_not(None))).first()
        )
        for place in (Responsibility.point_id, Responsibility.road_id):
            session.delete(session.scalars(select(Responsibility).where(place.is_not(None))).one())
        session.add(Person(name="闲人"))
        session.add(
            InspectionPoint(code="P9", name="郊外", site_type="park", geometry="SRID=4326;POINT(121.5 31.5)")
        )
        hole = session.scalars(select(GridCell).where(GridCell.code == "C4")).one()
        shrunk = shapely.multipolygons([shapely.box(121.01, 31.01, 121.02, 31.019)])
        hole.geometry = f"SRID=4326;{shrunk.wkt}"
        session.add(cell("C9", shapely.box(121.025, 31.025, 121.03, 31.03)))
        session.add(
            Area(
                code="A2",
                name="空社区",
                level="community",
                geometry="SRID=4326;MULTIPOLYGON(((122 31,122.1 31,122.1 31.1,122 31)))",
            )
        )
        assert area.code == "A1"
    counts = found(city.engine).counts
    assert counts == Counter(
        {
            FindingKind.GAP: 1,
            FindingKind.NESTED: 1,
            FindingKind.CELL_WITHOUT_HOLDER: 2,
            FindingKind.POINT_WITHOUT_HOLDER: 2,
            FindingKind.ROAD_WITHOUT_HOLDER: 1,
            FindingKind.PERSON_WITHOUT_DUTY: 1,
            FindingKind.POINT_OUTSIDE_CELLS: 1,
            FindingKind.AREA_WITHOUT_CELLS: 1,
        }
    )


def test_somebody_who_left_holds_nothing(city):
    with writing(city.engine) as session:
        session.scalars(select(Person)).one().valid_to = ON
    counts = found(city.engine).counts
    assert counts[FindingKind.CELL_WITHOUT_HOLDER] == 9
    assert counts[FindingKind.PERSON_WITHOUT_DUTY] == 0


def test_the_repair_offered_cleans_the_city_and_can_be_undone(city):
    with writing(city.engine) as session:
        hole = session.scalars(select(GridCell).where(GridCell.code == "C4")).one()
        hole.geometry = f"SRID=4326;{shapely.multipolygons([shapely.box(121.01, 31.01, 121.02, 31.019)]).wkt}"
    assert found(city.engine).counts == Counter({FindingKind.GAP: 1})
    with writing(city.engine) as session:
        assert len(offer_repair(session, Actor.owner(), on=ON).lines) == 1
        writer = Writer(
            session=session,
            actor=Actor.owner(),
            now=city.now,
            options=ImportOptions(zone=city.settings.zone),
            progress=silent,
            settings=city.settings,
        )
        uid = apply_repair(writer).uid
    assert found(city.engine).findings == ()
    city.undo(uid)
    assert found(city.engine).counts == Counter({FindingKind.GAP: 1})


def test_an_area_manager_sees_only_their_area(city):
    with writing(city.engine) as session:
        session.scalars(select(Responsibility).where(Responsibility.cell_id.is_not(None))).first()
        session.query(Responsibility).delete()
        other = Area(
            code="A2",
            name="别处",
            level="community",
            geometry="SRID=4326;MULTIPOLYGON(((122 31,122.1 31,122.1 31.1,122 31)))",
        )
        session.add(other)
        session.flush()
        other_id = other.id
    manager = Actor(name="m", holdings=(Holding(Role.AREA_MANAGER, frozenset({other_id})),))
    assert found(city.engine, manager).looked_at["cells"] == 0
    assert found(city.engine, manager).counts == Counter()
