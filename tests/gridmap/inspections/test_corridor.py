from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString

from geodata.projection import LocalProjection
from gridmap.inspections.corridor import exposure, look, worst_window

PROJECTION = LocalProjection(121.4, 31.2)
NOTHING = np.zeros(0, dtype=object)


def degrees(*points):
    x, y = np.array(points, dtype=float).T
    return np.column_stack(PROJECTION.inverse_xy(x, y))


def seen(points, buildings=NOTHING, reach_m=60.0):
    route = LineString(degrees((0, 0), (500, 0), (500, 300)))
    lon, lat = degrees(*points).T
    return look(route, lon, lat, buildings, reach_m=reach_m)


def test_places_come_in_the_order_in_which_they_are_passed():
    found = seen([(520, 200), (100, 20), (250, -50), (250, 100)])
    assert found.near.tolist() == [1, 2, 0]
    assert found.along_m == pytest.approx([100, 250, 700], abs=0.5)
    assert found.aside_m == pytest.approx([20, 50, 20], abs=0.5)
    assert found.side.tolist() == [-1, 1, 1]
    assert found.length_m == pytest.approx(800, abs=0.5)


def test_a_building_hides_what_stands_behind_it_and_not_what_leans_on_it():
    house = shapely.box(90, 10, 110, 25)
    row = PROJECTION.inverse([house])
    found = seen([(100, 40), (100, 9), (100, 12), (200, 40)], row)
    hidden = dict(zip(found.near.tolist(), found.hidden.tolist(), strict=True))
    assert hidden == {0: True, 1: False, 2: False, 3: False}


def test_nothing_near_is_nothing_seen():
    found = seen([(100, 200)])
    assert len(found.near) == 0
    assert exposure(found.along_m, np.zeros(0), found.length_m).tolist() == [0] * 9
    assert worst_window(found.along_m, np.zeros(0), 200) is None
    assert len(look(LineString(degrees((0, 0), (9, 0))), np.zeros(0), np.zeros(0), NOTHING).near) == 0


def test_exposure_counts_each_hundred_metres():
    along = np.array([0.0, 99.0, 100.0, 349.0, 350.0])
    assert exposure(along, np.ones(5), 350.0).tolist() == [2, 1, 0, 2]


@given(
    st.lists(st.tuples(st.floats(0, 2000), st.integers(0, 9)), max_size=30),
    st.sampled_from([200.0, 500.0]),
)
def test_no_stretch_is_worse_than_the_worst(things, span):
    things.sort()
    along = np.array([one[0] for one in things], dtype=float)
    weight = np.array([one[1] for one in things], dtype=float)
    found = worst_window(along, weight, span)
    slow = max(
        (weight[(along >= begin) & (along <= begin + span)].sum() for begin in along.tolist()), default=0.0
    )
    assert (0.0 if found is None else found.weight) == slow
    if found is not None:
        inside = (along >= found.begin_m) & (along <= found.end_m)
        assert weight[inside].sum() == found.weight
