from __future__ import annotations

import uuid

import pytest
import shapely
from sqlalchemy import func, select

from gridmap.people.models import Organisation, Person
from gridmap.people.permissions import Role
from gridmap.places.models import Area, GridCell, Responsibility, ResponsibilityRole
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Event, Problem
from gridmap.store.engine import reading, writing


@pytest.fixture
def town(app):
    """Two communities side by side, each one cell; the western one has a grid worker."""
    engine = app.extensions["gridmap"].engine
    with writing(engine) as session:
        ensure_categories(session)
        ids = []
        for number, west in enumerate((121.0, 121.01)):
            shape = f"SRID=4326;{shapely.multipolygons([shapely.box(west, 31, west + 0.01, 31.01)]).wkt}"
            area = Area(code=f"A{number}", name=f"社区{number}", level="community", geometry=shape)
            session.add(area)
            session.flush()
            cell = GridCell(code=f"C{number}", name=f"网格{number}", area_id=area.id, geometry=shape)
            session.add(cell)
            session.flush()
            ids.append(area.id)
            if number == 0:
                person = Person(name="甲", organisation=Organisation(name="某社区"))
                session.add(person)
                session.flush()
                session.add(
                    Responsibility(role=ResponsibilityRole.GRID_WORKER, person_id=person.id, cell_id=cell.id)
                )
    return ids


def report(**more):
    return {"uid": str(uuid.uuid4()), "category": "0401", "lon": 121.005, "lat": 31.005, **more}


def test_a_report_says_at_once_whose_it_is_and_twice_is_once(app, town, sign_in):
    client, body = sign_in(), report(description="占道")
    first, second = client.post("/api/v1/problems", json=body), client.post("/api/v1/problems", json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json == second.json
    assert (first.json["cell"]["name"], first.json["person"]["name"]) == ("网格0", "甲")
    assert first.json["organisation"]["name"] == "某社区"
    assert first.json["due_at"] is not None
    with reading(app.extensions["gridmap"].engine) as session:
        assert session.scalar(select(func.count(Problem.id))) == 1
        assert session.scalar(select(func.count(Event.id))) == 2
    listed = client.get("/api/v1/problems").json
    assert [f["properties"]["number"] for f in listed["features"]] == [first.json["number"]]


def test_a_report_outside_every_cell_is_kept(town, sign_in):
    answer = sign_in().post("/api/v1/problems", json=report(lon=122.0))
    assert answer.status_code == 201
    assert answer.json["cell"] is None


def test_a_line_is_taken(town, sign_in):
    line = {"type": "LineString", "coordinates": [[121.001, 31.001], [121.002, 31.002]]}
    body = {k: v for k, v in report().items() if k not in {"lon", "lat"}} | {"geometry": line}
    assert sign_in().post("/api/v1/problems", json=body).json["cell"]["name"] == "网格0"


@pytest.mark.parametrize(
    ("more", "status", "named"),
    [
        ({"lon": 500}, 422, "lon"),
        ({"uid": "x"}, 422, "uid"),
        ({"category": "9999"}, 404, "9999"),
        ({"found_at": "2999-01-01T00:00:00Z"}, 422, "found_at"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, 422, "geometry"),
        ({"colour": "red"}, 422, "colour"),
        ({"lon": None}, 422, "geometry"),
    ],
)
def test_bad_reports_name_what_is_wrong(town, sign_in, more, status, named):
    answer = sign_in().post("/api/v1/problems", json=report(**more))
    assert answer.status_code == status
    assert named in answer.text


def test_nobody_reports_outside_their_area_or_without_the_permission(town, sign_in):
    client = sign_in(Role.GRID_WORKER, area_id=town[0])
    assert client.post("/api/v1/problems", json=report()).status_code == 201
    assert client.post("/api/v1/problems", json=report(lon=121.015)).status_code == 403
    assert sign_in(Role.READ_ONLY).post("/api/v1/problems", json=report()).status_code == 403


def test_another_problem_cannot_be_taken_over(town, sign_in):
    body = report()
    assert sign_in().post("/api/v1/problems", json=body).status_code == 201
    other = sign_in(Role.GRID_WORKER, area_id=town[1])
    assert other.post("/api/v1/problems", json=body | {"lon": 121.015}).status_code == 409


def test_an_assessor_may_report_but_learns_nobodys_name(town, sign_in):
    answer = sign_in(Role.ASSESSOR).post("/api/v1/problems", json=report())
    assert answer.status_code == 201
    assert answer.json["person"] is None


def test_a_report_for_another_organisation_is_answered_and_sent_twice_is_once(app, town, sign_in):
    """It is somebody else's now, but whoever reported it must learn that it arrived."""
    with writing(app.extensions["gridmap"].engine) as session:
        squad = Organisation(name="某中队")
        session.add(squad)
        session.flush()
        squad_id = squad.id
    client, body = sign_in(Role.PATROL_MEMBER, organisation_id=squad_id), report()
    first, second = client.post("/api/v1/problems", json=body), client.post("/api/v1/problems", json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json == second.json
    assert first.json["person"] is None
    assert client.get(f"/api/v1/problems/{body['uid']}").status_code == 404
    other = sign_in(Role.GRID_WORKER, organisation_id=squad_id)
    assert other.post("/api/v1/problems", json=body).status_code == 409
