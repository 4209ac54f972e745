from __future__ import annotations

import uuid
from datetime import timedelta

import numpy as np
import pytest
import shapely
from sqlalchemy import select

from geodata.errors import GeometryError
from gridmap.coverage.audit import FindingKind, audit_coverage
from gridmap.coverage.drawing import Wish, apply_drawing, area_from_bounds, propose_cells, told
from gridmap.errors import NotFoundError
from gridmap.imports.plan import ImportOptions, Writer
from gridmap.jobs import silent
from gridmap.people.permissions import Actor
from gridmap.places.models import GridCell, Street
from gridmap.store.bulk import insert_rows
from gridmap.store.engine import reading, writing

WEST, SOUTH, EAST, NORTH = 121.0, 31.0, 121.02, 31.016


@pytest.fixture
def area_uid(importer):
    """A district of 80 blocks whose streets are a lattice, one of them a main road."""
    lon, lat = np.linspace(WEST, EAST, 11), np.linspace(SOUTH, NORTH, 9)
    lines = [shapely.LineString([(x, SOUTH), (x, NORTH)]) for x in lon]
    lines += [shapely.LineString([(WEST, y), (EAST, y)]) for y in lat]
    classes = np.array(["residential"] * len(lines), dtype=object)
    classes[5] = "primary"
    with writing(importer.engine) as session:
        insert_rows(
            session,
            Street,
            {
                "source_ref": np.array([f"s{i}" for i in range(len(lines))], dtype=object),
                "name": "",
                "road_class": classes,
                "oneway": 0,
                "geometry": np.array(lines, dtype=object),
            },
        )
        return area_from_bounds(session, (WEST, SOUTH, EAST, NORTH), code="310101001001", name="试验社区").uid


def writer(importer, session, days=0):
    return Writer(
        session=session,
        actor=Actor.owner(),
        now=importer.now + timedelta(days=days),
        options=ImportOptions(zone=importer.settings.zone),
        progress=silent,
        settings=importer.settings,
    )


def in_force(importer, days=0):
    with writing(importer.engine) as session:
        return session.scalars(
            select(GridCell.code)
            .where(GridCell.in_force((importer.now + timedelta(days=days)).date()))
            .order_by(GridCell.code)
        ).all()


def test_drawn_cells_tile_the_area_carry_codes_and_can_be_undone(importer, area_uid):
    with writing(importer.engine) as session:
        record, proposal = apply_drawing(writer(importer, session), Wish(area_uid=area_uid, count=6))
        uid = record.uid
        audit = audit_coverage(session, Actor.owner(), on=importer.now.date(), progress=silent)
    assert in_force(importer) == [f"310101001001{i:03d}" for i in range(1, 7)]
    assert proposal.drawn.imbalance < 1.15
    assert set(audit.counts) == {FindingKind.CELL_WITHOUT_HOLDER}
    importer.undo(uid)
    assert in_force(importer) == []


def test_a_proposal_says_what_main_roads_cannot_be_kept_out(importer, area_uid):
    with reading(importer.engine) as session:
        seven = propose_cells(writer(importer, session), Wish(area_uid=area_uid, count=7))
        six = propose_cells(writer(importer, session), Wish(area_uid=area_uid, count=6))
    assert seven.drawn.least_spans == 1, "two equal halves cannot share seven"
    assert "1 个跨越主干道" in told(seven)
    assert "分成 2 片" in told(seven)
    assert "0 个跨越主干道" in told(six)
    assert "分成" not in told(six)


def test_a_new_drawing_ends_the_old_cells_and_its_undo_brings_them_back(importer, area_uid):
    with writing(importer.engine) as session:
        apply_drawing(writer(importer, session), Wish(area_uid=area_uid, count=6))
    with writing(importer.engine) as session:
        record, proposal = apply_drawing(writer(importer, session, days=30), Wish(area_uid=area_uid, count=4))
        uid = record.uid
    assert proposal.replaced == 6
    assert len(in_force(importer, 30)) == 4
    assert len(in_force(importer, 29)) == 6
    importer.undo(uid)
    assert len(in_force(importer, 30)) == 6


def test_a_second_drawing_on_the_same_day_leaves_no_doubles(importer, area_uid):
    for count in (6, 4, 5):
        with writing(importer.engine) as session:
            apply_drawing(writer(importer, session), Wish(area_uid=area_uid, count=count))
        assert len(in_force(importer)) == count
        with writing(importer.engine) as session:
            audit = audit_coverage(session, Actor.owner(), on=importer.now.date(), progress=silent)
        assert set(audit.counts) == {FindingKind.CELL_WITHOUT_HOLDER}


def test_a_wish_that_cannot_be_met_is_refused(importer, area_uid):
    with writing(importer.engine) as session:
        for count in (0, 100_000):
            with pytest.raises(GeometryError):
                propose_cells(writer(importer, session), Wish(area_uid=area_uid, count=count))
        with pytest.raises(NotFoundError):
            propose_cells(writer(importer, session), Wish(area_uid=uuid.uuid4(), count=3))
