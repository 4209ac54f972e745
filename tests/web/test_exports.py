"""What an exported view says of itself."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from gridmap.problems.models import Category, Problem
from gridmap.store.bulk import insert_rows
from gridmap.store.engine import writing


def test_problems_outside_every_cell_are_counted_too(app, sign_in):
    with writing(app.extensions["gridmap"].engine) as session:
        category = Category(code="1", name="占道经营")
        session.add(category)
        session.flush()
        columns = {
            "category_id": category.id,
            "found_at": datetime(2026, 5, 1, tzinfo=UTC),
            "geometry": np.array([[121.5, 31.2]] * 3),
            "lon": 121.5,
            "lat": 31.2,
            "change": 1,
        }
        insert_rows(session, Problem, columns)
    answer = sign_in().get("/export.html?view=15/31.2/121.5&size=400x300")
    assert answer.status_code == 200
    assert "3 个问题" in answer.text
