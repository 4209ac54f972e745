"""The page of limits on a store that has no category yet."""

from __future__ import annotations

from sqlalchemy import func, select

from gridmap.people.permissions import Role
from gridmap.problems.models import Category
from gridmap.store.engine import reading


def test_the_usual_categories_are_taken_over_once(app, sign_in):
    client, engine = sign_in(Role.HEADQUARTERS), app.extensions["gridmap"].engine

    def count():
        with reading(engine) as session:
            return session.scalar(select(func.count()).select_from(Category))

    assert count() == 0
    assert "尚无问题类别" in client.get("/deadlines").text
    assert client.post("/deadlines/categories").status_code == 302
    taken = count()
    assert taken > 20
    assert "尚缺的" not in client.get("/deadlines").text
    client.post("/deadlines/categories")
    assert count() == taken
    assert sign_in(Role.SUPERVISION).post("/deadlines/categories").status_code == 403
