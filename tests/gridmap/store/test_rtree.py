from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.store.engine import open_engine
from gridmap.store.rtree import pack


@pytest.fixture(scope="module")
def driver():
    engine = open_engine("sqlite://")
    with engine.connect() as connection:
        yield connection.connection.driver_connection


def new_tree(driver):
    driver.execute("DROP TABLE IF EXISTS tree")
    driver.execute("CREATE VIRTUAL TABLE tree USING rtree(pkid, xmin, xmax, ymin, ymax)")


def boxes(count, seed=0):
    rng = np.random.default_rng(seed)
    corner = rng.uniform((121, 31), (122, 32), (count, 2))
    return np.column_stack([corner, corner + rng.choice([0, 0.001], (count, 2))])


def found(driver, west, south, east, north):
    return {
        number
        for (number,) in driver.execute(
            "SELECT pkid FROM tree WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?",
            (west, east, south, north),
        )
    }


def sound(driver):
    return driver.execute("SELECT rtreecheck('tree')").fetchone()[0] == "ok"


@pytest.mark.parametrize("count", [0, 1, 51, 52, 60, 2_400, 60_000])
def test_every_box_is_found_and_the_tree_is_sound(driver, count):
    new_tree(driver)
    bounds = boxes(count)
    pack(driver, "tree", np.arange(10, 10 + count), bounds)
    assert sound(driver)
    assert driver.execute("SELECT count(*) FROM tree").fetchone()[0] == count
    west, south, east, north = window = (121.3, 31.2, 121.35, 31.9)
    meets = (
        (bounds[:, 2] >= west) & (bounds[:, 0] <= east) & (bounds[:, 3] >= south) & (bounds[:, 1] <= north)
    )
    wanted = set((np.flatnonzero(meets) + 10).tolist())
    assert wanted <= found(driver, *window)
    assert len(found(driver, *window)) <= len(wanted) * 1.01 + 1


def test_rows_that_were_there_stay_and_later_ones_fit_in(driver):
    new_tree(driver)
    driver.executemany("INSERT INTO tree VALUES (?, ?, ?, ?, ?)", [(n, n, n, 0, 0) for n in range(1, 200)])
    pack(driver, "tree", np.arange(1_000, 6_000), boxes(5_000))
    assert found(driver, 50, -1, 59.5, 1) == set(range(50, 60))
    driver.executemany(
        "INSERT INTO tree VALUES (?, ?, ?, ?, ?)", [(n, 300, 300, n, n) for n in range(10_000, 11_000)]
    )
    driver.execute("DELETE FROM tree WHERE pkid BETWEEN 1000 AND 4000")
    assert sound(driver)
    assert driver.execute("SELECT count(*) FROM tree").fetchone()[0] == 199 + 1_999 + 1_000
    assert len(found(driver, 299, 10_000, 301, 10_099)) == 100


def test_shapes_without_bounds_are_left_out(driver):
    new_tree(driver)
    bounds = boxes(300)
    bounds[7] = np.nan
    pack(driver, "tree", np.arange(300), bounds)
    assert sound(driver)
    assert found(driver, -180, -90, 180, 90) == set(range(300)) - {7}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-180, 180), st.floats(-90, 90), st.floats(0, 3), st.floats(0, 3)), max_size=300
    )
)
def test_a_box_holds_what_it_stands_for(driver, drawn):
    new_tree(driver)
    bounds = np.array([(x, y, x + w, y + h) for x, y, w, h in drawn]).reshape(-1, 4)
    pack(driver, "tree", np.arange(len(bounds)), bounds)
    assert sound(driver)
    for number, west, east, south, north in driver.execute("SELECT * FROM tree").fetchall():
        exact = bounds[number]
        assert west <= exact[0]
        assert south <= exact[1]
        assert east >= exact[2]
        assert north >= exact[3]
