from __future__ import annotations

import json
import re
from datetime import timedelta

import geopandas
import pytest
import shapely
from geoalchemy2.shape import to_shape
from sqlalchemy import func, select

from geodata.travel import Profile
from gridmap.errors import ConflictError, InvalidValueError
from gridmap.patrols.models import PatrolPlan
from gridmap.people.models import Organisation
from gridmap.people.permissions import Actor
from gridmap.places.models import Area, GridCell, InspectionPoint, PriorityRoad, Responsibility
from gridmap.store.engine import reading, writing
from gridmap.trail.queries import Wish, read_entries


def squares(path, n=3, size=0.01, west=121.0):
    south = 31.0
    boxes = [
        shapely.box(west + size * c, south + size * r, west + size * (c + 1), south + size * (r + 1))
        for r in range(n)
        for c in range(n)
    ]
    frame = geopandas.GeoDataFrame(
        {
            "网格编号": [f"C{i:02d}" for i in range(n * n)],
            "网格名称": [f"第{i}网格" for i in range(n * n)],
        },
        geometry=boxes,
        crs=4326,
    )
    frame.to_file(path)
    return path


def area(path, west=121.0, south=31.0, size=0.03):
    code, name = "A1", "试验社区"
    frame = geopandas.GeoDataFrame(
        {"编码": [code], "名称": [name]},
        geometry=[shapely.box(west, south, west + size, south + size)],
        crs=4326,
    )
    frame.to_file(path)
    return path


def rows(engine, model, *columns):
    with reading(engine) as session:
        return session.execute(select(*(columns or (model.code,))).order_by(model.id)).all()


def test_cells_come_in_once_and_find_their_area(importer, tmp_path):
    importer.apply("areas", area(tmp_path / "area.gpkg"))
    file = squares(tmp_path / "cells.gpkg")
    plan = importer.plan("cells", file)
    assert (plan.counts.created, plan.counts.refused) == (9, 0)
    assert plan.reading.headings["code"] == "网格编号"
    importer.apply("cells", file)
    again = importer.plan("cells", file)
    assert (again.counts.created, again.counts.changed, again.counts.unchanged) == (0, 0, 9)
    areas = {a for (a,) in rows(importer.engine, GridCell, GridCell.area_id)}
    assert areas == {rows(importer.engine, Area, Area.id)[0][0]}


def test_an_import_can_be_undone_and_the_undo_forgets_nothing_else(importer, tmp_path):
    first = importer.apply("areas", area(tmp_path / "area.gpkg"))
    cells = importer.apply("cells", squares(tmp_path / "cells.gpkg"))
    importer.undo(cells)
    assert rows(importer.engine, GridCell) == []
    assert len(rows(importer.engine, Area)) == 1
    with pytest.raises(ConflictError, match="undone already"):
        importer.undo(cells)
    importer.undo(first)
    assert rows(importer.engine, Area) == []


def test_what_others_rest_on_is_not_undone(importer, tmp_path):
    cells = importer.apply("cells", squares(tmp_path / "cells.gpkg"))
    with writing(importer.engine) as session:
        cell = session.scalars(select(GridCell)).first()
        organisation = Organisation(name="某街道")
        session.add(organisation)
        session.flush()
        session.add(Responsibility(role="grid_worker", cell_id=cell.id, organisation_id=organisation.id))
    with pytest.raises(ConflictError, match="responsibility"):
        importer.undo(cells)
    assert len(rows(importer.engine, GridCell)) == 9


def test_what_was_planned_through_a_cells_area_keeps_it(importer, tmp_path):
    """Tables that no import fills rest on places too: a plan, a notice, a photo."""
    table = tmp_path / "areas.geojson"
    shape = {"type": "Polygon", "coordinates": [[[121, 31], [121.1, 31], [121.1, 31.1], [121, 31]]]}
    feature = {"type": "Feature", "properties": {"code": "A", "name": "东社区"}, "geometry": shape}
    table.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    areas = importer.apply("areas", table)
    with writing(importer.engine) as session:
        area = session.scalars(select(Area)).one()
        plan = PatrolPlan(
            area_id=area.id,
            day=importer.now.date(),
            opens_at=importer.now,
            closes_at=importer.now,
            profile=Profile.FOOT,
            seed=1,
            searched_s=1,
            unfitted=[],
            actor="甲",
            at=importer.now,
        )
        session.add(plan)
    with pytest.raises(ConflictError, match="patrol_plan"):
        importer.undo(areas)
    assert len(rows(importer.engine, Area)) == 1
    with writing(importer.engine) as session:
        session.delete(session.get_one(PatrolPlan, plan.id))
    importer.undo(areas)
    assert rows(importer.engine, Area) == []


