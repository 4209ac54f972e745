from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from gridmap.config import Settings
from gridmap.deadlines.escalation import escalate, something_to_do
from gridmap.deadlines.models import (
    Accountability,
    Escalation,
    EscalationStep,
    Notice,
    NoticeItem,
    NoticeKind,
    Reminder,
    StepKind,
)
from gridmap.deadlines.stages import stage_limit
from gridmap.deadlines.step_table import lock_steps
from gridmap.people.logins import create_login
from gridmap.people.models import Login, Person
from gridmap.people.permissions import Role
from gridmap.problems.models import Event, EventKind, Problem, State
from gridmap.store.engine import reading, writing

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 5, 11, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture
def run(engine, settings):
    """Escalate at a moment, and again: the second time must find nothing."""

    def _run(now):
        with reading(engine) as session:
            expected = something_to_do(session, settings=settings, now=now)
        with writing(engine) as session:
            done = escalate(session, settings=settings, now=now)
        assert expected == bool(done.problems)
        with writing(engine) as session:
            assert escalate(session, settings=settings, now=now).problems == {}
        return done

    return _run


def rows(engine, *columns, order=None):
    with reading(engine) as session:
        return session.execute(select(*columns).order_by(order if order is not None else columns[0])).all()


def test_a_limit_is_followed_from_the_reminder_to_the_list(engine, city, add_problem, run):
    due = MONDAY + timedelta(hours=5)  # at 15:00, four working hours later less one
    number = add_problem(due)
    assert run(MONDAY - timedelta(days=3)).problems == {}
    assert run(MONDAY).problems == {StepKind.REMIND: 1}
    assert rows(engine, Reminder.person_id, Reminder.kind) == [(city.workers[0].id, StepKind.REMIND)]
    assert run(due).problems == {}, "a limit has passed after its last moment"

    late = due + timedelta(minutes=1)
    assert run(late).problems == {StepKind.NOTICE: 1}
    ((kind, year, count, organisation, answer_by),) = rows(
        engine, Notice.kind, Notice.year, Notice.number, Notice.organisation_id, Notice.answer_by
    )
    assert (kind, year, count, organisation) == (NoticeKind.SUPERVISION, 2026, 1, city.squads[0].id)
    assert answer_by == late + timedelta(days=3)
    assert rows(engine, NoticeItem.problem_id, NoticeItem.due_at) == [(number, due)]

    assert run(late + timedelta(hours=23)).problems == {}
    assert run(late + timedelta(hours=24, minutes=1)).problems == {StepKind.LEADER: 1}
    assert (city.leader.id, StepKind.LEADER) in rows(engine, Reminder.person_id, Reminder.kind)

    assert run(late + timedelta(days=4)).problems == {StepKind.ACCOUNTABILITY: 1}
    assert rows(
        engine, Accountability.problem_id, Accountability.organisation_id, Accountability.person_id
    ) == [(number, city.squads[0].id, city.workers[0].id)]
    assert run(late + timedelta(days=400)).problems == {}

    told = rows(engine, Event.kind, Event.details, Event.state, order=Event.id)
    assert {kind for kind, _, _ in told} == {EventKind.ESCALATED}
    assert [details["step"] for _, details, _ in told] == ["remind", "notice", "leader", "accountability"]
    assert {state for _, _, state in told} == {State.DISPATCHED}


def test_one_notice_lists_all_problems_of_one_organisation(engine, city, add_problem, run):
    late = [add_problem(MONDAY - timedelta(minutes=n + 1), at=n % 2) for n in range(177)]
    done = run(MONDAY)
    assert (done.problems, done.notices, done.reminders) == ({StepKind.NOTICE: 177}, 2, 0)
    assert sorted(number for (number,) in rows(engine, NoticeItem.problem_id)) == sorted(late)
    by_notice = Counter(notice for (notice,) in rows(engine, NoticeItem.notice_id))
    assert sorted(by_notice.values()) == [88, 89]
    assert [number for (number,) in rows(engine, Notice.number)] == [1, 2]
    done = run(MONDAY + timedelta(days=2))
    assert done.problems == {StepKind.LEADER: 177}
    assert done.reminders == 2, "the leader in charge, and the headquarters where there is none"
    assert set(rows(engine, Reminder.person_id, Reminder.organisation_id)) == {
        (city.leader.id, None),
        (None, city.head.id),
    }


