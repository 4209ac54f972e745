"""What a problem costs: the package's numbers, and those of an installation, one by one."""

from __future__ import annotations

import pytest

from geodata.travel import Profile
from gridmap.errors import InvalidValueError
from gridmap.inspections.deduction_table import FILE, Stated, read_stated, read_table, usual_table


def test_an_installation_replaces_what_it_names_and_nothing_else(tmp_path):
    assert read_table(tmp_path) is usual_table()
    (tmp_path / FILE).write_text("[points]\n3 = 4\n[chance]\ncar = 0.25\n[place]\nmost_points = 8\n")
    table = read_table(tmp_path)
    assert table.points.tolist() == [0.0, 0.2, 0.5, 4.0, 1.5, 2.0]
    assert (table.passing[Profile.CAR], table.passing[Profile.FOOT]) == (0.25, 0.8)
    assert (table.most_points, table.place_m) == (8.0, 500.0)
    assert table.hours.tolist() == usual_table().hours.tolist()


def test_each_number_tells_where_it_is_from_and_what_its_line_says(tmp_path):
    assert {one.own for one in read_stated(tmp_path).values()} == {False}
    (tmp_path / FILE).write_text("[points]\n3 = 4 # 手册第12条\n4 = 1.5\n[ place ]\nmetres = 250  # 每段\n")
    stated = read_stated(tmp_path)
    assert stated["points.3"] == Stated(value=4.0, usual=1.0, own=True, remark="手册第12条")
    assert stated["points.4"] == Stated(value=1.5, usual=1.5, own=True, remark="")
    assert (stated["place.metres"].remark, stated["points.5"].own) == ("每段", False)
    assert read_stated(None)["points.3"].value == 1.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[points]\n6 = 1\n", "there is no number points.6"),
        ("[chance]\ncar = 1.5\n", "expected chance.car from 0.0 to 1.0; found 1.5"),
        ("[points]\n1 = 'much'\n", "expected points.1"),
        ("[place]\nmetres = true\n", "expected place.metres"),
        ("points = 3\n", "there is no number points"),
        ("[points\n", "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_said_with_the_file_and_the_number(tmp_path, text, says):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InvalidValueError) as refused:
        read_table(tmp_path)
    assert says in refused.value.message.format(**refused.value.params)
