from __future__ import annotations

import re

import numpy as np
import shapely

from gridmap.demo.ground import CENTRE
from gridmap.places.sites import SiteType


def test_points_lie_in_their_cells(district) -> None:
    points, cells = district.sites.points, district.plan.cells
    own = cells["geometry"].to_numpy()[points["cell"]]
    assert shapely.covers(own, points["geometry"].to_numpy()).all()
    assert (points["area"].to_numpy() == cells["area"].to_numpy()[points["cell"]]).all()


def test_points_have_codes_priorities_and_addresses(district) -> None:
    points = district.sites.points
    assert points["code"].is_unique
    assert points["priority"].between(1, 3).all()
    assert points["address"].str.fullmatch(r".+\D\d+号").all()
    assert set(points["site_type"]) >= {
        "school",
        "market",
        "hospital",
        "park",
        "estate",
        "station",
        "back_street",
    }


def test_site_types_are_known_to_the_map(district) -> None:
    assert set(district.sites.points["site_type"]) <= set(SiteType)


def test_roads_have_hours_that_can_be_read_and_lie_on_streets(district) -> None:
    roads = district.sites.roads
    hour = r"([01]\d|2[0-3]):[0-5]\d"
    assert all(re.fullmatch(rf"{hour}-{hour}(,{hour}-{hour})*", text) for text in roads["hours"])
    assert (roads["hours"] == "07:20-08:10,16:30-17:30").any()
    assert (roads["hours"] == "19:00-23:00").any()
    assert roads["level"].isin([1, 2]).all()
    streets = shapely.union_all(district.plan.streets["geometry"].to_numpy())
    assert shapely.covers(streets, roads["geometry"].to_numpy()).all()


def test_numbers_rise_along_a_street_with_odd_ones_on_its_left(district) -> None:
    streets = district.plan.streets
    row = int(streets[streets["name"] == "临江北路"]["start"].idxmin())
    line = CENTRE.forward(streets["geometry"].to_numpy()[[row]])[0]
    for right in (False, True):
        side = line.offset_curve(-8.0 if right else 8.0)
        at = shapely.line_interpolate_point(side, np.linspace(20, side.length - 20, 12))
        found = district.book.addresses(shapely.get_x(at), shapely.get_y(at))
        # Beside a crossing the other street may be nearer.
        numbers = [int(match[1]) for text in found if (match := re.fullmatch(r"临江北路(\d+)号", text))]
        assert len(numbers) >= 8
        assert numbers == sorted(numbers)
        assert {number % 2 for number in numbers} == {0 if right else 1}
