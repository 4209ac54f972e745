"""Taking an import of problems back: no later work is lost, and no history of what stays."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from gridmap.errors import ConflictError
from gridmap.imports.models import Import, ImportState
from gridmap.people.permissions import Actor
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Event, Problem, State
from gridmap.store.engine import reading, writing
from gridmap.trail.models import Deed, TrailEntry, TrailLine
from gridmap.trail.verify import verify
from gridmap.workflow.service import take
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import Action

HEAD = "案件编号,问题类别,发现时间,结案时间,状态,地址,经度,纬度\n"


@pytest.fixture
def ready(importer):
    with writing(importer.engine) as session:
        ensure_categories(session)
    return importer


def table(path, *rows):
    lines = (f"{number},占道经营,2026-04-01 08:30,,{rest},121.01,31.01\n" for number, rest in rows)
    path.write_text(HEAD + "".join(lines), encoding="utf-8")
    return path


def step(ready, action, *numbers):
    with writing(ready.engine) as session:
        outcome = take(
            session, Actor.owner(), numbers, Step(action=action), settings=ready.settings, now=ready.now
        )
        assert len(outcome.taken) == len(numbers)


def stand(ready):
    with reading(ready.engine) as session:
        return session.execute(select(Problem.id, Problem.state, Problem.address).order_by(Problem.id)).all()


def history(ready, number):
    with reading(ready.engine) as session:
        lines = session.execute(
            select(Event.kind, Event.state).where(Event.problem_id == number).order_by(Event.id)
        )
        return [(kind.value, state.value) for kind, state in lines]


@pytest.mark.parametrize("changed", ["已派遣,乙", "处置中,甲"], ids=["the state", "the address"])
def test_what_was_done_after_an_import_is_not_undone_with_it(ready, tmp_path, changed):
    ready.apply("problems", table(tmp_path / "p.csv", ("A1", "已派遣,甲"), ("A2", "已派遣,甲")))
    later = ready.apply("problems", table(tmp_path / "q.csv", ("A1", changed), ("A2", changed)))
    step(ready, Action.FIX, 2)
    before, told = stand(ready), history(ready, 2)
    with pytest.raises(ConflictError) as refusal:
        ready.undo(later)
    assert refusal.value.params == {"count": 1, "numbers": "2"}
    assert (stand(ready), history(ready, 2)) == (before, told)
    with reading(ready.engine) as session:
        assert session.scalar(select(Import.state).where(Import.uid == later)) is ImportState.APPLIED


def test_a_step_on_a_new_problem_keeps_its_import(ready, tmp_path):
    uid = ready.apply("problems", table(tmp_path / "p.csv", ("A1", "已派遣,甲"), ("A2", "已派遣,甲")))
    step(ready, Action.FIX, 1)
    with pytest.raises(ConflictError) as refusal:
        ready.undo(uid)
    assert refusal.value.params == {"count": 1, "numbers": "1"}
    assert [state for _, state, _ in stand(ready)] == [State.FIXED, State.DISPATCHED]


def test_history_grows_by_an_undone_import_and_the_trail_keeps_what_went(ready, tmp_path, keeper):
    first = ready.apply("problems", table(tmp_path / "p.csv", ("A1", "已派遣,甲")))
    later = ready.apply("problems", table(tmp_path / "q.csv", ("A1", "处置中,乙"), ("A2", "处置中,丙")))
    last = ready.apply("problems", table(tmp_path / "r.csv", ("A1", "处置中,丁")))
    with pytest.raises(ConflictError, match=r"r\.csv"):
        ready.undo(later)
    ready.undo(last)
    ready.undo(later)
    assert stand(ready) == [(1, State.DISPATCHED, "甲")]
    assert history(ready, 1) == [
        ("imported", "dispatched"),
        ("state", "accepted"),
        ("edited", "accepted"),
        ("undone", "accepted"),
        ("undone", "dispatched"),
    ]
    ready.undo(first)
    with reading(ready.engine) as session:
        assert session.scalar(select(func.count(Event.id))) == 0
        gone = session.execute(
            select(TrailLine.table_name, TrailLine.row_id, TrailEntry.actor)
            .join(TrailEntry, TrailEntry.seq == TrailLine.seq)
            .where(TrailLine.deed == Deed.DELETED, TrailLine.table_name == "problem")
            .order_by(TrailLine.row_id)
        ).all()
        assert [row[:2] for row in gone] == [("problem", 1), ("problem", 2)]
    with reading(ready.engine) as session:
        assert verify(session, [keeper.key], keeper.anchors).findings == []
