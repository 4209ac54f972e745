"""Shopfronts from tables and GIS files, with the pledges they signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import select

from gridmap.imports.fields import Field, day, phone, text
from gridmap.imports.places import CODE_WORDS, NAME_WORDS, codes_of, or_blank, refuse_doubles
from gridmap.imports.plan import Counts, Kind, Plan
from gridmap.imports.reading import POINTS_OR_POLYGONS
from gridmap.imports.steps import Draft, Matched, match
from gridmap.language import N_
from gridmap.people.permissions import Permission
from gridmap.shops.models import Pledge, Shopfront

if TYPE_CHECKING:
    from gridmap.imports.plan import Reading, Writer

__all__ = ["SHOPS"]

_TEXTS = ("licence", "trade", "owner", "address")


def _plan(reading: Reading, writer: Writer) -> Plan:
    values, faults = reading.fields, reading.faults
    values["code"] = codes_of(values)
    refuse_doubles(reading, values["code"], "code")
    today = writer.now.astimezone(writer.settings.zone).date()
    signed = values["signed_on"]
    faults.add(
        np.array([one is not None and one > today for one in signed], dtype=bool),
        "{column}: expected a day that is not in the future; found “{found}”.",
        column=reading.heading("signed_on"),
        found=signed,
    )
    good = reading.good
    of_shops = match(
        writer.session,
        Draft(
            Shopfront,
            key=("code",),
            columns={
                "code": values["code"][good],
                "name": values["name"][good],
                "phone": values["phone"][good],
                **{name: or_blank(values[name][good]) for name in _TEXTS},
            },
            geometry=None if reading.geometry is None else reading.geometry[good],
            # What the file does not tell stays as it is known.
            keep=frozenset(name for name in (*_TEXTS, "phone") if reading.headings[name] is None),
            lasting=True,
        ),
        on=writer.now.date(),
    )
    rows = np.flatnonzero(~pd.isna(signed[good]))
    signers = np.where(pd.isna(values["signed_by"]), values["owner"], values["signed_by"])
    signers = np.where(pd.isna(signers), values["name"], signers)[good][rows]
    of_pledges = match(
        writer.session,
        Draft(
            Pledge,
            key=("shop_id", "signed_on"),
            columns={
                "signed_on": signed[good][rows],
                "signed_by": signers,
                "actor": np.full(len(rows), writer.actor.name, dtype=object),
                "recorded_at": np.full(len(rows), writer.now, dtype=object),
                "ended_on": np.full(len(rows), None, dtype=object),
            },
            references={"shop_id": (Shopfront, of_shops.uids[rows])},
            keep=frozenset({"actor", "recorded_at", "ended_on"}),
        ),
        on=writer.now.date(),
    )
    of_ended = _end_earlier(writer, of_pledges)
    changed = of_shops.changed.copy()
    changed[rows] |= of_pledges.created | of_pledges.changed
    changed &= ~of_shops.created
    counts = Counts(
        read=len(reading.table.frame),
        created=int(of_shops.created.sum()),
        changed=int(changed.sum()),
        unchanged=int((~of_shops.created & ~changed).sum()),
        refused=len(faults),
    )
    sample = of_shops.draft.frame().head(10)
    return Plan("shops", reading, counts, [of_shops, of_pledges, of_ended], sample=sample)


def _end_earlier(writer: Writer, of_pledges: Matched) -> Matched:
    """Let each pledge end on the day on which the next one of its shop was signed.

    What the file brings gets its end in its draft; what was there before is a change of its own, which goes
    when the import is undone.
    """
    _, shops = of_pledges.draft.references["shop_id"]
    created = of_pledges.created
    known = pd.DataFrame(
        writer.session.execute(
            select(Shopfront.uid, Pledge.uid, Pledge.signed_on, Pledge.ended_on)
            .join(Pledge, Pledge.shop_id == Shopfront.id)
            .order_by(Pledge.signed_on, Pledge.id)
        ).all(),
        columns=["shop", "uid", "signed_on", "ended_on"],
        dtype=object,
    )
    signed = of_pledges.draft.columns["signed_on"]
    fresh = pd.DataFrame(
        {
            "shop": shops[created],
            "uid": of_pledges.uids[created],
            "signed_on": signed[created],
            "ended_on": np.full(int(created.sum()), None, dtype=object),
        },
        dtype=object,
    )
    both = pd.concat([known[known["shop"].isin(set(shops))], fresh], ignore_index=True)
    both = both.sort_values("signed_on", kind="stable")
    following = both.groupby("shop", sort=False)["signed_on"].shift(-1)
    ending = both["ended_on"].isna() & following.notna()
    ends = both[ending].assign(ended_on=following[ending])
    by_uid = dict(zip(ends["uid"], ends["ended_on"], strict=True))
    of_pledges.draft.columns["ended_on"][:] = [by_uid.get(uid) for uid in of_pledges.uids]
    earlier = ends[~ends["uid"].isin(set(fresh["uid"]))]
    count = len(earlier)
    return Matched(
        Draft(Pledge, key=(), columns={"ended_on": earlier["ended_on"].to_numpy(dtype=object)}),
        earlier["uid"].to_numpy(dtype=object),
        created=np.zeros(count, dtype=bool),
        changed=np.ones(count, dtype=bool),
        reshaped=np.zeros(count, dtype=bool),
        before=pd.DataFrame(index=range(count)),
    )


SHOPS = Kind(
    "shops",
    N_("Shopfronts"),
    Permission.PLACE_IMPORT,
    lambda _zone: (
        Field("code", ("商铺编号", "商铺编码", "店铺编号", "门牌编号", *CODE_WORDS), text(60)),
        Field(
            "name",
            ("商铺名称", "店铺名称", "店名", "招牌名称", "商户名称", "商户", "shop", *NAME_WORDS),
            text(),
            required=True,
        ),
        Field(
            "licence",
            ("统一社会信用代码", "社会信用代码", "营业执照号", "营业执照", "执照号", "licence", "license"),
            text(40),
        ),
        Field("trade", ("经营范围", "业态", "经营类型", "行业", "类型", "trade"), text(100)),
        Field("owner", ("经营者", "负责人", "法定代表人", "店主", "联系人", "owner"), text(100)),
        Field("phone", ("电话", "手机", "手机号", "联系电话", "联系方式", "phone", "mobile"), phone()),
        Field("address", ("地址", "详细地址", "门牌号", "位置", "address"), text(300)),
        Field(
            "signed_on",
            ("签订日期", "签约日期", "责任书签订日期", "门前三包签订日期", "签订时间", "signed_on"),
            day(),
        ),
        Field("signed_by", ("签订人", "签约人", "签字人", "signed_by"), text(100)),
    ),
    POINTS_OR_POLYGONS,
    _plan,
)
