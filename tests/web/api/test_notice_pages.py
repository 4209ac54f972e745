"""Pages about limits and notices, as a browser uses them, on the town."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from gridmap.deadlines.escalation import escalate
from gridmap.deadlines.models import Accountability, Escalation, EscalationStep, Notice, TimeLimit
from gridmap.deadlines.step_table import lock_steps, read_steps
from gridmap.people.models import Login
from gridmap.people.permissions import Role
from gridmap.problems.models import Category, Problem, State, TimeUnit
from gridmap.store.engine import reading, writing


@pytest.fixture
def engine_of(app):
    return app.extensions["gridmap"].engine


@pytest.fixture
def urged(app, town, engine_of):
    """The town after its first escalation."""
    with writing(engine_of) as session:
        return escalate(session, settings=app.extensions["gridmap"].settings, now=datetime.now(UTC))


def one(engine, query):
    with reading(engine) as session:
        return session.scalars(query).first()


def test_notices_are_listed_and_read_as_papers(engine_of, urged, sign_in):
    assert urged.notices == 3
    client = sign_in()
    page = client.get("/notices").text
    numbers = re.findall(r"督查〔\d{4}〕(\d+)号", page)
    assert sorted(map(int, numbers)) == [1, 2, 3]
    notice = one(engine_of, select(Notice))
    paper = client.get(f"/notices/{notice.uid}").text
    assert "督查通知书" in paper
    assert "已超过处置时限" in paper
    assert client.get("/notices?kind=rectification").text.count("〔") == 0
    assert client.get("/notices?kind=nonsense").status_code == 422
    assert client.get("/notices?page=99999999999").status_code == 200


def test_an_area_manager_sees_no_problem_of_another_area(engine_of, town, urged, sign_in):
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    with reading(engine_of) as session:
        rows = session.execute(
            select(Notice.uid, Problem.id, Problem.area_id)
            .select_from(Escalation)
            .join(Notice, Notice.id == Escalation.notice_id)
            .join(Problem, Problem.id == Escalation.problem_id)
        ).all()
    assert {area for _, _, area in rows} > {town.communities[0].id}
    for uid in {uid for uid, _, _ in rows}:
        answer = client.get(f"/notices/{uid}")
        mine = {number for notice, number, area in rows if notice == uid and area == town.communities[0].id}
        assert answer.status_code == (200 if mine else 404)
        if mine:
            number = r"<td>(?:<a [^>]+>)?(\d+)(?:</a>)?</td><td class=\"kind\">"
            shown = {int(found) for found in re.findall(number, answer.text)}
            assert shown == mine


def test_a_rectification_notice_is_previewed_issued_and_answered(engine_of, town, sign_in):
    with reading(engine_of) as session:
        numbers = session.scalars(
            select(Problem.id).where(
                Problem.state == State.ACCEPTED, Problem.organisation_id == town.squads[0].id
            )
        ).all()
    client = sign_in(Role.SUPERVISION)
    text = "，".join(map(str, numbers))
    preview = client.get("/notices/new", query_string={"problems": text}).text
    assert town.squads[0].name in preview
    assert one(engine_of, select(Notice)) is None, "a preview sends nothing"
    late = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    answer = client.post("/notices", data={"problems": text, "text": "限期整改", "answer_by": late})
    assert answer.status_code == 302
    uid = one(engine_of, select(Notice.uid))
    assert answer.location == f"/notices/{uid}"
    assert "限期整改" in client.get(answer.location).text
    assert client.post(f"/notices/{uid}/answer", data={"answer": "x"}).status_code == 403

    lead = sign_in(Role.ORGANISATION_LEAD, organisation_id=town.squads[0].id)
    assert "1 条未读" in lead.get("/notices").text
    assert str(uid) in lead.get("/inbox").text
    assert lead.post(f"/notices/{uid}/answer", data={"answer": "已全部整改"}).status_code == 302
    assert "已全部整改" in client.get(f"/notices/{uid}").text
    assert lead.post(f"/notices/{uid}/answer", data={"answer": "再次"}).status_code == 409
    assert "条未读" not in lead.get("/inbox").text

    stranger = sign_in(Role.ORGANISATION_LEAD, organisation_id=town.other.id)
    assert stranger.get(f"/notices/{uid}").status_code == 404
    assert stranger.post(f"/notices/{uid}/answer", data={"answer": "x"}).status_code == 404


def test_supervision_from_the_list_names_what_can_be_and_is_the_step_for_its_limit(
    app, engine_of, town, sign_in
):
    now = datetime.now(UTC)
    settings = app.extensions["gridmap"].settings
    with writing(engine_of) as session:
        first, second, closed = session.scalars(
            select(Problem).where(Problem.organisation_id == town.squads[0].id).order_by(Problem.id).limit(3)
        ).all()
        for problem, state, due in (
            (first, State.ACCEPTED, now - timedelta(minutes=1)),
            (second, State.ACCEPTED, now + timedelta(days=9)),
            (closed, State.CLOSED, now - timedelta(days=1)),
        ):
            problem.state, problem.due_at = state, due
        numbers, rest = [first.id, second.id, closed.id], Problem.id.not_in([first.id, second.id])
        session.execute(update(Problem).where(rest).values(due_at=None))
    client = sign_in(Role.SUPERVISION)
    numbered = ",".join(map(str, numbers))
    page = client.get(f"/notices/new?kind=supervision&of=numbers&numbers={numbered}").text
    assert "清单中有 1 件未列入" in page
    assert f'name="problems" value="{numbers[0]} {numbers[1]}"' in page
    assert f'href="/problems/{first.uid}"' in page
    by_filter = client.get("/notices/new?kind=supervision&of=filter&state=accepted&overdue=1").text
    assert f'name="problems" value="{numbers[0]}"' in by_filter
    assert client.get("/notices/new?of=filter&state=nonsense").status_code == 422

    refused = client.post("/notices", data={"kind": "supervision", "problems": numbered})
    assert refused.status_code == 409
    answer = client.post("/notices", data={"kind": "supervision", "problems": f"{numbers[0]} {numbers[1]}"})
    paper = client.get(answer.location).text
    assert "予以督办" in paper
    assert f'<a href="/problems/{first.uid}">{first.id}</a>' in paper
    taken = one(engine_of, select(Escalation))
    assert (taken.problem_id, taken.due_at) == (first.id, first.due_at)
    with writing(engine_of) as session:
        assert escalate(session, settings=settings, now=now).notices == 0, "the limit has had its notice"

    lead = sign_in(Role.ORGANISATION_LEAD, organisation_id=town.squads[0].id)
    assert lead.get("/notices/new").status_code == 403
    assert 'supervise": false' in lead.get("/problems").text
    with writing(engine_of) as session:
        session.get_one(Problem, first.id).organisation_id = town.squads[1].id
    paper = lead.get(answer.location).text
    assert f"<td>{first.id}</td>" in paper, "the number stays on the paper, but it is not theirs to open"
    assert f"/problems/{first.uid}" not in paper
    assert f"/problems/{second.uid}" in paper


@pytest.mark.parametrize("text", ["", "abc", "99999999", "1 2 x"])
def test_numbers_that_are_none_are_refused(town, engine_of, sign_in, text):
    client = sign_in()
    assert client.post("/notices", data={"problems": text}).status_code in {404, 422}
    assert one(engine_of, select(Notice)) is None


def test_the_inbox_of_a_person_and_its_badge(app, engine_of, town, sign_in):
    client = sign_in(Role.GRID_WORKER)
    assert "没有待办事项" in client.get("/inbox").text
    with writing(engine_of) as session:
        problem = session.scalar(select(Problem).where(Problem.state == State.DISPATCHED).limit(1))
        name = f"{Role.GRID_WORKER.value}-None-None"
        problem.person_id = session.scalars(select(Login.person_id).where(Login.username == name)).one()
        problem.due_at = datetime.now(UTC) + timedelta(minutes=1)
        session.flush()
        escalate(session, settings=app.extensions["gridmap"].settings, now=datetime.now(UTC))
    page = client.get("/inbox").text
    assert "1 条未读" in page
    assert "1 个问题即将到期" in page
    assert client.post("/inbox/read").status_code == 302
    assert "条未读" not in client.get("/inbox").text


def test_the_accountability_list_is_decided_on(engine_of, town, app, sign_in):
    with writing(engine_of) as session:
        lock_steps(session)
        session.execute(update(EscalationStep).where(EscalationStep.position < 4).values(enabled=False))
        session.execute(update(EscalationStep).values(wait=0))
    with writing(engine_of) as session:
        escalate(session, settings=app.extensions["gridmap"].settings, now=datetime.now(UTC))
    entry = one(engine_of, select(Accountability).order_by(Accountability.id.desc()))
    client = sign_in(Role.SUPERVISION)
    assert str(entry.uid) in client.get("/accountability").text
    answer = client.post(f"/accountability/{entry.uid}", data={"state": "talked", "note": "约谈"})
    assert answer.status_code == 302
    assert str(entry.uid) not in client.get("/accountability?state=open").text
    assert "约谈" in client.get("/accountability?state=talked").text
    manager = sign_in(Role.AREA_MANAGER)
    assert (
        manager.post(f"/accountability/{entry.uid}", data={"state": "talked", "note": "x"}).status_code == 403
    )


def test_headquarters_changes_limits_and_steps(engine_of, town, sign_in):
    client = sign_in()
    assert (
        client.post("/deadlines/categories/A1", data={"allowed": "2", "unit": "urgent_day"}).status_code
        == 302
    )
    category = one(engine_of, select(Category).where(Category.code == "A1"))
    assert (category.time_allowed, category.time_unit) == (2, TimeUnit.URGENT_DAY)
    wish = {"category": "A", "hours": "22:00-06:00", "allowed": "2", "unit": "urgent_hour"}
    assert client.post("/deadlines/limits", data=wish).status_code == 302
    assert "22:00-06:00" in client.get("/deadlines").text
    for wrong in ({"allowed": "x"}, {"allowed": ""}, {"unit": "weeks"}, {"hours": "?"}, {"category": "?"}):
        assert client.post("/deadlines/limits", data=wish | wrong).status_code in {404, 422}
    uid = one(engine_of, select(TimeLimit.uid))
    assert client.post(f"/deadlines/limits/{uid}/move", data={"to": "up"}).status_code == 302
    assert client.post(f"/deadlines/limits/{uid}/remove").status_code == 302
    assert one(engine_of, select(TimeLimit)) is None
    with reading(engine_of) as session:
        step = read_steps(session)[0].uid
    data = {"wait": "6", "unit": "working_hour"}
    assert client.post(f"/deadlines/steps/{step}", data=data).status_code == 302
    changed = one(engine_of, select(EscalationStep).where(EscalationStep.uid == step))
    assert (changed.wait, changed.enabled) == (6, False)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.HEADQUARTERS])
def test_others_do_not_reach_the_rules(town, sign_in, role):
    client = sign_in(role)
    assert client.get("/deadlines").status_code == 403
    assert (
        client.post("/deadlines/categories/A1", data={"allowed": "1", "unit": "urgent_hour"}).status_code
        == 403
    )


def test_headquarters_of_one_area_does_not_change_the_rules(town, sign_in):
    client = sign_in(Role.HEADQUARTERS, area_id=town.communities[0].id)
    assert client.get("/deadlines").status_code == 403
