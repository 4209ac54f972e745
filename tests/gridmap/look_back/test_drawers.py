"""A sample is known by the account of whoever drew it, not by a name that two people can have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from gridmap.cli import program
from gridmap.config import Settings
from gridmap.installation import open_store
from gridmap.look_back.models import CheckTask, LookBackSample
from gridmap.look_back.queries import read_samples
from gridmap.people.models import Login, Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import Area
from gridmap.problems.models import Category, Problem, State
from gridmap.store.engine import open_engine, reading, writing
from gridmap.store.schema import migrate

NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
DRAWN = {
    "seed": 1,
    "size": 1,
    "closed_from": NOW,
    "closed_until": NOW,
    "candidates": 40,
    "due_at": NOW,
    "at": NOW,
}


@pytest.fixture
def area(engine):
    """One area, where a problem was drawn by the account 71 of 李芳."""
    with writing(engine) as session:
        area = Area(
            code="A",
            name="A",
            level="community",
            geometry="SRID=4326;MULTIPOLYGON(((121 31,121.1 31,121.1 31.1,121 31.1,121 31)))",
        )
        category = Category(code="01", name="01")
        sample = LookBackSample(actor="李芳", login_id=71, **DRAWN)
        session.add_all([area, category, sample])
        session.flush()
        problem = Problem(
            category_id=category.id,
            state=State.CLOSED,
            found_at=NOW,
            geometry="SRID=4326;POINT(121.05 31.05)",
            lon=121.05,
            lat=31.05,
            area_id=area.id,
            change=1,
        )
        session.add(problem)
        session.flush()
        session.add(CheckTask(sample_id=sample.id, problem_id=problem.id, due_at=NOW))
        return area.id


@pytest.mark.parametrize(("account", "told"), [(71, 40), (72, None), (None, None)])
def test_how_many_it_was_drawn_from_is_for_the_account_that_drew_it(engine, area, account, told):
    limited = (Holding(Role.AREA_MANAGER, areas=frozenset({area})),)
    with reading(engine) as session:
        (progress,) = read_samples(session, Actor("李芳", limited, login_id=account), now=NOW)
    assert progress.candidates == told


def test_older_samples_go_to_the_only_one_of_the_name(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'gridmap.sqlite'}")
    migrate(engine, "0031")
    with engine.execution_options(gridmap_write=True).begin() as connection:
        for number, name in enumerate(("王强", "李芳", "李芳", "赵敏"), 1):
            connection.execute(
                text(
                    "INSERT INTO person (uid, name, duty, valid_from) VALUES (:uid, :name, '', '2026-01-01')"
                ),
                {"uid": f"{number:032x}", "name": name},
            )
        for number, person in enumerate((1, 2, 3), 1):
            connection.execute(
                text(
                    "INSERT INTO login (uid, person_id, username, password_hash, disabled, session_epoch, "
                    "rights_epoch, must_change) VALUES (:uid, :person, :uid, 'x', 0, 0, 0, 0)"
                ),
                {"uid": f"{number:032x}", "person": person},
            )
        for number, name in enumerate(("王强", "李芳", "赵敏", "无名"), 1):
            connection.execute(
                text(
                    "INSERT INTO look_back_sample "
                    "(uid, actor, seed, size, closed_from, closed_until, candidates, due_at, at) "
                    "VALUES (:uid, :name, 1, 1, '2026-05-01', '2026-05-08', 40, '2026-05-12', '2026-05-09')"
                ),
                {"uid": f"{number:032x}", "name": name},
            )
    folder = {"GRIDMAP_DATA_DIR": str(tmp_path)}
    assert CliRunner().invoke(program, ["store", "prepare"], env=folder).exit_code == 0
    assert CliRunner().invoke(program, ["verify-trail"], env=folder).exit_code == 0
    engine.dispose()
    engine = open_store(Settings(data_dir=tmp_path))
    with writing(engine) as session:
        query = select(LookBackSample.actor, LookBackSample.login_id).order_by(LookBackSample.id)
        assert session.execute(query).all() == [("王强", 1), ("李芳", None), ("赵敏", None), ("无名", None)]
        session.add(LookBackSample(actor="李芳", **DRAWN))
        session.get_one(Person, 3).name = "李芳芳"
    assert CliRunner().invoke(program, ["store", "prepare"], env=folder).exit_code == 0
    with reading(engine) as session:
        owners = session.scalars(select(LookBackSample.login_id).order_by(LookBackSample.id)).all()
        assert owners == [1, None, None, None, None], "asked once: names change"
        assert len(session.scalars(select(Login)).all()) == 3
    engine.dispose()
