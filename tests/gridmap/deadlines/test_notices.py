from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from gridmap.deadlines.accountability import decide
from gridmap.deadlines.escalation import escalate
from gridmap.deadlines.inbox import count_unread, mark_read, read_inbox
from gridmap.deadlines.models import Accountability, AccountabilityState, Notice, NoticeKind
from gridmap.deadlines.notices import answer_notice, issue_notices, notice_title
from gridmap.deadlines.queries import list_accountability, list_notices, read_notice
from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.problems.models import Event, State
from gridmap.store.engine import reading, writing

NOW = datetime(2026, 5, 11, 2, 0, tzinfo=UTC)


def holder(role, *, area=None, organisation=None, person=None):
    return Actor(
        name=role.value,
        holdings=(
            Holding(
                role=role,
                areas=None if area is None else frozenset({area.id}),
                organisations=None if organisation is None else frozenset({organisation.id}),
            ),
        ),
        person_id=person and person.id,
    )


@pytest.fixture
def issue(engine, settings):
    def _issue(actor, numbers, **more):
        with writing(engine) as session:
            made = issue_notices(session, actor, numbers, settings=settings, now=NOW, **more)
            return [notice.uid for notice in made]

    return _issue


def test_one_notice_to_each_organisation_with_a_line_of_history_each(engine, city, add_problem, issue):
    numbers = [add_problem(NOW + timedelta(days=1), at=at) for at in (0, 1, 0)]
    uids = issue(holder(Role.SUPERVISION), numbers, demand=" 请立即整改 ", answer_by=NOW + timedelta(days=3))
    assert len(uids) == 2
    with reading(engine) as session:
        notices = session.scalars(select(Notice).order_by(Notice.number)).all()
        assert [(one.kind, one.number, one.text) for one in notices] == [
            (NoticeKind.RECTIFICATION, 1, "请立即整改"),
            (NoticeKind.RECTIFICATION, 2, "请立即整改"),
        ]
        assert [one.organisation_id for one in notices] == [squad.id for squad in city.squads]
        assert {notice_title(one) for one in notices} == {"整改〔2026〕1号", "整改〔2026〕2号"}
        document = read_notice(session, Actor.owner(), uids[0])
        assert [row.id for row in document.problems] == [numbers[0], numbers[2]]
        events = session.scalars(select(Event).order_by(Event.problem_id)).all()
        assert [event.problem_id for event in events] == sorted(numbers)
        assert {event.details["step"] for event in events} == {"rectification"}
        assert {event.actor for event in events} == {"supervision"}


def test_a_notice_names_only_what_its_author_may_urge(engine, city, add_problem, issue):
    mine, theirs = add_problem(NOW), add_problem(NOW, at=1)
    manager = holder(Role.AREA_MANAGER, area=city.areas[0])
    assert len(issue(manager, [mine])) == 1
    for numbers in ([theirs], [mine, theirs], [mine, 99_999]):
        with pytest.raises(NotFoundError):
            issue(manager, numbers)
    for role in (Role.ORGANISATION_LEAD, Role.GRID_WORKER, Role.READ_ONLY, Role.ASSESSOR):
        with pytest.raises(PermissionDeniedError):
            issue(holder(role), [mine])
    with reading(engine) as session:
        assert session.scalars(select(Notice.number)).all() == [1]


@pytest.mark.parametrize("state", [State.CLOSED, State.REJECTED, State.MERGED])
def test_what_is_resolved_is_not_ordered_to_be_fixed(city, add_problem, issue, state):
    with pytest.raises(ConflictError):
        issue(Actor.owner(), [add_problem(NOW, state=state)])


def test_what_belongs_to_nobody_is_not_ordered_from_anybody(city, add_problem, issue):
    with pytest.raises(ConflictError):
        issue(Actor.owner(), [add_problem(NOW, organisation_id=None)])


@pytest.mark.parametrize(
    ("numbers", "more"),
    [([], {}), (range(1, 2500), {}), (None, {"demand": "x" * 2001}), (None, {"answer_by": NOW})],
)
def test_notices_that_make_no_sense_are_refused(city, add_problem, issue, numbers, more):
    with pytest.raises(InvalidValueError):
        issue(Actor.owner(), [add_problem(NOW)] if numbers is None else list(numbers), **more)


def test_readers_see_their_part_of_a_notice_and_nothing_else(engine, city, add_problem, issue):
    here = add_problem(NOW, organisation_id=city.squads[0].id)
    there = add_problem(NOW, at=1, organisation_id=city.squads[0].id)
    other = add_problem(NOW, at=1)
    (first, second) = issue(Actor.owner(), [here, there, other])
    readers = {
        "all": (holder(Role.SUPERVISION), {first: [here, there], second: [other]}),
        "area": (holder(Role.AREA_MANAGER, area=city.areas[0]), {first: [here]}),
        "organisation": (holder(Role.ORGANISATION_LEAD, organisation=city.squads[0]), {first: [here, there]}),
        "both": (
            holder(Role.ORGANISATION_LEAD, area=city.areas[1], organisation=city.squads[0]),
            {first: [there]},
        ),
        "neither": (holder(Role.ORGANISATION_LEAD, organisation=city.head), {}),
    }
    with reading(engine) as session:
        for name, (reader, expected) in readers.items():
            listed, more = list_notices(session, reader)
            assert {one.notice.uid: one.problems for one in listed} == {
                uid: len(numbers) for uid, numbers in expected.items()
            }, name
            assert not more
            for uid in (first, second):
                if uid in expected:
                    document = read_notice(session, reader, uid)
                    assert [row.id for row in document.problems] == expected[uid], name
                else:
                    with pytest.raises(NotFoundError):
                        read_notice(session, reader, uid)
        for role in (Role.GRID_WORKER, Role.PATROL_MEMBER, Role.READ_ONLY, Role.ASSESSOR):
            with pytest.raises(PermissionDeniedError):
                list_notices(session, holder(role))


