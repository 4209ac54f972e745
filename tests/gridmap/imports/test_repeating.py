"""A table that comes again: what it may move, and what the workflow owns by now."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from gridmap.deadlines.calendar import load_calendar
from gridmap.deadlines.stages import stage_due
from gridmap.people.permissions import Actor
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Problem, State
from gridmap.store.engine import reading, writing
from gridmap.workflow.service import take
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import Action
from gridmap.workflow.undo import undo

HEAD = "案件编号,问题类别,发现时间,处置时限,结案时间,状态,地址,经度,纬度\n"


@pytest.fixture
def ready(importer):
    with writing(importer.engine) as session:
        ensure_categories(session)
    return importer


def table(path, *rows):
    lines = (f"{number},占道经营,2026-04-01 08:30,{rest},121.01,31.01\n" for number, rest in rows)
    path.write_text(HEAD + "".join(lines), encoding="utf-8")
    return path


def step(ready, action, *numbers):
    with writing(ready.engine) as session:
        taken = take(
            session, Actor.owner(), numbers, Step(action=action), settings=ready.settings, now=ready.now
        )
        return taken.batch.uid


def rows(ready, *columns):
    with reading(ready.engine) as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(Problem.id))]


def test_a_problem_somebody_works_on_here_is_not_moved_by_a_table(ready, tmp_path):
    first = table(tmp_path / "p.csv", *((f"A{n}", ",,已派遣,甲") for n in range(1, 5)))
    ready.apply("problems", first)
    step(ready, Action.FIX, 1, 2, 3)
    with writing(ready.engine) as session:
        mistake = take(
            session,
            Actor.owner(),
            [4],
            Step(action=Action.ACCEPT),
            settings=ready.settings,
            now=ready.now,
        ).batch.uid
    with writing(ready.engine) as session:
        undo(session, Actor.owner(), mistake, now=ready.now)
    step(ready, Action.VERIFY, 2)
    life = [getattr(Problem, name) for name in ("state", "due_at", "closed_at", "fixed_at", "fix_due_at")]
    before = rows(ready, *life)
    later = table(
        tmp_path / "q.csv",
        ("A1", ",,处置中,乙"),
        ("A2", ",2026-04-09 10:00,已结案,甲"),
        ("A3", "2026-04-20 12:00,,待核查,甲"),
        ("A4", ",2026-04-09 10:00,已结案,甲"),
    )
    plan = ready.plan("problems", later)
    assert (plan.counts.changed, plan.counts.unchanged) == (2, 2)
    told = list(plan.kept.explained(plan.reading.table.row_numbers, ready.settings.zone))
    assert [number for number, _ in told] == [2, 3, 4]
    assert all("2026-05-09" in text for _, text in told)
    assert "处置" in told[0][1]
    ready.apply("problems", later)
    assert rows(ready, *life)[:3] == before[:3]
    # A step that was taken back counts for nothing: what the table alone moved, it goes on moving.
    assert rows(ready, Problem.state)[3] == (State.CLOSED,)
    # What is no part of the workflow is still taken over.
    assert rows(ready, Problem.address)[0] == ("乙",)
    assert ready.plan("problems", later).counts.unchanged == 4


def test_what_waits_to_be_checked_or_verified_has_the_time_of_that_stage(ready, tmp_path):
    states = {
        "已上报": State.RECORDED,
        "已立案": State.CHECKED,
        "退回": State.RETURNED,
        "待核查": State.FIXED,
        "已核查": State.VERIFIED,
    }
    limit = datetime(2026, 4, 20, 4, 0, tzinfo=UTC)
    told = [(f"A{n}", f"2026-04-20 12:00,,{word},甲") for n, word in enumerate((*states, "处置中"))]
    file = table(tmp_path / "p.csv", *told)
    ready.apply("problems", file)
    calendar, now = load_calendar(ready.settings), ready.now.replace(tzinfo=None)
    dues = [
        stage_due(state, now, calendar, ready.settings).item().replace(tzinfo=UTC)
        for state in states.values()
    ]
    assert rows(ready, Problem.due_at, Problem.fix_due_at) == [
        (dues[0], None),
        (dues[1], None),
        (dues[2], limit),
        (dues[3], limit),
        (dues[4], limit),
        (limit, limit),
    ]
    assert ready.plan("problems", file).counts.unchanged == 6
    # Given to somebody by a table that tells no limit, it has its category's; handed back, it waits anew.
    moved = [("A0", ",,已派遣,甲"), ("A1", ",,待核查,甲"), ("A5", ",,待核查,甲")]
    uid = ready.apply("problems", table(tmp_path / "q.csv", *moved))
    usual = rows(ready, Problem.due_at, Problem.fix_due_at)
    assert usual[0][0] == usual[0][1] == usual[1][1]
    assert usual[0][0].date().isoformat() == "2026-04-01"
    assert (usual[1][0], usual[5]) == (dues[3], (dues[3], limit))
    ready.undo(uid)
    assert rows(ready, Problem.due_at)[5] == (limit,)
