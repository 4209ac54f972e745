"""Lines and polygons in the store: their cell is the one that leads, and every cell has its share."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

import numpy as np
import pytest
import shapely
from alembic import command
from alembic.config import Config
from sqlalchemy import delete, select, text

from gridmap.jobs import silent
from gridmap.people.permissions import Actor
from gridmap.places.models import GridCell
from gridmap.problems.bulk import insert_problems
from gridmap.problems.models import Problem, ProblemCell
from gridmap.problems.shares import shares_of
from gridmap.store.engine import reading, writing
from gridmap.trail.genesis import begin_trail
from gridmap.trail.verify import verify

WEST, SOUTH, SIDE = 121.0, 31.0, 0.01
NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)


def ribbon(*along):
    return shapely.LineString([(WEST + x * SIDE, SOUTH + 0.5 * SIDE) for x in along])


def shares(engine, problem_id):
    with reading(engine) as session:
        cell = session.get(Problem, problem_id).cell_id
        codes = dict(session.execute(select(GridCell.id, GridCell.code)).all())
        found = shares_of(session, problem_id, cell)
    return [(codes[cell_id], pytest.approx(share, abs=1e-6), leads) for cell_id, share, leads in found]


def test_a_ribbon_of_parked_cars(engine, city, record):
    problem = record(0, geometry=shapely.geometry.mapping(ribbon(0.8, 2.1)))
    assert problem.cell_id == city.cells["A2"].id
    assert shares(engine, problem.id) == [
        ("A2", 1 / 1.3, True),
        ("A1", 0.2 / 1.3, False),
        ("B1", 0.1 / 1.3, False),
    ]
    assert problem.person_id == city.workers["A2"].id


def test_a_point_has_its_cell_and_no_rows(engine, city, record):
    problem = record(0.5)
    assert shares(engine, problem.id) == [("A1", 1.0, True)]
    with reading(engine) as session:
        assert session.scalars(select(ProblemCell)).all() == []


def test_outside_every_cell(engine, city, record):
    problem = record(0, geometry=shapely.geometry.mapping(ribbon(8, 9)))
    assert problem.cell_id is None
    assert shares(engine, problem.id) == []


def test_many_at_once_as_one_by_one(engine, settings, city, record):
    geometry = np.array(
        [
            shapely.Point(WEST + SIDE / 2, SOUTH + SIDE / 2),
            ribbon(0.8, 2.1),
            shapely.box(WEST + 2.9 * SIDE, SOUTH + 0.1 * SIDE, WEST + 3.3 * SIDE, SOUTH + 0.2 * SIDE),
        ],
        dtype=object,
    )
    with writing(engine) as session:
        ids = insert_problems(
            session,
            Actor.owner(),
            {
                "geometry": geometry,
                "category_id": np.full(3, city.categories["0101"].id),
                "found_at": np.full(3, np.datetime64("2026-05-08T00:00:00", "us")),
            },
            settings=settings,
            now=NOW,
            progress=silent,
        )
    single = [record(0, geometry=shapely.geometry.mapping(one)) for one in geometry]
    for many, one in zip(ids.tolist(), single, strict=True):
        assert [tuple(row) for row in raw(engine, many)] == [tuple(row) for row in raw(engine, one.id)]
        with reading(engine) as session:
            kept = session.get(Problem, many)
            assert (kept.cell_id, kept.person_id, kept.lon, kept.lat) == (
                one.cell_id,
                one.person_id,
                one.lon,
                one.lat,
            )
    assert shares(engine, int(ids[2])) == [("B2", 0.75, True), ("B1", 0.25, False)]


def raw(engine, problem_id):
    with reading(engine) as session:
        query = select(ProblemCell.cell_id, ProblemCell.share, ProblemCell.leads)
        return session.execute(
            query.where(ProblemCell.problem_id == problem_id).order_by(ProblemCell.cell_id)
        ).all()


def test_shares_go_with_the_cell(engine, city, record):
    """An import of cells can be taken back although lines lie in them."""
    problem = record(0, geometry=shapely.geometry.mapping(ribbon(1.2, 3.1)))
    with writing(engine) as session:
        session.execute(delete(GridCell).where(GridCell.id == city.cells["B2"].id))
    assert len(raw(engine, problem.id)) == 2


def test_a_share_that_is_changed_past_the_service_is_named(engine, keeper, city, record):
    def findings():
        with reading(engine) as session:
            found = verify(session, [keeper.key], keeper.anchors).findings
        return [(one.kind.value, one.where) for one in found]

    def tamper(statement):
        with engine.execution_options(gridmap_write=True).begin() as connection:
            assert connection.execute(text(statement)).rowcount == 1

    record(0, geometry=shapely.geometry.mapping(ribbon(0.8, 1.5)))
    assert findings() == []
    tamper("UPDATE problem_cell SET share = 0.5 WHERE leads")
    tamper("DELETE FROM problem_cell WHERE NOT leads")
    assert sorted(findings()) == [("row_changed", "problem_cell 2"), ("row_missing", "problem_cell 1")]


def test_shares_from_before_they_were_in_the_trail_are_taken_into_it_once(engine, keeper, city, record):
    def add(cell):
        statement = text(
            "INSERT INTO problem_cell (problem_id, cell_id, share, leads) VALUES (:p, :c, 1, :l)"
        )
        with engine.execution_options(gridmap_write=True).begin() as connection:
            connection.execute(statement, {"p": problem.id, "c": city.cells[cell].id, "l": True})

    problem = record(0.5)
    add("A1")
    assert begin_trail(engine) == 1
    with reading(engine) as session:
        assert verify(session, [keeper.key], keeper.anchors).findings == []
    add("A2")
    assert begin_trail(engine) == 0, "what comes in past the service afterwards is not excused"


def test_bringing_a_store_up_keeps_its_shares(engine, city, record):
    problem = record(0, geometry=shapely.geometry.mapping(ribbon(0.8, 2.1)))
    before = shares(engine, problem.id)
    with engine.execution_options(gridmap_write=True).begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(files("gridmap") / "store" / "migrations"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "0027")
        command.upgrade(config, "0028")
    assert shares(engine, problem.id) == before
