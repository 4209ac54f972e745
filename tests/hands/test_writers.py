"""Twenty people at one list of problems at the same moment, each a process of its own, over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path

import pytest
import requests
from sqlalchemy import func, select

from gridmap.people.models import Organisation
from gridmap.problems.models import Event, EventKind, Problem, State
from gridmap.store.engine import reading

PROBLEMS = 8
PLACE = (121.005, 31.005)
WRITER = Path(__file__).with_name("writer.py")


@pytest.fixture
def crowd(server, town):
    """Let everybody work at once and return their answers, one list each."""
    who = [server.sign_in(name) for name in town.names]

    def _work(work, **told):
        everybody = []
        for number, (one, name) in enumerate(zip(who, town.names, strict=True)):
            process = subprocess.Popen(
                [sys.executable, WRITER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            order = {"who": one, "name": name, "work": work, "seed": number, **told}
            everybody.append((process, json.dumps(order).encode()))
        # All of them are there before the first one begins.
        for process, order in everybody:
            process.stdin.write(order)
            process.stdin.close()
            process.stdin = None
        answers = []
        for process, _ in everybody:
            out, fault = process.communicate(timeout=240)
            assert process.returncode == 0, fault.decode()
            answers.append(json.loads(out))
        return answers

    _work.who = who
    return _work


@pytest.fixture
def problems(server, crowd):
    """Uids of problems just recorded."""
    who, uids = crowd.who[0], [str(uuid.uuid4()) for _ in range(PROBLEMS)]
    for uid in uids:
        answer = requests.post(
            f"{server.address}/api/v1/problems",
            json={"uid": uid, "category": "0401", "lon": PLACE[0], "lat": PLACE[1], "description": "占道"},
            cookies=who["cookies"],
            headers={"X-CSRFToken": who["token"]},
            timeout=60,
        )
        assert answer.status_code == 201, answer.text
    return uids


def test_every_step_is_taken_once(store, findings, crowd, problems, town):
    """No problem is dispatched twice, nobody waits for ever, and no user learns that the store is busy."""
    answers = crowd("steps", problems=problems, actions=["check", "dispatch"], bodies=town.bodies)
    flat = [answer for one in answers for answer in one]
    assert {status for _, _, status, _, _ in flat} == {200, 409}, [a for a in flat if a[2] not in {200, 409}][
        :3
    ]
    taken = Counter((uid, action) for uid, action, status, _, _ in flat if status == 200)
    assert taken == {(uid, action): 1 for uid in problems for action in ("check", "dispatch")}
    given = {uid: body for uid, action, status, body, _ in flat if status == 200 and action == "dispatch"}
    with reading(store) as session:
        rows = session.execute(select(Problem.id, Problem.uid, Problem.state)).all()
        assert {row.state for row in rows} == {State.DISPATCHED}
        steps = Counter(
            tuple(row)
            for row in session.execute(
                select(Event.problem_id, Event.action).where(Event.action.is_not(None))
            )
        )
        assert steps == {(row.id, action): 1 for row in rows for action in ("check", "dispatch")}
        organisation = problem_organisations(session)
    assert organisation == given
    assert findings() == []


def problem_organisations(session):
    query = select(Problem.uid, Organisation.uid).join(
        Organisation, Problem.organisation_id == Organisation.id
    )
    return {str(problem): str(organisation) for problem, organisation in session.execute(query)}


def test_no_correction_is_lost(store, findings, crowd, problems, town):
    answers = crowd("corrections", problems=problems[:2])
    flat = [answer for one in answers for answer in one]
    assert {status for _, _, status, _, _ in flat} == {200}, [a for a in flat if a[2] != 200][:3]
    assert sum(attempt for _, attempt, *_ in flat) > 0, "nobody got in anybody's way"
    with reading(store) as session:
        for description in session.scalars(
            select(Problem.description).where(Problem.uid.in_([uuid.UUID(uid) for uid in problems[:2]]))
        ):
            assert sorted(description.split()) == sorted(["占道", *town.names])
    assert findings() == []


def test_a_report_that_everybody_sends_is_one_problem(store, findings, crowd):
    uids = [str(uuid.uuid4()) for _ in range(4)]
    answers = crowd("reports", uids=uids, own=3, lon=PLACE[0], lat=PLACE[1])
    flat = [answer for one in answers for answer in one]
    assert {status for _, _, status, _, _ in flat} <= {200, 201}, [a for a in flat if a[2] not in {200, 201}][
        :3
    ]
    made = Counter(uid for uid, _, status, _, _ in flat if status == 201)
    assert set(made.values()) == {1}
    assert len(made) == len(uids) + 3 * len(answers)
    with reading(store) as session:
        assert session.scalar(select(func.count(Problem.id))) == len(made)
        assert session.scalar(select(func.count(Event.id)).where(Event.kind == EventKind.RECORDED)) == len(
            made
        )
        changes = session.scalars(select(Problem.change)).all()
    assert len(set(changes)) == len(changes)
    assert findings() == []
