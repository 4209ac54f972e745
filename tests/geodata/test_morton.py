from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata import morton
from geodata.errors import GeometryError

lon = st.floats(-180, 180, allow_nan=False)
lat = st.floats(-90, 90, allow_nan=False)


def slow_code(x: int, y: int) -> int:
    return sum(((x >> b & 1) << 2 * b) | ((y >> b & 1) << 2 * b + 1) for b in range(24))


@given(st.integers(0, 2**24 - 1), st.integers(0, 2**24 - 1))
def test_bits_alternate_column_first(x: int, y: int) -> None:
    code = int(morton.interleave(x, y))
    assert code == slow_code(x, y)
    assert (int(morton.deinterleave(code)), int(morton.deinterleave(code >> 1))) == (x, y)


@given(st.lists(st.tuples(lon, lat), min_size=1, max_size=20))
def test_the_inverse_lies_in_the_same_pixel(places: list[tuple[float, float]]) -> None:
    codes = morton.encode(*zip(*places, strict=True))
    assert (morton.encode(*morton.decode(codes)) == codes).all()


@given(lon, lat, st.integers(0, 24))
def test_a_tile_holds_the_codes_of_its_places(x: float, y: float, z: int) -> None:
    # Web-mercator by its textbook formula, not by the one under test.
    phi = np.radians(np.clip(y, -morton.MAX_LATITUDE, morton.MAX_LATITUDE))
    column = (x + 180) / 360 * 2**z
    row = (1 - np.log(np.tan(phi) + 1 / np.cos(phi)) / np.pi) / 2 * 2**z
    if min(abs(column - round(column)), abs(row - round(row))) < 1e-6:
        return  # on a tile border either neighbour is right
    lo, hi = morton.tile_range(z, int(column), int(row))
    code = int(morton.encode([x], [y])[0])
    assert lo <= code < hi
    assert morton.tile_of(code, z) == (int(column), int(row))


def test_children_share_out_the_range_of_their_parent() -> None:
    lo, hi = morton.tile_range(11, 1713, 837)
    children = sorted(morton.tile_range(12, 3426 + i, 1674 + j) for i in (0, 1) for j in (0, 1))
    assert children[0][0] == lo
    assert children[-1][1] == hi
    assert all(a[1] == b[0] for a, b in pairwise(children))


def test_poles_and_date_line_are_clamped() -> None:
    codes = morton.encode([-180, 180, 180], [90, -90, 85.06])
    assert codes.tolist() == [0, 2**48 - 1, int(morton.interleave(2**24 - 1, 0))]


@pytest.mark.parametrize("place", [(np.nan, 0), (0, np.nan), (np.inf, 0), (180.1, 0), (0, -91)])
def test_no_place_is_refused_with_its_position(place: tuple[float, float]) -> None:
    with pytest.raises(GeometryError, match="position 1"):
        morton.encode([0, place[0]], [0, place[1]])


def test_shapes_must_agree() -> None:
    with pytest.raises(GeometryError, match="one shape"):
        morton.encode([0, 1], [0])


@pytest.mark.parametrize("tile", [(25, 0, 0), (-1, 0, 0), (3, 8, 0), (3, 0, -1)])
def test_no_such_tile(tile: tuple[int, int, int]) -> None:
    with pytest.raises(GeometryError, match="Expected"):
        morton.tile_range(*tile)