def test_a_moved_boundary_ends_the_old_cell_and_hands_its_holders_over(importer, tmp_path):
    importer.apply("cells", squares(tmp_path / "cells.gpkg"))
    with writing(importer.engine) as session:
        organisation = Organisation(name="某街道")
        session.add(organisation)
        session.flush()
        cell = session.scalars(select(GridCell).where(GridCell.code == "C04")).one()
        session.add(Responsibility(role="grid_worker", cell_id=cell.id, organisation_id=organisation.id))
        session.query(GridCell).update({"valid_from": importer.now.date() - timedelta(days=30)})
    moved = geopandas.read_file(tmp_path / "cells.gpkg")
    moved.loc[4, "geometry"] = shapely.box(121.01, 31.01, 121.0205, 31.02)
    moved.to_file(tmp_path / "moved.gpkg")
    uid = importer.apply("cells", tmp_path / "moved.gpkg")
    versions = rows(importer.engine, GridCell, GridCell.code, GridCell.valid_from, GridCell.valid_to)
    c04 = [(str(f), str(t)) for code, f, t in versions if code == "C04"]
    assert c04 == [("2026-04-09", "2026-05-09"), ("2026-05-09", "None")]
    with reading(importer.engine) as session:
        held = session.execute(
            select(GridCell.valid_to, Responsibility.valid_to).join(
                Responsibility, Responsibility.cell_id == GridCell.id
            )
        ).all()
    assert sorted(map(str, held)) == sorted(
        ["(datetime.date(2026, 5, 9), datetime.date(2026, 5, 9))", "(None, None)"]
    )
    importer.undo(uid)
    assert [v for v in rows(importer.engine, GridCell, GridCell.valid_to) if v != (None,)] == []
    with reading(importer.engine) as session:
        assert session.scalar(select(func.count()).where(Responsibility.valid_to.is_(None))) == 1


def test_an_area_stays_the_same_one_when_its_boundary_moves(importer, tmp_path):
    table = tmp_path / "areas.geojson"

    def taken(east):
        shape = shapely.geometry.mapping(shapely.box(121, 31, east, 31.1))
        feature = {"type": "Feature", "properties": {"code": "A", "name": "东社区"}, "geometry": shape}
        table.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
        return importer.apply("areas", table)

    def known():
        with reading(importer.engine) as session:
            found = session.scalars(select(Area))
            return [(one.id, one.valid_to, to_shape(one.geometry).bounds[2]) for one in found]

    taken(121.1)
    with writing(importer.engine) as session:
        session.query(Area).update({"valid_from": importer.now.date() - timedelta(days=30)})
    [(number, _, _)] = known()
    moved = taken(121.2)
    assert known() == [(number, None, 121.2)], "what is limited to the area stays so"
    importer.undo(moved)
    assert known() == [(number, None, 121.1)]


def test_points_and_roads_stay_the_same_ones_when_they_move(importer, tmp_path):
    def taken(kind, code, shape):
        feature = {"type": "Feature", "properties": {"code": code, "name": code}}
        feature["geometry"] = shapely.geometry.mapping(shape)
        table = tmp_path / f"{kind}.geojson"
        table.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
        return importer.apply(kind, table)

    def known():
        with reading(importer.engine) as session:
            return [
                (one.id, one.valid_to, to_shape(one.geometry).bounds[0], session.get(Area, one.area_id).code)
                for model in (InspectionPoint, PriorityRoad)
                for one in session.scalars(select(model))
            ]

    taken("areas", "A", shapely.box(121, 31, 121.1, 31.1))
    taken("areas", "B", shapely.box(121.1, 31, 121.2, 31.1))
    taken("points", "P", shapely.Point(121.05, 31.05))
    taken("roads", "R", shapely.LineString([(121.01, 31.05), (121.02, 31.05)]))
    with writing(importer.engine) as session:
        holder = Organisation(name="某街道")
        session.add(holder)
        session.flush()
        point, road = (
            session.scalars(select(InspectionPoint)).one(),
            session.scalars(select(PriorityRoad)).one(),
        )
        point.valid_from = road.valid_from = importer.now.date() - timedelta(days=30)
        for place in ({"point_id": point.id}, {"road_id": road.id}):
            session.add(Responsibility(role="grid_worker", organisation_id=holder.id, **place))
        numbers = point.id, road.id
    before = known()
    assert before == [(numbers[0], None, 121.05, "A"), (numbers[1], None, 121.01, "A")]

    moved = [
        taken("points", "P", shapely.Point(121.15, 31.05)),
        taken("roads", "R", shapely.LineString([(121.11, 31.05), (121.12, 31.05)])),
    ]
    assert known() == [(numbers[0], None, 121.15, "B"), (numbers[1], None, 121.11, "B")]
    with reading(importer.engine) as session:
        held = session.execute(
            select(Responsibility.point_id, Responsibility.road_id, Responsibility.valid_to)
        )
        assert set(held) == {(numbers[0], None, None), (None, numbers[1], None)}
        for table in ("inspection_point", "priority_road"):
            entry = read_entries(session, Actor.owner(), Wish(table=table), limit=1)[0]
            told = entry.changes[0]
            assert "geometry" in told.before, "the trail keeps where it was"
            assert told.before["geometry"] != told.after["geometry"]
    for uid in reversed(moved):
        importer.undo(uid)
    assert known() == before
    with reading(importer.engine) as session:
        assert session.scalar(select(func.count()).where(Responsibility.valid_to.is_(None))) == 2


