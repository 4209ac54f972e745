from __future__ import annotations

import geopandas
import openpyxl
import shapely
from sqlalchemy import select

from gridmap.people.models import Organisation, Person
from gridmap.places.models import GridCell, Responsibility, ResponsibilityRole
from gridmap.store.engine import reading

ROWS = [
    ("美港社区网格员花名册", None, None, None, None),
    ("姓名", "联系电话", "单位", "网格", "职责"),
    ("甲一", "10012345678", "美港社区", "C00、C01", "网格员"),
    ("甲二", 10012345679.0, None, "C02", "网格长"),
    ("甲三", "100-1234-5680", "城南中队", "C00", "片警"),
]


def roster(path, rows=ROWS):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.active.merge_cells("A1:E1")
    book.active.merge_cells("C3:C4")
    book.save(path)
    return path


def cells(path):
    boxes = [shapely.box(121 + 0.01 * i, 31, 121 + 0.01 * (i + 1), 31.01) for i in range(3)]
    geopandas.GeoDataFrame({"code": [f"C0{i}" for i in range(3)]}, geometry=boxes, crs=4326).to_file(path)
    return path


def held(engine):
    with reading(engine) as session:
        return set(
            session.execute(
                select(Person.name, Person.phone, GridCell.code, Responsibility.role)
                .join(Responsibility, Responsibility.person_id == Person.id)
                .join(GridCell, GridCell.id == Responsibility.cell_id)
            ).all()
        )


def test_a_community_roster_names_who_holds_which_cell(importer, tmp_path):
    importer.apply("cells", cells(tmp_path / "cells.gpkg"))
    plan = importer.plan("roster", roster(tmp_path / "roster.xlsx"))
    assert (plan.counts.created, plan.counts.refused) == (3, 0)
    uid = importer.apply("roster", tmp_path / "roster.xlsx")
    assert {tuple(row) for row in held(importer.engine)} == {
        ("甲一", "10012345678", "C00", ResponsibilityRole.GRID_WORKER),
        ("甲一", "10012345678", "C01", ResponsibilityRole.GRID_WORKER),
        ("甲二", "10012345679", "C02", ResponsibilityRole.GRID_LEADER),
        ("甲三", "10012345680", "C00", ResponsibilityRole.POLICE),
    }
    with reading(importer.engine) as session:
        of = dict(session.execute(select(Person.name, Organisation.name).join(Person.organisation)).all())
    assert of == {"甲一": "美港社区", "甲二": "美港社区", "甲三": "城南中队"}
    again = importer.plan("roster", tmp_path / "roster.xlsx")
    assert (again.counts.created, again.counts.changed, again.counts.unchanged) == (0, 0, 3)
    importer.undo(uid)
    assert held(importer.engine) == set()


def test_an_unknown_cell_and_a_broken_number_are_refused_with_their_rows(importer, tmp_path):
    importer.apply("cells", cells(tmp_path / "cells.gpkg"))
    rows = [
        *ROWS[:2],
        ("乙一", "打电话", "美港社区", "C00", ""),
        ("乙二", None, "美港社区", "C99", ""),
        ("乙三", None, "美港社区", "C02", ""),
    ]
    plan = importer.plan("roster", roster(tmp_path / "roster.xlsx", rows))
    reasons = dict(plan.reading.faults.explained(plan.reading.table.row_numbers))
    assert set(reasons) == {3, 4}
    assert "打电话" in reasons[3]
    assert "C99" in reasons[4]


def test_a_new_duty_changes_the_person_and_undo_gives_the_old_one_back(importer, tmp_path):
    importer.apply("cells", cells(tmp_path / "cells.gpkg"))
    importer.apply("roster", roster(tmp_path / "roster.xlsx"))
    promoted = [list(row) for row in ROWS]
    promoted[2][4] = "副主任"
    uid = importer.apply("roster", roster(tmp_path / "new.xlsx", promoted))
    with reading(importer.engine) as session:
        assert session.scalar(select(Person.duty).where(Person.name == "甲一")) == "副主任"
    importer.undo(uid)
    with reading(importer.engine) as session:
        assert session.scalar(select(Person.duty).where(Person.name == "甲一")) == "网格员"
