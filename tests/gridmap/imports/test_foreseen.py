"""What other cells would move is told before they are in force, as it is found afterwards."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from gridmap.coverage.drawing import Wish, cells_drawn, propose_cells
from gridmap.dispatch.foreseeing import foresee
from gridmap.dispatch.moves import preview_moves
from gridmap.imports.cells import cells_after
from gridmap.imports.command import imports
from gridmap.imports.foreseen import foresee_import
from gridmap.imports.models import Import
from gridmap.imports.plan import ImportOptions, Writer
from gridmap.jobs import silent
from gridmap.people.models import Person
from gridmap.people.permissions import Actor
from gridmap.places.models import Area, GridCell, Responsibility, ResponsibilityRole, Street
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Problem
from gridmap.store.engine import reading, writing
from gridmap.trail.models import TrailEntry


def cells(path, *spans):
    """Cells from west to east: code, west and east in hundredths of a degree from 121."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[121 + x / 100, y] for x, y in ((w, 31), (e, 31), (e, 31.02), (w, 31.02), (w, 31))]
                ],
            },
        }
        for code, w, e in spans
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.fixture
def town(importer, tmp_path):
    """Two cells, of which somebody holds the first, and ten open problems from west to east."""
    with writing(importer.engine) as session:
        ensure_categories(session)
        area = Area(code="310101001001", name="社区", level="community")
        area.geometry = "SRID=4326;MULTIPOLYGON(((121 31,121.1 31,121.1 31.02,121 31.02,121 31)))"
        session.add(area)
    importer.apply("cells", cells(tmp_path / "c.geojson", ("A", 0, 5), ("B", 5, 10)))
    with writing(importer.engine) as session:
        first = session.scalars(select(GridCell).where(GridCell.code == "A")).one()
        worker = Person(name="甲")
        session.add(worker)
        session.flush()
        session.add(
            Responsibility(
                person_id=worker.id,
                cell_id=first.id,
                role=ResponsibilityRole.GRID_WORKER,
                valid_from=importer.now.date(),
            )
        )
    rows = (f"P{n},占道经营,2026-04-01 08:30,{121.005 + n / 100},31.01" for n in range(10))
    file = tmp_path / "p.csv"
    file.write_text("案件编号,问题类别,发现时间,经度,纬度\n" + "\n".join(rows), encoding="utf-8")
    importer.apply("problems", file)
    return importer


def told(foreseen):
    return {one.title: one.lines for one in foreseen}


def test_an_import_of_cells_tells_what_it_would_move(town, tmp_path):
    file = cells(tmp_path / "d.geojson", ("A", 0, 3), ("B", 5, 10), ("C", 3, 5))
    actor, asked = Actor.owner(), {"settings": town.settings, "now": town.now}
    with reading(town.engine) as session:
        plan = town.plan("cells", file)
        thought = cells_after(session, plan.steps, town.now.date())
        before = told(foresee(session, actor, thought, **asked))
        assert preview_moves(session, actor, **asked).counts("cell_id") == []
    assert before == {"Cell": [("A", "C", 2)], "Person": [("甲", None, 2)]}
    town.apply("cells", file)
    with reading(town.engine) as session:
        moves = preview_moves(session, actor, **asked)
        code = dict(session.execute(select(GridCell.id, GridCell.code)).all())
        found = Counter()
        for old, new, count in moves.counts("cell_id"):
            found[code[old], code[new]] += count
        assert {pair: n for pair, n in found.items() if pair[0] != pair[1]} == {("A", "C"): 2}
        assert [count for _, _, count in moves.counts("person_id")] == [2]


def test_a_drawing_tells_what_it_would_move(town):
    with writing(town.engine) as session:
        session.add_all(
            Street(
                source_ref=f"s{n}",
                name="",
                road_class="residential",
                oneway=0,
                geometry=f"SRID=4326;LINESTRING({121 + n / 50} 31,{121 + n / 50} 31.02)",
            )
            for n in range(6)
        )
        area = session.scalars(select(Area.uid)).one()
    with reading(town.engine) as session:
        writer = Writer(
            session=session,
            actor=Actor.owner(),
            now=town.now,
            options=ImportOptions(zone=town.settings.zone),
            progress=silent,
            settings=town.settings,
        )
        proposal = propose_cells(writer, Wish(area_uid=area, count=2))
        thought = cells_drawn(session, proposal, town.now.date())
        lines = told(foresee(session, Actor.owner(), thought, settings=town.settings, now=town.now))
        assert session.scalar(select(Problem.id).limit(1)) is not None
    assert sum(count for _, _, count in lines["Cell"]) == 10
    assert {new for _, new, _ in lines["Cell"]} <= set(proposal.codes)
    assert lines["Person"] == [("甲", None, 5)]


