"""Steps change many rows past the mapper; the trail has each of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import select

from gridmap.config import Settings
from gridmap.people.permissions import Actor
from gridmap.problems.models import Problem, State
from gridmap.store.bulk_update import update_rows
from gridmap.store.engine import reading, writing
from gridmap.trail import recorder as recording
from gridmap.trail.models import TrailLine
from gridmap.workflow.service import take
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import Action
from gridmap.workflow.undo import undo

NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize("with_values", [5, 5000])
def test_every_step_on_every_problem_is_in_the_trail(history, tampering, monkeypatch, tmp_path, with_values):
    monkeypatch.setattr(recording, "WITH_VALUES", with_values)
    settings, actor = Settings(data_dir=tmp_path), Actor.owner()
    for action, note in ((Action.CHECK, ""), (Action.REJECT, "无效"), (Action.RESTORE, "误判")):
        step = Step(action=action, note=note)
        with writing(tampering.engine) as session:
            outcome = take(session, actor, history.ids, step, settings=settings, now=NOW)
            assert len(outcome.taken) >= len(history.ids) - 1
            batch = outcome.batch.uid
        assert tampering.findings() == []
    with writing(tampering.engine) as session:
        undo(session, actor, batch, now=NOW)
    assert tampering.findings() == []


def test_a_change_past_the_mapper_is_told_with_before_and_after(history, tampering):
    with writing(tampering.engine) as session:
        update_rows(session, Problem, np.array(history.ids[:2]), {"state": State.CLOSED})
    with reading(tampering.engine) as session:
        last = session.scalars(select(TrailLine).order_by(TrailLine.seq.desc()).limit(2)).all()
    assert {json.loads(line.after)["state"] for line in last} == {"closed"}
    assert {json.loads(line.before)["state"] for line in last} == {"recorded"}
    assert tampering.findings() == []
