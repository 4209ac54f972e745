"""Who may give what to whom, and handing over."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from gridmap.dispatch.models import DispatchRule
from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.people import management
from gridmap.people.credentials import begin_session, credentials_of, recognise
from gridmap.people.handover import Wish, hand_over, held_by
from gridmap.people.logins import actor_for, check_password, create_login
from gridmap.people.management import GrantWish, PersonRecord, may_give
from gridmap.people.models import Login, Organisation, Person
from gridmap.people.permissions import GIVES, ROLE_PERMISSIONS, Actor, Holding, Permission, Role
from gridmap.people.roll import PeopleFilter, read_people
from gridmap.places.models import Area, GridCell, Responsibility, ResponsibilityRole
from gridmap.problems.models import Category, Event, Problem, State
from gridmap.shops.models import Shopfront
from gridmap.store.engine import reading, writing

NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
TODAY = date(2026, 5, 9)
BOX = "SRID=4326;MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0)))"
PASSWORD = "long enough"  # noqa: S105 - of throwaway logins


@pytest.fixture
def town(engine):
    """Two areas with a squad, a manager, and a worker each; a headquarters."""
    with writing(engine) as session:
        found = SimpleNamespace(areas=[], squads=[], workers=[], managers=[])
        for i in range(2):
            area = Area(code=f"A{i}", name=f"辖区{i}", level="community", geometry=BOX)
            session.add(area)
            session.flush()
            squad = Organisation(name=f"中队{i}", area_id=area.id)
            worker = Person(name=f"队员{i}", organisation=squad, phone="13900000000")
            session.add_all([squad, worker])
            session.flush()
            manager = create_login(
                session,
                person=Person(name=f"网格长{i}", organisation=squad),
                username=f"manager{i}",
                password=PASSWORD,
                role=Role.AREA_MANAGER,
                area_id=area.id,
            )
            found.areas.append(area.id)
            found.squads.append(squad)
            found.workers.append(worker)
            found.managers.append(actor_for(session, manager))
        hq = create_login(
            session,
            person=Person(name="指挥部"),
            username="hq",
            password=PASSWORD,
            role=Role.HEADQUARTERS,
        )
        found.hq, found.hq_login = actor_for(session, hq), hq.uid
    return found


def test_no_role_gives_more_than_it_holds_but_the_work_in_the_field():
    """What an area manager gives without holding it is done on the ground, under their own verification."""
    field = {Permission.PROBLEM_FIX, Permission.NOTICE_ANSWER}
    for giver, given in GIVES.items():
        for role in given:
            assert ROLE_PERMISSIONS[role] - ROLE_PERMISSIONS[giver] <= field
    assert set(GIVES) == {role for role in Role if Permission.PERSON_MANAGE in ROLE_PERMISSIONS[role]}


AREAS = (None, frozenset({1}), frozenset({1, 2}))
BODIES = (None, frozenset({7}))


@pytest.mark.parametrize("giver", Role)
def test_what_is_given_lies_within_what_is_held(giver):
    for areas, bodies in itertools.product(AREAS, BODIES):
        actor = Actor("x", (Holding(giver, areas, bodies),))
        for role, area, body in itertools.product(Role, (None, 1, 2, 3), (None, 7, 8)):
            inside = (areas is None or area in areas) and (bodies is None or body in bodies)
            allowed = role in GIVES.get(giver, ()) and inside
            assert may_give(actor, GrantWish(role, area, body)) == allowed


def test_a_manager_keeps_their_own_people_and_sees_no_others(engine, town):
    manager = town.managers[0]
    with writing(engine) as session:
        listed = read_people(session, manager, PeopleFilter(), now=NOW, day=TODAY, size=50)
        assert {one.person.name for one in listed.rows} == {"队员0", "网格长0"}
        assert listed.total == 2
        found = read_people(session, manager, PeopleFilter(text="manager1"), now=NOW, day=TODAY, size=50)
        assert found.total == 0
        with pytest.raises(NotFoundError):
            management.find_person(session, manager, town.workers[1].uid)
        record = PersonRecord("新人", organisation=town.squads[1].uid)
        with pytest.raises(PermissionDeniedError):
            management.save_person(session, manager, record, uid=None, today=TODAY)
        with pytest.raises(PermissionDeniedError):
            management.save_person(session, manager, PersonRecord("新人"), uid=None, today=TODAY)
        session.rollback()


def test_a_manager_touches_no_login_that_holds_more(engine, town):
    """Else one would give the headquarters' login a new password, and come in with it."""
    manager = town.managers[0]
    with writing(engine) as session:
        strong = create_login(
            session,
            person=session.get_one(Person, town.workers[0].id),
            username="strong",
            password=PASSWORD,
            role=Role.SUPERVISION,
        )
        for act in (
            lambda: management.reset_password(session, manager, strong.uid, now=NOW),
            lambda: management.set_disabled(session, manager, strong.uid, disabled=True),
            lambda: management.give_roles(
                session, manager, strong.uid, [GrantWish(Role.READ_ONLY, town.areas[0])]
            ),
            lambda: management.end_sessions(session, manager, strong.uid, now=NOW),
            lambda: management.remove_login_codes(session, manager, strong.uid, now=NOW),
        ):
            with pytest.raises(PermissionDeniedError):
                act()
        with pytest.raises(NotFoundError):
            management.reset_password(session, manager, town.hq_login, now=NOW)


