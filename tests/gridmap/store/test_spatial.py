from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import insert, select, text

from gridmap.places.models import Street
from gridmap.store.engine import reading, writing
from gridmap.store.spatial import in_box


@pytest.fixture
def streets(engine):
    """10,000 short streets in a square degree; returns their bounds."""
    rng = np.random.default_rng(3)
    start = 121 + rng.random((10_000, 2)) * [1, 1] - [0, 90]
    end = start + rng.random((10_000, 2)) / 100
    with writing(engine) as session:
        session.execute(
            insert(Street),
            [
                {
                    "source_ref": str(i),
                    "name": "",
                    "road_class": "residential",
                    "oneway": 0,
                    "geometry": f"SRID=4326;LINESTRING({a} {b},{c} {d})",
                }
                for i, (a, b, c, d) in enumerate(np.hstack([start, end]).tolist())
            ],
        )
    return np.hstack([start, end])


def test_a_box_finds_what_meets_it(engine, streets):
    box = (121.2, 31.2, 121.25, 31.27)
    with reading(engine) as session:
        found = session.scalars(select(Street.source_ref).where(in_box(session, Street, box))).all()
    west, south, east, north = box
    meets = (
        (streets[:, 2] >= west)
        & (streets[:, 0] <= east)
        & (streets[:, 3] >= south)
        & (streets[:, 1] <= north)
    )
    assert 20 < len(found) < 500
    # SpatiaLite's index keeps single precision, a little larger than the truth.
    assert set(map(str, np.flatnonzero(meets))) <= set(found)
    assert len(found) <= meets.sum() + 2


def test_a_box_uses_the_spatial_index(engine, streets):
    with reading(engine) as session:
        query = select(Street.id).where(in_box(session, Street, (121.2, 31.2, 121.21, 31.21)))
        sql = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
        if engine.dialect.name == "sqlite":
            plan = " ".join(str(row) for row in session.execute(text(f"EXPLAIN QUERY PLAN {sql}")))
            assert "SpatialIndex VIRTUAL TABLE" in plan
            assert "SEARCH street USING INTEGER PRIMARY KEY" in plan
        else:
            session.execute(text("ANALYZE street"))
            plan = " ".join(row[0] for row in session.execute(text(f"EXPLAIN {sql}")))
            assert "idx_street_geometry" in plan
