"""What people set since an import is not lost by undoing it: the undo says what it is, and does nothing."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, update

from gridmap.errors import ConflictError
from gridmap.patrols.rhythm import Rhythm
from gridmap.patrols.visiting import Visiting, set_visiting
from gridmap.people.models import Person
from gridmap.people.permissions import Actor
from gridmap.places.models import InspectionPoint
from gridmap.store.engine import reading, writing

OWNER, DAY = Actor.owner(), date(2026, 5, 9)


@pytest.fixture
def listed(importer, tmp_path):
    """Return a way to import a table of two points."""

    def bring(*lines, heading="点位编号,点位名称,地址,巡查时段,经度,纬度"):
        (tmp_path / "p.csv").write_text("\n".join([heading, *lines]), encoding="utf-8")
        return importer.apply("points", tmp_path / "p.csv")

    return bring


def point(session, code):
    return session.scalars(select(InspectionPoint).where(InspectionPoint.code == code)).one()


def set_hours(importer, code, hours, rhythm=None):
    with writing(importer.engine) as session:
        told = Visiting(hours, rhythm, None)
        set_visiting(session, OWNER, point(session, code).uid, told, day=DAY)


def hours(importer):
    with reading(importer.engine) as session:
        query = select(InspectionPoint.visit_hours).order_by(InspectionPoint.code)
        return session.scalars(query).all()


def test_hours_set_by_hand_since_are_not_overwritten(importer, listed):
    first = listed("a,甲市场,东街,08:00-10:00,121.01,31.01", "b,乙市场,西街,08:00-10:00,121.02,31.01")
    second = listed("a,甲市场,东街,09:00-11:00,121.01,31.01", "b,乙市场,西街,09:00-11:00,121.02,31.01")
    set_hours(importer, "b", "18:00-21:00", Rhythm(2, 1))
    with pytest.raises(ConflictError) as caught:
        importer.undo(second)
    assert caught.value.params["count"] == 1
    assert caught.value.params["rows"].startswith("乙市场 (")
    assert hours(importer) == ["09:00-11:00", "18:00-21:00"]
    with pytest.raises(ConflictError):
        importer.undo(first)
    set_hours(importer, "a", "")
    with pytest.raises(ConflictError) as caught:
        importer.undo(second)
    assert caught.value.params["count"] == 2
    for code in "ab":
        set_hours(importer, code, "09:00-11:00")
    importer.undo(second)
    assert hours(importer) == ["08:00-10:00", "08:00-10:00"]


def test_what_undoing_leaves_alone_is_in_nobodys_way(importer, listed):
    listed("a,甲市场,东街,08:00-10:00,121.01,31.01")
    second = listed("a,甲市场,新东街,121.01,31.01", heading="点位编号,点位名称,地址,经度,纬度")
    set_hours(importer, "a", "18:00-21:00")
    importer.undo(second)
    with reading(importer.engine) as session:
        kept = point(session, "a")
        assert (kept.address, kept.visit_hours) == ("东街", "18:00-21:00")


def test_a_point_that_got_its_hours_since_it_came_is_not_removed(importer, listed):
    first = listed("a,甲市场,东街,,121.01,31.01", "b,乙市场,西街,,121.02,31.01")
    set_hours(importer, "a", "18:00-21:00")
    with pytest.raises(ConflictError, match="甲市场"):
        importer.undo(first)
    assert hours(importer) == ["18:00-21:00", ""]


def test_later_imports_that_were_undone_are_no_work_by_hand(importer, listed):
    first = listed("a,甲市场,东街,08:00-10:00,121.01,31.01")
    importer.undo(listed("a,甲市场,东街,09:00-11:00,121.01,31.01"))
    importer.undo(first)
    assert hours(importer) == []


def test_a_phone_corrected_since_keeps_its_roster(importer, tmp_path):
    (tmp_path / "r.csv").write_text("姓名,电话,单位\n王强,13900000001,一中队\n", encoding="utf-8")
    roster = importer.apply("roster", tmp_path / "r.csv")
    with writing(importer.engine) as session:
        session.execute(update(Person).values(phone="13900000002"))
    with pytest.raises(ConflictError, match="王强"):
        importer.undo(roster)