def test_a_new_login_must_change_its_password(engine, town):
    with writing(engine) as session:
        worker = session.get_one(Person, town.workers[0].id)
        wish = [GrantWish(Role.GRID_WORKER, town.areas[0])]
        login, password = management.add_login(session, town.managers[0], worker, " worker ", wish)
        assert (login.username, login.must_change) == ("worker", True)
        assert check_password(session, "worker", password).id == login.id
        for wishes in ([GrantWish(Role.GRID_WORKER)], [GrantWish(Role.HEADQUARTERS, town.areas[0])], []):
            with pytest.raises((PermissionDeniedError, InvalidValueError)):
                management.add_login(session, town.managers[0], worker, "other", wishes)


def test_the_last_headquarters_stays_and_nobody_changes_themselves(engine, town):
    with pytest.raises(PermissionDeniedError), writing(engine) as session:
        management.set_disabled(session, town.hq, town.hq_login, disabled=True)
    with pytest.raises(ConflictError), writing(engine) as session:
        management.set_disabled(session, Actor.owner(), town.hq_login, disabled=True)
    with pytest.raises(ConflictError), writing(engine) as session:
        management.give_roles(session, Actor.owner(), town.hq_login, [GrantWish(Role.READ_ONLY)])


def test_new_roles_renew_sessions_and_shutting_out_ends_them(engine, town):
    with writing(engine) as session:
        login = session.scalar(select(Login).where(Login.username == "manager0"))
        secret = begin_session(session, login, name="x", address="", lasts=timedelta(days=1), now=NOW)
        management.give_roles(session, town.hq, login.uid, [GrantWish(Role.READ_ONLY, town.areas[0])])
        found = recognise(session, secret, day=TODAY)
        assert found.rights_changed
        assert not found.actor.may(Permission.PERSON_MANAGE)
        management.set_disabled(session, town.hq, login.uid, disabled=True)
        assert recognise(session, secret, day=TODAY) is None
        management.set_disabled(session, town.hq, login.uid, disabled=False)
        assert recognise(session, secret, day=TODAY) is None
        assert credentials_of(session, login.id, now=NOW) == []


@pytest.fixture
def held(engine, town):
    with writing(engine) as session:
        cells = []
        for i in range(2):
            cell = GridCell(code=f"C{i}", name=f"网格{i}", area_id=town.areas[0], geometry=BOX)
            session.add(cell)
            session.flush()
            cells.append(cell.id)
        worker = town.workers[0].id
        since = (date(2026, 1, 1), date(2026, 7, 1))
        for cell, begins in zip(cells, since, strict=True):
            session.add(
                Responsibility(
                    role=ResponsibilityRole.GRID_WORKER, person_id=worker, cell_id=cell, valid_from=begins
                )
            )
        category = Category(code="A", name="甲")
        session.add(category)
        session.flush()
        for state in (State.DISPATCHED, State.CLOSED):
            session.add(
                Problem(
                    category_id=category.id,
                    state=state,
                    found_at=NOW,
                    lon=0.5,
                    lat=0.5,
                    geometry="SRID=4326;POINT(0.5 0.5)",
                    area_id=town.areas[0],
                    person_id=worker,
                    change=1,
                )
            )
        other = Person(name="接任", organisation_id=town.squads[0].id)
        session.add(other)
        session.flush()
        return other.uid


def holders(session, day):
    rows = session.execute(
        select(GridCell.code, Person.name)
        .join(Responsibility, Responsibility.cell_id == GridCell.id)
        .join(Person, Person.id == Responsibility.person_id)
        .where(Responsibility.in_force(day))
    )
    return dict(rows.all())


def give(session, actor, town, to, day, *, leaves=False):
    wish = Wish(to=to, day=day, leaves=leaves)
    return hand_over(session, actor, town.workers[0].uid, wish, today=TODAY, now=NOW)


