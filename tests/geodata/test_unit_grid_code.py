from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from geodata.errors import FormatError, GeometryError
from geodata.unit_grid_code import UnitGridCode, number_cells, reading_order

PREFIX = "310101002003"


def grid(columns: int, rows: int) -> list[Polygon]:
    """Row by row from the south-west."""
    row, column = (index.ravel() for index in np.mgrid[:rows, :columns])
    x, y = 121.47 + 0.0012 * column, 31.22 + 0.001 * row
    return list(shapely.box(x, y, x + 0.0012, y + 0.001))


def test_the_parts_of_a_national_code() -> None:
    code = UnitGridCode.parse(" 310101002003017 ")
    assert (code.county, code.subdistrict, code.community) == ("310101", "310101002", PREFIX)
    assert (code.sequence, code.format(), str(code)) == (17, "310101002003017", "310101002003017")


def test_the_older_standard_has_two_digits() -> None:
    assert UnitGridCode.parse("31010100200317", digits=2) == UnitGridCode(PREFIX, 17, 2)
    with pytest.raises(FormatError, match="14 digits"):
        UnitGridCode.parse("310101002003017", digits=2)


@given(st.integers(11, 82), st.integers(0, 10**10 - 1), st.integers(1, 6), st.data())
def test_format_and_parse_are_inverse(province: int, rest: int, digits: int, data: st.DataObject) -> None:
    code = UnitGridCode(f"{province}{rest:010d}", data.draw(st.integers(1, 10**digits - 1)), digits)
    assert UnitGridCode.parse(code.format(), digits=digits) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "31010100200301",
        "3101010020030170",
        "31010100200301x",
        "３１０１０１００２００３０１７",
        PREFIX + "000",
        "01" + "0" * 12 + "1",
    ],
)
def test_no_codes(text: str) -> None:
    with pytest.raises(FormatError, match="Expected"):
        UnitGridCode.parse(text)


@pytest.mark.parametrize(
    ("prefix", "sequence", "digits"), [("31", 1, 3), (PREFIX, 0, 3), (PREFIX, 1000, 3), (PREFIX, 1, 0)]
)
def test_no_parts(prefix: str, sequence: int, digits: int) -> None:
    with pytest.raises(FormatError, match="Expected"):
        UnitGridCode(prefix, sequence, digits)


def test_numbers_run_as_a_person_reads_the_map() -> None:
    codes = number_cells(grid(4, 3), PREFIX)
    assert [int(code[-3:]) for code in codes] == [9, 10, 11, 12, 8, 7, 6, 5, 1, 2, 3, 4]


def test_consecutive_numbers_are_neighbours_on_a_regular_map() -> None:
    cells = np.array(grid(7, 6))[np.random.default_rng(3).permutation(42)]
    ordered = cells[reading_order(cells)]
    assert shapely.dwithin(ordered[1:], ordered[:-1], 1e-9).all()


def test_taken_numbers_are_left_out_and_foreign_ones_are_not() -> None:
    taken = [PREFIX + "001", PREFIX + "003", "310101002004002"]
    assert [code[-3:] for code in number_cells(grid(3, 1), PREFIX, taken=taken)] == ["002", "004", "005"]


def test_when_the_numbers_do_not_suffice() -> None:
    assert number_cells(grid(3, 3), PREFIX, digits=1)[-1] == PREFIX + "3"
    with pytest.raises(FormatError, match="at most 8 new cells"):
        number_cells(grid(3, 3), PREFIX, digits=1, taken=[PREFIX + "9"])
    with pytest.raises(FormatError, match="15 digits"):
        number_cells(grid(1, 1), PREFIX, taken=["7"])


def test_no_cells_and_cells_without_ground() -> None:
    assert number_cells([], PREFIX) == []
    with pytest.raises(GeometryError, match="cell 1"):
        number_cells([*grid(1, 1), Polygon()], PREFIX)
