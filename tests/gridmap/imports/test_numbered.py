"""Places that were once known by the number of their line stay the same ones."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from gridmap.places.models import InspectionPoint, PriorityRoad
from gridmap.store.engine import reading

LINES = {"甲市场": 121.01, "乙市场": 121.02, "丙市场": 121.03}


@pytest.fixture
def table(tmp_path):
    """Return a way to write a table of points with the numbers of its lines."""

    def write(rows, kind="农贸市场"):
        lines = [f"{n},{name},{kind},{lon},31.01" for n, (name, lon) in enumerate(rows, start=1)]
        file = tmp_path / "p.csv"
        file.write_text("\n".join(["序号,点位名称,点位类型,经度,纬度", *lines]), encoding="utf-8")
        return file

    return write


def known(importer):
    with reading(importer.engine) as session:
        query = select(InspectionPoint.code, InspectionPoint.name, InspectionPoint.uid)
        return session.execute(query.order_by(InspectionPoint.id)).all()


def test_points_known_by_the_number_of_their_line_come_in_once(importer, table):
    file = table(LINES.items())
    first = importer.apply("points", file, mapping={"code": "序号"})
    before = known(importer)
    plan = importer.plan("points", file)
    assert (plan.counts.created, plan.counts.changed, plan.counts.unchanged) == (0, 0, 3)
    (note,) = plan.reading.notes
    assert note.params["count"] == 3
    sorted_anew = [("丁市场", 121.04), *reversed(LINES.items())]
    second = importer.apply("points", table(sorted_anew))
    assert known(importer)[:3] == before
    assert [code for code, *_ in known(importer)] == ["1", "2", "3", "丁市场"]
    importer.undo(second)
    assert known(importer) == before
    importer.undo(first)
    assert known(importer) == []


def test_what_such_a_point_gets_new_is_taken_back_by_undoing(importer, table):
    importer.apply("points", table(LINES.items()), mapping={"code": "序号"})
    before = known(importer)
    nearby = table([(name, lon + 0.0005) for name, lon in LINES.items()])
    assert importer.plan("points", nearby).counts.changed == 3
    moved = importer.apply("points", nearby)
    assert known(importer) == before
    importer.undo(moved)
    assert importer.plan("points", table(LINES.items())).counts.unchanged == 3


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([("甲市场", 121.012)], "农贸市场"),  # 190 m on
        ([("甲市场东门", 121.01)], "农贸市场"),
        ([("甲市场", 121.01)], "公园"),
    ],
)
def test_what_differs_in_place_name_or_type_is_another_point(importer, table, rows, kind):
    importer.apply("points", table(LINES.items()), mapping={"code": "序号"})
    plan = importer.plan("points", table(rows, kind))
    assert (plan.counts.created, plan.reading.notes) == (1, [])


def test_of_two_of_a_name_the_nearer_one_is_meant(importer, table):
    twins = [("公厕", 121.01), ("公厕", 121.0105)]
    importer.apply("points", table(twins, "公园"), mapping={"code": "序号"})
    again = importer.plan("points", table([*reversed(twins)], "公园"))
    assert list(again.steps[0].draft.columns["code"]) == ["2", "1"]
    assert again.counts.unchanged == 2


def test_roads_too(importer, tmp_path):
    file = tmp_path / "r.geojson"
    file.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"序号":1,"路名":"滨江路"},'
        '"geometry":{"type":"LineString","coordinates":[[121.0,31.0],[121.01,31.0]]}}]}',
        encoding="utf-8",
    )
    importer.apply("roads", file, mapping={"code": "序号"})
    assert importer.plan("roads", file).counts.unchanged == 1
    importer.apply("roads", file)
    with reading(importer.engine) as session:
        assert session.scalars(select(PriorityRoad.code)).all() == ["1"]
