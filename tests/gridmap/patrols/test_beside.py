"""The street beside each hot corner, found by one query for all of them."""

from __future__ import annotations

import numpy as np
import pytest

from gridmap.patrols.models import PatrolVisit, VisitKind
from gridmap.patrols.queries import _streets_beside
from gridmap.places.models import Street
from gridmap.store.engine import reading, writing
from gridmap.store.extract import read_columns


def corner(number, lon, lat):
    return PatrolVisit(id=number, kind=VisitKind.CORNER, lon=lon, lat=lat)


@pytest.fixture
def streets(engine):
    """Streets from west to east, one each 0.001 degrees of latitude; every fifth has no name."""
    with writing(engine) as session:
        session.add_all(
            Street(
                source_ref=f"w{n}",
                name="" if n % 5 == 0 else f"{n}号街",
                road_class="residential",
                geometry=f"SRID=4326;LINESTRING(121 {31 + n / 1000:.3f}, 121.05 {31 + n / 1000:.3f})",
            )
            for n in range(40)
        )
    return engine


def test_each_corner_is_named_by_its_nearest_street_in_one_query(streets, monkeypatch):
    places = np.random.default_rng(3).uniform((120.99, 30.99), (121.06, 31.06), (120, 2))
    corners = [corner(n, *place) for n, place in enumerate(places.tolist(), 1)]
    asked = []

    def counted(session, query):
        asked.append(query)
        return read_columns(session, query)

    monkeypatch.setattr("gridmap.patrols.queries.read_columns", counted)
    with reading(streets) as session:
        together = _streets_beside(session, corners)
        assert len(asked) == 1
        alone = {}
        for one in corners:
            alone |= _streets_beside(session, [one])
        assert _streets_beside(session, []) == {}
    assert together == alone
    named = [n for n in range(40) if n % 5]
    for one in corners:
        away = {abs(one.lat - 31 - n / 1000): f"{n}号街" for n in named}
        if 121 <= one.lon <= 121.05 and min(away) < 0.0015:
            assert together[one.id] == away[min(away)]
    assert 20 < len(together) < len(corners), "some lie beside no street"