def roster(path, *rows):
    path.write_text("姓名,电话,单位,网格\n" + "\n".join(rows), encoding="utf-8")
    return path


def rows_of(engine):
    """Everything that a trial could leave behind."""
    with reading(engine) as session:
        tables = (Person, Responsibility, Area, GridCell, Import, TrailEntry)
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]


def foreseen(town, kind, file, **options):
    plan = town.plan(kind, file, **options)
    with reading(town.engine) as session:
        stated = {"datum": "wgs84", "zone": town.settings.zone} | options
        writer = Writer(
            session=session,
            actor=Actor.owner(),
            now=town.now,
            options=ImportOptions(**stated),
            progress=silent,
            settings=town.settings,
        )
    there = rows_of(town.engine)
    found = told(foresee_import(town.engine, file, plan, writer))
    assert rows_of(town.engine) == there, "it is only thought of"
    return found


def test_an_import_of_a_roster_tells_what_it_would_move(town, tmp_path):
    file = roster(tmp_path / "r.csv", "乙,13900000001,一中队,B", "丙,没有电话,一中队,B", "甲,,,A")
    found = foreseen(town, "roster", file)
    assert found["Person"] == [(None, "乙", 5)]
    assert [line[1:] for line in found["Organisation"]] == [("一中队", 5)]
    town.apply("roster", file, skip_refused=True)
    with reading(town.engine) as session:
        moves = preview_moves(session, Actor.owner(), settings=town.settings, now=town.now)
        assert [count for _, _, count in moves.counts("person_id")] == [5]


def test_an_import_of_areas_tells_what_it_would_move(town, tmp_path):
    outside = tmp_path / "outside.csv"
    rows = (f"Q{n},占道经营,2026-04-01 08:30,{121.005 + n / 100},31.03" for n in range(3))
    outside.write_text("案件编号,问题类别,发现时间,经度,纬度\n" + "\n".join(rows), encoding="utf-8")
    town.apply("problems", outside)
    ring = [[121, 31.02], [121.1, 31.02], [121.1, 31.04], [121, 31.04], [121, 31.02]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    properties = {"code": "310101001002", "name": "新社区"}
    features = [{"type": "Feature", "properties": properties, "geometry": shape}]
    file = tmp_path / "a.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    before = foreseen(town, "areas", file, more={"level": "community"})
    assert before == {"Area": [(None, "新社区", 3)]}
    town.apply("areas", file, more={"level": "community"})
    with reading(town.engine) as session:
        moves = preview_moves(session, Actor.owner(), settings=town.settings, now=town.now)
        assert [count for _, _, count in moves.counts("area_id")] == [3]


def test_the_command_line_tells_it_too(town, tmp_path):
    file = cells(tmp_path / "d.geojson", ("A", 0, 3), ("B", 5, 10), ("C", 3, 5))
    url = town.engine.url.render_as_string(hide_password=False)
    settings = replace(town.settings, database_url=url)
    asked = ["file", "cells", str(file), "--datum", "wgs84", "--preview"]
    done = CliRunner().invoke(imports, asked, obj=settings, catch_exceptions=False)
    assert "    A → C: 2\n" in done.output
    assert "Imported" not in done.output


def test_where_nothing_is_open_nothing_is_told(importer, tmp_path):
    plan = importer.plan("cells", cells(tmp_path / "c.geojson", ("A", 0, 5)))
    with reading(importer.engine) as session:
        thought = cells_after(session, plan.steps, importer.now.date())
        assert thought["code"].tolist() == ["A"]
        assert foresee(session, Actor.owner(), thought, settings=importer.settings, now=importer.now) == []
