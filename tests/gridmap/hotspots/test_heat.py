from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyproj
import pytest
import shapely
from sqlalchemy import update

from gridmap.hotspots.heat import Denominators, Per, Weight, _lengths, _weights
from gridmap.places.models import PriorityRoad, Street
from gridmap.store.clock import read_clocks
from gridmap.store.engine import reading, writing

DAY = date(2026, 5, 1)
LINES = [
    shapely.LineString([(121.40, 31.20), (121.43, 31.22), (121.43, 31.25)]),
    shapely.MultiLineString([[(121.5, 31.2), (121.5, 31.21)], [(121.5, 31.3), (121.51, 31.3)]]),
]
GEODESIC = pyproj.Geod(ellps="WGS84")


def total(heat):
    return float(heat.bins(10, 857, 418, side=256).sum())


def test_lengths_are_those_on_the_ellipsoid():
    """Kilometres of street in a tile against geodesics; parts of a line are not joined."""
    km = [GEODESIC.geometry_length(line) / 1000 for line in LINES]
    assert total(_lengths(np.array(LINES), np.ones(2))) == pytest.approx(sum(km), rel=1e-3)
    assert total(_lengths(np.array(LINES), [0, 3])) == pytest.approx(3 * km[1], rel=1e-3)
    assert total(_lengths(np.array([], dtype=object), [])) == 0


def test_what_heat_is_divided_by_follows_the_ground(engine):
    denominators = Denominators()

    def km(per):
        with reading(engine) as session:
            heat = denominators.get(session, read_clocks(session), per, DAY)
            return None if heat is None else total(heat)

    assert (km(Per.GROUND), km(Per.STREET_KM), km(Per.PATROL)) == (None, 0, 0)
    length = GEODESIC.geometry_length(LINES[0]) / 1000
    with writing(engine) as session:
        session.add(Street(source_ref="1", road_class="service", geometry=f"SRID=4326;{LINES[0].wkt}"))
        road = PriorityRoad(code="R", name="R", patrols_per_day=4)
        road.geometry = f"SRID=4326;{shapely.MultiLineString([LINES[0]]).wkt}"
        session.add(road)
    assert km(Per.STREET_KM) == pytest.approx(length, rel=1e-3)
    assert km(Per.PATROL) == pytest.approx(4 * length, rel=1e-3)
    with writing(engine) as session:
        session.execute(update(PriorityRoad).values(valid_to=date(2026, 1, 1)))
    assert km(Per.PATROL) == 0
    with reading(engine) as session:
        kept = denominators.get(session, read_clocks(session), Per.STREET_KM, DAY)
        assert denominators.get(session, read_clocks(session), Per.STREET_KM, DAY) is kept


def test_weights_of_age_are_steady_within_an_hour():
    noon = int(datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp())
    assert _weights(Weight.AGE, noon) == _weights(Weight.AGE, noon + 3599)
    assert _weights(Weight.AGE, noon) != _weights(Weight.AGE, noon + 3600)
    assert _weights(Weight.COUNT, noon) == _weights(Weight.COUNT, noon + 10**6)
    assert _weights(Weight.SEVERITY, noon).by_severity[5] == 5
