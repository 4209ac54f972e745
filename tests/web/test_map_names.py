"""Signs and names on drawn maps: nothing is written over something else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely

from web.export_picture import Sheet
from web.export_scene import Frame
from web.map_names import apart, name_streets

FRAME = Frame(121.47, 31.23, 18, 600, 500)


def test_signs_do_not_cover_each_other_and_stay_near_their_places():
    rng = np.random.default_rng(1)
    places = [(300.0, 300.0)] * 4 + [tuple(xy) for xy in rng.uniform(250, 350, (12, 2)).tolist()]
    moved = apart(places, 10.0)
    assert moved[0] == places[0]
    assert min(np.hypot(a[0] - b[0], a[1] - b[1]) for a, b in itertools.combinations(moved, 2)) >= 20
    assert max(np.hypot(a[0] - b[0], a[1] - b[1]) for a, b in zip(places, moved, strict=True)) < 150
    assert apart([(5.0, 5.0), (90.0, 5.0)], 10.0) == [(5.0, 5.0), (90.0, 5.0)]


@pytest.mark.parametrize("turned", [False, True])
def test_a_street_is_named_once_along_it_and_beside_what_is_there(turned):
    west, south, east, north = FRAME.box
    middle = shapely.LineString([(west, FRAME.lat), (east, FRAME.lat)])
    across = shapely.LineString([(FRAME.lon, south), (FRAME.lon, north)])
    streets = {
        "name": ["人民路", "人民路", "解放街", "", "短巷"],
        "road_class": ["primary", "primary", "residential", "residential", "residential"],
        "geometry": [
            middle,
            across if turned else middle,
            across,
            across,
            shapely.LineString([(west, south), (west + 1e-5, south)]),
        ],
    }
    sign = shapely.Point(300, 250).buffer(40)
    taken = [sign]
    sheet = Sheet(FRAME, None)
    name_streets(sheet, streets, taken, size=18)
    assert len(taken) == 3
    for one, other in itertools.combinations(taken, 2):
        assert not one.intersects(other)
    drawn = np.asarray(sheet.image)[..., 3] > 0
    assert drawn.any()
    assert not drawn[480:520, 580:620].any()
