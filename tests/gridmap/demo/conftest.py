"""One small district for every test that only looks at it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from gridmap.demo.addresses import AddressBook
from gridmap.demo.people import People, staff
from gridmap.demo.plan import Plan, draw_plan
from gridmap.demo.sites import Sites, choose_sites
from gridmap.demo.spots import Spots, find_spots

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 6, 4, 2, 0, tzinfo=UTC)


class District(NamedTuple):
    plan: Plan
    book: AddressBook
    sites: Sites
    people: People
    spots: Spots


def build(cells: int, seed: int) -> District:
    plan = draw_plan(cells, seed)
    book = AddressBook(plan.streets)
    sites = choose_sites(plan, book, np.random.default_rng(seed))
    people = staff(plan, sites, today=NOW.date(), seed=seed)
    return District(plan, book, sites, people, find_spots(plan, sites, np.random.default_rng(seed)))


@pytest.fixture(scope="session")
def district() -> District:
    return build(60, 7)


@pytest.fixture(scope="session")
def build_district() -> Callable[[int, int], District]:
    return build


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def today() -> date:
    return NOW.date()
