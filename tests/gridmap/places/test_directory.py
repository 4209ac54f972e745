from __future__ import annotations

import pytest
from sqlalchemy import update

from gridmap.language import speak
from gridmap.people.models import Organisation, Person
from gridmap.places.directory import DirectoryKeeper, everything_below
from gridmap.places.models import Area, GridCell
from gridmap.places.queries import areas_below
from gridmap.problems.models import Category
from gridmap.store.clock import read_clocks
from gridmap.store.engine import reading, writing

SQUARE = "SRID=4326;MULTIPOLYGON(((0 0,1 0,1 1,0 0)))"


@pytest.fixture
def names(engine):
    with writing(engine) as session:
        top = Area(code="1", name="top", level="district", geometry=SQUARE)
        session.add(top)
        session.flush()
        low = Area(code="2", name="low", level="community", parent_id=top.id, geometry=SQUARE)
        session.add_all([low, Category(code="M", name="市容", name_en="Looks"), Organisation(name="squad")])
        session.flush()
        session.add_all([GridCell(code="3", area_id=low.id, geometry=SQUARE), Person(name="wang")])
    return DirectoryKeeper()


def directory_of(engine, names):
    with reading(engine) as session:
        return names.at(session, read_clocks(session).ground)


def test_names_are_read_once_per_change(engine, names):
    first = directory_of(engine, names)
    assert directory_of(engine, names) is first
    with writing(engine) as session:
        session.execute(update(Person).values(name="li"))
    second = directory_of(engine, names)
    assert ([p.name for p in first.persons], [p.name for p in second.persons]) == (["wang"], ["li"])


def test_things_are_found_by_id_uid_and_code(engine, names):
    directory = directory_of(engine, names)
    (cell,) = directory.cells
    assert directory.cells.get(cell.id) is cell
    assert directory.cells.find(cell.uid) is cell
    assert (directory.cells.get(None), directory.cells.get(99), directory.cells.find("x")) == (
        None,
        None,
        None,
    )
    category = directory.category("M")
    with speak("en"):
        assert category.label == "Looks"
    with speak("zh_CN"):
        assert category.label == "市容"
    assert directory.category("N") is None


def test_areas_above_and_below(engine, names):
    directory = directory_of(engine, names)
    top, low = directory.areas
    assert [area.name for area in directory.above(low.id)] == ["low", "top"]
    with reading(engine) as session:
        for area in (top, low):
            assert directory.below(area.id) == areas_below(session, area.id)


def test_a_circle_of_areas_ends():
    assert everything_below({1: 2, 2: 1, 3: None}) == {1: {1, 2}, 2: {1, 2}, 3: {3}}