def test_all_or_nothing_unless_told_otherwise(importer, tmp_path):
    (tmp_path / "points.csv").write_text(
        "点位名称,类型,经度,纬度\n东门市场,农贸市场,121.01,31.01\n无名,火箭基地,121.02,31.01\n,学校,121.02,31.01\n"
        "天边小学,学校,12.1,310.2\n",
        encoding="utf-8",
    )
    plan = importer.plan("points", tmp_path / "points.csv")
    reasons = dict(plan.reading.faults.explained(plan.reading.table.row_numbers))
    assert plan.counts.refused == 3
    assert set(reasons) == {3, 4, 5}
    assert "火箭基地" in reasons[3]
    with pytest.raises(InvalidValueError, match="3 of 4"):
        importer.apply("points", tmp_path / "points.csv")
    assert rows(importer.engine, InspectionPoint) == []
    importer.apply("points", tmp_path / "points.csv", skip_refused=True)
    assert rows(importer.engine, InspectionPoint, InspectionPoint.name, InspectionPoint.site_type) == [
        ("东门市场", "market")
    ]


def test_points_bring_their_hours_and_frequency_and_other_files_leave_them(importer, tmp_path):
    file = tmp_path / "points.csv"
    said = (InspectionPoint.visit_hours, InspectionPoint.visit_rhythm, InspectionPoint.visit_minutes)
    file.write_text(
        "编号,点位名称,经度,纬度,巡查时段,巡查频次,停留分钟\nP1,东门小学,121.01,31.01,07:20-08:10,每日2次,10\n"
        "P2,西门市场,121.02,31.01,,经常,\n",
        encoding="utf-8",
    )
    plan = importer.plan("points", file)
    ((row, why),) = plan.reading.faults.explained(plan.reading.table.row_numbers)
    assert (row, "经常" in why) == (3, True)
    importer.apply("points", file, skip_refused=True)
    assert rows(importer.engine, InspectionPoint, *said) == [("07:20-08:10", "2/1", 10)]
    with writing(importer.engine) as session:
        session.query(InspectionPoint).update({"valid_from": importer.now.date() - timedelta(days=30)})
    # Moved by a file that does not speak of visits: the same row, and its hours.
    file.write_text("编号,点位名称,经度,纬度\nP1,东门小学,121.03,31.01\n", encoding="utf-8")
    importer.apply("points", file)
    assert rows(importer.engine, InspectionPoint, *said) == [("07:20-08:10", "2/1", 10)]