@pytest.mark.parametrize("state", list(State))
def test_only_what_is_somebodys_turn_is_urged(engine, city, add_problem, run, state):
    add_problem(MONDAY - timedelta(days=5), state=state)
    nobodys = state.resolved or state is State.SUSPENDED
    assert run(MONDAY).problems == ({} if nobodys else {StepKind.NOTICE: 1})


def manager(session, area, organisation, role=Role.AREA_MANAGER):
    person = Person(name="管理员", organisation_id=organisation)
    create_login(
        session,
        person=person,
        username=f"m{area}",
        password="correct horse",  # noqa: S106 - of a throwaway login
        role=role,
        area_id=area,
    )
    return person.id


STAGES = {
    State.RECORDED: Role.AREA_MANAGER,
    State.CHECKED: Role.AREA_MANAGER,
    State.RETURNED: Role.AREA_MANAGER,
    State.FIXED: Role.SUPERVISION,
    State.VERIFIED: Role.SUPERVISION,
}


@pytest.mark.parametrize("state", STAGES)
def test_a_stage_is_followed_with_those_whose_step_is_next(engine, city, add_problem, run, state):
    """The limit ends at noon, and is reminded of one or two working hours before."""
    with writing(engine) as session:
        first = manager(session, city.areas[0].id, city.squads[1].id, STAGES[state])
        # Who fixes is not who is told to verify.
        manager(session, city.areas[1].id, city.squads[1].id, Role.GRID_WORKER)
    numbers = [add_problem(MONDAY + timedelta(hours=2), at=at, state=state) for at in (0, 1)]
    half = stage_limit(state, Settings())[0] // 2
    assert run(MONDAY + timedelta(hours=2 - half, minutes=-1)).problems == {}
    assert run(MONDAY + timedelta(hours=2 - half)).problems == {StepKind.REMIND: 2}
    assert set(rows(engine, Reminder.person_id, Reminder.organisation_id)) == {
        (first, None),
        (None, city.head.id),
    }
    assert run(MONDAY + timedelta(hours=2, minutes=1)).problems == {StepKind.NOTICE: 2}
    with reading(engine) as session:
        named = session.execute(
            select(Notice.organisation_id, NoticeItem.problem_id, NoticeItem.state).join(
                NoticeItem, NoticeItem.notice_id == Notice.id
            )
        ).all()
    assert set(named) == {(city.squads[1].id, numbers[0], state), (city.head.id, numbers[1], state)}
    assert run(MONDAY + timedelta(days=1, hours=3)).problems == {StepKind.LEADER: 2}
    assert run(MONDAY + timedelta(days=3, hours=4)).problems == {StepKind.ACCOUNTABILITY: 2}
    listed = rows(engine, Accountability.problem_id, Accountability.organisation_id, Accountability.person_id)
    assert set(listed) == {(numbers[0], city.squads[1].id, first), (numbers[1], city.head.id, None)}


def test_a_stage_without_a_limit_and_a_login_that_is_closed_are_left_alone(
    engine, settings, city, add_problem
):
    with writing(engine) as session:
        manager(session, city.areas[0].id, city.squads[1].id)
        session.execute(update(Login).values(disabled=True))
    add_problem(MONDAY - timedelta(hours=1), state=State.RECORDED)
    with writing(engine) as session:
        assert escalate(session, settings=replace(settings, check_hours=0), now=MONDAY).problems == {}
        assert escalate(session, settings=settings, now=MONDAY).problems == {StepKind.NOTICE: 1}
    assert rows(engine, Notice.organisation_id) == [(city.head.id,)]


def test_what_is_to_be_fixed_and_what_waits_are_two_papers(engine, city, add_problem, run):
    with writing(engine) as session:
        manager(session, city.areas[0].id, city.squads[0].id)
    add_problem(MONDAY - timedelta(hours=1))
    add_problem(MONDAY - timedelta(hours=1), state=State.RECORDED)
    assert run(MONDAY).notices == 2
    assert {body for (body,) in rows(engine, Notice.organisation_id)} == {city.squads[0].id}


