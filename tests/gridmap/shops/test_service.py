from __future__ import annotations

import threading
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError, PermissionDeniedError
from gridmap.people.permissions import Actor, Role
from gridmap.shops.models import AppealState, Offence, Shopfront, Step
from gridmap.shops.offences import NewOffence, appeal_offence, decide_appeal, record_offence
from gridmap.shops.pledges import NewPledge, sign_pledge
from gridmap.shops.queries import PledgeState, ShopFilter, read_shops, tally_shops
from gridmap.shops.service import ShopRecord, close_shop, save_shop
from gridmap.store.engine import reading, writing


def offend(street, shop=0, actor=None, *, ago=0, uid=None, **more):
    offence = NewOffence(
        uid=uid or uuid.uuid4(), category="0401", at=street.now - timedelta(days=ago), **more
    )
    return street.do(
        record_offence,
        actor or street.officers[shop],
        street.shops[shop],
        offence,
        settings=street.settings,
    )


def seen(street, actor, **asked):
    with reading(street.engine) as session:
        return read_shops(
            session, actor, ShopFilter(**asked), day=street.now.date(), settings=street.settings
        ).rows


def test_a_shop_is_found_on_the_ground(street):
    first, second = seen(street, Actor.owner())
    assert (first["area_id"], first["cell_id"], first["road_id"]) == (
        street.areas[0],
        street.cells[0],
        street.road,
    )
    assert first["organisation_id"] == street.squads[0]
    assert second["area_id"] == street.areas[1]


def test_the_ladder_is_climbed_step_by_step(street):
    steps = [offend(street, ago=50 - n, goods="柜")[0].step for n in range(6)]
    assert steps == [*Step, Step.BANNED]
    with reading(street.engine) as session:
        rows = session.execute(select(Offence.step, Offence.expected).order_by(Offence.at)).all()
    assert all(step is expected for step, expected in rows)


def test_goods_that_are_held_are_named(street):
    for n in range(3):
        offend(street, ago=9 - n)
    with pytest.raises(InvalidValueError) as refused:
        offend(street)
    assert refused.value.parameter == "goods"
    made, _ = offend(street, goods="铁皮柜一个")
    assert (made.step, made.goods) == (Step.GOODS_HELD, "铁皮柜一个")


def test_skipping_needs_a_reason_and_the_first_is_never_punished(street):
    with pytest.raises(InvalidValueError) as refused:
        offend(street, step=Step.BANNED, reason="屡教不改")
    assert refused.value.parameter == "step"
    with pytest.raises(InvalidValueError) as refused:
        offend(street, step=Step.ORDERED, reason="  ")
    assert refused.value.parameter == "reason"
    made, _ = offend(street, step=Step.ORDERED, reason="堵塞消防通道")
    assert (made.step, made.expected, made.reason) == (Step.ORDERED, Step.TOLD, "堵塞消防通道")
    assert seen(street, Actor.owner())[0]["advice"].step is Step.GOODS_HELD


def test_what_lapsed_no_longer_counts(street):
    offend(street, ago=400)
    offend(street, ago=390)
    row = seen(street, Actor.owner())[0]
    assert (row["standing"], row["advice"].step, row["advice"].lapsed) == (0, Step.TOLD, 2)
    made, _ = offend(street)
    assert made.step is Step.TOLD


def test_sent_twice_it_is_there_once(street):
    uid = uuid.uuid4()
    assert offend(street, uid=uid)[1] is True
    again, fresh = offend(street, uid=uid, ago=3)
    assert (fresh, again.uid) == (False, uid)
    assert seen(street, Actor.owner())[0]["standing"] == 1
    with pytest.raises(ConflictError):
        offend(street, 1, Actor.owner(), uid=uid)


