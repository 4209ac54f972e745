from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from gridmap.people.permissions import Role
from gridmap.places.models import ResponsibilityRole

if TYPE_CHECKING:
    from datetime import date


def in_force(table: pd.DataFrame, today: date) -> pd.Series:
    return (table["valid_from"] <= today) & table["valid_to"].map(lambda day: pd.isna(day) or day > today)


def test_exactly_the_planted_gaps_are_there(district, today) -> None:
    people, plan, sites = district.people, district.plan, district.sites
    held = people.responsibilities[in_force(people.responsibilities, today)]
    for place, count, gaps in (
        ("cell", len(plan.cells), people.gaps.cells),
        ("point", len(sites.points), people.gaps.points),
        ("road", len(sites.roads), people.gaps.roads),
    ):
        assert set(range(count)) - set(held[place]) == set(gaps)
    staff = people.persons[in_force(people.persons, today)]
    without_login = set(staff.index) - set(held["person"]) - {login.person for login in people.logins}
    assert without_login == set(people.gaps.persons)
    assert (len(people.gaps.cells), len(people.gaps.points), len(people.gaps.roads)) == (3, 1, 1)


def test_every_row_holds_one_place_and_has_a_holder(district, today) -> None:
    held = district.people.responsibilities
    assert ((held[["area", "cell", "point", "road"]] >= 0).sum(axis=1) == 1).all()
    assert ((held["person"] >= 0) | (held["organisation"] >= 0)).all()
    assert set(held["role"]) == {role.value for role in ResponsibilityRole}
    ended = held["valid_to"].notna()
    assert (held["valid_to"][ended] > held["valid_from"][ended]).all()
    assert ended.sum() >= len(district.plan.cells) // 10
    owners = held[(held["role"] == ResponsibilityRole.POINT_OWNER.value) & (held["person"] >= 0)]
    assert owners["pledge"].notna().all()
    assert all(day < today for day in owners["pledge"])


def test_every_area_has_its_office_and_leaders(district) -> None:
    people, areas = district.people, district.plan.areas
    held = people.responsibilities
    leaders = set(held.loc[held["role"] == ResponsibilityRole.LEADER_IN_CHARGE.value, "area"])
    assert set(range(len(areas))) <= leaders
    assert set(np.flatnonzero(areas["level"] == "community")) <= set(people.organisations["area"])


def test_there_is_a_login_for_every_role(district) -> None:
    assert {login.role for login in district.people.logins} == set(Role) - {Role.PUBLIC}
    assert len({login.username for login in district.people.logins}) == len(Role) - 1


@pytest.mark.parametrize("cells", [1, 2, 7, 400])
def test_any_size_can_be_staffed(cells: int, build_district) -> None:
    people = build_district(cells, 5).people
    assert {login.role for login in people.logins} == set(Role) - {Role.PUBLIC}
    assert people.persons["phone"].is_unique
    assert people.organisations["name"].is_unique