def test_no_limit_and_a_far_limit_do_nothing(engine, city, add_problem, run):
    add_problem(None)
    add_problem(MONDAY + timedelta(days=30))
    assert run(MONDAY).problems == {}


def test_a_new_limit_is_followed_afresh(engine, city, add_problem, run):
    number = add_problem(MONDAY - timedelta(hours=1))
    assert run(MONDAY).problems == {StepKind.NOTICE: 1}
    with writing(engine) as session:
        session.execute(update(Problem).values(due_at=MONDAY + timedelta(days=1)))
    assert run(MONDAY + timedelta(hours=2)).problems == {}
    assert run(MONDAY + timedelta(hours=23)).problems == {StepKind.REMIND: 1}
    assert run(MONDAY + timedelta(days=1, minutes=1)).problems == {StepKind.NOTICE: 1}
    assert rows(engine, NoticeItem.problem_id) == [(number,), (number,)]


def test_without_a_person_the_organisation_is_reminded(engine, city, add_problem, run):
    add_problem(MONDAY + timedelta(hours=1), person_id=None)
    assert run(MONDAY).reminders == 1
    assert rows(engine, Reminder.person_id, Reminder.organisation_id) == [(None, city.squads[0].id)]


def test_the_table_of_steps_is_data(engine, city, add_problem, run):
    with writing(engine) as session:
        lock_steps(session)
        session.execute(
            update(EscalationStep)
            .where(EscalationStep.kind.in_([StepKind.REMIND, StepKind.LEADER]))
            .values(enabled=False)
        )
        session.execute(
            update(EscalationStep).where(EscalationStep.kind == StepKind.ACCOUNTABILITY).values(wait=1)
        )
    add_problem(MONDAY + timedelta(hours=1))
    assert run(MONDAY).problems == {}
    assert run(MONDAY + timedelta(hours=2)).problems == {StepKind.NOTICE: 1}
    assert run(MONDAY + timedelta(hours=27)).problems == {StepKind.ACCOUNTABILITY: 1}


def test_readers_see_that_the_history_has_moved(engine, city, add_problem, run):
    number = add_problem(MONDAY - timedelta(hours=1))
    quiet = add_problem(MONDAY + timedelta(days=30))
    before = dict(rows(engine, Problem.id, Problem.change))
    run(MONDAY)
    after = dict(rows(engine, Problem.id, Problem.change))
    assert after[number] > max(before.values())
    assert after[quiet] == before[quiet]


def test_many_at_once_send_once(engine, settings, city, add_problem):
    late = [add_problem(MONDAY - timedelta(minutes=n + 1), at=n % 2) for n in range(20)]
    start, failed, done = threading.Barrier(6), [], []

    def work():
        try:
            start.wait(20)
            with writing(engine) as session:
                done.append(escalate(session, settings=settings, now=MONDAY))
        except Exception as error:  # noqa: BLE001 - told by the assertion
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(one.notices for one in done) == [0, 0, 0, 0, 0, 2]
    with reading(engine) as session:
        counts = [
            session.scalar(select(func.count()).select_from(table)) for table in (Escalation, NoticeItem)
        ]
        assert counts == [len(late), len(late)]
        assert session.scalar(select(func.count()).where(Event.kind == EventKind.ESCALATED)) == len(late)


def test_what_fails_leaves_nothing_and_no_gap_in_the_numbers(engine, settings, city, add_problem):
    add_problem(MONDAY - timedelta(hours=1))
    with pytest.raises(RuntimeError), writing(engine) as session:
        escalate(session, settings=settings, now=MONDAY)
        raise RuntimeError
    assert rows(engine, Notice.id) == []
    with writing(engine) as session:
        escalate(session, settings=settings, now=MONDAY)
    assert rows(engine, Notice.number) == [(1,)]


def test_numbers_begin_again_with_the_year(engine, city, add_problem, run):
    add_problem(MONDAY - timedelta(hours=1))
    run(MONDAY)
    add_problem(datetime(2026, 12, 31, 23, 0, tzinfo=SHANGHAI))
    run(datetime(2027, 1, 1, 0, 30, tzinfo=SHANGHAI))
    assert rows(engine, Notice.year, Notice.number) == [(2026, 1), (2027, 1)]