def test_an_answer_is_given_once_by_the_organisation(engine, city, add_problem, issue):
    (uid,) = issue(Actor.owner(), [add_problem(NOW)])
    lead = holder(Role.ORGANISATION_LEAD, organisation=city.squads[0], person=city.workers[0])
    with reading(engine) as session:
        assert count_unread(session, lead) == 1
        assert [one.uid for one in read_inbox(session, lead)[1]] == [uid]

    def answer(actor, text="已整改"):
        with writing(engine) as session:
            return answer_notice(session, actor, uid, text, now=NOW)

    for stranger in (holder(Role.ORGANISATION_LEAD, organisation=city.squads[1]),):
        with pytest.raises(NotFoundError):
            answer(stranger)
    with pytest.raises(PermissionDeniedError):
        answer(holder(Role.AREA_MANAGER))
    for text in (" ", "x" * 2001):
        with pytest.raises(InvalidValueError):
            answer(lead, text)
    assert answer(lead).answered_by == lead.name
    with pytest.raises(ConflictError):
        answer(lead, "again")
    with reading(engine) as session:
        assert count_unread(session, lead) == 0
        assert list_notices(session, Actor.owner(), unanswered=True) == ([], False)


def test_the_inbox_is_ones_own(engine, settings, city, add_problem):
    number = add_problem(NOW + timedelta(hours=1))
    lost = add_problem(NOW + timedelta(hours=1), person_id=None)
    with writing(engine) as session:
        escalate(session, settings=settings, now=NOW)
    me = holder(Role.GRID_WORKER, organisation=city.squads[0], person=city.workers[0])
    other = holder(Role.GRID_WORKER, person=city.workers[1])
    with reading(engine) as session:
        letters, notices = read_inbox(session, me)
        assert sorted(row.id for letter in letters for row in letter.problems) == [number, lost]
        assert (count_unread(session, me), notices) == (2, [])
        assert read_inbox(session, other) == ([], [])
        assert count_unread(session, Actor.owner()) == 0
    with writing(engine) as session:
        assert mark_read(session, other, now=NOW) == 0
        assert mark_read(session, me, now=NOW) == 2
    with reading(engine) as session:
        assert count_unread(session, me) == 0
        assert len(read_inbox(session, me)[0]) == 2, "what is read stays"


def test_a_reminder_of_what_has_left_the_limits_shows_nothing_of_it(engine, settings, city, add_problem):
    add_problem(NOW + timedelta(hours=1), at=1, person_id=city.workers[0].id)
    with writing(engine) as session:
        escalate(session, settings=settings, now=NOW)
    me = holder(Role.GRID_WORKER, organisation=city.squads[0], person=city.workers[0])
    with reading(engine) as session:
        assert [letter.problems for letter in read_inbox(session, me)[0]] == [[]]


@pytest.fixture
def listed(engine, city, add_problem):
    with writing(engine) as session:
        entries = [
            Accountability(
                problem_id=add_problem_in(session, city, at),
                organisation_id=city.squads[at].id,
                due_at=NOW,
                entered_at=NOW,
            )
            for at in (0, 1)
        ]
        session.add_all(entries)
        session.flush()
        return [entry.uid for entry in entries]


def add_problem_in(session, city, at):
    from gridmap.problems.models import Problem  # noqa: PLC0415 - one row, in this transaction

    problem = Problem(
        category_id=city.category.id,
        state=State.DISPATCHED,
        found_at=NOW,
        geometry="SRID=4326;POINT(121.4 31.2)",
        lon=121.4,
        lat=31.2,
        area_id=city.areas[at].id,
        organisation_id=city.squads[at].id,
        change=0,
    )
    session.add(problem)
    session.flush()
    return problem.id


def test_the_accountability_list_is_limited_and_decisions_leave_a_trail(engine, city, listed):
    manager = holder(Role.AREA_MANAGER, area=city.areas[0])
    with reading(engine) as session:
        assert [row[0].uid for row in list_accountability(session, manager)[0]] == listed[:1]
        assert len(list_accountability(session, Actor.owner())[0]) == 2

    def settle(actor, uid, state, note="说明"):
        with writing(engine) as session:
            return decide(session, actor, uid, state, note=note, now=NOW)

    with pytest.raises(PermissionDeniedError):
        settle(manager, listed[0], AccountabilityState.TALKED)
    group = holder(Role.SUPERVISION, area=city.areas[0])
    for uid in (listed[1], uuid.uuid4()):
        with pytest.raises(NotFoundError):
            settle(group, uid, AccountabilityState.TALKED)
    with pytest.raises(InvalidValueError):
        settle(group, listed[0], AccountabilityState.TALKED, note="  ")
    settle(group, listed[0], AccountabilityState.TALKED, note="约谈负责人")
    settle(Actor.owner(), listed[0], AccountabilityState.CRITICISED, note="再次逾期")
    with reading(engine) as session:
        (open_entries, _) = list_accountability(session, Actor.owner(), state=AccountabilityState.OPEN)
        assert [row[0].uid for row in open_entries] == listed[1:]
        trail = [(event.actor, event.note, event.details) for event in session.scalars(select(Event))]
        assert trail == [
            ("supervision", "约谈负责人", {"step": "accountability", "before": "open", "after": "talked"}),
            ("owner", "再次逾期", {"step": "accountability", "before": "talked", "after": "criticised"}),
        ]
