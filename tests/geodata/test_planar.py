from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, box

from geodata.planar import contact_components, dissolve, faces_of, shared_segments


def test_faces_have_no_dead_ends() -> None:
    lines = [box(0, 0, 30, 20).boundary, LineString([(10, -5), (10, 25)]), LineString([(20, 10), (20, 15)])]
    faces = faces_of(np.array(lines, dtype=object))
    assert sorted(shapely.area(faces)) == pytest.approx([200, 400])


def test_borders_are_counted_once_and_points_of_contact_are_none() -> None:
    cells = np.array([box(0, 0, 10, 10), box(10, 0, 20, 10), box(10, 10, 20, 20), box(0, 10, 10, 20)])
    segments = shared_segments(cells)
    assert sorted(zip(segments.first.tolist(), segments.second.tolist(), strict=True)) == [
        (0, 1),
        (0, 3),
        (1, 2),
        (2, 3),
    ]
    assert segments.length_m.tolist() == [10, 10, 10, 10]
    assert (contact_components(segments.first, segments.second, 5) == [0, 0, 0, 0, 1]).all()


def test_a_hole_borders_on_what_fills_it() -> None:
    inner = box(4, 4, 6, 6)
    segments = shared_segments(np.array([box(0, 0, 10, 10).difference(inner), inner]))
    assert segments.length_m.sum() == pytest.approx(8)


def test_dissolving_by_owner() -> None:
    faces = np.array([box(0, 0, 1, 1), box(1, 0, 2, 1), box(2, 0, 3, 1)])
    merged = dissolve(faces, np.array([2, 0, 2]), 4)
    assert shapely.area(merged).tolist() == [1, 0, 2, 0]
    assert merged[2].geom_type == "MultiPolygon"
