from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select, update

from gridmap.errors import ConflictError
from gridmap.evidence.models import Attachment, MediaKind, Stage
from gridmap.problems.models import Category
from gridmap.shops.models import Offence, Pledge, Shopfront, Step
from gridmap.store.engine import reading, writing

HEAD = "商铺编号,店铺名称,统一社会信用代码,经营者,联系电话,地址,签订日期,经度,纬度\n"
ROWS = (
    "S1,王记面馆,91310000MA1K000001,王五,13812345678,人民路1号,2026-01-05,121.401,31.201\n"
    "S2,李记水果,,李四,,人民路3号,,121.402,31.201\n"
)


def file_of(tmp_path, rows, name="shops.csv"):
    file = tmp_path / name
    file.write_text(HEAD + rows, encoding="utf-8")
    return file


def shops(engine):
    with reading(engine) as session:
        return session.execute(
            select(Shopfront.code, Shopfront.name, Shopfront.phone, func.ST_X(Shopfront.geometry)).order_by(
                Shopfront.code
            )
        ).all()


def test_shops_and_their_pledges_come_in_once(importer, tmp_path):
    file = file_of(tmp_path, ROWS)
    plan = importer.plan("shops", file)
    assert (plan.counts.created, plan.counts.refused) == (2, 0)
    uid = importer.apply("shops", file)
    assert [row[:3] for row in shops(importer.engine)] == [
        ("S1", "王记面馆", "13812345678"),
        ("S2", "李记水果", None),
    ]
    again = importer.plan("shops", file).counts
    assert (again.created, again.changed, again.unchanged) == (0, 0, 2)
    with reading(importer.engine) as session:
        assert session.execute(select(Pledge.signed_on, Pledge.signed_by)).all() == [
            (date(2026, 1, 5), "王五")
        ]
    importer.undo(uid)
    assert shops(importer.engine) == []


def test_a_shop_that_moves_keeps_its_offences(importer, tmp_path):
    importer.apply("shops", file_of(tmp_path, ROWS))
    with writing(importer.engine) as session:
        session.execute(update(Shopfront).values(valid_from=date(2025, 1, 1)))
        shop = session.scalars(select(Shopfront).where(Shopfront.code == "S1")).one()
        category = Category(code="0401", name="占道经营")
        session.add(category)
        session.flush()
        session.add(
            Offence(
                shop_id=shop.id,
                category_id=category.id,
                at=importer.now,
                recorded_at=importer.now,
                step=Step.TOLD,
                expected=Step.TOLD,
                lon=121.4,
                lat=31.2,
                actor="甲",
            )
        )
        before = shop.uid
    moved = ROWS.replace("121.401", "121.4015").replace("2026-01-05", "2026-03-01")
    uid = importer.apply("shops", file_of(tmp_path, moved, "moved.csv"))
    with reading(importer.engine) as session:
        rows = session.execute(
            select(Shopfront.uid, func.ST_X(Shopfront.geometry), Offence.id).join(Offence)
        ).all()
        assert [(row[0], round(row[1], 4)) for row in rows] == [(before, 121.4015)]
        assert session.scalar(select(func.count()).select_from(Pledge)) == 2
    importer.undo(uid)
    assert [round(row[3], 4) for row in shops(importer.engine)] == [121.401, 121.402]
    with reading(importer.engine) as session:
        assert session.scalar(select(func.count()).select_from(Pledge)) == 1


def test_shops_with_offences_are_not_undone(importer, tmp_path):
    uid = importer.apply("shops", file_of(tmp_path, ROWS))
    with writing(importer.engine) as session:
        category = Category(code="0401", name="占道经营")
        session.add(category)
        session.flush()
        shop = session.scalars(select(Shopfront)).first()
        session.add(
            Offence(
                shop_id=shop.id,
                category_id=category.id,
                at=importer.now,
                recorded_at=importer.now,
                step=Step.TOLD,
                expected=Step.TOLD,
                lon=121.4,
                lat=31.2,
                actor="甲",
            )
        )
    with pytest.raises(ConflictError, match="offence"):
        importer.undo(uid)
    assert len(shops(importer.engine)) == 2


def test_rows_that_cannot_be_are_refused(importer, tmp_path):
    bad = (
        "S1,王记面馆,,,,,2026-09-01,121.401,31.201\nS1,又一家,,,,,,121.401,31.201\nS3,,,,,,,121.4,31.2\n"
        "S4,好店,,,电话无,,,121.4,31.2\n"
    )
    plan = importer.plan("shops", file_of(tmp_path, bad))
    assert plan.counts.refused == 4


def test_a_roster_can_hold_a_shop(importer, tmp_path):
    from gridmap.places.models import Responsibility  # noqa: PLC0415 - only this story needs it

    importer.apply("shops", file_of(tmp_path, ROWS))
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "姓名,电话,单位,网格,角色\n赵六,13900000009,一中队,王记面馆,执法队员\n", encoding="utf-8"
    )
    importer.apply("roster", roster)
    with reading(importer.engine) as session:
        held = session.execute(
            select(Shopfront.code, Responsibility.role).join(
                Responsibility, Responsibility.shop_id == Shopfront.id
            )
        ).all()
    assert [(code, role.value) for code, role in held] == [("S1", "enforcement")]


def pledges(engine):
    with reading(engine) as session:
        query = select(Pledge.signed_on, Pledge.ended_on).order_by(Pledge.signed_on)
        return [tuple(row) for row in session.execute(query)]


def test_a_pledge_ends_the_earlier_ones_of_its_shop_and_undoing_brings_them_back(importer, tmp_path):
    first, second, between = date(2026, 1, 5), date(2026, 3, 1), date(2026, 2, 1)
    importer.apply("shops", file_of(tmp_path, ROWS))
    later = file_of(tmp_path, ROWS.replace(str(first), str(second)), "later.csv")
    uid = importer.apply("shops", later)
    assert pledges(importer.engine) == [(first, second), (second, None)]
    again = importer.plan("shops", later).counts
    assert (again.created, again.changed, again.unchanged) == (0, 0, 2)
    importer.undo(uid)
    assert pledges(importer.engine) == [(first, None)]
    importer.apply("shops", later)
    importer.apply("shops", file_of(tmp_path, ROWS.replace(str(first), str(between)), "between.csv"))
    assert pledges(importer.engine) == [(first, second), (between, second), (second, None)]


def test_a_pledge_that_got_its_scan_since_is_not_undone(importer, tmp_path):
    uid = importer.apply("shops", file_of(tmp_path, ROWS))
    with writing(importer.engine) as session:
        scan = Attachment(
            stage=Stage.PLEDGE,
            kind=MediaKind.SCAN,
            media_type="image/jpeg",
            size=1,
            sha256="0" * 64,
            uploaded_by="甲",
            created_at=importer.now,
        )
        session.add(scan)
        session.flush()
        session.scalars(select(Pledge)).one().attachment_id = scan.id
    with pytest.raises(ConflictError, match="scan"):
        importer.undo(uid)
    assert len(pledges(importer.engine)) == 1
    with writing(importer.engine) as session:
        session.scalars(select(Pledge)).one().attachment_id = None
    importer.undo(uid)
    assert pledges(importer.engine) == []