def test_places_go_over_on_the_day_and_nothing_is_deleted(engine, town, held):
    day = date(2026, 6, 1)
    with writing(engine) as session:
        before = session.scalars(select(Responsibility.id)).all()
        done = give(session, town.managers[0], town, held, day, leaves=True)
        assert (len(done.places), len(done.problems)) == (2, 1)
    with reading(engine) as session:
        assert holders(session, date(2026, 5, 31)) == {"C0": "队员0"}
        assert holders(session, day) == {"C0": "接任"}
        assert holders(session, date(2026, 7, 1)) == {"C0": "接任", "C1": "接任"}
        assert set(before) <= set(session.scalars(select(Responsibility.id)))
        problems = dict(
            session.execute(
                select(Problem.state, Person.name).join(Person, Person.id == Problem.person_id)
            ).all()
        )
        assert problems == {State.DISPATCHED: "接任", State.CLOSED: "队员0"}
        (event,) = session.scalars(select(Event))
        assert event.actor == "网格长0"
        worker = session.get_one(Person, town.workers[0].id)
        assert worker.valid_to == day
        assert not held_by(session, Actor.owner(), worker, day)


def test_whoever_left_can_sign_in_until_the_day_and_not_on_it(engine, town, held):
    with writing(engine) as session:
        worker = session.get_one(Person, town.workers[0].id)
        wish = [GrantWish(Role.GRID_WORKER, town.areas[0])]
        _, password = management.add_login(session, town.managers[0], worker, "worker", wish)
        give(session, town.managers[0], town, held, date(2026, 6, 1), leaves=True)
        session.flush()
        check_password(session, "worker", password, day=date(2026, 5, 31))
        with pytest.raises(PermissionDeniedError):
            check_password(session, "worker", password, day=date(2026, 6, 1))


def test_a_handover_that_cannot_be(engine, town, held):
    manager = town.managers[0]
    with writing(engine) as session:
        for to, day in (
            (held, TODAY - timedelta(days=1)),
            (town.workers[0].uid, TODAY),
        ):
            with pytest.raises(InvalidValueError):
                give(session, manager, town, to, day)
        with pytest.raises(NotFoundError):
            give(session, manager, town, town.workers[1].uid, TODAY)
        with pytest.raises(NotFoundError):
            give(session, town.managers[1], town, held, TODAY)
        session.scalar(select(Person).where(Person.uid == held)).valid_to = date(2026, 6, 1)
        session.flush()
        with pytest.raises(InvalidValueError):
            give(session, manager, town, held, date(2026, 6, 1))


def test_only_what_lies_inside_ones_limits_is_seen_and_handed_over(engine, town, held):
    """A worker of the first area also holds a cell and a problem in the second one."""
    worker = town.workers[0].id
    with writing(engine) as session:
        cell = GridCell(code="C9", name="网格9", area_id=town.areas[1], geometry=BOX)
        problem = session.scalars(select(Problem).where(Problem.state == State.DISPATCHED)).one()
        abroad = Problem(
            **{
                column: getattr(problem, column)
                for column in ("category_id", "state", "found_at", "lon", "lat", "geometry", "person_id")
            },
            area_id=town.areas[1],
            change=1,
        )
        shop = Shopfront(code="S1", name="面馆", area_id=town.areas[0], geometry="SRID=4326;POINT(0.5 0.5)")
        session.add_all([cell, abroad, shop])
        session.flush()
        theirs = {"person_id": worker, "valid_from": date(2026, 1, 1)}
        session.add_all(
            [
                Responsibility(cell_id=cell.id, role=ResponsibilityRole.GRID_WORKER, **theirs),
                Responsibility(shop_id=shop.id, role=ResponsibilityRole.ENFORCEMENT, **theirs),
                DispatchRule(position=1, name="规则", **theirs),
            ]
        )
    day = date(2026, 6, 1)
    with writing(engine) as session:
        person = session.get_one(Person, worker)
        seen = held_by(session, town.managers[0], person, day)
        assert (len(seen.places), len(seen.problems), len(seen.rules)) == (3, 1, 0)
        with pytest.raises(InvalidValueError, match="outside your limits"):
            give(session, town.managers[0], town, held, day, leaves=True)
        done = give(session, town.managers[0], town, held, day)
        assert (len(done.places), len(done.problems)) == (3, 1)
        rest = held_by(session, town.hq, person, day)
        assert (len(rest.places), len(rest.problems), len(rest.rules)) == (1, 1, 1)
        give(session, town.hq, town, held, day, leaves=True)
        assert not held_by(session, town.hq, person, day)
