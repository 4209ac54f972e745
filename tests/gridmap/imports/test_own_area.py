"""An area manager imports problems of their own area, and learns nothing of any other."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from gridmap.errors import NotFoundError, PermissionDeniedError
from gridmap.imports.plan import ImportOptions, Writer
from gridmap.imports.service import apply_import, kinds_for, list_imports, plan_import
from gridmap.imports.undoing import undo_import
from gridmap.jobs import silent
from gridmap.people.logins import create_login
from gridmap.people.models import Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import Area, AreaLevel
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Problem, State
from gridmap.store.engine import reading, writing

HEAD = "案件编号,问题类别,发现时间,状态,地址,经度,纬度\n"


@dataclass
class Managed:
    importer: object
    manager: Actor

    def writer(self, session, **options):
        return Writer(
            session=session,
            actor=self.manager,
            now=self.importer.now,
            options=ImportOptions(datum="wgs84", zone=self.importer.settings.zone, **options),
            progress=silent,
            settings=self.importer.settings,
        )

    def undo(self, uid):
        with writing(self.importer.engine) as session:
            undo_import(session, self.manager, uid, settings=self.importer.settings, now=self.importer.now)


@pytest.fixture
def managed(importer):
    """Two communities side by side, and who manages the western one."""
    with writing(importer.engine) as session:
        ensure_categories(session)
        west, east = (
            Area(
                code=code,
                name=code,
                level=AreaLevel.COMMUNITY,
                geometry=f"SRID=4326;MULTIPOLYGON((({x} 31,{x + 1} 31,{x + 1} 32,{x} 32,{x} 31)))",
            )
            for code, x in (("W", 121), ("E", 122))
        )
        person = Person(name="片长")
        session.add_all([west, east, person])
        session.flush()
        login = create_login(
            session,
            person=person,
            username="west",
            password="very secret",  # noqa: S106 - of a throwaway login
            role=Role.AREA_MANAGER,
        )
        held = (Holding(Role.AREA_MANAGER, frozenset({west.id})),)
        return Managed(importer, Actor("片长", held, login_id=login.id, person_id=person.id))


def table(path, *rows):
    lines = (f"{number},占道经营,2026-04-01 08:30,{state},甲,{lon},31.5\n" for number, state, lon in rows)
    path.write_text(HEAD + "".join(lines), encoding="utf-8")
    return path


def test_rows_outside_the_area_are_refused_alike_and_nothing_else_is_told(managed, tmp_path):
    first = table(tmp_path / "p.csv", ("A1", "处置中", 121.5), ("B1", "处置中", 122.5))
    whole = managed.importer.apply("problems", first)
    later = table(
        tmp_path / "q.csv",
        ("A1", "已结案", 121.5),
        ("A2", "处置中", 121.6),
        ("B1", "已结案", 121.7),
        ("B2", "处置中", 122.6),
    )
    with reading(managed.importer.engine) as session:
        plan = plan_import(later, "problems", managed.writer(session))
    assert (plan.counts.created, plan.counts.changed, plan.counts.refused) == (1, 1, 2)
    reasons = dict(plan.reading.faults.explained(plan.reading.table.row_numbers))
    assert set(reasons) == {4, 5}
    assert len(set(reasons.values())) == 1
    with writing(managed.importer.engine) as session:
        record, _ = apply_import(later, "problems", managed.writer(session, skip_refused=True))
        own = record.uid
    with reading(managed.importer.engine) as session:
        stand = session.execute(select(Problem.external_id, Problem.state).order_by(Problem.id)).all()
        assert stand == [("A1", State.CLOSED), ("B1", State.ACCEPTED), ("A2", State.ACCEPTED)]
        assert [one.uid for one in list_imports(session, managed.manager)] == [own]
        assert len(list_imports(session, Actor.owner())) == 2
    with pytest.raises(NotFoundError):
        managed.undo(whole)
    managed.undo(own)
    with reading(managed.importer.engine) as session:
        stand = session.execute(select(Problem.external_id, Problem.state).order_by(Problem.id)).all()
    assert stand == [("A1", State.ACCEPTED), ("B1", State.ACCEPTED)]


def test_places_stay_the_headquarters(managed, tmp_path):
    assert [kind.name for kind in kinds_for(managed.manager)] == ["problems"]
    with reading(managed.importer.engine) as session, pytest.raises(PermissionDeniedError):
        plan_import(tmp_path / "p.csv", "points", managed.writer(session))