def test_the_datum_must_be_stated_and_is_obeyed(importer, tmp_path):
    (tmp_path / "points.csv").write_text("名称,lon,lat\n人民广场,121.480238,31.236303\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match="datum"):
        importer.plan("points", tmp_path / "points.csv", datum=None)
    importer.apply("points", tmp_path / "points.csv", datum="gcj02")
    with reading(importer.engine) as session:
        lon, lat = session.execute(
            select(func.ST_X(InspectionPoint.geometry), func.ST_Y(InspectionPoint.geometry))
        ).one()
    # The shift in Shanghai is about 450 m east and 200 m south.
    assert 0.004 < 121.480238 - lon < 0.005
    assert 0.0015 < lat - 31.236303 < 0.0025 or 0.0015 < 31.236303 - lat < 0.0025


@pytest.mark.parametrize(
    ("datum", "lon", "lat"),
    [
        ("wgs84", 31.23, 121.46),
        ("wgs84", 353471.2, 3456211.9),
        ("wgs84", 0, 0),
        ("wgs84", 250, 80),
        ("cgcs2000-gk3-40", 121.46, 31.23),
        ("cgcs2000-gk3-40", 353471.2, 3456211.9),
        ("cgcs2000-gk3-40", 3456211.9, 40353471.2),
        ("cgcs2000-gk3-40", 39353471.2, 3456211.9),
    ],
)
def test_what_is_wrong_with_coordinates_is_said_in_chinese(importer, tmp_path, datum, lon, lat):
    (tmp_path / "p.csv").write_text(f"名称,lon,lat\n人民广场,{lon},{lat}\n", encoding="utf-8-sig")
    plan = importer.plan("points", tmp_path / "p.csv", datum=datum)
    ((row, reason),) = plan.reading.faults.explained(plan.reading.table.row_numbers)
    assert row == 2
    assert re.match(r"[\w-]* ?[\u4e00-\u9fff]", reason)
    assert "found" not in reason


def test_the_number_of_a_line_is_not_the_code_of_a_place(importer, tmp_path):
    def listed(*names):
        lines = [f"{n},{name},{121 + int(name[1]) / 100},31.01" for n, name in enumerate(names, start=1)]
        (tmp_path / "p.csv").write_text("\n".join(["序号,点位名称,经度,纬度", *lines]), encoding="utf-8")
        return tmp_path / "p.csv"

    importer.apply("points", listed("甲1", "乙2"))
    again = importer.plan("points", listed("丙3", "甲1", "乙2"))
    assert (again.counts.created, again.counts.changed, again.counts.unchanged) == (1, 0, 2)


def test_a_stated_mapping_wins_and_a_wrong_one_is_refused(importer, tmp_path):
    (tmp_path / "p.csv").write_text("甲,乙,经度,纬度\nx1,东门市场,121.01,31.01\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match="name"):
        importer.plan("points", tmp_path / "p.csv")
    with pytest.raises(InvalidValueError, match="丙"):
        importer.plan("points", tmp_path / "p.csv", mapping={"name": "丙"})
    importer.apply("points", tmp_path / "p.csv", mapping={"name": "乙", "code": "甲"})
    assert rows(importer.engine, InspectionPoint, InspectionPoint.code, InspectionPoint.name) == [
        ("x1", "东门市场")
    ]


def test_roads_from_geojson(importer, tmp_path):
    feature = {
        "type": "Feature",
        "properties": {"路名": "临江北路", "重点时段": "19:00-23:00", "等级": 1},
        "geometry": {"type": "LineString", "coordinates": [[121.0, 31.0], [121.01, 31.0]]},
    }
    (tmp_path / "roads.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8"
    )
    importer.apply("roads", tmp_path / "roads.geojson")
    assert rows(importer.engine, PriorityRoad, PriorityRoad.name, PriorityRoad.hours, PriorityRoad.level) == [
        ("临江北路", "19:00-23:00", 1)
    ]


def test_doubled_codes_are_refused_by_row(importer, tmp_path):
    file = squares(tmp_path / "cells.gpkg")
    frame = geopandas.read_file(file)
    frame.loc[3, "网格编号"] = "C01"
    frame.to_file(file)
    plan = importer.plan("cells", file)
    assert [n for n, _ in plan.reading.faults.explained(plan.reading.table.row_numbers)] == [4]


def test_a_crossing_shape_is_refused_and_a_crumb_is_mended(importer, tmp_path):
    bow = shapely.Polygon([(121, 31), (121.01, 31.01), (121.01, 31), (121, 31.01)])
    frame = geopandas.GeoDataFrame({"code": ["B"]}, geometry=[bow], crs=4326)
    frame.to_file(tmp_path / "bow.gpkg")
    plan = importer.plan("cells", tmp_path / "bow.gpkg")
    assert plan.counts.refused == 1


@pytest.mark.real
def test_zhubei_units_come_in_whole(importer, real_data):
    file = real_data / "grid_zhubei_units" / "zhubei_base_units.geojson"
    importer.apply("cells", file, mapping={"code": "CODEBASE"})
    assert len(rows(importer.engine, GridCell)) == 1033
    assert importer.plan("cells", file, mapping={"code": "CODEBASE"}).counts.unchanged == 1033


def test_hours_of_a_road_that_nobody_can_read_are_refused_by_row(importer, tmp_path):
    line = {"type": "LineString", "coordinates": [[121.0, 31.0], [121.01, 31.0]]}
    told = (("R1", "07:30-09:00，16:30至18:00"), ("R2", "早晚高峰"))
    features = [
        {"type": "Feature", "geometry": line, "properties": {"路名": name, "重点时段": hours}}
        for name, hours in told
    ]
    file = tmp_path / "roads.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    plan = importer.plan("roads", file)
    assert (plan.counts.created, plan.counts.refused) == (1, 1)
    ((_, reason),) = plan.reading.faults.explained(plan.reading.table.row_numbers)
    assert "早晚高峰" in reason
