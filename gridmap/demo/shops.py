"""Shops along the lively streets, most with a pledge, some with offences, a few of them often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.demo.ground import CENTRE
from gridmap.demo.names import person_names, phones
from gridmap.shops.locating import locate_shops
from gridmap.shops.models import Offence, Pledge, Shopfront
from gridmap.shops.rules import LADDER
from gridmap.store.bulk import insert_rows, reserve_ids

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.random import Generator
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.demo.spots import Spots

__all__ = ["DemoShops", "open_shops", "write_shops"]

_TRADES = {
    "小吃店": ("味香", "老街", "聚福", "好再来", "一品", "阿婆"),
    "水果店": ("鲜果", "四季", "果然", "百果", "绿园"),
    "便利店": ("邻里", "每日", "惠民", "家家", "万家"),
    "五金店": ("宏达", "顺发", "诚信", "永固"),
    "理发店": ("时尚", "青丝", "风尚", "美业"),
    "服装店": ("衣香", "霓裳", "新潮", "锦衣"),
    "烧烤店": ("夜来", "星火", "炭香", "老地方"),
    "药店": ("康泰", "仁济", "百草", "同安"),
    "汽修店": ("车友", "快捷", "畅行", "精工"),
    "餐馆": ("江畔", "家常", "福满", "湘味", "川香"),
}
_OFFENCES = ("0401", "0104", "0202", "0102", "0201", "0403")
"""Categories that shops are written up for."""
_SHARE_PLEDGED, _SHARE_OFFENDING = 0.86, 0.12


@dataclass(frozen=True, slots=True, eq=False)
class DemoShops:
    """Shops, arrays of shape (n,); of offences, arrays of shape (m,) with the position of their shop."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    name: NDArray[np.object_]
    trade: NDArray[np.object_]
    owner: NDArray[np.object_]
    phone: NDArray[np.object_]
    address: NDArray[np.object_]
    signed_on: NDArray[np.object_]
    """None: no pledge."""
    shop: NDArray[np.int64]
    at: list[datetime]
    category: NDArray[np.object_]
    step: list[str]


def open_shops(spots: Spots, count: int, *, today: date, now: datetime, random: Generator) -> DemoShops:
    """Open shops on spots where there are shops, each on one of its own.

    Parameters
    ----------
    spots
        Where there is room, and how lively it is.
    count
        At most so many.
    today, now
        The day on which it all stands, and the moment before which it happened.
    random
        The same one opens the same shops.
    """
    weights = spots.weights["shops"]
    count = min(count, int((weights > 0).sum()))
    at = np.sort(random.choice(len(weights), count, replace=False, p=weights))
    # Back from the kerb, to where the doors are.
    lon, lat = CENTRE.inverse_xy(spots.x[at], spots.y[at])
    trades = random.choice(np.array(list(_TRADES), dtype=object), count)
    heads = np.array([random.choice(_TRADES[trade]) for trade in trades], dtype=object)
    owners = person_names(random, count)
    names = np.array([owner[0] for owner in owners], dtype=object)
    names = np.where(random.random(count) < 0.35, names + "记" + trades, heads + trades)
    signed = np.array(
        [today - timedelta(days=int(days)) for days in random.integers(20, 400, count)], dtype=object
    )
    signed[random.random(count) >= _SHARE_PLEDGED] = None
    offenders = np.flatnonzero(random.random(count) < _SHARE_OFFENDING)
    times = np.minimum(random.geometric(0.55, len(offenders)), len(LADDER))
    shop = np.repeat(offenders, times)
    rung = np.concatenate([np.arange(n) for n in times]) if len(times) else times
    # The ladder is climbed in order, the last step a few days ago at the earliest.
    days = np.concatenate([np.sort(random.uniform(3, 330, n))[::-1] for n in times]) if len(times) else times
    return DemoShops(
        lon=np.round(lon, 7),
        lat=np.round(lat, 7),
        name=names,
        trade=trades,
        owner=owners,
        phone=phones(random, count),
        address=spots.address[at],
        signed_on=signed,
        shop=shop,
        at=[now - timedelta(days=float(ago)) for ago in days],
        category=random.choice(np.array(_OFFENCES, dtype=object), len(shop)),
        step=[LADDER[int(one)].step.value for one in rung],
    )


def write_shops(
    session: Session,
    spots: Spots,
    count: int,
    categories: Mapping[str, int],
    *,
    settings: Settings,
    now: datetime,
    seed: int,
) -> int:
    """Write shops, their pledges and offences; return how many shops there are.

    Parameters
    ----------
    session
        Of a writing transaction in which the ground and the people are written.
    spots, count
        Where, and at most how many.
    categories
        Ids by code.
    settings, now, seed
        Of the district.
    """
    today = now.astimezone(settings.zone).date()
    made = open_shops(spots, count, today=today, now=now, random=np.random.default_rng([seed, 7]))
    ids = reserve_ids(session, Shopfront, len(made.lon))
    insert_rows(
        session,
        Shopfront,
        {
            "id": ids,
            "code": [f"SP{number:05d}" for number in range(1, len(ids) + 1)],
            **{name: getattr(made, name) for name in ("name", "trade", "owner", "phone", "address")},
            "geometry": shapely.points(made.lon, made.lat),
        },
    )
    locate_shops(session, on=today, reach_metres=settings.road_reach_metres)
    signed = np.flatnonzero([day is not None for day in made.signed_on])
    insert_rows(
        session,
        Pledge,
        {
            "shop_id": ids[signed],
            "signed_on": made.signed_on[signed],
            "signed_by": made.owner[signed],
            "actor": "街道办",
            "recorded_at": now,
        },
    )
    insert_rows(
        session,
        Offence,
        {
            "shop_id": ids[made.shop],
            "category_id": [categories[code] for code in made.category],
            "at": made.at,
            "recorded_at": made.at,
            "step": made.step,
            "expected": made.step,
            "address": made.address[made.shop],
            "lon": made.lon[made.shop],
            "lat": made.lat[made.shop],
            "actor": "执法队员",
        },
    )
    return len(ids)