def test_two_officers_at_once_do_not_both_tell(street):
    ready = threading.Barrier(2)
    steps, faults = [], []

    def write():
        ready.wait()
        try:
            steps.append(offend(street)[0].step)
        except Exception as error:  # noqa: BLE001 - shown below
            faults.append(error)

    hands = [threading.Thread(target=write) for _ in range(2)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert faults == []
    assert sorted(steps) == [Step.TAUGHT, Step.TOLD]


def test_an_upheld_appeal_takes_the_step_back_and_another_person_decides(street):
    made, _ = offend(street)
    offend_again = offend(street)[0]
    assert offend_again.step is Step.TAUGHT
    street.do(appeal_offence, street.officers[0], made.uid, "当时未营业", settings=street.settings)
    with pytest.raises(ConflictError):
        street.do(appeal_offence, street.officers[0], made.uid, "再次申诉", settings=street.settings)
    with pytest.raises(PermissionDeniedError):
        street.do(
            decide_appeal,
            street.officers[0],
            made.uid,
            uphold=True,
            decision="属实",
            settings=street.settings,
        )
    self_judge = Actor("x", street.actor(Role.AREA_MANAGER).holdings, person_id=street.officers[0].person_id)
    with pytest.raises(PermissionDeniedError):
        street.do(decide_appeal, self_judge, made.uid, uphold=True, decision="属实", settings=street.settings)
    decided = street.do(
        decide_appeal,
        street.actor(Role.AREA_MANAGER, area=0),
        made.uid,
        uphold=True,
        decision="属实",
        settings=street.settings,
    )
    assert decided.appeal_state is AppealState.UPHELD
    row = seen(street, Actor.owner())[0]
    assert (row["standing"], row["advice"].quashed) == (1, 1)


def test_nothing_outside_the_scope_is_seen_or_written(street):
    mine, _ = street.officers
    offend(street, 1, Actor.owner())
    assert [row["uid"] for row in seen(street, mine)] == [str(street.shops[0])]
    squad = street.actor(Role.PATROL_MEMBER, squad=1)
    assert [row["uid"] for row in seen(street, squad)] == [str(street.shops[1])]
    with reading(street.engine) as session:
        tally = tally_shops(session, mine, ShopFilter(), day=street.now.date(), settings=street.settings)
    assert (tally.total, tally.repeated) == (1, 0)
    with pytest.raises(NotFoundError):
        offend(street, 1, mine)
    with pytest.raises(PermissionDeniedError):
        offend(street, 0, street.actor(Role.READ_ONLY))
    with pytest.raises(PermissionDeniedError):
        street.do(
            save_shop,
            street.actor(Role.AREA_MANAGER, area=0),
            ShopRecord(uid=uuid.uuid4(), name="外地店", lon=121.415, lat=31.205),
            settings=street.settings,
        )
    with pytest.raises(NotFoundError):
        street.do(
            sign_pledge,
            mine,
            street.shops[1],
            NewPledge(uid=uuid.uuid4(), signed_on=date(2026, 5, 1), signed_by="甲"),
            settings=street.settings,
        )


def test_a_new_pledge_ends_the_old_one(street):
    def sign(day, uid=None):
        pledge = NewPledge(uid=uid or uuid.uuid4(), signed_on=day, signed_by="王店主")
        return street.do(sign_pledge, street.officers[0], street.shops[0], pledge, settings=street.settings)

    missing = {row["uid"] for row in seen(street, Actor.owner(), pledge=PledgeState.MISSING)}
    assert missing == set(map(str, street.shops))
    first, _ = sign(date(2026, 1, 5))
    sign(date(2026, 4, 1))
    between, _ = sign(date(2026, 2, 1))
    assert between.ended_on == date(2026, 4, 1)
    assert sign(date(2026, 1, 5), first.uid)[1] is False
    (row,) = seen(street, Actor.owner(), pledge=PledgeState.SIGNED)
    assert row["signed_on"] == date(2026, 4, 1)
    with pytest.raises(InvalidValueError):
        sign(street.now.date() + timedelta(days=2))


def test_a_closed_shop_keeps_its_record_and_takes_no_more(street):
    offend(street)
    # In the small hours of a day here it is the day before in Greenwich.
    early = datetime(2026, 5, 8, 17, tzinfo=UTC)
    street.do(close_shop, Actor.owner(), street.shops[0], settings=street.settings, now=early)
    pledge = NewPledge(uid=uuid.uuid4(), signed_on=date(2026, 5, 1), signed_by="王店主")
    with pytest.raises(ConflictError, match="2026-05-09"):
        street.do(sign_pledge, Actor.owner(), street.shops[0], pledge, settings=street.settings, now=early)
    assert len(seen(street, Actor.owner())) == 1
    with pytest.raises(ConflictError):
        offend(street)
    with reading(street.engine) as session:
        shown = read_shops(
            session,
            Actor.owner(),
            ShopFilter(),
            day=street.now.date(),
            settings=street.settings,
            uid=str(street.shops[0]),
        ).rows
    assert shown[0]["standing"] == 1


def test_an_empty_repeat_list_and_a_full_one(street):
    assert seen(street, Actor.owner(), repeated=True) == []
    offend(street, ago=2)
    offend(street, ago=1)
    assert [row["uid"] for row in seen(street, Actor.owner(), repeated=True)] == [str(street.shops[0])]


def test_what_stands_around_decides_again_when_the_ground_changes(street):
    from gridmap.places.locating import locate_places  # noqa: PLC0415 - only this story needs it
    from gridmap.places.models import Responsibility  # noqa: PLC0415 - as above

    with writing(street.engine) as session:
        session.query(Responsibility).update({"organisation_id": street.squads[1]})
        session.flush()
        locate_places(session, on=street.now.date(), reach_metres=10.0)
    with reading(street.engine) as session:
        rows = session.execute(select(Shopfront.organisation_id, Shopfront.road_id)).all()
    assert rows == [(street.squads[1], None), (street.squads[1], None)]


def test_the_same_paper_is_not_a_second_pledge(street):
    def sign(**more):
        pledge = NewPledge(
            **{"uid": uuid.uuid4(), "signed_on": date(2026, 1, 5), "signed_by": "王店主"} | more
        )
        return street.do(sign_pledge, street.officers[0], street.shops[0], pledge, settings=street.settings)

    first, _ = sign()
    same, fresh = sign(note="原件存档")
    assert (same.uid, same.note, same.ended_on, fresh) == (first.uid, "原件存档", None, False)
    other, fresh = sign(signed_by="李店主")
    assert (other.uid == first.uid, fresh) == (False, True)
